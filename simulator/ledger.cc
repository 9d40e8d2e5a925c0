#include "simulator/ledger.h"

#include "common/base/json_writer.h"
#include "common/base/logging.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

namespace candor::simulator {
namespace {

constexpr std::size_t kTextChunk = std::size_t{1} << 20U;
// An attempt id is cut here; OpenAI refuses longer ones.
constexpr std::size_t kMaxAttemptId = 512;

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
      R"("prompt_tokens":{},"completion_tokens":{},"counted_tokens":{},"in_flight":{},)"
      R"("dialect":"{}","batch":{},"reasoning_tokens":{}}})"
      "\n",
      ToString(row.end.kind), Hex(digest), entry.body_arrival,
      entry.arrived.time_since_epoch().count(), entry.arrived_wall.time_since_epoch().count(),
      row.has_ended ? fmt::format("{}", row.ended.time_since_epoch().count()) : "null",
      row.end.status, ToString(entry.fault), ToString(entry.verdict), entry.admitted,
      ToString(row.end.shape), entry.prompt_tokens, row.end.completion_tokens,
      entry.counted_tokens + row.end.counted_tokens, entry.in_flight, ToString(entry.dialect),
      entry.batch, row.end.reasoning_tokens);
}

std::uint64_t Ledger::Print(std::uint64_t after, std::size_t limit, std::string* out) const {
  const std::lock_guard lock(mutex_);
  if (after >= size_) return after;
  const std::uint64_t last = after + std::min<std::uint64_t>(limit, size_ - after);
  for (std::uint64_t call = after + 1; call <= last; ++call) PrintRow(call, out);
  return last;
}

void Ledger::CountBatch(DialectKind dialect) {
  const std::lock_guard lock(mutex_);
  ++batches_[static_cast<std::size_t>(dialect)];
}

}  // namespace candor::simulator
