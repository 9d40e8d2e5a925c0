#include "coordinator/service/derived_job.h"

#include "common/base/nearest.h"
#include "common/scenario/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

namespace candor::service {
namespace {

std::string NameOf(const v1::Entry& entry) {
  if (!entry.name().empty()) return entry.name();
  return !entry.condition().empty() ? entry.condition() : entry.model();
}

// Raises one count to `wanted`, unless it is 0: whoever asks nothing of a kind goes on asking
// nothing.
class Raise {
 public:
  Raise(std::string field, std::int32_t wanted, FieldViolations& violations)
      : field_(std::move(field)), wanted_(wanted), violations_(violations) {
    if (wanted < 0)
      violations_.push_back({field_, fmt::format("is {}; give 0 (as before) or more", wanted)});
  }

  template <typename Part>
  void Apply(Part* part, std::int32_t before, void (Part::*set)(std::int32_t),
             const std::string& whose) {
    if (wanted_ <= 0 || before == 0) return;
    asked_ = true;
    if (wanted_ < before) {
      violations_.push_back(
          {field_, fmt::format("is {}, but {} has {} already; give at least as many", wanted_,
                               whose, before)});
    }
    grown_ = grown_ || wanted_ > before;
    (part->*set)(wanted_);
  }

  void Finish(const std::string& name, const char* what) {
    if (wanted_ > 0 && !asked_) {
      violations_.push_back(
          {field_, fmt::format("is {}, but {} asks for no {}; give 0", wanted_, name, what)});
    }
  }
  bool grown() const { return grown_; }

