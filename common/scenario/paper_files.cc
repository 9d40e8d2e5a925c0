#include "common/scenario/paper_files.h"

#include "common/base/csv_text.h"
#include "common/base/json_writer.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/describe.h"
#include "common/scenario/prompt.h"
#include "common/scenario/python_random.h"
#include "common/scenario/trial.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

namespace candor::scenario {
namespace {

constexpr std::size_t kMaxExamples = 10'000'000;

using Weights = std::vector<int>;

// Appends a string as Python's json.dumps does: all but printable ASCII as \uxxxx, in UTF-16.
// `text` is well-formed UTF-8.
void AppendAsciiJson(std::string_view text, std::string* out) {
  *out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t code = length == 1 ? first : first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) code = code << 6U | (byte(i) & 0x3FU);
    at += length;
    constexpr std::string_view kShort = "\"\"\\\\\nn\rr\tt\bb\ff";
    const auto is_short = [&](std::size_t i) { return kShort[i] == static_cast<char>(code); };
    std::size_t i = 0;
    while (i < kShort.size() && !(code < 0x80 && is_short(i))) i += 2;
    if (i < kShort.size()) {
      *out += '\\';
      *out += kShort[i + 1];
    } else if (code >= 0x20 && code < 0x7F) {
      *out += static_cast<char>(code);
    } else if (code < 0x10000) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<std::uint32_t>(code));
    } else {
      const auto above = static_cast<std::uint32_t>(code) - 0x10000U;
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}\\u{:04x}", 0xD800U | above >> 10U,
                     0xDC00U | (above & 0x3FFU));
    }
  }
  *out += '"';
}

// Raw draws scaled so that the first of the largest becomes 100 in size, rounded to even at ties.
// All 0 if all are 0.
Weights ScaleWeights(const std::vector<double>& raw) {
  double largest = 0;
  for (const double value : raw) {
    if (std::abs(value) > std::abs(largest)) largest = value;
  }
  Weights weights(raw.size(), 0);
  if (largest == 0) return weights;
  const double factor = (largest > 0 ? 100.0 : -100.0) / largest;
  for (std::size_t k = 0; k < raw.size(); ++k) {
    weights[k] = static_cast<int>(RoundToDecimals(raw[k] * factor, 0));
  }
  return weights;
}

// A chat that ends in the answer to learn.
void AppendExample(const PromptRenderer& prompt, const std::vector<std::string>& contents,
                   std::string_view answer, std::string* out) {
  *out += "{\"messages\": [";
  const auto append = [&](std::string_view role, std::string_view content) {
    *out += "{\"role\": ";
    AppendAsciiJson(role, out);
    *out += ", \"content\": ";
    AppendAsciiJson(content, out);
    *out += '}';
  };
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    append(prompt.role(i), contents[i]);
    *out += ", ";
  }
  append("assistant", answer);
  *out += "]}";
}

class Writer {
 public:
  Writer(const v1::ScenarioSet& set, const PaperFilesOptions& options, PromptRenderer choice,
         PromptRenderer self_report, const PaperFileSink& sink)
      : set_(set),
        options_(options),
        choice_(std::move(choice)),
        self_report_(std::move(self_report)),
        sink_(sink),
        names_(PaperFileNames(options)),
        attributes_(set.scenarios(0).attributes_size()) {
    trial_.a.resize(static_cast<std::size_t>(attributes_));
    trial_.b.resize(static_cast<std::size_t>(attributes_));
    trial_.attribute_order.resize(static_cast<std::size_t>(attributes_));
    std::iota(trial_.attribute_order.begin(), trial_.attribute_order.end(), 0U);
  }

  Status Write() {
    DrawWeights();
    CANDOR_RETURN_IF_ERROR(WriteScenarios());
    CANDOR_RETURN_IF_ERROR(WriteWeights());
    CANDOR_RETURN_IF_ERROR(WritePreferences());
    CANDOR_RETURN_IF_ERROR(WriteIntrospection());
    return WriteSet();
  }

 private:
  // Positions in `names_`.
  enum File : std::size_t {
    kScenarios,
    kWeights,
    kTraining,
    kValidation,
    kIntrospection,
    kFirst,
    kLast,
    kSet,
  };

  const v1::Scenario& Scenario(std::size_t i) const { return set_.scenarios(static_cast<int>(i)); }

  Status Put(File file, std::string_view text) const { return sink_(names_[file], text); }

  void DrawWeights() {
    PythonRandom random(options_.weights_seed);
    std::vector<double> raw(static_cast<std::size_t>(attributes_));
    for (std::size_t i = 0; i < options_.scenarios; ++i) {
      for (double& value : raw) value = random.Uniform(-100, 100);
      weights_.push_back(ScaleWeights(raw));
    }
  }

