#include "common/reply/self_report.h"

#include "common/reply/keys.h"
#include "common/reply/lines.h"
#include "common/reply/number.h"
#include "common/reply/scanner.h"
#include "common/reply/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace candor::reply {
namespace {

using v1::Outcome;
using Kind = ScannedNode::Kind;
using Values = std::vector<std::optional<double>>;

constexpr std::array<std::string_view, 9> kNameKeys = {"name",   "attribute", "dimension",
                                                       "factor", "criterion", "feature",
                                                       "key",    "label",     "attributename"};
constexpr std::array<std::string_view, 11> kNumberKeys = {
    "weight", "value",   "score",   "rating",     "importance",    "weighting",
    "number", "weights", "percent", "percentage", "reportedweight"};
// Containers under such a key show options or give reasons: what is in them is no report.
constexpr std::array<std::string_view, 16> kForeignContainers = {
    "option",    "options",     "alternative",  "alternatives",  "reason",        "reasons",
    "reasoning", "explanation", "explanations", "rationale",     "justification", "notes",
    "comments",  "analysis",    "scenario",     "interpretation"};

template <typename Words>
bool IsOneOf(std::string_view word, const Words& words) {
  return std::ranges::find(words, word) != words.end();
}

std::string Joined(std::string_view key) {
  std::string joined;
  for (const std::string& word : KeyWords(key)) joined += word;
  return joined;
}

// What one object, or several, say about the attributes.
struct Report {
  Values values;
  // An attribute was named, with a number or without.
  bool named = false;
  bool unknown = false;
  bool open = false;
  std::size_t begin = 0;
  std::size_t end = 0;
  Repairs repairs;

  std::size_t Numbers() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(values, [](const auto& value) { return value.has_value(); }));
  }
  bool IsComplete() const { return named && Numbers() == values.size(); }
};

// Reads one scanned object or array.
class Interpreter {
 public:
  Interpreter(const ScannedValue& scanned, const KeyMatcher& matcher, bool cut)
      : nodes_(scanned.nodes), matcher_(matcher), cut_(cut) {}

  Report Read(ScannedValue& scanned) {
    Report report;
    report.repairs = std::move(scanned.repairs);
    report.open = scanned.open;
    report.begin = scanned.begin;
    report.end = scanned.end;
    repairs_ = &report.repairs;
    Collect(0);
    Settle(report);
    return report;
  }

 private:
  struct Item {
    std::string_view key;
    KeyMatch match;
    std::optional<double> value;
    // Index of the object it is a member of.
    std::size_t container = 0;
  };
  struct Holder {
    std::string_view key;
    KeyTier tier = KeyTier::kUnknown;
    std::optional<double> value;
    std::size_t container = 0;
  };

  template <typename Visit>
  void ForEachChild(std::size_t node, const Visit& visit) const {
    for (std::size_t child = nodes_[node].first_child; child != 0; child = nodes_[child].next) {
      visit(child);
    }
  }
  bool IsContainer(std::size_t node) const {
    return nodes_[node].kind == Kind::kObject || nodes_[node].kind == Kind::kArray;
  }

  // The number of a value without members.
  std::optional<double> NumberOf(std::size_t index, Repairs& repairs) const {
    const ScannedNode& node = nodes_[index];
    if ((node.kind != Kind::kString && node.kind != Kind::kBare) || (cut_ && node.touches_end)) {
      return std::nullopt;
    }
    Repairs seen;
    if (node.kind == Kind::kString) seen.Add("number_in_string");
    if (node.kind == Kind::kBare && IsNoNumberLiteral(node.text, repairs)) return std::nullopt;
    const std::optional<double> number = ReadNumber(node.text, seen);
    if (number.has_value() || node.kind == Kind::kBare) repairs.AddAll(seen);
    return number;
  }

  // The number in a container: the one under a key like "weight", or the only one there is.
  std::optional<double> NumberWithin(std::size_t container) {
    std::optional<std::size_t> by_key;
    std::optional<std::size_t> single;
    std::size_t numbers = 0;
    ForEachChild(container, [&](std::size_t child) {
      Repairs ignored;
      if (!NumberOf(child, ignored).has_value()) return;
      ++numbers;
      single = child;
      if (!by_key.has_value() && IsOneOf(Joined(nodes_[child].key), kNumberKeys)) by_key = child;
    });
    if (by_key.has_value()) return NumberOf(*by_key, *repairs_);
    return numbers == 1 ? NumberOf(*single, *repairs_) : std::nullopt;
  }

