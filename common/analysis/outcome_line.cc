#include "common/analysis/outcome_line.h"

#include "common/base/quoted.h"

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <system_error>

namespace candor::analysis {
namespace {

namespace json = boost::json;

// Names and numbers; longer ones are an error.
constexpr std::size_t kMaxNameBytes = 4'096;
// Of a reply's text: what an example needs, and a little more.
constexpr std::size_t kKeptTextBytes = 1'024;

enum Field : std::uint8_t {
  kEntry,
  kScenario,
  kKind,
  kIndex,
  kPair,
  kOrder,
  kSample,
  kClass,
  kChoice,
  kReport,
  kLogOdds,
  kOptionA,
  kOptionB,
  kRawText,
  kServedModel,
  kFieldCount,
  kOther = kFieldCount,
};
constexpr std::array<std::string_view, kFieldCount> kNames{
    "entry",  "scenario", "kind",       "index",    "pair",     "order",    "sample",      "class",
    "choice", "report",   "log_odds_a", "option_a", "option_b", "raw_text", "served_model"};
// What a line must have; an export writes the others too, null where there is nothing.
constexpr int kRequired = kClass + 1;

Field FieldOf(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Field>(i);
  return kOther;
}

// Gets the pieces of the line from Boost.JSON's parser and puts them into the outcome.
class Handler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  void Reset() {
    depth_ = 0;
    field_ = kOther;
    seen_ = {};
    text_.clear();
    key_.clear();
    wrong_.clear();
    column_.clear();
    outcome.Clear();
  }

  v1::Outcome outcome;

  // What is wrong with a line that is JSON; empty: nothing.
  const std::string& wrong() const { return wrong_; }
  const std::string& column() const { return column_; }

  std::string Missing() const {
    for (int i = 0; i < kRequired; ++i)
      if (!seen_[static_cast<std::size_t>(i)])
        return std::string(kNames[static_cast<std::size_t>(i)]);
    return {};
  }

  // The interface of boost::json::basic_parser. False with an error code ends the line.
  using Code = json::error_code;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& code) {
    if (depth_ == 1 && Known() && field_ != kReport && field_ != kOptionA && field_ != kOptionB)
      return Wrong(code, "is an object");
    ++depth_;
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    --depth_;
    return true;
  }
  bool on_array_begin(Code& code) {
    if (depth_ == 0) return Wrong(code, "is a list, not an object");
    if (depth_ <= 2 && Known()) return Wrong(code, "is a list");
    ++depth_;
    return true;
  }
  bool on_array_end(std::size_t, Code&) {
    --depth_;
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, Code& code) {
    return depth_ > 2 || (depth_ == 2 && !Known()) || Append(part, &key_, code);
  }
  bool on_key(json::string_view part, std::size_t size, Code& code) {
    if (!on_key_part(part, size, code)) return false;
    if (depth_ == 1) {
      field_ = FieldOf(key_);
      if (Known()) {
        bool& seen = seen_[field_];
        if (seen) return Wrong(code, "stands twice");
        seen = true;
      }
      key_.clear();
    } else if (depth_ == 2 && Known()) {
      name_ = key_;
      key_.clear();
    }
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Code& code) {
    if (depth_ == 0) return Wrong(code, "is a text, not an object");
    if (!Known() || depth_ > 2) return true;
    if (field_ == kRawText) {
      if (text_.size() < kKeptTextBytes)
        text_.append(part.data(), std::min(part.size(), kKeptTextBytes - text_.size()));
      return true;
    }
    return Append(part, &text_, code);
  }
  bool on_string(json::string_view part, std::size_t size, Code& code) {
    if (!on_string_part(part, size, code)) return false;
    if (!Known() || depth_ > 2) return true;
    const bool taken = TakeText(code);
    text_.clear();
    return taken;
  }
  bool on_number_part(json::string_view part, Code& code) {
    if (depth_ == 0) return Wrong(code, "is a number, not an object");
    return !Known() || depth_ > 2 || Append(part, &text_, code);
  }
  bool on_int64(std::int64_t, json::string_view part, Code& code) { return Number(part, code); }
  bool on_uint64(std::uint64_t, json::string_view part, Code& code) { return Number(part, code); }
  bool on_double(double, json::string_view part, Code& code) { return Number(part, code); }
  bool on_bool(bool, Code& code) {
    if (depth_ == 0) return Wrong(code, "is true or false, not an object");
    return !Known() || depth_ > 2 || Wrong(code, "is true or false");
  }
  bool on_null(Code& code) {
    if (depth_ == 0) return Wrong(code, "is null, not an object");
    if (!Known() || depth_ > 2) return true;
    if (depth_ == 2) {
      if (field_ != kReport) return Wrong(code, "has a null");
      outcome.add_report()->set_attribute(name_);
      return true;
    }
    if (field_ < kRequired) return Wrong(code, "is null");
    return true;
  }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

 private:
  bool Known() const { return field_ != kOther; }

  bool Wrong(Code& code, std::string_view what) {
    column_ = depth_ >= 1 && Known() ? std::string(kNames[field_]) : std::string();
    wrong_ = fmt::format("{} {}", column_.empty() ? "the line" : column_, what);
    code = json::error::syntax;
    return false;
  }

