#include "coordinator/service/reuse_match.h"

#include "common/base/config.h"
#include "coordinator/design/pair.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>

namespace candor::service {
namespace {

using google::protobuf::util::MessageDifferencer;

std::size_t PartOf(v1::Cell::Kind kind) { return kind == v1::Cell::SELF_REPORT ? 1 : 0; }

bool SameValues(const google::protobuf::RepeatedPtrField<v1::ShownValue>& a,
                const google::protobuf::RepeatedPtrField<v1::ShownValue>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const v1::ShownValue& x, const v1::ShownValue& y) {
                      return MessageDifferencer::Equals(x, y);
                    });
}

}  // namespace

StatusOr<std::unique_ptr<ReuseMatch>> ReuseMatch::Create(const v1::JobSpecification& specification,
                                                         const v1::Config& config,
                                                         const v1::RetryOf* retry_of) {
  std::unique_ptr<ReuseMatch> match(new ReuseMatch(specification, retry_of));
  CANDOR_RETURN_IF_ERROR(match->Prepare(config));
  return match;
}

Status ReuseMatch::Prepare(const v1::Config& config) {
  CANDOR_ASSIGN_OR_RETURN(renderer_, dialect::JobRenderer::Create(specification_));
  for (int i = 0; i < specification_.entries_size(); ++i) {
    Target& target = targets_.emplace_back();
    target.entry = &specification_.entries(i);
    const v1::Endpoint* endpoint = FindEndpoint(config, target.entry->endpoint());
    if (endpoint == nullptr) {
      return InvalidArgument("entries[{}].endpoint: there is no endpoint \"{}\"", i,
                             target.entry->endpoint());
    }
    CANDOR_ASSIGN_OR_RETURN(target.dialect, dialect::FindDialect(endpoint->dialect()));
    target.rule = &dialect::FindModelRule(*endpoint, target.entry->model());
    if (dialect::Streams(*target.rule) && HasBatches(endpoint->dialect())) {
      target.line_rule.emplace(*target.rule).set_stream("never");
    }
    const v1::Choices& choices = target.entry->choices();
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      Part& part = target.parts[PartOf(kind)];
      part.cells = scenario::CellMap(specification_, i, kind);
      part.taken.resize(part.cells.size());
      cells_ += part.cells.size();
      if (kind != v1::Cell::CHOICE) continue;
      part.orders = choices.orders() == v1::Choices::BOTH ? 2 : 1;
      if (choices.design() == v1::Choices::ADAPTIVE) part.chains.resize(part.cells.scenarios());
    }
    for (int s = 0; s < target.entry->scenario_indexes_size(); ++s) {
      const auto position = static_cast<int>(target.entry->scenario_indexes(s));
      target.scenarios.emplace(specification_.scenarios(position).id(),
                               static_cast<std::uint32_t>(s));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> ReuseMatch::BeginSource(const ReuseSource& source) {
  source_ = source;
  from_.clear();
  records_.push_back({.source = source.key, .source_name = source.name, .items = {}});
  std::vector<std::string> names;
  for (int i = 0; i < source.specification->entries_size(); ++i) {
    const v1::ResolvedEntry& entry = source.specification->entries(i);
    From from{static_cast<std::uint16_t>(i), {}};
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      const v1::ResolvedEntry& target = *targets_[t].entry;
      // The model too: there are dialects in which it is not part of the body.
      if (target.endpoint() != entry.endpoint() || target.model() != entry.model()) continue;
      if (retry_of_ != nullptr && target.name() != entry.name()) continue;
      from.targets.push_back(t);
    }
    if (from.targets.empty()) continue;
    names.push_back(entry.name());
    from_.emplace(entry.name(), std::move(from));
  }
  return names;
}

bool ReuseMatch::AskedAgain(const v1::Outcome& outcome) const {
  if (retry_of_ == nullptr) return false;
  const auto& entries = retry_of_->entries();
  const auto& classes = retry_of_->classes();
  const bool meant = entries.empty() ||
                     std::find(entries.begin(), entries.end(), outcome.entry()) != entries.end();
  return meant && std::find(classes.begin(), classes.end(), outcome.class_()) != classes.end();
}

Status ReuseMatch::Offer(const v1::Outcome& outcome) {
  const auto from = from_.find(outcome.entry());
  if (from == from_.end() || AskedAgain(outcome)) return absl::OkStatus();
  const engine::CellKey place{from->second.position, outcome.kind(), outcome.index()};
  for (const std::size_t target : from->second.targets) {
    CANDOR_RETURN_IF_ERROR(OfferTo(target, outcome, place));
  }
  return absl::OkStatus();
}

Status ReuseMatch::OfferTo(std::size_t number, const v1::Outcome& outcome,
                           const engine::CellKey& place) {
  Target& target = targets_[number];
  Part& part = target.parts[PartOf(outcome.kind())];
  const auto ordinal = target.scenarios.find(outcome.scenario());
  if (part.cells.size() == 0 || ordinal == target.scenarios.end()) return absl::OkStatus();
  const std::uint64_t trial = std::uint64_t{outcome.pair()} * part.orders + outcome.order();
  if (outcome.order() >= part.orders || trial >= part.cells.trials() ||
      outcome.sample() >= part.cells.samples()) {
    return absl::OkStatus();
  }
  const auto trial_number = static_cast<std::uint32_t>(trial);
  const std::uint32_t index = part.cells.IndexOf(ordinal->second, trial_number, outcome.sample());
  if (part.taken[index]) return absl::OkStatus();

  Chain* chain = part.chains.empty() ? nullptr : &part.chains[ordinal->second];
  const v1::ExplicitTrial* proposed = nullptr;
  if (chain != nullptr) {
    if (trial_number * part.cells.samples() + outcome.sample() != chain->next) {
      return absl::OkStatus();
    }
    proposed = TrialOf(target, *chain, part.cells.At(index));
  }
  if (!IsSame(number, index, proposed, outcome)) return absl::OkStatus();
  if (taken_ >= kMaxReusedOutcomes) {
    return ResourceExhausted(
        "more than {} outcomes would be taken over, the most that one job may; ask as several "
        "jobs, by entries or scenarios",
        kMaxReusedOutcomes);
  }
  part.taken[index] = true;
  ++taken_;
  records_.back().items.push_back(
      {{static_cast<std::uint16_t>(number), outcome.kind(), index}, place, outcome.class_()});
  if (chain != nullptr) {
    ++chain->next;
    v1::Outcome& answer = chain->answers.emplace_back(outcome);
    answer.clear_raw_text();
    answer.clear_reasoning_text();
  }
  return absl::OkStatus();
}

const v1::ExplicitTrial* ReuseMatch::TrialOf(const Target& target, Chain& chain,
                                             const scenario::CellAddress& address) const {
  if (scenario::IsDrawn(*target.entry, address.pair)) return nullptr;
  if (chain.trial == nullptr || chain.pair != address.pair) {
    const int candidates = std::max(1, target.entry->choices().adaptive().candidates());
    chain.pair = address.pair;
    chain.trial = std::make_unique<v1::ExplicitTrial>(design::NextPair(
        specification_.seed(), specification_.scenarios(static_cast<int>(address.scenario_index)),
        static_cast<std::uint32_t>(candidates), address.pair, chain.answers));
  }
  return chain.trial.get();
}

bool ReuseMatch::IsSame(std::size_t number, std::uint32_t index, const v1::ExplicitTrial* trial,
                        const v1::Outcome& outcome) {
  // What is drawn is the same where the design is.
  if (retry_of_ != nullptr && trial == nullptr) return true;
  v1::Cell cell;
  cell.set_entry_index(static_cast<std::int32_t>(number));
  cell.set_kind(outcome.kind());
  cell.set_index(index);
  const Target& target = targets_[number];
  // What the dialect cannot say was never asked; its worker will tell.
  if (!renderer_->Render(cell, trial, *target.dialect, *target.rule, &rendered_).ok()) return false;
  if (retry_of_ == nullptr) {
    if (rendered_.outcome.prompt_hash() == outcome.prompt_hash()) return true;
    // How the answer travels is no part of the question.
    return target.line_rule &&
           renderer_->Render(cell, trial, *target.dialect, *target.line_rule, &rendered_).ok() &&
           rendered_.outcome.prompt_hash() == outcome.prompt_hash();
  }
  return SameValues(rendered_.outcome.option_a(), outcome.option_a()) &&
         SameValues(rendered_.outcome.option_b(), outcome.option_b());
}

}  // namespace candor::service