  // {"name": "price", "weight": 80} or ["price", 80].
  bool CollectNamedItem(std::size_t index) {
    const ScannedNode& node = nodes_[index];
    if (node.kind == Kind::kArray) {
      const std::size_t first = node.first_child;
      const std::size_t second = first == 0 ? 0 : nodes_[first].next;
      Repairs ignored;
      if (second == 0 || second != node.last_child || nodes_[first].kind != Kind::kString ||
          IsContainer(second) || !matcher_.Find(nodes_[first].text).IsAttribute()) {
        return false;
      }
      repairs_->Add("named_items");
      items_.push_back({nodes_[first].text, matcher_.Find(nodes_[first].text),
                        NumberOf(second, *repairs_), index});
      return true;
    }
    std::size_t name = 0;
    bool has_number_key = false;
    ForEachChild(index, [&](std::size_t child) {
      const std::string key = Joined(nodes_[child].key);
      const bool attribute = matcher_.Find(nodes_[child].key).tier <= KeyTier::kCase;
      if (attribute) return;
      if (name == 0 && nodes_[child].kind == Kind::kString && IsOneOf(key, kNameKeys)) name = child;
      has_number_key |= IsOneOf(key, kNumberKeys);
    });
    if (name == 0 || !has_number_key) return false;
    repairs_->Add("named_items");
    items_.push_back(
        {nodes_[name].text, matcher_.Find(nodes_[name].text), NumberWithin(index), index});
    return true;
  }

  // The members of a container, and of those within it. The scanner bounds the depth.
  void Collect(std::size_t container) {
    if (CollectNamedItem(container)) return;
    if (nodes_[container].kind == Kind::kArray) {
      repairs_->Add("array");
      ForEachChild(container, [&](std::size_t child) {
        if (IsContainer(child)) Collect(child);
      });
      return;
    }
    ForEachChild(container, [&](std::size_t child) {
      const ScannedNode& node = nodes_[child];
      const KeyMatch match = matcher_.Find(node.key);
      if (match.IsAttribute()) {
        if (IsContainer(child)) repairs_->Add("nested_value");
        items_.push_back({node.key, match,
                          IsContainer(child) ? NumberWithin(child) : NumberOf(child, *repairs_),
                          container});
      } else if (!IsContainer(child)) {
        items_.push_back({node.key, match, std::nullopt, container});
      } else if (IsForeign(node.key)) {
        repairs_->Add("meta_key");
      } else {
        repairs_->Add("nested_object");
        Collect(child);
      }
    });
  }

  static bool IsForeign(std::string_view key) {
    const std::vector<std::string> words = KeyWords(key);
    return (words.size() == 1 && (words[0] == "a" || words[0] == "b")) ||
           std::ranges::any_of(
               words, [](const std::string& word) { return IsOneOf(word, kForeignContainers); });
  }

  // Gives each attribute its number: surer keys first, so that "price" is not disputed by "price
  // stability". Different keys with different numbers for one attribute leave it without, as
  // does the same key in two objects; within one object the last counts, as JSON has it.
  void Settle(Report& report) {
    std::vector<std::optional<Holder>> holders(matcher_.size());
    for (const KeyTier tier :
         {KeyTier::kExact, KeyTier::kCase, KeyTier::kAffix, KeyTier::kAbbreviation}) {
      for (const Item& item : items_) {
        if (item.match.tier != tier) continue;
        std::optional<Holder>& holder = holders[item.match.attribute];
        if (!holder.has_value()) {
          holder = {item.key, tier, item.value, item.container};
        } else if ((holder->key == item.key && holder->container == item.container) ||
                   holder->value == item.value) {
          report.repairs.Add("duplicate_key");
          holder->value = item.value;
        } else {
          report.unknown = true;
          if (holder->tier == tier) holder->value.reset();
        }
        if (!RepairOf(tier).empty()) report.repairs.Add(RepairOf(tier));
      }
    }
    for (const Item& item : items_) {
      report.unknown |= item.match.tier == KeyTier::kUnknown;
      if (item.match.tier == KeyTier::kMeta) report.repairs.Add("meta_key");
    }
    for (const std::optional<Holder>& holder : holders) {
      report.named |= holder.has_value();
      report.values.push_back(holder.has_value() ? holder->value : std::nullopt);
    }
  }

  const std::vector<ScannedNode>& nodes_;
  const KeyMatcher& matcher_;
  bool cut_;
  std::vector<Item> items_;
  Repairs* repairs_ = nullptr;
};

// Chooses among the objects of a text as the header says.
class Chooser {
 public:
  void Offer(Report report) {
    if (!report.named) {
      if (!nameless_.has_value()) nameless_ = std::move(report);
      return;
    }
    ++named_;
    if (report.IsComplete()) {
      complete_ = std::move(report);
      return;
    }
    if (!best_.has_value()) {
      merged_ = report;
    } else {
      Merge(report);
    }
    if (!best_.has_value() || report.Numbers() >= best_->Numbers()) best_ = std::move(report);
  }

