#include "simulator/ledger.h"

#include "common/base/json_writer.h"
#include "common/base/logging.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <utility>

namespace candor::simulator {
namespace {

constexpr std::size_t kTextChunk = std::size_t{1} << 20U;
// An attempt id is cut here; OpenAI refuses longer ones.
constexpr std::size_t kMaxAttemptId = 512;

std::string_view RejectedBy(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRequests:
      return "requests";
    case Verdict::kTokens:
      return "tokens";
    case Verdict::kInFlight:
      return "in_flight";
    case Verdict::kAdmitted:
      break;
  }
  return "";
}

// The largest sum over any 60 s, of what is added in the order of time.
class WindowMaximum {
 public:
  void Add(TimePoint time, std::int64_t amount) {
    while (!window_.empty() && window_.front().first + Limiter::kWindow <= time) {
      sum_ -= window_.front().second;
      window_.pop_front();
    }
    window_.emplace_back(time, amount);
    sum_ += amount;
    maximum_ = std::max(maximum_, sum_);
  }
  std::int64_t maximum() const { return maximum_; }

 private:
  std::deque<std::pair<TimePoint, std::int64_t>> window_;
  std::int64_t sum_ = 0;
  std::int64_t maximum_ = 0;
};

struct Totals {
  std::int64_t calls = 0;
  std::int64_t unanswered = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  std::uint32_t max_in_flight = 0;
  std::map<int, std::int64_t> by_status;
  std::map<std::string_view, std::int64_t> by_fault;
  std::map<std::string_view, std::int64_t> by_limit;
  WindowMaximum arrivals;
  WindowMaximum requests;
  WindowMaximum tokens;
};

template <typename Key>
void WriteCounts(std::string_view name, const std::map<Key, std::int64_t>& counts,
                 JsonWriter* writer) {
  writer->Key(name).BeginObject();
  for (const auto& [key, count] : counts) writer->Key(fmt::format("{}", key)).Number(count);
  writer->EndObject();
}

void WriteTotals(const Totals& totals, JsonWriter* writer) {
  writer->Key("calls").Number(totals.calls);
  writer->Key("unanswered").Number(totals.unanswered);
  WriteCounts("by_status", totals.by_status, writer);
  WriteCounts("by_fault", totals.by_fault, writer);
  WriteCounts("rejected_by", totals.by_limit, writer);
  writer->Key("prompt_tokens").Number(totals.prompt_tokens);
  writer->Key("completion_tokens").Number(totals.completion_tokens);
  writer->Key("max_arrivals_per_minute").Number(totals.arrivals.maximum());
  writer->Key("max_requests_per_minute").Number(totals.requests.maximum());
  writer->Key("max_tokens_per_minute").Number(totals.tokens.maximum());
  writer->Key("max_in_flight").Number(std::int64_t{totals.max_in_flight});
}

}  // namespace

Ledger::Ledger(std::string id_prefix) : id_prefix_(std::move(id_prefix)) {}

Ledger::~Ledger() {
  if (file_ != nullptr) std::fclose(file_);
}

Status Ledger::OpenFile(const std::string& path) {
  const std::lock_guard lock(mutex_);
  file_ = std::fopen(path.c_str(), "ae");
  if (file_ == nullptr) {
    return Unavailable("ledger_file: cannot append to '{}': {}", path, std::strerror(errno));
  }
  path_ = path;
  return absl::OkStatus();
}

std::string_view Ledger::Keep(std::string_view text) {
  text = text.substr(0, kMaxAttemptId);
  if (texts_.empty() || text_used_ + text.size() > kTextChunk) {
    texts_.push_back(std::make_unique<char[]>(kTextChunk));
    text_used_ = 0;
  }
  char* const at = texts_.back().get() + text_used_;
  std::copy(text.begin(), text.end(), at);
  text_used_ += text.size();
  return {at, text.size()};
}

std::uint64_t Ledger::Begin(const LedgerEntry& entry, std::string_view attempt_id,
                            std::string_view model) {
  const std::lock_guard lock(mutex_);
  if (size_ % kChunk == 0) rows_.push_back(std::make_unique<Row[]>(kChunk));
  ++size_;
  Row& row = At(size_);
  row.entry = entry;
  row.attempt_id = Keep(attempt_id);
  const auto [it, is_new] =
      model_index_.try_emplace(std::string(model), static_cast<std::uint32_t>(models_.size()));
  if (is_new) models_.emplace_back(model);
  row.model = it->second;
  return size_;
}