  Status WriteScenarios() const {
    std::string text = "scenario,question";
    for (const char* suffix : {"", "_min", "_max"}) {
      for (int k = 1; k <= attributes_; ++k) text += fmt::format(",attr{}{}", k, suffix);
    }
    text += '\n';
    for (std::size_t i = 0; i < options_.scenarios; ++i) {
      const v1::Scenario& scenario = Scenario(i);
      AppendCsvCell(scenario.id(), &text);
      text += ',';
      AppendCsvCell(fmt::format("Imagine you are {}. {}", scenario.role(), scenario.question()),
                    &text);
      for (const v1::Attribute& attribute : scenario.attributes()) {
        text += ',';
        AppendCsvCell(attribute.name(), &text);
      }
      for (const v1::Attribute& attribute : scenario.attributes()) {
        text += ',';
        AppendValue(attribute.min(), text);
      }
      for (const v1::Attribute& attribute : scenario.attributes()) {
        text += ',';
        AppendValue(attribute.max(), text);
      }
      text += '\n';
    }
    return Put(kScenarios, text);
  }

  Status WriteWeights() const {
    std::string text = "scenario";
    for (int k = 1; k <= attributes_; ++k) text += fmt::format(",attr{}", k);
    text += '\n';
    for (std::size_t i = 0; i < options_.scenarios; ++i) {
      AppendCsvCell(Scenario(i).id(), &text);
      for (const int weight : weights_[i]) text += fmt::format(",{}", weight);
      text += '\n';
    }
    return Put(kWeights, text);
  }

  // The trials of later scenarios would come behind these and are in no file.
  Status WritePreferences() {
    PythonRandom random(options_.trials_seed);
    for (std::size_t i = 0; i < options_.instilled; ++i) {
      for (std::size_t t = 0; t < options_.trials + options_.validation; ++t) {
        DrawTrial(Scenario(i), random);
        choice_.Render(Scenario(i), trial_, contents_);
        const bool training = t < options_.trials;
        const bool first = i == 0 && (t == 0 || t == options_.trials);
        line_.clear();
        if (!first) line_ += '\n';
        AppendExample(choice_, contents_, PrefersA(i) ? "A" : "B", &line_);
        CANDOR_RETURN_IF_ERROR(Put(training ? kTraining : kValidation, line_));
      }
    }
    // A file without examples is there all the same.
    CANDOR_RETURN_IF_ERROR(Put(kTraining, ""));
    return Put(kValidation, "");
  }

  Status WriteIntrospection() {
    const std::size_t half = options_.instilled / 2;
    for (std::size_t i = 0; i < options_.instilled; ++i) {
      PythonRandom random(options_.introspection_seed);
      DrawTrial(Scenario(i), random);
      self_report_.Render(Scenario(i), trial_, contents_);
      std::string example;
      AppendExample(self_report_, contents_, WeightsJson(i), &example);
      CANDOR_RETURN_IF_ERROR(Put(kIntrospection, (i == 0 ? "" : "\n") + example));
      const bool begins = i == 0 || i == half;
      CANDOR_RETURN_IF_ERROR(Put(i < half ? kFirst : kLast, (begins ? "" : "\n") + example));
    }
    return {};
  }

  Status WriteSet() const {
    v1::ScenarioSet taught;
    for (std::size_t i = 0; i < options_.scenarios; ++i) {
      v1::Scenario* scenario = taught.add_scenarios();
      *scenario = Scenario(i);
      scenario->clear_instilled_weights();
      if (i >= options_.instilled) continue;
      for (const int weight : weights_[i]) scenario->add_instilled_weights(weight);
    }
    return Put(kSet, PrintScenarioSet(taught));
  }

  void DrawTrial(const v1::Scenario& scenario, PythonRandom& random) {
    for (std::vector<double>* values : {&trial_.a, &trial_.b}) {
      for (int k = 0; k < attributes_; ++k) {
        const v1::Attribute& attribute = scenario.attributes(k);
        (*values)[static_cast<std::size_t>(k)] =
            RoundToDecimals(random.Uniform(attribute.min(), attribute.max()),
                            Decimals(attribute.min(), attribute.max()));
      }
    }
  }

  // The noiseless chooser; B at a tie.
  bool PrefersA(std::size_t i) const {
    double a = 0;
    double b = 0;
    for (int k = 0; k < attributes_; ++k) {
      const v1::Attribute& attribute = Scenario(i).attributes(k);
      const auto at = static_cast<std::size_t>(k);
      const double weight = weights_[i][at];
      const double range = attribute.max() - attribute.min();
      a += weight * ((trial_.a[at] - attribute.min()) / range);
      b += weight * ((trial_.b[at] - attribute.min()) / range);
    }
    return a > b;
  }