  // None when the text has no object that names an attribute.
  std::optional<Report> Take() {
    if (named_ == 0) return std::nullopt;
    if (named_ == 1) return complete_.has_value() ? std::move(complete_) : std::move(best_);
    if (complete_.has_value()) {
      complete_->repairs.Add("several_objects");
      return std::move(complete_);
    }
    if (mergeable_) {
      merged_.repairs.Add("merged_objects");
      return std::move(merged_);
    }
    best_->repairs.Add("several_objects");
    return std::move(best_);
  }
  std::optional<Report> TakeNameless() { return std::move(nameless_); }

 private:
  void Merge(const Report& report) {
    for (std::size_t i = 0; i < report.values.size(); ++i) {
      if (!report.values[i].has_value()) continue;
      mergeable_ = mergeable_ && !merged_.values[i].has_value();
      merged_.values[i] = report.values[i];
    }
    merged_.unknown |= report.unknown;
    merged_.open = report.open;
    merged_.end = report.end;
    merged_.repairs.AddAll(report.repairs);
  }

  std::size_t named_ = 0;
  std::optional<Report> complete_;
  std::optional<Report> best_;
  std::optional<Report> nameless_;
  Report merged_;
  bool mergeable_ = true;
};

// {\"price\": 80}: an object that was written as a JSON string. Empty when it is none.
std::string Unescape(std::string_view text) {
  const std::size_t brace = text.find('{');
  if (brace == text.npos) return {};
  std::size_t at = brace + 1;
  while (at < text.size() && (IsSpace(text[at]) || text.substr(at, 2) == "\\n")) {
    at += text[at] == '\\' ? 2 : 1;
  }
  if (text.substr(at, 2) != "\\\"") return {};
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    ++i;
    plain += text[i] == 'n' ? '\n' : text[i];
  }
  return plain;
}

}  // namespace

ParsedReport ParseSelfReport(const Reply& reply, std::span<const std::string> attribute_names) {
  ParsedReport parsed;
  Opened opened = Open(reply);
  if (opened.class_.has_value()) {
    parsed.class_ = *opened.class_;
    return parsed;
  }
  const KeyMatcher matcher(attribute_names);
  const std::string unescaped = Unescape(opened.text);
  if (!unescaped.empty()) opened.repairs.Add("escaped_json");
  const std::string_view text = unescaped.empty() ? opened.text : std::string_view(unescaped);

  Chooser chooser;
  for (std::optional<ScannedValue> scanned = ScanNext(text, 0); scanned.has_value();
       scanned = ScanNext(text, scanned->end)) {
    const ScannedNode& root = scanned->nodes.front();
    const bool whole = scanned->begin == 0 && scanned->end == text.size();
    // "[1]" in prose is no report.
    if (root.kind == Kind::kObject || root.first_child != 0 || whole) {
      const bool scalars = root.kind == Kind::kArray &&
                           std::ranges::none_of(scanned->nodes, [](const ScannedNode& node) {
                             return node.kind == Kind::kObject;
                           });
      Report report = Interpreter(*scanned, matcher, opened.cut_within_word).Read(*scanned);
      const bool begun = scanned->open && root.first_child == 0;
      if (report.named || (!begun && (!scalars || whole))) chooser.Offer(std::move(report));
    }
  }

  std::optional<Report> report = chooser.Take();
  if (!report.has_value()) {
    if (std::optional<Values> values =
            ReadLines(text, matcher, opened.cut_within_word, opened.repairs)) {
      report.emplace();
      report->values = *std::move(values);
      report->end = text.size();
    } else if (ClassOfUnread(opened, Outcome::NOT_JSON) != Outcome::REFUSAL) {
      report = chooser.TakeNameless();
    }
  }
  if (!report.has_value()) {
    parsed.class_ = ClassOfUnread(opened, Outcome::NOT_JSON);
    return parsed;
  }

  AddOutside(text, report->begin, report->end, opened.repairs);
  opened.repairs.AddAll(report->repairs);
  parsed.values = std::move(report->values);
  parsed.repairs = opened.repairs.Take();
  const bool missing =
      std::ranges::any_of(parsed.values, [](const auto& value) { return !value.has_value(); });
  const bool out_of_range = std::ranges::any_of(parsed.values, [](const auto& value) {
    return value.has_value() && (*value < -100 || *value > 100);
  });
  if (missing && report->open && opened.cut) {
    parsed.class_ = Outcome::TRUNCATED;
  } else if (report->unknown) {
    parsed.class_ = Outcome::UNKNOWN_ATTRIBUTE;
  } else if (missing) {
    parsed.class_ = Outcome::MISSING_ATTRIBUTE;
  } else if (out_of_range) {
    parsed.class_ = Outcome::OUT_OF_RANGE;
  } else {
    parsed.class_ = parsed.repairs.empty() ? Outcome::VALID : Outcome::REPAIRED;
  }
  return parsed;
}

}  // namespace candor::reply