void Ledger::End(std::uint64_t call, TimePoint now, const LedgerEnd& end) {
  const std::lock_guard lock(mutex_);
  Row& row = At(call);
  row.end = end;
  row.ended = now;
  row.has_ended = true;
  if (file_ == nullptr) return;
  line_.clear();
  PrintRow(call, &line_);
  // Row by row, so that the file is whole also after a SIGKILL.
  if (std::fwrite(line_.data(), 1, line_.size(), file_) == line_.size() &&
      std::fflush(file_) == 0) {
    return;
  }
  Log().Error("ledger_file: cannot write to '{}': {}; rows are in memory only from here on", path_,
              std::strerror(errno));
  std::fclose(std::exchange(file_, nullptr));
}

std::string Ledger::RequestId(std::uint64_t call) const {
  return fmt::format("req_{}{:012x}", id_prefix_, call);
}

void Ledger::PrintRow(std::uint64_t call, std::string* out) const {
  const Row& row = At(call);
  const LedgerEntry& entry = row.entry;
  fmt::format_to(std::back_inserter(*out), R"({{"call":{},"request_id":"{}","attempt_id":)", call,
                 RequestId(call));
  AppendJsonString(row.attempt_id, out);
  *out += R"(,"model":)";
  AppendJsonString(models_[row.model], out);
  const std::string_view digest(reinterpret_cast<const char*>(entry.body.data()),
                                entry.body.size());
  fmt::format_to(
      std::back_inserter(*out),
      R"(,"kind":"{}","body_sha256":"{}","body_arrival":{},"arrival_us":{},"arrival_unix_us":{},)"
      R"("end_us":{},"status":{},"fault":"{}","rejected_by":"{}","admitted":{},"shape":"{}",)"
      R"("prompt_tokens":{},"completion_tokens":{},"counted_tokens":{},"in_flight":{}}})"
      "\n",
      ToString(row.end.kind), Hex(digest), entry.body_arrival,
      entry.arrived.time_since_epoch().count(), entry.arrived_wall.time_since_epoch().count(),
      row.has_ended ? fmt::format("{}", row.ended.time_since_epoch().count()) : "null",
      row.end.status, ToString(entry.fault), RejectedBy(entry.verdict), entry.admitted,
      ToString(row.end.shape), entry.prompt_tokens, row.end.completion_tokens, entry.counted_tokens,
      entry.in_flight);
}

std::uint64_t Ledger::Print(std::uint64_t after, std::size_t limit, std::string* out) const {
  const std::lock_guard lock(mutex_);
  if (after >= size_) return after;
  const std::uint64_t last = after + std::min<std::uint64_t>(limit, size_ - after);
  for (std::uint64_t call = after + 1; call <= last; ++call) PrintRow(call, out);
  return last;
}

std::string Ledger::Summary() const {
  Totals all;
  std::vector<Totals> by_model;
  std::vector<std::string> models;
  {
    const std::lock_guard lock(mutex_);
    models = models_;
    by_model.resize(models.size());
    for (std::uint64_t call = 1; call <= size_; ++call) {
      const Row& row = At(call);
      for (Totals* totals : {&all, &by_model[row.model]}) {
        ++totals->calls;
        if (!row.has_ended || row.end.status == 0) ++totals->unanswered;
        if (row.has_ended && row.end.status != 0) ++totals->by_status[row.end.status];
        if (row.entry.fault != FaultKind::kNone) ++totals->by_fault[ToString(row.entry.fault)];
        if (row.entry.verdict != Verdict::kAdmitted) {
          ++totals->by_limit[RejectedBy(row.entry.verdict)];
        }
        totals->prompt_tokens += row.entry.prompt_tokens;
        totals->completion_tokens += row.end.completion_tokens;
        totals->max_in_flight = std::max(totals->max_in_flight, row.entry.in_flight);
        totals->arrivals.Add(row.entry.arrived, 1);
        if (!row.entry.admitted) continue;
        totals->requests.Add(row.entry.arrived, 1);
        totals->tokens.Add(row.entry.arrived, row.entry.counted_tokens);
      }
    }
  }
  JsonWriter writer(2);
  writer.BeginObject();
  WriteTotals(all, &writer);
  writer.Key("models").BeginArray();
  for (std::size_t i = 0; i < models.size(); ++i) {
    writer.BeginObject().Key("model").String(models[i]);
    WriteTotals(by_model[i], &writer);
    writer.EndObject();
  }
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

}  // namespace candor::simulator
