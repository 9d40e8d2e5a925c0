// Imported outcomes: whether they belong to the job that they came with, and to which cells.
//
//   ImportCheck check(specification);
//   for (v1::Outcome& outcome : *piece.mutable_outcomes()) check.Add(std::move(outcome));
//   if (!check.violations().empty()) Refuse(check.violations());
//   event.outcomes = check.Take();
//
// An outcome is one of the job's when its entry asks its scenario for its kind, its pair, order and
// sample are within the job's counts, no other outcome has that cell, both options name each
// attribute of the scenario once with a finite value, and its choice or report is what its class
// says. Nothing is mended but the order of a report's attributes.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/digest.h"
#include "common/base/violations.h"
#include "common/scenario/cells.h"
#include "coordinator/engine/records.h"

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace candor::service {

// Not for concurrent use.
class ImportCheck {
 public:
  // `specification` must outlive the check.
  explicit ImportCheck(const v1::JobSpecification& specification);

  // Takes the next outcome. Once something is wrong outcomes are still checked, up to
  // scenario::kMaxViolations findings, and no longer kept.
  void Add(v1::Outcome outcome);

  // Paths are "outcomes[17].pair", counted over all pieces.
  const FieldViolations& violations() const { return violations_; }
  std::size_t size() const { return count_; }
  // The outcomes with their cells; `job` and `attempt` are left 0.
  std::vector<engine::OutcomeRecord> Take() { return std::move(records_); }
  // SHA-256, in hexadecimal, of all outcomes in the order in which they came, however they were
  // cut into pieces.
  std::string Hash() const;

 private:
  struct KindCells {
    scenario::CellMap cells;
    std::uint32_t order_count = 1;
  };
  struct EntryCells {
    KindCells choices;
    KindCells self_reports;
    // Scenario id -> ordinal within the entry.
    std::unordered_map<std::string_view, std::uint32_t> scenarios;
  };

  // The violations' field, "outcomes[17].pair".
  std::string Field(std::string_view name) const;
  template <typename... Args>
  void Wrong(std::string_view field, fmt::format_string<Args...> format, Args&&... args);

  // Each false after a violation.
  bool FindCell(v1::Outcome& outcome, engine::CellKey* cell, const v1::Scenario** scenario);
  bool CheckOptions(const v1::Outcome& outcome, const v1::Scenario& scenario);
  bool CheckOption(const google::protobuf::RepeatedPtrField<v1::ShownValue>& option,
                   std::string_view name, const v1::Scenario& scenario);
  bool CheckAnswer(v1::Outcome& outcome, const v1::Scenario& scenario);
  bool CheckReport(v1::Outcome& outcome, const v1::Scenario& scenario);

  const v1::JobSpecification& specification_;
  std::vector<std::string> entry_names_;
  std::vector<EntryCells> entries_;
  std::unordered_map<std::string_view, std::size_t> entry_positions_;
  // Packed cell -> the outcome that has it.
  absl::flat_hash_map<std::uint64_t, std::uint32_t> taken_;
  std::vector<engine::OutcomeRecord> records_;
  FieldViolations violations_;
  std::size_t count_ = 0;
  Digest digest_{};
};

}  // namespace candor::service
