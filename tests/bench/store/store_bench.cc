// How many outcomes a second the SQLite store takes, with their attempts, and how fast it recovers.
//
//   candor_store_bench [SECONDS [CELLS]]
//
// Writes into a new directory below the current one, so run it on the disk in question. Beside each
// figure stands what the disk itself does in the same run.

#include "coordinator/store/committer.h"
#include "coordinator/store/sqlite_store.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <stdlib.h>  // NOLINT: mkdtemp is POSIX
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace candor::store {
namespace {

using Seconds = std::chrono::duration<double>;
using Timer = std::chrono::steady_clock;

// What 1 MB holds: the size of a full group.
constexpr std::uint32_t kGroupOutcomes = 500;
constexpr std::size_t kTextBytes = 1'500;

void Check(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "store_bench: {}\n", status.ToString());
  std::exit(1);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

double Percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values.empty()
             ? 0
             : values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

engine::WriteBatch NewJob() {
  auto job = std::make_shared<v1::Job>();
  job->set_name("jobs/bench");
  auto specification = std::make_shared<v1::JobSpecification>();
  specification->add_scenarios()->set_id("s");
  v1::ResolvedEntry* entry = specification->add_entries();
  entry->set_name("e");
  entry->add_scenario_indexes(0);
  auto status = std::make_shared<v1::Job>();
  status->set_state(v1::Job::RUNNING);
  engine::WriteBatch batch;
  batch.new_jobs.push_back({1, "", std::move(job), std::move(specification)});
  batch.statuses.push_back({1, std::move(status)});
  return batch;
}

// Outcomes of cells first .. first + count - 1, each with its attempt and `text_bytes` of text; the
// job's status.
engine::WriteBatch Outcomes(std::uint32_t first, std::uint32_t count, std::size_t text_bytes) {
  engine::WriteBatch batch;
  for (std::uint32_t i = first; i < first + count; ++i) {
    // Answers do not come back in the order of their cells.
    const std::uint32_t index = i ^ 0x55U;
    const engine::CellKey cell{0, v1::Cell::CHOICE, index};
    auto outcome = std::make_unique<v1::Outcome>();
    outcome->set_class_(v1::Outcome::VALID);
    outcome->set_choice(v1::Outcome::A);
    for (const char* name : {"cost", "size", "light", "noise", "distance"}) {
      for (v1::ShownValue* value : {outcome->add_option_a(), outcome->add_option_b()}) {
        value->set_attribute(name);
        value->set_value(0.25 * i);
      }
    }
    outcome->set_raw_text(std::string(text_bytes, static_cast<char>('a' + i % 26)));
    outcome->set_finish_reason("stop");
    outcome->set_served_model("some-model-2026-01-01");
    outcome->set_prompt_hash(std::string(64, '0'));
    outcome->mutable_usage()->set_input_tokens(300);
    auto attempt = std::make_unique<v1::Attempt>();
    attempt->set_state(v1::Attempt::COMPLETED);
    attempt->set_http_status(200);
    attempt->set_worker("workers/4k9wq0z7m3t8x2ab");
    attempt->mutable_grant_time()->set_seconds(1'800'000'000);
    attempt->mutable_start_time()->set_seconds(1'800'000'000);
    attempt->mutable_latency()->set_nanos(123'456'789);
    attempt->set_provider_request_id("req_0123456789abcdef");
    attempt->mutable_usage()->set_input_tokens(300);
    attempt->set_money(12'345);
    const engine::AttemptId id = std::uint64_t{1} << 40U | (index + 1);
    batch.attempts.push_back({id, 1, cell, std::move(attempt)});
    batch.outcomes.push_back({1, cell, id, std::move(outcome)});
  }
  auto status = std::make_shared<v1::Job>();
  status->set_state(v1::Job::RUNNING);
  batch.statuses.push_back({1, std::move(status)});
  return batch;
}

// Appends pieces and syncs after each, for a while; returns pieces a second.
double AppendsPerSecond(const std::string& path, std::size_t piece_bytes, Seconds duration) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string piece(piece_bytes, 'x');
  const auto start = Timer::now();
  int pieces = 0;
  while (Timer::now() - start < duration) {
    if (write(file, piece.data(), piece.size()) < 0 || fdatasync(file) != 0) {
      fmt::print(stderr, "store_bench: cannot write {}\n", path);
      std::exit(1);
    }
    ++pieces;
  }
  const Seconds elapsed = Timer::now() - start;
  close(file);
  std::filesystem::remove(path);
  return pieces / elapsed.count();
}

std::unique_ptr<Store> OpenAndRecover(const std::string& directory) {
  auto store = OpenSqliteStore(directory);
  Check(store.status());
  Check((*store)->Recover().status());
  return *std::move(store);
}

void BenchCommit(const std::string& directory, Seconds duration) {
  const std::unique_ptr<Store> store = OpenAndRecover(directory);
  engine::WriteBatch job = NewJob();
  Check(store->Commit({&job, 1}));
  std::vector<double> latencies;
  std::uint32_t next = 0;
  Seconds busy{0};
  double cpu = 0;
  while (busy < duration) {
    engine::WriteBatch batch = Outcomes(next, kGroupOutcomes, kTextBytes);
    next += kGroupOutcomes;
    const double cpu_before = CpuSeconds();
    const auto start = Timer::now();
    Check(store->Commit({&batch, 1}));
    const Seconds elapsed = Timer::now() - start;
    cpu += CpuSeconds() - cpu_before;
    busy += elapsed;
    latencies.push_back(elapsed.count() * 1e3);
  }
  const double rate = next / busy.count();
  fmt::print(
      "commit      {:>8.0f} outcomes/s of {} bytes text, attempts included; groups of {}: p50 "
      "{:.1f} ms, p99 {:.1f} ms; {:.1f} us CPU an outcome\n",
      rate, kTextBytes, kGroupOutcomes, Percentile(latencies, 0.5), Percentile(latencies, 0.99),
      cpu * 1e6 / next);
  const auto bytes = static_cast<std::size_t>(kGroupOutcomes) * 1'950;
  const double appends = AppendsPerSecond(directory + "/append", bytes, duration / 2);
  const double syncs = AppendsPerSecond(directory + "/append", 4'096, duration / 2);
  fmt::print(
      "reference   {:>8.0f} outcomes/s when the same bytes are only appended to a file and synced "
      "({:.0f} MB/s); {:.0f} syncs/s of 4 KB\n",
      appends * kGroupOutcomes, appends * static_cast<double>(bytes) * 1e-6, syncs);
}

// The last durable ticket, awaited.
struct Committed {
  std::mutex mutex;
  std::condition_variable changed;
  engine::Ticket ticket = 0;
  void Set(engine::Ticket value) {
    const std::lock_guard lock(mutex);
    ticket = value;
    changed.notify_all();
  }
  void Await(engine::Ticket value) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ticket >= value; });
  }
};

void BenchCommitter(const std::string& directory, Seconds duration) {
  const std::unique_ptr<Store> store = OpenAndRecover(directory);
  Committed committed;
  GroupCommitter committer(
      *store, {}, [&](engine::Ticket ticket) { committed.Set(ticket); },
      [](const Status& status) { Check(status); });
  engine::Ticket ticket = 1;
  committer.Submit(ticket, NewJob());

  std::vector<double> latencies;
  const auto lease = [&] {
    engine::WriteBatch batch;
    batch.lease_batches.push_back({.id = ticket, .worker = "workers/w", .leases = {}});
    batch.lease_batches[0].leases.resize(64);
    const auto start = Timer::now();
    committer.Submit(++ticket, std::move(batch));
    committed.Await(ticket);
    latencies.push_back(Seconds(Timer::now() - start).count() * 1e3);
  };
  auto start = Timer::now();
  while (Timer::now() - start < duration / 2) lease();
  fmt::print("lease batch {:>8.1f} ms p50, {:.1f} ms p99 from submission to durable, idle store\n",
             Percentile(latencies, 0.5), Percentile(latencies, 0.99));

  latencies.clear();
  std::uint32_t next = 0;
  start = Timer::now();
  while (Timer::now() - start < duration) {
    // Workers' reports of 25 at a time, and a lease batch now and then.
    for (int i = 0; i < 40; ++i, next += 25) {
      committer.Submit(++ticket, Outcomes(next, 25, kTextBytes));
    }
    lease();
  }
  const Seconds elapsed = Timer::now() - start;
  fmt::print(
      "committer   {:>8.0f} outcomes/s in batches of 25, made in the same process; a lease batch "
      "behind 1,000 of them is durable in p50 {:.1f} ms, p99 {:.1f} ms\n",
      next / elapsed.count(), Percentile(latencies, 0.5), Percentile(latencies, 0.99));
}

void BenchRecovery(const std::string& directory, std::uint32_t cells) {
  {
    const std::unique_ptr<Store> store = OpenAndRecover(directory);
    engine::WriteBatch job = NewJob();
    Check(store->Commit({&job, 1}));
    for (std::uint32_t next = 0; next < cells; next += 10'000) {
      engine::WriteBatch batch = Outcomes(next, 10'000, 100);
      Check(store->Commit({&batch, 1}));
    }
  }
  // Out of the page cache: as after a start of the machine.
  const std::string path = directory + "/candor.db";
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  (void)fdatasync(file);
  (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
  for (const char* state : {"cold", "warm"}) {
    const auto start = Timer::now();
    auto store = OpenSqliteStore(directory);
    Check(store.status());
    const StatusOr<engine::Recovery> recovery = (*store)->Recover();
    Check(recovery.status());
    const Seconds elapsed = Timer::now() - start;
    fmt::print("recovery    {:>8.2f} s for {} cells, page cache {} (database of {} MB)\n",
               elapsed.count(), recovery->jobs[0].done.size(), state,
               std::filesystem::file_size(path) / 1'000'000);
  }
  const auto start = Timer::now();
  const std::unique_ptr<Store> store = OpenAndRecover(directory);
  OutcomeQuery query{.job = 1};
  std::size_t rows = 0;
  while (true) {
    const StatusOr<OutcomePage> page = store->ReadOutcomes(query);
    Check(page.status());
    rows += page->rows.size();
    query.after = page->next;
    if (page->end) break;
  }
  fmt::print("reading     {:>8.0f} outcomes/s in commit order, 1,000 a page\n",
             static_cast<double>(rows) / Seconds(Timer::now() - start).count());
}

int Run(Seconds duration, std::uint32_t cells) {
  std::string directory = "store_bench_XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) {
    fmt::print(stderr, "store_bench: cannot make a directory here\n");
    return 1;
  }
  BenchCommit(directory + "/commit", duration);
  BenchCommitter(directory + "/committer", duration);
  BenchRecovery(directory + "/recovery", cells);
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace candor::store

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  const int cells = argc > 2 ? std::atoi(argv[2]) : 1'000'000;
  return candor::store::Run(candor::store::Seconds(seconds), static_cast<std::uint32_t>(cells));
}
