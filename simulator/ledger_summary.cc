// The totals of a ledger, and its course.
#include "common/base/json_writer.h"
#include "simulator/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace candor::simulator {
namespace {

constexpr Duration kMinute = std::chrono::seconds{60};
constexpr Duration kShortestWindow = std::chrono::milliseconds{10};
// Columns are no longer than this; later calls are left out.
constexpr std::int64_t kMaxWindows = 1'000'000;

// Amounts and their times, of which the largest sum over any 60 s is wanted.
class Amounts {
 public:
  void Add(TimePoint time, std::int64_t amount) {
    if (amount != 0) amounts_.emplace_back(time, amount);
  }
  std::int64_t MostInAMinute() {
    // What counts at the end of calls comes out of order.
    std::stable_sort(amounts_.begin(), amounts_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::int64_t sum = 0;
    std::int64_t most = 0;
    std::size_t oldest = 0;
    for (const auto& [time, amount] : amounts_) {
      sum += amount;
      while (amounts_[oldest].first + kMinute <= time) sum -= amounts_[oldest++].second;
      most = std::max(most, sum);
    }
    return most;
  }

 private:
  std::vector<std::pair<TimePoint, std::int64_t>> amounts_;
};

struct Totals {
  std::int64_t calls = 0;
  std::int64_t unanswered = 0;
  std::int64_t batch_lines = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::uint32_t max_in_flight = 0;
  std::map<int, std::int64_t> by_status;
  std::map<std::string_view, std::int64_t> by_fault;
  std::map<std::string_view, std::int64_t> by_limit;
  Amounts arrivals;
  Amounts requests;
  Amounts tokens;
  Amounts input;
  Amounts output;
};

template <typename Key>
void WriteCounts(std::string_view name, const std::map<Key, std::int64_t>& counts,
                 JsonWriter* writer) {
  writer->Key(name).BeginObject();
  for (const auto& [key, count] : counts) writer->Key(fmt::format("{}", key)).Number(count);
  writer->EndObject();
}

void WriteTotals(Totals* totals, JsonWriter* writer) {
  writer->Key("calls").Number(totals->calls);
  writer->Key("unanswered").Number(totals->unanswered);
  writer->Key("batch_lines").Number(totals->batch_lines);
  WriteCounts("by_status", totals->by_status, writer);
  WriteCounts("by_fault", totals->by_fault, writer);
  WriteCounts("rejected_by", totals->by_limit, writer);
  writer->Key("prompt_tokens").Number(totals->prompt_tokens);
  writer->Key("completion_tokens").Number(totals->completion_tokens);
  writer->Key("max_arrivals_per_minute").Number(totals->arrivals.MostInAMinute());
  writer->Key("max_requests_per_minute").Number(totals->requests.MostInAMinute());
  writer->Key("max_tokens_per_minute").Number(totals->tokens.MostInAMinute());
  writer->Key("max_input_tokens_per_minute").Number(totals->input.MostInAMinute());
  writer->Key("max_output_tokens_per_minute").Number(totals->output.MostInAMinute());
  writer->Key("max_in_flight").Number(std::int64_t{totals->max_in_flight});
}

struct Window {
  std::int64_t arrived = 0;
  std::int64_t admitted = 0;
  std::int64_t rejected = 0;
  std::int64_t answered = 0;
  std::int64_t tokens = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

}  // namespace

std::string Ledger::Summary() const {
  Totals all;
  std::vector<Totals> by_model;
  std::vector<std::string> models;
  std::array<std::int64_t, 4> batches{};
  {
    const std::lock_guard lock(mutex_);
    models = models_;
    batches = batches_;
    by_model.resize(models.size());
    ForEach([&](const Row& row) {
      for (Totals* totals : {&all, &by_model[row.model]}) {
        ++totals->calls;
        if (!row.has_ended || row.end.status == 0) ++totals->unanswered;
        if (row.has_ended && row.end.status != 0) ++totals->by_status[row.end.status];
        if (row.entry.fault != FaultKind::kNone) ++totals->by_fault[ToString(row.entry.fault)];
        if (row.entry.verdict != Verdict::kAdmitted) {
          ++totals->by_limit[ToString(row.entry.verdict)];
        }
        totals->prompt_tokens += row.entry.prompt_tokens;
        totals->completion_tokens += row.end.completion_tokens;
        if (row.entry.batch) {
          ++totals->batch_lines;
          continue;
        }
        totals->max_in_flight = std::max(totals->max_in_flight, row.entry.in_flight);
        totals->arrivals.Add(row.entry.arrived, 1);
        if (!row.entry.admitted) continue;
        totals->requests.Add(row.entry.arrived, 1);
        totals->tokens.Add(row.entry.arrived, row.entry.counted_tokens);
        totals->input.Add(row.entry.arrived, row.entry.counted_input_tokens);
        if (!row.has_ended) continue;
        totals->tokens.Add(row.ended, row.end.counted_tokens);
        totals->output.Add(row.ended, row.end.completion_tokens);
      }
    });
  }
  JsonWriter writer(2);
  writer.BeginObject();
  WriteTotals(&all, &writer);
  writer.Key("batches").BeginObject();
  writer.Key("openai").Number(batches[static_cast<std::size_t>(DialectKind::kChat)]);
  writer.Key("anthropic").Number(batches[static_cast<std::size_t>(DialectKind::kAnthropic)]);
  writer.EndObject();
  writer.Key("models").BeginArray();
  for (std::size_t i = 0; i < models.size(); ++i) {
    writer.BeginObject().Key("model").String(models[i]);
    WriteTotals(&by_model[i], &writer);
    writer.EndObject();
  }
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

std::string Ledger::Series(Duration window, std::string_view model) const {
  window = std::max(window, kShortestWindow);
  std::vector<Window> windows;
  TimePoint begin{};
  {
    const std::lock_guard lock(mutex_);
    if (size_ > 0) begin = At(1).entry.arrived;
    const auto at = [&](TimePoint time) -> Window* {
      const std::int64_t index = std::max<std::int64_t>(0, (time - begin) / window);
      if (index >= kMaxWindows) return nullptr;
      if (static_cast<std::size_t>(index) >= windows.size()) {
        windows.resize(static_cast<std::size_t>(index) + 1);
      }
      return &windows[static_cast<std::size_t>(index)];
    };
    ForEach([&](const Row& row) {
      if (row.entry.batch || (!model.empty() && models_[row.model] != model)) return;
      if (Window* arrival = at(row.entry.arrived)) {
        ++arrival->arrived;
        if (row.entry.verdict != Verdict::kAdmitted) ++arrival->rejected;
        if (row.entry.admitted) {
          ++arrival->admitted;
          arrival->tokens += row.entry.counted_tokens;
          arrival->input_tokens += row.entry.counted_input_tokens;
        }
      }
      if (!row.has_ended) return;
      if (Window* end = at(row.ended)) {
        ++end->answered;
        end->tokens += row.end.counted_tokens;
        end->output_tokens += row.end.completion_tokens;
      }
    });
  }
  JsonWriter writer;
  writer.BeginObject().Key("window_us").Number(std::int64_t{window.count()});
  writer.Key("begin_us").Number(std::int64_t{begin.time_since_epoch().count()});
  const std::pair<std::string_view, std::int64_t Window::*> columns[] = {
      {"arrived", &Window::arrived},
      {"admitted", &Window::admitted},
      {"rejected", &Window::rejected},
      {"answered", &Window::answered},
      {"tokens", &Window::tokens},
      {"input_tokens", &Window::input_tokens},
      {"output_tokens", &Window::output_tokens}};
  for (const auto& [name, column] : columns) {
    writer.Key(name).BeginArray();
    for (const Window& item : windows) writer.Number(item.*column);
    writer.EndArray();
  }
  writer.EndObject();
  return writer.Take() + "\n";
}

}  // namespace candor::simulator
