// What really arrived: a row for every call, kept for the life of the process and never
// changed but for its end. Tests join it with what a client believes.
//
//   const std::uint64_t call = ledger.Begin(std::move(row), attempt_id, model);
//   ...
//   ledger.End(call, clock.Now(), 200, completion_tokens);
//
// A row as JSON, one a line (`GET /_simulator/ledger`):
//
//   {"call":1,"request_id":"req_...","attempt_id":"...","model":"m","kind":"CHOICE",
//    "body_sha256":"...","body_arrival":1,"arrival_us":1234,"arrival_unix_us":1790000000000000,
//    "end_us":1300,"status":200,"fault":"","rejected_by":"","admitted":true,"shape":"AS_ASKED",
//    "prompt_tokens":180,"completion_tokens":1,"counted_tokens":180,"in_flight":3,
//    "dialect":"chat","batch":false,"reasoning_tokens":0}
//
// `call` counts from 1 in order of arrival; `arrival_us` and `end_us` are microseconds of one
// monotonic clock. `end_us` is null and `status` 0 until the call is answered, which a hanging one
// never is; a reset one ends with status 0. `counted_tokens` is what counts against a token limit:
// what was reserved, and what was counted as it was produced. `in_flight` counts the calls of the
// model's limits that were being answered, this one included if admitted. A line of a batch is a
// row with `batch` true and its custom_id as the attempt id; it counts against no limit.
//
// About 160 bytes a row. May be used by any number of threads.
#pragma once

#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "simulator/dialect.h"
#include "simulator/faults.h"
#include "simulator/message_reader.h"
#include "simulator/reply_writer.h"

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

// What is known of a call when it has been looked at.
struct LedgerEntry {
  TimePoint arrived;
  WallTime arrived_wall;
  Digest body{};
  std::uint32_t body_arrival = 0;
  std::uint32_t prompt_tokens = 0;
  // When it was admitted.
  std::uint32_t counted_tokens = 0;
  std::uint32_t counted_input_tokens = 0;
  std::uint32_t in_flight = 0;
  FaultKind fault = FaultKind::kNone;
  // kAdmitted also for a call that never got to the limits.
  Verdict verdict = Verdict::kAdmitted;
  DialectKind dialect = DialectKind::kChat;
  bool admitted = false;
  bool batch = false;
};

// How a call ended.
struct LedgerEnd {
  // 0: without an answer.
  int status = 0;
  Kind kind = Kind::kUnknown;
  Shape shape = Shape::kAsAsked;
  std::uint32_t completion_tokens = 0;
  std::uint32_t reasoning_tokens = 0;
  // What counts beside what did at the beginning.
  std::uint32_t counted_tokens = 0;
};

class Ledger {
 public:
  // Request ids begin with `id_prefix`.
  explicit Ledger(std::string id_prefix);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Appends every row to a file too, at once when it has ended. UNAVAILABLE when it cannot be
  // opened; a later failure is logged once.
  Status OpenFile(const std::string& path);

  // Returns the number of the call, from 1.
  std::uint64_t Begin(const LedgerEntry& entry, std::string_view attempt_id,
                      std::string_view model);
  void End(std::uint64_t call, TimePoint now, const LedgerEnd& end);

  // The id that the answer bears: "req_" and digits.
  std::string RequestId(std::uint64_t call) const;

  // Appends the rows (after, after + limit] that there are; returns the number of the last one, or
  // `after` when there is none.
  std::uint64_t Print(std::uint64_t after, std::size_t limit, std::string* out) const;

  // A batch that was created.
  void CountBatch(DialectKind dialect);

  // Totals as JSON (`GET /_simulator/summary`): calls, answers by status, faults, rejections,
  // batches, and for each model and for all together the most requests (arrived, and admitted) and
  // counted tokens in any 60 s, and the most calls in flight.
  std::string Summary() const;

  // What happened in consecutive windows as JSON (`GET /_simulator/series`): columns of counts of
  // equal length, from the first call on, of one model or (with an empty name) of all. `window` is
  // at least 10 ms.
  std::string Series(Duration window, std::string_view model) const;

 private:
  struct Row {
    LedgerEntry entry;
    LedgerEnd end;
    TimePoint ended;
    bool has_ended = false;
    std::uint32_t model = 0;
    std::string_view attempt_id;
  };
  static constexpr std::size_t kChunk = 4096;

  const Row& At(std::uint64_t call) const {
    return rows_[(call - 1) / kChunk][(call - 1) % kChunk];
  }
  Row& At(std::uint64_t call) { return rows_[(call - 1) / kChunk][(call - 1) % kChunk]; }
  std::string_view Keep(std::string_view text);
  void PrintRow(std::uint64_t call, std::string* out) const;
  // Calls `visit` with each row, in order; under the lock.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (std::uint64_t call = 1; call <= size_; ++call) visit(At(call));
  }

  const std::string id_prefix_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Row[]>> rows_;
  std::uint64_t size_ = 0;
  // By dialect.
  std::array<std::int64_t, 4> batches_{};
  // Texts of attempt ids.
  std::vector<std::unique_ptr<char[]>> texts_;
  std::size_t text_used_ = 0;
  std::vector<std::string> models_;
  absl::flat_hash_map<std::string, std::uint32_t> model_index_;
  std::string path_;
  std::FILE* file_ = nullptr;
  std::string line_;
};

}  // namespace candor::simulator