  bool Append(json::string_view part, std::string* text, Code& code) {
    if (text->size() + part.size() > kMaxNameBytes)
      return Wrong(code, fmt::format("is longer than {} bytes", kMaxNameBytes));
    text->append(part.data(), part.size());
    return true;
  }

  bool Number(json::string_view part, Code& code) {
    if (!on_number_part(part, code)) return false;
    if (!Known() || depth_ > 2) return true;
    const bool taken = TakeNumber(code);
    text_.clear();
    return taken;
  }

  bool TakeText(Code& code) {
    if (depth_ == 2) return Wrong(code, fmt::format("has the text {} as a number", Quoted(text_)));
    switch (field_) {
      case kEntry:
        outcome.set_entry(text_);
        return true;
      case kScenario:
        outcome.set_scenario(text_);
        return true;
      case kRawText:
        outcome.set_raw_text(text_);
        return true;
      case kServedModel:
        outcome.set_served_model(text_);
        return true;
      case kKind: {
        v1::Cell::Kind kind{};
        if (!v1::Cell::Kind_Parse(text_, &kind) || kind == v1::Cell::KIND_UNSPECIFIED) break;
        outcome.set_kind(kind);
        return true;
      }
      case kClass: {
        v1::Outcome::Class parsed{};
        if (!v1::Outcome::Class_Parse(text_, &parsed) || parsed == v1::Outcome::CLASS_UNSPECIFIED)
          break;
        outcome.set_class_(parsed);
        return true;
      }
      case kChoice: {
        v1::Outcome::Choice choice{};
        if (!v1::Outcome::Choice_Parse(text_, &choice) || choice == v1::Outcome::CHOICE_UNSPECIFIED)
          break;
        outcome.set_choice(choice);
        return true;
      }
      default:
        return Wrong(code, fmt::format("is the text {}", Quoted(text_)));
    }
    return Wrong(code, fmt::format("is {}, which is none of its words", Quoted(text_)));
  }

  bool TakeNumber(Code& code) {
    if (depth_ == 2 || field_ == kLogOdds) {
      double value = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
      if (error != std::errc() || end != text_.data() + text_.size() || !std::isfinite(value))
        return Wrong(code, fmt::format("has {}, which is no finite number", Quoted(text_)));
      if (field_ == kLogOdds) {
        outcome.set_log_odds_a(value);
      } else if (field_ == kReport) {
        v1::ReportedWeight* weight = outcome.add_report();
        weight->set_attribute(name_);
        weight->set_value(value);
      } else {
        v1::ShownValue* shown =
            field_ == kOptionA ? outcome.add_option_a() : outcome.add_option_b();
        shown->set_attribute(name_);
        shown->set_value(value);
      }
      return true;
    }
    if (field_ < kIndex || field_ > kSample) return Wrong(code, "is a number");
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || end != text_.data() + text_.size()) {
      return Wrong(code, fmt::format("is {}; give a whole number from 0 to {}", Quoted(text_),
                                     std::numeric_limits<std::uint32_t>::max()));
    }
    if (field_ == kIndex) outcome.set_index(value);
    if (field_ == kPair) outcome.set_pair(value);
    if (field_ == kOrder) outcome.set_order(value);
    if (field_ == kSample) outcome.set_sample(value);
    return true;
  }

  int depth_ = 0;
  Field field_ = kOther;
  std::array<bool, kFieldCount> seen_{};
  // Of the value under way, the key under way, and the last whole key at depth 2.
  std::string text_;
  std::string key_;
  std::string name_;
  std::string wrong_;
  std::string column_;
};

}  // namespace

struct OutcomeLineParser::State {
  json::basic_parser<Handler> parser{json::parse_options()};
  // Bytes of the line before the piece under way.
  std::size_t bytes = 0;
  Status error;
  std::string column;

  void Reset() {
    parser.reset();
    parser.handler().Reset();
    bytes = 0;
    error = absl::OkStatus();
  }

  void Feed(bool more, const char* data, std::size_t size) {
    json::error_code code;
    const std::size_t used = parser.write_some(more, data, size, code);
    if (!code && used < size) code = json::error::extra_data;
    if (code) {
      const Handler& handler = parser.handler();
      if (!handler.wrong().empty()) {
        column = handler.column();
        error = InvalidArgument("{}", handler.wrong());
      } else {
        column = fmt::format("{}", bytes + used + 1);
        error = InvalidArgument("no JSON object: {} at byte {}", code.message(), bytes + used + 1);
      }
    }
    bytes += size;
  }
};

OutcomeLineParser::OutcomeLineParser() : state_(std::make_unique<State>()) { state_->Reset(); }
OutcomeLineParser::~OutcomeLineParser() = default;

void OutcomeLineParser::Write(std::string_view piece) {
  if (state_->error.ok() && !piece.empty()) state_->Feed(true, piece.data(), piece.size());
}

Status OutcomeLineParser::Finish(v1::Outcome* outcome) {
  if (state_->error.ok()) state_->Feed(false, "", 0);
  Status status = state_->error;
  if (status.ok()) {
    state_->column = state_->parser.handler().Missing();
    if (state_->column.empty()) {
      std::swap(*outcome, state_->parser.handler().outcome);
    } else {
      status = InvalidArgument("the line has no {}", state_->column);
    }
  }
  state_->Reset();
  return status;
}

std::string_view OutcomeLineParser::Column() const { return state_->column; }

}  // namespace candor::analysis