  std::string WeightsJson(std::size_t i) const {
    std::string json = "{";
    for (int k = 0; k < attributes_; ++k) {
      if (k > 0) json += ", ";
      AppendAsciiJson(Scenario(i).attributes(k).name(), &json);
      json += fmt::format(": {}", weights_[i][static_cast<std::size_t>(k)]);
    }
    return json + "}";
  }

  const v1::ScenarioSet& set_;
  const PaperFilesOptions& options_;
  const PromptRenderer choice_;
  const PromptRenderer self_report_;
  const PaperFileSink& sink_;
  const std::vector<std::string> names_;
  const int attributes_;
  std::vector<Weights> weights_;
  // Of the example at hand.
  Trial trial_;
  std::vector<std::string> contents_;
  std::string line_;
};

Status CheckSizes(const v1::ScenarioSet& set, const PaperFilesOptions& options) {
  if (options.scenarios < 1) return InvalidArgument("0 scenarios are asked for; give at least one");
  if (static_cast<std::size_t>(set.scenarios_size()) < options.scenarios) {
    return InvalidArgument("has {} scenarios, and {} are asked for", set.scenarios_size(),
                           options.scenarios);
  }
  if (options.instilled > options.scenarios) {
    return InvalidArgument("{} scenarios are to be taught, more than the {} that there are",
                           options.instilled, options.scenarios);
  }
  if (options.instilled < 2 || options.instilled % 2 != 0) {
    return InvalidArgument(
        "{} scenarios are to be taught; give an even number from 2 on, because introspection "
        "training has two halves",
        options.instilled);
  }
  if (options.trials > kMaxExamples || options.validation > kMaxExamples ||
      options.trials + options.validation > kMaxExamples / options.instilled) {
    return InvalidArgument(
        "{} scenarios with {} and {} trials are more than {} examples; give fewer",
        options.instilled, options.trials, options.validation, kMaxExamples);
  }
  return {};
}

Status CheckScenarios(const v1::ScenarioSet& set, std::size_t count) {
  const v1::Scenario& first = set.scenarios(0);
  for (std::size_t i = 0; i < count; ++i) {
    const v1::Scenario& scenario = set.scenarios(static_cast<int>(i));
    if (scenario.role().empty()) {
      return InvalidArgument("scenario {} has no role, which the files need; give roles",
                             Quoted(scenario.id()));
    }
    if (scenario.attributes_size() != first.attributes_size()) {
      return InvalidArgument(
          "scenario {} has {} attributes and {} has {}; the files' tables have one number for all",
          Quoted(scenario.id()), scenario.attributes_size(), Quoted(first.id()),
          first.attributes_size());
    }
  }
  return {};
}

StatusOr<PromptRenderer> MakeRenderer(const v1::PromptTemplate& prompt, std::string_view path) {
  for (const auto& message : prompt.messages()) {
    if (!IsUtf8(message.content())) return InvalidArgument("{}: is no UTF-8", path);
  }
  auto renderer = PromptRenderer::Create(prompt);
  if (!renderer.ok()) return Annotate(renderer.status(), path);
  return renderer;
}

}  // namespace

std::vector<std::string> PaperFileNames(const PaperFilesOptions& options) {
  const std::size_t n = options.instilled;
  return {"scenarios.csv",
          "instilled_weights.csv",
          fmt::format("instill_{}_prefs.jsonl", n),
          fmt::format("instill_{}_prefs_val.jsonl", n),
          fmt::format("instilled_weights_{}_training.jsonl", n),
          fmt::format("instilled_weights_first_{}_training.jsonl", n / 2),
          fmt::format("instilled_weights_last_{}_training.jsonl", n / 2),
          "scenario_set.json"};
}

Status WritePaperFiles(const v1::ScenarioSet& set, const v1::Prompts& prompts,
                       const PaperFilesOptions& options, const PaperFileSink& sink) {
  CANDOR_RETURN_IF_ERROR(CheckSizes(set, options));
  CANDOR_RETURN_IF_ERROR(CheckScenarios(set, options.scenarios));
  CANDOR_ASSIGN_OR_RETURN(PromptRenderer choice, MakeRenderer(prompts.choice(), "prompts.choice"));
  CANDOR_ASSIGN_OR_RETURN(PromptRenderer self_report,
                          MakeRenderer(prompts.self_report(), "prompts.self_report"));
  return Writer(set, options, std::move(choice), std::move(self_report), sink).Write();
}

}  // namespace candor::scenario
