// From a cell of a job to the exact bytes of its request: what a worker sends and what
// `candor preview` prints.
//
//   CANDOR_ASSIGN_OR_RETURN(std::shared_ptr<const JobRenderer> job,
//                           JobRenderer::Create(std::move(specification)));
//   RenderedCell rendered;                               // keep it: its memory is used again
//   CANDOR_RETURN_IF_ERROR(job->Render(lease.cell(), nullptr, *dialect, rule, &rendered));
//   Send(rendered.body);
//
// or, for a single one:
//
//   std::string body;
//   v1::Outcome outcome;
//   CANDOR_RETURN_IF_ERROR(RenderCell(specification, 0, v1::Cell::CHOICE, 17, nullptr, dialect,
//                                     FindModelRule(endpoint, model), &body, &outcome));
#pragma once

#include "candor/v1/cell.pb.h"
#include "candor/v1/config.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/status.h"
#include "common/dialect/dialect.h"
#include "common/scenario/cells.h"
#include "common/scenario/prompt.h"
#include "common/scenario/trial.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace candor::dialect {

// A cell, ready to be sent.
struct RenderedCell {
  // The request body.
  std::string body;
  // What is known before the reply: entry, scenario, kind, index, pair, order, sample, both options
  // as shown, and the prompt hash.
  v1::Outcome outcome;
  // The scenario that is asked; lives as long as the renderer.
  const v1::Scenario* scenario = nullptr;

  // Memory that is used again.
  scenario::Trial trial;
  std::vector<std::string> contents;
};

// The prompts and cells of one job, taken apart once. Immutable: may be used by any number of
// threads. Rendering costs some microseconds and, with a RenderedCell used again, few allocations.
class JobRenderer {
 public:
  // Takes a resolved specification. INVALID_ARGUMENT, naming the field, for one that ResolveJob
  // would not have made: a prompt that is none, a scenario index out of range, more cells than a
  // number holds.
  static StatusOr<std::shared_ptr<const JobRenderer>> Create(v1::JobSpecification specification);

  JobRenderer(const JobRenderer&) = delete;
  JobRenderer& operator=(const JobRenderer&) = delete;

  const v1::JobSpecification& specification() const { return specification_; }
  // Null when the cell's entry is none of the job's.
  const v1::ResolvedEntry* Entry(const v1::Cell& cell) const;

  // Renders one cell. `trial` is the pair's values when they are not drawn, else null.
  // INVALID_ARGUMENT for a cell that the job does not have, a trial that does not fit the scenario
  // or is missing where an adaptive design proposes it, and what the dialect cannot say. Equal
  // arguments give equal bytes.
  Status Render(const v1::Cell& cell, const v1::ExplicitTrial* trial, const Dialect& dialect,
                const v1::ModelRule& rule, RenderedCell* rendered) const;

 private:
  // Of one (entry, kind).
  struct Part {
    std::optional<scenario::PromptRenderer> prompt;
    scenario::CellMap cells;
  };

  explicit JobRenderer(v1::JobSpecification specification)
      : specification_(std::move(specification)) {}
  Status Prepare();
  Status PreparePart(int entry_index, v1::Cell::Kind kind);

  v1::JobSpecification specification_;
  // Choices of entry 0, its self-reports, choices of entry 1, ...
  std::vector<Part> parts_;
};

// Renders one cell of a specification without keeping anything: `body` gets the request body,
// `outcome` (may be null) what RenderedCell says. Errors as above.
Status RenderCell(const v1::JobSpecification& specification, int entry_index, v1::Cell::Kind kind,
                  std::uint32_t index, const v1::ExplicitTrial* trial, const Dialect& dialect,
                  const v1::ModelRule& rule, std::string* body, v1::Outcome* outcome);

}  // namespace candor::dialect
