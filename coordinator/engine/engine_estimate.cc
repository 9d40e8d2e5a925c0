#include "common/base/limit_text.h"
#include "common/base/nearest.h"
#include "common/base/text_table.h"
#include "common/base/time_proto.h"
#include "common/scenario/cells.h"
#include "coordinator/engine/batch_sizes.h"
#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/prompt_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

namespace candor::engine {

namespace {

// What calls ask of a limit group, counted as its provider counts them.
struct Use {
  double requests = 0;
  double input_tokens = 0;
  double output_tokens = 0;
  // Of limits on both together.
  double tokens = 0;

  Use& operator+=(const Use& other) {
    requests += other.requests;
    input_tokens += other.input_tokens;
    output_tokens += other.output_tokens;
    tokens += other.tokens;
    return *this;
  }
};

// Of so many calls, spread evenly over the scenarios. Replies are taken at their longest, also
// where the provider counts them as they are produced: nobody knows yet how long they will be.
Use UseOf(std::int64_t calls, const PromptSize& prompts, std::int64_t reply, TokenCount count) {
  const double each = static_cast<double>(calls) /
                      static_cast<double>(std::max<std::size_t>(1, prompts.tokens.size()));
  Use use;
  use.requests = static_cast<double>(calls);
  for (const std::int64_t prompt : prompts.tokens) {
    const CallSize size{prompt, reply, count};
    use.input_tokens += static_cast<double>(size.input) * each;
    use.output_tokens += static_cast<double>(size.output) * each;
    use.tokens += static_cast<double>(size.total()) * each;
  }
  return use;
}

// Minutes that a group takes with nobody else asking; 0 where no limit says.
double Minutes(const Use& use, const v1::Limits& limits) {
  double minutes = 0;
  const auto by_minute = [&minutes](double amount, std::int64_t limit) {
    if (limit > 0) minutes = std::max(minutes, amount / static_cast<double>(limit));
  };
  // The first day's quota is there at once.
  const auto by_day = [&minutes](double amount, std::int64_t limit) {
    if (limit <= 0) return;
    const double days = std::ceil(amount / static_cast<double>(limit)) - 1;
    minutes = std::max(minutes, days * 24 * 60);
  };
  by_minute(use.requests, limits.requests_per_minute());
  by_minute(use.tokens, limits.tokens_per_minute());
  by_minute(use.input_tokens, limits.input_tokens_per_minute());
  by_minute(use.output_tokens, limits.output_tokens_per_minute());
  by_day(use.requests, limits.requests_per_day());
  by_day(use.tokens, limits.tokens_per_day());
  return minutes;
}

// At most ten thousand years, which is as much as a Duration holds.
google::protobuf::Duration ToProto(double minutes) {
  constexpr double kMost = 315'576'000'000.0 / 60;
  const double micros = std::ceil(std::min(minutes, kMost) * 60e6);
  return candor::ToProto(Duration(static_cast<std::int64_t>(micros)));
}

// What a user of an adaptive design should know before it runs.
void DescribeAdaptive(const v1::ResolvedEntry& entry, const scenario::CellMap& cells,
                      v1::JobEstimate& estimate) {
  if (scenario::IsDrawn(entry, cells.pairs() - 1)) {
    estimate.add_warnings(fmt::format(
        "entry \"{}\": its design is ADAPTIVE, but all {} pairs of a scenario are drawn at random; "
        "give fewer random_pairs or more trials_per_scenario",
        entry.name(), cells.pairs()));
  }
  estimate.add_warnings(fmt::format(
      "entry \"{}\": its design is ADAPTIVE, so the {} choices of a scenario follow one another, "
      "and at most {} (one a scenario) are in flight at once",
      entry.name(), cells.trials() * cells.samples(), cells.scenarios()));
}

bool InBatches(v1::Job::Mode mode, const Catalog::Model& model) {
  return mode == v1::Job::BATCH || (mode == v1::Job::AUTO && model.has_batches);
}

// Cells of one entry that go in batches: for them a provider promises a day, and no limit holds.
struct Batched {
  std::int64_t calls = 0;
  std::vector<BatchShare> shares;
};

void DescribeBatches(const v1::ResolvedEntry& entry, const v1::BatchConfig& config,
                     const Batched& batched, v1::JobEstimate& estimate) {
  if (batched.calls == 0) return;
  const std::int64_t turns = BatchTurns(config, batched.shares);
  std::string each = "up to 24 hours";
  if (turns > 1) {
    each = fmt::format("up to 24 hours for each of {} turns, as no more may be under way at once",
                       WithCommas(turns));
  }
  estimate.add_warnings(
      fmt::format("entry \"{}\": {} calls go in batches, which the time at the limits leaves out: "
                  "the provider may take {}",
                  entry.name(), WithCommas(batched.calls), each));
}

// Of each limit that one call passes by itself.
void WarnOfTooLarge(const std::string& entry, const std::string& group, const CallSize& size,
                    const v1::Limits& limits, v1::JobEstimate& estimate) {
  for (const v1::LimitUse::Dimension dimension :
       {v1::LimitUse::REQUESTS_PER_MINUTE, v1::LimitUse::TOKENS_PER_MINUTE,
        v1::LimitUse::INPUT_TOKENS_PER_MINUTE, v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE,
        v1::LimitUse::REQUESTS_PER_DAY, v1::LimitUse::TOKENS_PER_DAY}) {
    const std::int64_t limit = LimitOf(limits, dimension);
    const std::int64_t takes = Pacer::Amount(dimension, size);
    if (limit <= 0 || takes <= limit) continue;
    const std::string warning = fmt::format(
        "entry \"{}\": one call takes up to {} tokens, but limit group \"{}\" allows {} {}: it "
        "would wait for ever",
        entry, takes, group, limit, UnitText(dimension));
    // Choices and self-reports may take the same.
    const auto& said = estimate.warnings();
    if (std::find(said.begin(), said.end(), warning) == said.end()) estimate.add_warnings(warning);
  }
}

void WarnOfBudget(const v1::Budget& budget, v1::JobEstimate& estimate) {
  if (budget.calls() > 0 && estimate.calls() > budget.calls()) {
    estimate.add_warnings(fmt::format(
        "the budget of {} {} ends the job before its {} cells", WithCommas(budget.calls()),
        budget.calls() == 1 ? "call" : "calls", WithCommas(estimate.cells())));
  }
  const std::int64_t tokens = estimate.input_tokens() + estimate.output_tokens();
  if (budget.tokens() > 0 && tokens > budget.tokens()) {
    estimate.add_warnings(fmt::format(
        "the budget of {} tokens may end the job early: with the longest replies it takes {}",
        WithCommas(budget.tokens()), WithCommas(tokens)));
  }
  if (budget.money() > 0 && estimate.money() > budget.money()) {
    estimate.add_warnings(
        fmt::format("the budget of {} may end the job early: with the longest replies it takes {}",
                    ExactMoney(budget.money()), ExactMoney(estimate.money())));
  }
}

}  // namespace

ReusedCounts CountReused(std::span<const ReusedOutcomesRecord> reused) {
  ReusedCounts counts;
  for (const ReusedOutcomesRecord& record : reused) {
    for (const ReusedOutcomesRecord::Item& item : record.items) {
      ++counts[{item.cell.entry, item.cell.kind}];
    }
  }
  return counts;
}

ReusedCounts CountReused(const v1::Job& job) {
  ReusedCounts counts;
  for (int i = 0; i < job.progress_size(); ++i) {
    for (const v1::KindProgress& kind : job.progress(i).kinds()) {
      counts[{i, kind.kind()}] = kind.reused();
    }
  }
  return counts;
}

v1::JobEstimate Engine::Impl::Estimate(const v1::Job& job,
                                       const v1::JobSpecification& specification,
                                       const ReusedCounts& reused) {
  const auto limits_of = [this](const std::string& group) {
    const auto known = group_numbers_.find(group);
    return known == group_numbers_.end() ? catalog_.LimitsOf(group)
                                         : groups_[known->second].limits.in_force(now());
  };
  std::map<std::string, Use> groups;
  v1::JobEstimate estimate;
  for (int i = 0; i < specification.entries_size(); ++i) {
    const v1::ResolvedEntry& entry = specification.entries(i);
    if (!catalog_.IsConfigured(entry.endpoint())) {
      estimate.add_warnings(fmt::format("job.models[{}].endpoint: there is no endpoint \"{}\"{}", i,
                                        entry.endpoint(),
                                        DidYouMean(entry.endpoint(), catalog_.endpoints())));
      continue;
    }
    const Catalog::Model model = catalog_.Find(entry.endpoint(), entry.model());
    if (!model.priced) {
      estimate.add_warnings(fmt::format(
          "entry \"{}\": no price is configured for model \"{}\" at endpoint \"{}\", so it counts "
          "as free",
          entry.name(), entry.model(), entry.endpoint()));
    }
    const v1::Limits limits = limits_of(model.group);
    Batched batched;
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      const scenario::CellMap map(specification, i, kind);
      const auto cells = static_cast<std::int64_t>(map.size());
      if (cells == 0) continue;
      if (kind == v1::Cell::CHOICE && entry.choices().design() == v1::Choices::ADAPTIVE) {
        DescribeAdaptive(entry, map, estimate);
      }
      const auto found = reused.find({i, kind});
      const std::int64_t reuses = found == reused.end() ? 0 : found->second;
      const std::int64_t calls = cells - reuses;
      const PromptSize size = SizeOfPrompts(specification, i, kind);
      const std::int64_t reply = OutputLimit(entry, kind);

      v1::KindEstimate& part = *estimate.add_kinds();
      part.set_entry(entry.name());
      part.set_kind(kind);
      part.set_calls(calls);
      part.set_reused(reuses);
      part.set_input_tokens(std::llround(size.mean_tokens * static_cast<double>(calls)));
      part.set_output_tokens(calls * reply);
      v1::Usage usage;
      usage.set_input_tokens(part.input_tokens());
      usage.set_output_tokens(part.output_tokens());
      // Adaptive choices are asked one by one in any mode.
      const bool in_batches =
          InBatches(job.mode(), model) &&
          (kind == v1::Cell::SELF_REPORT || entry.choices().design() != v1::Choices::ADAPTIVE);
      part.set_money(model.price.Money(usage, in_batches ? model.batch_price : 1.0));
      if (in_batches) {
        batched.calls += calls;
        batched.shares.push_back({calls, size.max_tokens});
      } else {
        const Use use = UseOf(calls, size, reply, model.count);
        if (const double minutes = Minutes(use, limits); minutes > 0) {
          *part.mutable_duration() = ToProto(minutes);
        }
        groups[model.group] += use;
      }

      estimate.set_cells(estimate.cells() + cells);
      estimate.set_calls(estimate.calls() + calls);
      estimate.set_reused(estimate.reused() + reuses);
      estimate.set_input_tokens(estimate.input_tokens() + part.input_tokens());
      estimate.set_output_tokens(estimate.output_tokens() + part.output_tokens());
      estimate.set_money(estimate.money() + part.money());
      // The first call of each kind is asked by itself in any mode.
      if (calls > 0) {
        WarnOfTooLarge(entry.name(), model.group, {size.max_tokens, reply, model.count}, limits,
                       estimate);
      }
    }
    DescribeBatches(entry, model.batch, batched, estimate);
  }
  double minutes = 0;
  for (const auto& [name, use] : groups) minutes = std::max(minutes, Minutes(use, limits_of(name)));
  if (minutes > 0) *estimate.mutable_duration() = ToProto(minutes);
  WarnOfBudget(job.budget(), estimate);
  return estimate;
}

}  // namespace candor::engine
