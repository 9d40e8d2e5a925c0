#include "cli/export_rows.h"

#include "common/base/csv_text.h"
#include "common/base/json_writer.h"

#include <google/protobuf/util/time_util.h>

namespace candor::cli {
namespace {

void WriteUsage(const v1::Usage& usage, JsonWriter* json) {
  json->Key("usage").BeginObject();
  json->Key("input_tokens").Number(std::int64_t{usage.input_tokens()});
  json->Key("cached_input_tokens").Number(std::int64_t{usage.cached_input_tokens()});
  json->Key("output_tokens").Number(std::int64_t{usage.output_tokens()});
  json->Key("reasoning_tokens").Number(std::int64_t{usage.reasoning_tokens()});
  json->EndObject();
}

using ShownValues = google::protobuf::RepeatedPtrField<v1::ShownValue>;

void WriteOption(std::string_view name, const ShownValues& values, JsonWriter* json) {
  json->Key(name).BeginObject();
  for (const v1::ShownValue& value : values) json->Key(value.attribute()).Number(value.value());
  json->EndObject();
}

// An enum's word, null for its unspecified value.
void WriteWord(std::string_view name, int number, const std::string& word, JsonWriter* json) {
  json->Key(name);
  number == 0 ? json->Null() : json->String(word);
}

void WriteTime(std::string_view name, const google::protobuf::Timestamp* time, JsonWriter* json) {
  json->Key(name);
  time == nullptr ? json->Null() : json->String(google::protobuf::util::TimeUtil::ToString(*time));
}

const double* FindShown(const ShownValues& values, const std::string& attribute, double* value) {
  for (const v1::ShownValue& shown : values) {
    if (shown.attribute() != attribute) continue;
    *value = shown.value();
    return value;
  }
  return nullptr;
}

}  // namespace

std::string OutcomeJson(const v1::Outcome& outcome) {
  JsonWriter json;
  json.BeginObject();
  json.Key("entry").String(outcome.entry());
  json.Key("scenario").String(outcome.scenario());
  WriteWord("kind", outcome.kind(), v1::Cell::Kind_Name(outcome.kind()), &json);
  json.Key("index").Number(std::uint64_t{outcome.index()});
  json.Key("pair").Number(std::uint64_t{outcome.pair()});
  json.Key("order").Number(std::uint64_t{outcome.order()});
  json.Key("sample").Number(std::uint64_t{outcome.sample()});
  WriteWord("class", outcome.class_(), v1::Outcome::Class_Name(outcome.class_()), &json);
  json.Key("repairs").BeginArray();
  for (const std::string& repair : outcome.repairs()) json.String(repair);
  json.EndArray();
  WriteWord("choice", outcome.choice(), v1::Outcome::Choice_Name(outcome.choice()), &json);
  json.Key("report");
  if (outcome.report().empty()) {
    json.Null();
  } else {
    json.BeginObject();
    for (const v1::ReportedWeight& weight : outcome.report()) {
      json.Key(weight.attribute());
      weight.has_value() ? json.Number(weight.value()) : json.Null();
    }
    json.EndObject();
  }
  json.Key("log_odds_a");
  outcome.has_log_odds_a() ? json.Number(outcome.log_odds_a()) : json.Null();
  json.Key("log_odds_truncated").Bool(outcome.log_odds_truncated());
  WriteOption("option_a", outcome.option_a(), &json);
  WriteOption("option_b", outcome.option_b(), &json);
  json.Key("raw_text").String(outcome.raw_text());
  json.Key("reasoning_text").String(outcome.reasoning_text());
  json.Key("finish_reason").String(outcome.finish_reason());
  json.Key("served_model").String(outcome.served_model());
  json.Key("system_fingerprint").String(outcome.system_fingerprint());
  WriteUsage(outcome.usage(), &json);
  json.Key("prompt_hash").String(outcome.prompt_hash());
  json.Key("reused_from");
  outcome.reused_from().empty() ? json.Null() : json.String(outcome.reused_from());
  json.EndObject();
  return json.Take();
}

std::string AttemptJson(const v1::Attempt& attempt) {
  JsonWriter json;
  json.BeginObject();
  json.Key("id").String(attempt.id());
  json.Key("entry").String(attempt.entry());
  json.Key("scenario").String(attempt.scenario());
  WriteWord("kind", attempt.kind(), v1::Cell::Kind_Name(attempt.kind()), &json);
  json.Key("index").Number(std::uint64_t{attempt.index()});
  WriteWord("state", attempt.state(), v1::Attempt::State_Name(attempt.state()), &json);
  WriteWord("error_class", attempt.error_class(),
            v1::Attempt::ErrorClass_Name(attempt.error_class()), &json);
  json.Key("error_text").String(attempt.error_text());
  json.Key("http_status").Number(std::int64_t{attempt.http_status()});
  json.Key("worker").String(attempt.worker());
  WriteTime("grant_time", attempt.has_grant_time() ? &attempt.grant_time() : nullptr, &json);
  WriteTime("start_time", attempt.has_start_time() ? &attempt.start_time() : nullptr, &json);
  json.Key("latency_seconds");
  if (attempt.has_latency()) {
    // Nanoseconds below 2^53 divide exactly rounded: "0.25", not "0.25000000000000006".
    json.Number(static_cast<double>(attempt.latency().seconds() * 1'000'000'000 +
                                    attempt.latency().nanos()) /
                1e9);
  } else {
    json.Null();
  }
  json.Key("provider_request_id").String(attempt.provider_request_id());
  WriteUsage(attempt.usage(), &json);
  json.Key("money").Number(std::int64_t{attempt.money()});
  json.EndObject();
  return json.Take();
}

std::string ChoicesHeader(int max_attributes) {
  std::string header = "entry,scenario,pair,order,sample,class,y";
  for (const char letter : {'a', 'b', 'x'}) {
    for (int k = 1; k <= max_attributes; ++k) header += fmt::format(",{}_{}", letter, k);
  }
  return header + "\n";
}

StatusOr<std::string> ChoicesRow(const v1::Outcome& outcome, const v1::Scenario& scenario,
                                 int max_attributes) {
  std::string row = fmt::format("{},{},{},{},{},{},", CsvText(outcome.entry()),
                                CsvText(outcome.scenario()), outcome.pair(), outcome.order(),
                                outcome.sample(), v1::Outcome::Class_Name(outcome.class_()));
  if (outcome.choice() == v1::Outcome::A) row += '1';
  if (outcome.choice() == v1::Outcome::B) row += '0';
  std::string a_cells;
  std::string b_cells;
  std::string x_cells;
  for (int k = 0; k < max_attributes; ++k) {
    a_cells += ',';
    b_cells += ',';
    x_cells += ',';
    if (k >= scenario.attributes_size()) continue;
    const v1::Attribute& attribute = scenario.attributes(k);
    double a = 0;
    double b = 0;
    if (FindShown(outcome.option_a(), attribute.name(), &a) == nullptr ||
        FindShown(outcome.option_b(), attribute.name(), &b) == nullptr) {
      return DataLoss("the outcome {} {} {} of entry {} has no value of the attribute \"{}\"",
                      outcome.scenario(), v1::Cell::Kind_Name(outcome.kind()), outcome.index(),
                      outcome.entry(), attribute.name());
    }
    a_cells += ShortestNumber(a);
    b_cells += ShortestNumber(b);
    x_cells += ShortestNumber((a - b) / (attribute.max() - attribute.min()));
  }
  return row + a_cells + b_cells + x_cells + "\n";
}

std::string ReportsHeader() { return "entry,scenario,pair,sample,class,attribute,value\n"; }

std::string ReportsRows(const v1::Outcome& outcome, const v1::Scenario& scenario) {
  const std::string front =
      fmt::format("{},{},{},{},{},", CsvText(outcome.entry()), CsvText(outcome.scenario()),
                  outcome.pair(), outcome.sample(), v1::Outcome::Class_Name(outcome.class_()));
  std::string rows;
  for (const v1::Attribute& attribute : scenario.attributes()) {
    rows += front + CsvText(attribute.name()) + ",";
    for (const v1::ReportedWeight& weight : outcome.report()) {
      if (weight.attribute() == attribute.name() && weight.has_value()) {
        rows += ShortestNumber(weight.value());
        break;
      }
    }
    rows += "\n";
  }
  return rows;
}

}  // namespace candor::cli
