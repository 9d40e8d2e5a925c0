// What a job may use, and what it has used.
#include "common/base/text_table.h"
#include "coordinator/engine/capped.h"
#include "coordinator/engine/job_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace candor::engine {
namespace {

std::int64_t MostInput(const EntryState& entry, const KindState& kind) {
  return static_cast<std::int64_t>(
      std::ceil(static_cast<double>(kind.prompt_tokens) * entry.prompt_ratio));
}

}  // namespace

std::int64_t EntryState::MostTokens(const KindState& kind) const {
  return std::max(MostInput(*this, kind) + kind.output_limit, kind.largest_tokens);
}

std::int64_t EntryState::MostMoney(const KindState& kind, bool in_batch) const {
  v1::Usage usage;
  usage.set_input_tokens(MostInput(*this, kind));
  usage.set_output_tokens(kind.output_limit);
  const std::int64_t most = std::max(model.price.Money(usage), kind.largest_money);
  if (!in_batch || model.batch_price >= 1) return most;
  return std::llround(static_cast<double>(most) * model.batch_price);
}

void EntryState::CountUnknown(KindState& kind, bool in_batch) const {
  ++kind.unknown_attempts;
  kind.unknown_money = AddCapped(kind.unknown_money, MostMoney(kind, in_batch));
}

// What was counted for one call may be more than for another: what is thought the most rises with
// what is seen. So each takes its share with it, and the last one all that is left.
void KindState::CountKnown() {
  const std::int64_t of_unknown = std::max<std::int64_t>(0, unknown_money - unanswered_money);
  unknown_money -= of_unknown / std::max<std::int64_t>(1, unknown_attempts--);
  if (unknown_attempts <= 0) unknown_money = unanswered_money;
}

// By the counts of both kinds, because the sum alone is written down.
void KindState::RestoreUnanswered() {
  const std::int64_t both = unanswered + unknown_attempts;
  if (both <= 0) return;
  const double part = static_cast<double>(unanswered) / static_cast<double>(both);
  unanswered_money = unknown_attempts <= 0
                         ? unknown_money
                         : std::llround(static_cast<double>(unknown_money) * part);
}

JobState::Used JobState::used(bool with_open) const {
  Used sum;
  const auto add = [](std::int64_t& to, std::int64_t amount) { to = AddCapped(to, amount); };
  for (const EntryState& entry : entries) {
    for (const KindState& kind : entry.kinds) {
      sum.calls += kind.calls + kind.unknown_attempts;
      add(sum.tokens, AddCapped(kind.input_tokens, kind.output_tokens));
      add(sum.tokens, TimesCapped(kind.unknown_attempts + kind.unanswered, entry.MostTokens(kind)));
      add(sum.money, AddCapped(kind.money, kind.unknown_money));
      // A provider that never says what it counts is taken at the most. (Of money it is, call by
      // call: see CountCall.)
      const std::int64_t answers = static_cast<std::int64_t>(kind.done) - kind.reused;
      if (kind.input_tokens == 0 && kind.output_tokens == 0 && kind.calls > 0 && answers > 0) {
        add(sum.tokens, TimesCapped(answers, entry.MostTokens(kind)));
      }
      if (!with_open) continue;
      sum.calls += kind.open;
      add(sum.tokens, TimesCapped(kind.open, entry.MostTokens(kind)));
      add(sum.money, TimesCapped(kind.open - kind.batch_open, entry.MostMoney(kind)));
      add(sum.money, TimesCapped(kind.batch_open, entry.MostMoney(kind, /*in_batch=*/true)));
    }
  }
  return sum;
}

std::int64_t JobState::BudgetLeft(const EntryState& entry, const KindState& kind) const {
  const v1::Budget& budget = job().budget();
  std::int64_t calls = std::numeric_limits<std::int64_t>::max();
  if (budget.calls() <= 0 && budget.tokens() <= 0 && budget.money() <= 0) return calls;
  const Used now = used(/*with_open=*/true);
  // The last call may begin while anything is left.
  const auto allow = [&calls](std::int64_t limit, std::int64_t taken, std::int64_t each) {
    if (limit <= 0) return;
    const std::int64_t left = limit - taken;
    calls = std::min(calls, left <= 0   ? 0
                            : each <= 0 ? calls
                                        : left / each + (left % each > 0 ? 1 : 0));
  };
  allow(budget.calls(), now.calls, 1);
  allow(budget.tokens(), now.tokens, entry.MostTokens(kind));
  allow(budget.money(), now.money, entry.MostMoney(kind));
  return calls;
}

std::string JobState::BudgetSpent() const {
  const v1::Budget& budget = job().budget();
  const Used now = used(/*with_open=*/false);
  if (budget.calls() > 0 && now.calls >= budget.calls()) {
    return fmt::format("the budget of {} {} is spent", WithCommas(budget.calls()),
                       budget.calls() == 1 ? "call" : "calls");
  }
  if (budget.tokens() > 0 && now.tokens >= budget.tokens()) {
    return fmt::format("the budget of {} tokens is spent ({} were used)",
                       WithCommas(budget.tokens()), WithCommas(now.tokens));
  }
  if (budget.money() > 0 && now.money >= budget.money()) {
    return fmt::format("the budget of {} is spent ({} was used)", ExactMoney(budget.money()),
                       ExactMoney(now.money));
  }
  return {};
}

std::string JobState::BudgetReserved() const {
  const v1::Budget& budget = job().budget();
  const Used now = used(/*with_open=*/true);
  if (budget.calls() > 0 && now.calls >= budget.calls()) {
    return fmt::format("the calls in flight are the last ones of the budget of {}",
                       WithCommas(budget.calls()));
  }
  if (budget.tokens() > 0 && now.tokens >= budget.tokens()) {
    return fmt::format(
        "the calls in flight may take what is left of the budget of {} tokens; others go when it "
        "is known what they took",
        WithCommas(budget.tokens()));
  }
  if (budget.money() > 0 && now.money >= budget.money()) {
    return fmt::format(
        "the calls in flight may cost what is left of the budget of {}; others go when it is "
        "known what they cost",
        ExactMoney(budget.money()));
  }
  return {};
}

}  // namespace candor::engine
