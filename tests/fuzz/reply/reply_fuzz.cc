#include "tests/fuzz/reply/reply_fuzz.h"

#include "common/reply/choice.h"
#include "common/reply/self_report.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {
namespace {

using v1::Outcome;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

const std::vector<std::string>& Names() {
  static const std::vector<std::string> kNames = {"price", "commute_time", "distance to work",
                                                  "distance to school", "coat_weight"};
  return kNames;
}

// The numbers of a strict JSON object with just the attributes as keys; empty for another text.
std::vector<double> StrictNumbers(std::string_view text) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object() || value.get_object().size() != Names().size()) return {};
  std::vector<double> numbers;
  for (const std::string& name : Names()) {
    const boost::json::value* member = value.get_object().if_contains(name);
    if (member == nullptr || !member->is_number()) return {};
    numbers.push_back(member->to_number<double>());
  }
  return numbers;
}

void CheckReport(const Reply& reply) {
  const ParsedReport parsed = ParseSelfReport(reply, Names());
  Require(Outcome::Class_IsValid(parsed.class_), "a report has a class");
  Require(parsed.class_ != Outcome::CLASS_UNSPECIFIED && parsed.class_ != Outcome::NOT_A_CHOICE,
          "a report has a class of its own");
  Require(parsed.values.empty() || parsed.values.size() == Names().size(),
          "values are one an attribute");
  bool complete = !parsed.values.empty();
  bool in_range = true;
  for (const std::optional<double>& value : parsed.values) {
    complete = complete && value.has_value();
    if (!value.has_value()) continue;
    Require(std::isfinite(*value), "values are finite");
    in_range = in_range && *value >= -100 && *value <= 100;
  }
  const bool understood = parsed.class_ == Outcome::VALID || parsed.class_ == Outcome::REPAIRED;
  Require(!understood || (complete && in_range), "an understood report is complete and in range");
  Require(parsed.class_ != Outcome::OUT_OF_RANGE || (complete && !in_range),
          "an out-of-range report is complete");
  Require(parsed.class_ != Outcome::VALID || parsed.repairs.empty(), "VALID has no repairs");
  Require(parsed.class_ != Outcome::REPAIRED || !parsed.repairs.empty(), "REPAIRED has repairs");
  if (parsed.class_ == Outcome::VALID) {
    const std::vector<double> strict = StrictNumbers(reply.text);
    Require(strict.size() == Names().size(), "a VALID report is strict JSON");
    for (std::size_t i = 0; i < strict.size(); ++i) {
      Require(std::abs(strict[i] - *parsed.values[i]) < 1e-9, "a VALID report has JSON's numbers");
    }
  }
  const ParsedReport again = ParseSelfReport(reply, Names());
  Require(again.class_ == parsed.class_ && again.values == parsed.values &&
              again.repairs == parsed.repairs,
          "equal replies give equal reports");
}

void CheckChoice(const Reply& reply) {
  const ParsedChoice parsed = ParseChoice(reply);
  Require(Outcome::Class_IsValid(parsed.class_), "a choice has a class");
  Require(parsed.class_ != Outcome::CLASS_UNSPECIFIED && parsed.class_ != Outcome::NOT_JSON,
          "a choice has a class of its own");
  const bool understood = parsed.class_ == Outcome::VALID || parsed.class_ == Outcome::REPAIRED;
  Require(understood == (parsed.choice != Outcome::CHOICE_UNSPECIFIED),
          "a choice is set exactly when it was understood");
  Require((parsed.class_ == Outcome::REPAIRED) == !parsed.repairs.empty(),
          "a choice has repairs exactly when REPAIRED");
}

}  // namespace

void CheckReply(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view kEndings[] = {"stop", "length", "content_filter", ""};
  const unsigned how = bytes.empty() ? 0U : bytes.front();
  const std::span<const std::uint8_t> rest = bytes.empty() ? bytes : bytes.subspan(1);
  const std::string text(rest.begin(), rest.end());
  const Reply reply = {.text = text,
                       .finish_reason = kEndings[how % 4],
                       .refusal = (how & 0x80U) != 0,
                       .has_reasoning = (how & 0x40U) != 0};
  CheckReport(reply);
  CheckChoice(reply);
}

}  // namespace candor::reply

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  candor::reply::CheckReply({data, size});
  return 0;
}