 private:
  const std::string field_;
  const std::int32_t wanted_;
  FieldViolations& violations_;
  bool asked_ = false;
  bool grown_ = false;
};

}  // namespace

v1::Job ExtendedJob(const v1::Job& job, const v1::ExtendJobRequest& request,
                    const std::vector<std::string>& present, FieldViolations& violations) {
  v1::Job longer = job;
  if (!request.display_name().empty()) longer.set_display_name(request.display_name());
  longer.clear_reuse_from();
  longer.clear_retry_of();
  if (job.has_retry_of()) {
    longer.mutable_retry_of()->set_job(job.name());
  } else {
    longer.add_reuse_from(job.name());
    for (const std::string& source : job.reuse_from()) {
      if (longer.reuse_from_size() == kMaxReuseSources) break;
      if (source == job.name()) continue;
      if (std::find(present.begin(), present.end(), source) != present.end()) {
        longer.add_reuse_from(source);
      }
    }
  }

  Raise trials("trials_per_scenario", request.trials_per_scenario(), violations);
  Raise reports("reports_per_scenario", request.reports_per_scenario(), violations);
  if (longer.has_choices()) {
    trials.Apply(longer.mutable_choices(), longer.choices().trials_per_scenario(),
                 &v1::Choices::set_trials_per_scenario, job.name());
  }
  if (longer.has_self_reports()) {
    reports.Apply(longer.mutable_self_reports(), longer.self_reports().reports_per_scenario(),
                  &v1::SelfReports::set_reports_per_scenario, job.name());
  }
  for (v1::Entry& entry : *longer.mutable_models()) {
    const std::string whose = fmt::format("the entry \"{}\"", NameOf(entry));
    if (entry.has_choices()) {
      trials.Apply(entry.mutable_choices(), entry.choices().trials_per_scenario(),
                   &v1::Choices::set_trials_per_scenario, whose);
    }
    if (entry.has_self_reports()) {
      reports.Apply(entry.mutable_self_reports(), entry.self_reports().reports_per_scenario(),
                    &v1::SelfReports::set_reports_per_scenario, whose);
    }
  }
  trials.Finish(job.name(), "choices");
  reports.Finish(job.name(), "self-reports");
  if (violations.empty() && !trials.grown() && !reports.grown()) {
    violations.push_back(
        {"trials_per_scenario",
         fmt::format("is no more than {} has, and neither is reports_per_scenario; "
                     "give more of one of them (RetryJob asks again for cells "
                     "that came to nothing)",
                     job.name())});
  }
  return longer;
}

v1::Job RetriedJob(const v1::Job& job, const v1::RetryJobRequest& request) {
  v1::Job again = job;
  if (!request.display_name().empty()) again.set_display_name(request.display_name());
  again.clear_reuse_from();
  v1::RetryOf& retry = *again.mutable_retry_of();
  retry.Clear();
  retry.set_job(job.name());
  *retry.mutable_classes() = request.classes();
  *retry.mutable_entries() = request.entries();

  const auto change = [&request](v1::Sampling& sampling) {
    if (request.has_max_output_tokens()) {
      sampling.set_max_output_tokens(request.max_output_tokens());
    }
    if (request.has_temperature()) sampling.set_temperature(request.temperature());
  };
  if (!request.has_max_output_tokens() && !request.has_temperature()) return again;
  const bool all = request.entries().empty();
  if (all && again.has_choices()) change(*again.mutable_choices()->mutable_sampling());
  if (all && again.has_self_reports()) change(*again.mutable_self_reports()->mutable_sampling());
  for (v1::Entry& entry : *again.mutable_models()) {
    const auto& names = request.entries();
    if (!all && std::find(names.begin(), names.end(), NameOf(entry)) == names.end()) continue;
    // An entry without counts of its own has the job's; what changes for it alone becomes its own.
    if (!all && !entry.has_choices() && again.has_choices()) {
      *entry.mutable_choices() = again.choices();
    }
    if (!all && !entry.has_self_reports() && again.has_self_reports()) {
      *entry.mutable_self_reports() = again.self_reports();
    }
    if (entry.has_choices()) change(*entry.mutable_choices()->mutable_sampling());
    if (entry.has_self_reports()) change(*entry.mutable_self_reports()->mutable_sampling());
  }
  return again;
}

bool IsMadeBy(const v1::Job& made, const v1::ExtendJobRequest& request) {
  const bool from_retry = made.has_retry_of();
  const std::string& source = from_retry                   ? made.retry_of().job()
                              : made.reuse_from_size() > 0 ? made.reuse_from(0)
                                                           : std::string();
  if (source != request.name()) return false;
  FieldViolations ignored;
  v1::Job again = ExtendedJob(made, request, {}, ignored);
  // Which sources of its source were there is no part of the request.
  *again.mutable_reuse_from() = made.reuse_from();
  again.clear_retry_of();
  if (from_retry) again.mutable_retry_of()->set_job(request.name());
  return scenario::SpecificationHash(again) == scenario::SpecificationHash(made);
}

bool IsMadeBy(const v1::Job& made, const v1::RetryJobRequest& request) {
  v1::Job again = made;
  again.set_name(request.name());
  again = RetriedJob(again, request);
  return scenario::SpecificationHash(again) == scenario::SpecificationHash(made);
}

Status CheckAllTaken(const v1::Job& job, const v1::JobSpecification& specification,
                     std::span<const engine::ReusedOutcomesRecord> reused) {
  std::map<std::pair<int, v1::Cell::Kind>, std::int64_t> taken;
  for (const engine::ReusedOutcomesRecord& record : reused) {
    if (record.source_name != job.name()) continue;
    for (const engine::ReusedOutcomesRecord::Item& item : record.items) {
      // Of two entries that ask the same, one may take what the other has.
      ++taken[{item.cell.entry, item.cell.kind}];
    }
  }
  for (int i = 0; i < job.progress_size() && i < specification.entries_size(); ++i) {
    const v1::ResolvedEntry& entry = specification.entries(i);
    for (const v1::KindProgress& kind : job.progress(i).kinds()) {
      const bool choices = kind.kind() == v1::Cell::CHOICE;
      if (choices && entry.choices().design() == v1::Choices::ADAPTIVE) continue;
      const std::int64_t again = kind.done() - taken[{i, kind.kind()}];
      if (again <= 0) continue;
      return FailedPrecondition(
          "{} of the {} {} of entry \"{}\" would be asked and paid for again, because their "
          "requests would be others than those of {}: candor.yaml has changed since in what is "
          "sent to model \"{}\" at endpoint \"{}\". Put its rule back to what it was; or create a "
          "job of its own, which asks them all",
          again, kind.done(), choices ? "choices" : "self-reports", entry.name(), job.name(),
          entry.model(), entry.endpoint());
    }
  }
  return absl::OkStatus();
}

void CheckSources(const v1::Job& job, FieldViolations& violations) {
  const auto& sources = job.reuse_from();
  if (sources.size() > kMaxReuseSources) {
    violations.push_back({"job.reuse_from", fmt::format("has {} items; name at most {} jobs",
                                                        sources.size(), kMaxReuseSources)});
  }
  for (int i = 0; i < sources.size(); ++i) {
    const auto before = sources.begin() + i;
    if (std::find(sources.begin(), before, sources[i]) == before) continue;
    violations.push_back({fmt::format("job.reuse_from[{}]", i),
                          fmt::format("\"{}\" is named twice; name each job once", sources[i])});
  }
  if (!job.has_retry_of()) return;
  const v1::RetryOf& retry = job.retry_of();
  if (!sources.empty()) {
    violations.push_back(
        {"job.reuse_from", fmt::format("stands beside job.retry_of, which takes over all that {} "
                                       "has; give one of the two",
                                       retry.job())});
  }
  for (int i = 0; i < retry.classes_size(); ++i) {
    if (retry.classes(i) != 0 && v1::Outcome::Class_IsValid(retry.classes(i))) continue;
    violations.push_back(
        {fmt::format("job.retry_of.classes[{}]", i),
         fmt::format("is {}; give a class such as TRUNCATED", static_cast<int>(retry.classes(i)))});
  }
  std::vector<std::string> names;
  for (const v1::Entry& entry : job.models()) names.push_back(NameOf(entry));
  for (int i = 0; i < retry.entries_size(); ++i) {
    if (std::find(names.begin(), names.end(), retry.entries(i)) != names.end()) continue;
    violations.push_back({fmt::format("job.retry_of.entries[{}]", i),
                          fmt::format("\"{}\" is no entry of the job{}", retry.entries(i),
                                      DidYouMean(retry.entries(i), names))});
  }
}

}  // namespace candor::service
