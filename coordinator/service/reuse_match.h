// Which outcomes of other jobs a new job may take over instead of asking again.
//
//   CANDOR_ASSIGN_OR_RETURN(auto match, ReuseMatch::Create(specification, config, nullptr));
//   for (const ReuseSource& source : sources) {
//     query.entries = match->BeginSource(source);
//     ... for each outcome of these entries, in canonical order:
//     CANDOR_RETURN_IF_ERROR(match->Offer(outcome));
//   }
//   event.reused = match->Take();
//
// By request (Job.reuse_from): an outcome is taken when the new job would send the very same
// request for the very same cell: same endpoint and model, same bytes (by the hash that the outcome
// has of its request), same scenario, kind, pair, order and sample. What its entry was called does
// not matter, nor does it whether the request was a line of a batch. The first source that has one
// wins.
//
// By cell (Job.retry_of): the job has the source's design, and an outcome is taken unless its class
// is to be asked again, however it was sampled there.
//
// A pair that an adaptive design proposes follows from the answers before it. So of a scenario's
// chain outcomes are taken in order and without a gap, and one that was proposed only when the new
// job, from what it has taken, would propose the same.
#pragma once

#include "candor/v1/config.pb.h"
#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/status.h"
#include "common/dialect/dialect.h"
#include "common/dialect/render.h"
#include "common/scenario/cells.h"
#include "coordinator/engine/records.h"

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace candor::service {

// Of one job: each is a row to be copied within one transaction.
inline constexpr std::size_t kMaxReusedOutcomes = 1'000'000;

// A job whose outcomes are offered.
struct ReuseSource {
  engine::JobKey key = 0;
  std::string name;
  std::shared_ptr<const v1::JobSpecification> specification;
};

// Costs two bits a cell of the new job and 28 bytes an outcome taken. Not for concurrent use.
class ReuseMatch {
 public:
  // `specification` and `config` outlive the match. With `retry_of` outcomes are taken by cell; the
  // caller has checked that there is one source, of the same design (same_design.h).
  // INVALID_ARGUMENT for a specification that cannot be rendered.
  static StatusOr<std::unique_ptr<ReuseMatch>> Create(const v1::JobSpecification& specification,
                                                      const v1::Config& config,
                                                      const v1::RetryOf* retry_of);
  ReuseMatch(const ReuseMatch&) = delete;
  ReuseMatch& operator=(const ReuseMatch&) = delete;

  // The names of those of its entries whose outcomes are to be offered; none: it has nothing.
  std::vector<std::string> BeginSource(const ReuseSource& source);
  // RESOURCE_EXHAUSTED above kMaxReusedOutcomes.
  Status Offer(const v1::Outcome& outcome);

  // Every cell of the job has an outcome.
  bool complete() const { return taken_ == cells_; }
  // By source; `job` is left 0.
  std::vector<engine::ReusedOutcomesRecord> Take() { return std::move(records_); }

 private:
  // Of a scenario of an adaptive design.
  struct Chain {
    // The first step without an outcome.
    std::uint32_t next = 0;
    // Answers so far, without their texts.
    std::vector<v1::Outcome> answers;
    // The pair worked out last, where there is one.
    std::uint32_t pair = 0;
    std::unique_ptr<v1::ExplicitTrial> trial;
  };
  // Of one (entry, kind).
  struct Part {
    scenario::CellMap cells;
    std::uint32_t orders = 1;
    std::vector<bool> taken;
    // Empty unless the design is adaptive.
    std::vector<Chain> chains;
  };
  struct Target {
    const v1::ResolvedEntry* entry = nullptr;
    const dialect::Dialect* dialect = nullptr;
    const v1::ModelRule* rule = nullptr;
    // Where replies stream: how lines of batches are asked, which never do.
    std::optional<v1::ModelRule> line_rule;
    // Choices, self-reports.
    std::array<Part, 2> parts;
    // Scenario id -> ordinal within the entry.
    std::unordered_map<std::string_view, std::uint32_t> scenarios;
  };

  ReuseMatch(const v1::JobSpecification& specification, const v1::RetryOf* retry_of)
      : specification_(specification), retry_of_(retry_of) {}
  Status Prepare(const v1::Config& config);
  Status OfferTo(std::size_t number, const v1::Outcome& outcome, const engine::CellKey& place);
  // Whether the class of this outcome is to be asked again.
  bool AskedAgain(const v1::Outcome& outcome) const;
  // The trial of a step that an adaptive design proposes; null where it is drawn.
  const v1::ExplicitTrial* TrialOf(const Target& target, Chain& chain,
                                   const scenario::CellAddress& address) const;
  // Whether the job's own request for the cell is the one that this is the outcome of.
  bool IsSame(std::size_t number, std::uint32_t index, const v1::ExplicitTrial* trial,
              const v1::Outcome& outcome);

  const v1::JobSpecification& specification_;
  const v1::RetryOf* const retry_of_;
  std::shared_ptr<const dialect::JobRenderer> renderer_;
  dialect::RenderedCell rendered_;
  std::vector<Target> targets_;
  std::uint64_t cells_ = 0;
  std::uint64_t taken_ = 0;

  // Of the present source: entry name -> its position, and those of the entries that may take from
  // it.
  struct From {
    std::uint16_t position = 0;
    std::vector<std::size_t> targets;
  };
  std::unordered_map<std::string, From> from_;
  ReuseSource source_;
  std::vector<engine::ReusedOutcomesRecord> records_;
};

}  // namespace candor::service
