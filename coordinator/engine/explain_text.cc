#include "coordinator/engine/explain_text.h"

#include "common/base/limit_text.h"
#include "common/base/rate_text.h"
#include "common/base/text_table.h"
#include "common/base/time_proto.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

namespace candor::engine {
namespace {

std::string GroupName(const EntryFacts& facts) {
  constexpr std::string_view kPrefix = "limitGroups/";
  const std::string& name = facts.group.name();
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

std::string TimeText(Duration time) {
  return SecondsText(std::chrono::duration<double>(time).count());
}

std::string FlagOf(v1::LimitUse::Dimension dimension) {
  std::string flag = "--";
  for (const char c : v1::LimitUse::Dimension_Name(dimension)) {
    flag += c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return flag;
}

bool IsOfADay(v1::LimitUse::Dimension dimension) {
  return dimension == v1::LimitUse::REQUESTS_PER_DAY || dimension == v1::LimitUse::TOKENS_PER_DAY;
}

bool IsOfAMinute(v1::LimitUse::Dimension dimension) {
  return !IsOfADay(dimension) && dimension != v1::LimitUse::IN_FLIGHT;
}

// Of the group's limits of this kind the one that is used most.
template <typename Fits>
std::optional<v1::LimitUse> FullestUse(const EntryFacts& facts, Fits fits) {
  std::optional<v1::LimitUse> fullest;
  double most = -1;
  for (const v1::LimitUse& use : facts.group.uses()) {
    if (!fits(use.dimension()) || use.limit() <= 0) continue;
    const double part = static_cast<double>(use.used()) / static_cast<double>(use.limit());
    if (part > most) fullest = use;
    most = std::max(most, part);
  }
  return fullest;
}

// What the limit is, and what lowers it: ours, the provider's, or others' use of the account.
std::string LimitHead(const std::string& group, const v1::LimitUse& use,
                      const LimitOrigin& origin) {
  const std::string amount = AmountText(use.limit(), use.dimension());
  if (origin.others > 0) {
    return fmt::format(
        "limit group \"{}\" is left {}: the provider's headers allow {}, and others of the account "
        "use about {}. It uses {}",
        group, amount, WithCommas(origin.account), WithCommas(origin.others),
        WithCommas(use.used()));
  }
  std::string who = SourceText(use.source());
  if (origin.share < 1 && origin.account > 0) {
    who = fmt::format("share {:g} of {}, {}", origin.share, WithCommas(origin.account), who);
  }
  return fmt::format("limit group \"{}\" allows {} ({}) and uses {}", group, amount, who,
                     WithCommas(use.used()));
}

std::string LimitAdvice(const std::string& group, const v1::LimitUse& use,
                        const LimitOrigin& origin) {
  if (origin.others > 0) {
    return "less use of the account by others, an account of its own, or a higher tier at the "
           "provider";
  }
  const bool shared = origin.share < 1 && origin.account > 0;
  std::string share;
  if (shared) {
    share = fmt::format(
        "a larger `share` in candor.yaml (now {:g}), if others of the account need less",
        origin.share);
  }
  if (use.source() == v1::LimitUse::LEARNED) {
    return shared ? share + "; or a higher usage tier at the provider"
                  : "a higher usage tier at the provider; nothing here can be faster";
  }
  const std::string set = fmt::format("if the account has more: candor limits set {} {} N", group,
                                      FlagOf(use.dimension()));
  return shared
             ? fmt::format("{}; {}, of which the share is taken (N before the share)", share, set)
             : set;
}

FindingText LimitText(const EntryFacts& facts, const std::optional<v1::LimitUse>& use) {
  FindingText out;
  if (!use) {
    out.text = fmt::format("limit group \"{}\" was at its limit", GroupName(facts));
    return out;
  }
  const LimitOrigin& origin = facts.origins[static_cast<std::size_t>(use->dimension())];
  out.text = LimitHead(GroupName(facts), *use, origin);
  if (IsOfAMinute(use->dimension()) && use->used() * 20 < use->limit() * 19) {
    out.text += fmt::format("; calls are spread over the minute, {}",
                            SpreadText(use->limit(), use->dimension()));
  }
  const bool tokens = use->dimension() == v1::LimitUse::TOKENS_PER_MINUTE ||
                      use->dimension() == v1::LimitUse::TOKENS_PER_DAY;
  if (tokens && facts.call_tokens > 0) {
    out.text += fmt::format("; one call takes up to {} of them",
                            WithCommas(std::llround(facts.call_tokens)));
  }
  if (use->dimension() == v1::LimitUse::IN_FLIGHT && facts.latency_median > Duration(0)) {
    const double seconds = std::chrono::duration<double>(facts.latency_median).count();
    out.text +=
        fmt::format("; at a median latency of {} these give {}", TimeText(facts.latency_median),
                    RateText(static_cast<double>(use->limit()) / seconds));
  }
  if (facts.group_sharers > 0) {
    out.text += fmt::format("; {} other {} of it", facts.group_sharers,
                            facts.group_sharers == 1 ? "entry asks" : "entries ask");
  }
  out.advice = LimitAdvice(GroupName(facts), *use, origin);
  if (tokens && facts.counts_output) {
    out.advice += "; or a lower max_output_tokens, as far as replies stay whole";
  }
  return out;
}

FindingText SlotsText(const EntryFacts& facts) {
  FindingText out;
  if (facts.workers == 0) {
    out.text = "the slots of the workers, who are gone now, were all taken";
    return out;
  }
  out.text = fmt::format("all {} slots were taken", WithCommas(facts.slots));
  if (facts.slots_taken > facts.in_flight && facts.in_flight * 10 < facts.slots * 9) {
    out.text += fmt::format(", {} of them by other entries and jobs",
                            WithCommas(std::min(facts.slots, facts.slots_taken) - facts.in_flight));
  }
  const double slots_rate = RateOfSlots(facts);
  const LimitRate limits = RateOfLimits(facts);
  if (slots_rate <= 0) return out;
  out.text +=
      fmt::format(". At a median latency of {} {} slots give {}", TimeText(facts.latency_median),
                  WithCommas(facts.slots), RateText(slots_rate));
  const auto each = std::max<std::int64_t>(1, facts.slots / facts.workers);
  if (limits.never) return out;
  if (limits.rate <= 0) {
    out.text += "; no limit is in the way";
    out.advice = fmt::format(
        "more workers (each of {} slots adds {}), or more --slots a worker", WithCommas(each),
        RateText(slots_rate / static_cast<double>(facts.slots) * static_cast<double>(each)));
    return out;
  }
  out.text += fmt::format("; the limits would allow {}", RateText(limits.rate));
  if (limits.rate <= slots_rate) return out;
  const double slots = limits.rate * std::chrono::duration<double>(facts.latency_median).count();
  const auto workers = static_cast<std::int64_t>(std::ceil(slots / static_cast<double>(each)));
  out.advice =
      fmt::format("{} {} of {} slots would reach them (there {} {} now)", WithCommas(workers),
                  workers == 1 ? "worker" : "workers", WithCommas(each),
                  facts.workers == 1 ? "is" : "are", WithCommas(facts.workers));
  return out;
}

FindingText ProviderText(const EntryFacts& facts) {
  FindingText out;
  out.text = fmt::format("the provider asked limit group \"{}\" to wait", GroupName(facts));
  if (facts.group.refusals() > 0) {
    out.text += fmt::format(": it refused {} of {} calls since the coordinator started",
                            WithCommas(facts.group.refusals()), WithCommas(facts.group.calls()));
  }
  out.advice =
      "if others use the same account, give Candor a part of it (share: 0.5 in candor.yaml), or "
      "configure the limits that the provider holds to";
  return out;
}

FindingText CircuitText(const EntryFacts& facts) {
  FindingText out;
  out.text = fmt::format(
      "the provider of limit group \"{}\" failed, and one call at a time looked whether it was "
      "back",
      GroupName(facts));
  if (!facts.group_failure.empty()) {
    out.text += fmt::format(" (the latest error: {})", facts.group_failure);
  }
  if (facts.group.circuit() == v1::LimitGroup::OPEN) out.text += "; it still fails";
  return out;
}

}  // namespace

FindingText TextOf(v1::WaitReason reason, const EntryFacts& facts, const StoreTimes& store) {
  using Use = v1::LimitUse;
  const std::string group = GroupName(facts);
  switch (reason) {
    case v1::NOTHING:
      return {"nothing held it back: calls were granted as cells came", ""};
    case v1::REQUEST_LIMIT:
      return LimitText(facts, FullestUse(facts, [](Use::Dimension dimension) {
                         return dimension == Use::REQUESTS_PER_MINUTE;
                       }));
    case v1::TOKEN_LIMIT:
      return LimitText(facts, FullestUse(facts, [](Use::Dimension dimension) {
                         return dimension == Use::TOKENS_PER_MINUTE ||
                                dimension == Use::INPUT_TOKENS_PER_MINUTE ||
                                dimension == Use::OUTPUT_TOKENS_PER_MINUTE;
                       }));
    case v1::DAILY_LIMIT:
      if (const auto use = FullestUse(facts, IsOfADay)) return LimitText(facts, use);
      return {fmt::format("the provider's quota of a day of limit group \"{}\" was used up", group),
              "wait, or ask the provider for more a day"};
    case v1::IN_FLIGHT_LIMIT:
      return LimitText(facts, FullestUse(facts, [](Use::Dimension dimension) {
                         return dimension == Use::IN_FLIGHT;
                       }));
    case v1::PROBING: {
      FindingText out = LimitText(facts, FullestUse(facts, [](Use::Dimension dimension) {
                                    return dimension == Use::IN_FLIGHT;
                                  }));
      out.text +=
          ". Neither candor.yaml nor the provider's headers say what it bears, so calls in "
          "flight rise until it refuses";
      out.advice = "configure the limits of the account, if they are known";
      return out;
    }
    case v1::PROVIDER_ASKED:
      return ProviderText(facts);
    case v1::CIRCUIT_OPEN:
      return CircuitText(facts);
    case v1::RAMP:
      return {
          fmt::format("limit group \"{}\" rose to its limit after it was learned or idle", group),
          ""};
    case v1::SLOTS:
      return SlotsText(facts);
    case v1::NO_WORKER:
      return {fmt::format("no connected worker served endpoint \"{}\"", facts.endpoint),
              "start a candor-worker whose candor.yaml has the endpoint, and whose environment has "
              "its key; `candor workers` says what each one serves and why not"};
    case v1::FIRST_CALL:
      return {
          "the first call of each kind goes alone, so that a wrong key or parameter costs one call",
          ""};
    case v1::RETRY_BACK_OFF:
      return {
          fmt::format("cells that failed waited for their next turn ({} of the last {} calls were "
                      "repetitions)",
                      WithCommas(facts.repeated), WithCommas(facts.calls)),
          ""};
    case v1::ADAPTIVE_DESIGN:
      return {
          "each scenario's next trial follows from its last answer, so one choice of a scenario is "
          "asked at a time",
          "more scenarios, or a RANDOM design, keep more calls in flight"};
    case v1::STORE:
      return {fmt::format("leases and outcomes waited for the store: {} from hand-over to commit "
                          "(median), {} (95 %)",
                          TimeText(store.median), TimeText(store.p95)),
              "a faster disk for the coordinator's --data"};
    case v1::PROVIDER_BATCH:
      return {"the provider's batches were under way",
              "mode LIVE answers sooner, at the full price"};
    case v1::PAUSED:
      return {"the job was paused", ""};
    case v1::SETTLING:
      return {"after a restart workers were awaited that hold calls of before", ""};
    default:
      return {"it waited for something that this version has no name for", ""};
  }
}

}  // namespace candor::engine
