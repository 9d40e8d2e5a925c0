#include "common/base/nearest.h"
#include "common/base/time_proto.h"
#include "common/scenario/cells.h"
#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/prompt_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace candor::engine {

namespace {

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

}  // namespace

v1::JobEstimate Engine::Impl::Estimate(const v1::Job& job,
                                       const v1::JobSpecification& specification) {
  struct Use {
    double requests = 0;
    double tokens = 0;
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
    const v1::Limits limits = catalog_.LimitsOf(model.group);
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      const auto cells =
          static_cast<std::int64_t>(scenario::CellMap(specification, i, kind).size());
      if (cells == 0) continue;
      if (kind == v1::Cell::CHOICE && entry.choices().design() == v1::Choices::ADAPTIVE) {
        DescribeAdaptive(entry, scenario::CellMap(specification, i, kind), estimate);
      }
      const PromptSize size = SizeOfPrompts(specification, i, kind);
      const std::int64_t reply = OutputLimit(entry, kind);
      v1::Usage usage;
      usage.set_input_tokens(std::llround(size.mean_tokens * static_cast<double>(cells)));
      usage.set_output_tokens(cells * reply);
      estimate.set_cells(estimate.cells() + cells);
      estimate.set_input_tokens(estimate.input_tokens() + usage.input_tokens());
      estimate.set_output_tokens(estimate.output_tokens() + usage.output_tokens());
      estimate.set_money(estimate.money() + model.price.Money(usage));
      Use& use = groups[model.group];
      use.requests += static_cast<double>(cells);
      use.tokens += static_cast<double>((size.max_tokens + reply) * cells);
      if (limits.tokens_per_minute() > 0 && size.max_tokens + reply > limits.tokens_per_minute()) {
        estimate.add_warnings(fmt::format(
            "entry \"{}\": one call takes up to {} tokens, but limit group \"{}\" allows {} a "
            "minute: it would wait for ever",
            entry.name(), size.max_tokens + reply, model.group, limits.tokens_per_minute()));
      }
    }
  }
  estimate.set_calls(estimate.cells());
  double minutes = 0;
  for (const auto& [name, use] : groups) {
    const auto known = group_numbers_.find(name);
    const v1::Limits limits = known == group_numbers_.end() ? catalog_.LimitsOf(name)
                                                            : groups_[known->second].pacer.limits();
    if (limits.requests_per_minute() > 0) {
      minutes = std::max(minutes, use.requests / static_cast<double>(limits.requests_per_minute()));
    }
    if (limits.tokens_per_minute() > 0) {
      minutes = std::max(minutes, use.tokens / static_cast<double>(limits.tokens_per_minute()));
    }
  }
  if (minutes > 0) {
    *estimate.mutable_duration() =
        ToProto(Duration(static_cast<std::int64_t>(std::ceil(minutes * 60e6))));
  }
  const v1::Budget& budget = job.budget();
  if (budget.calls() > 0 && estimate.calls() > budget.calls()) {
    estimate.add_warnings(fmt::format("the budget of {} calls ends the job before its {} cells",
                                      budget.calls(), estimate.cells()));
  }
  return estimate;
}

}  // namespace candor::engine
