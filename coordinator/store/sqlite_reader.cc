#include "coordinator/store/sqlite_reader.h"

#include "coordinator/store/codec.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace candor::store {
namespace {

// Rows that one read looks at, at most: some tens of milliseconds.
constexpr std::size_t kMaxScannedRows = 20'000;
constexpr std::size_t kMaxIdleReaders = 8;
// What an outcome says beside its body and the names of its entry and scenario, about.
constexpr std::size_t kNameBytes = 48;

// Positions are signed in SQLite. One from elsewhere that is too large is behind everything.
std::int64_t Behind(Position position) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  return position > static_cast<Position>(kLast) ? kLast : static_cast<std::int64_t>(position);
}

template <typename List, typename Value>
bool AllowedBy(const List& list, const Value& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

// The cells of one entry and kind: a range of packed cells.
struct CellRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// The ranges that a query can match, in order.
std::vector<CellRange> MatchingRanges(const OutcomeQuery& query, const JobNames& names) {
  std::vector<CellRange> ranges;
  for (std::size_t i = 0; i < names.entry_count(); ++i) {
    engine::CellKey first{.entry = static_cast<std::uint16_t>(i)};
    if (!AllowedBy(query.entries, *names.Entry(first))) continue;
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      if (!AllowedBy(query.kinds, kind)) continue;
      first.kind = kind;
      engine::CellKey last = first;
      last.index = std::numeric_limits<std::uint32_t>::max();
      ranges.push_back({PackCell(first), PackCell(last)});
    }
  }
  return ranges;
}

}  // namespace

// One read of any number of scans.
class SqliteReader::OutcomeScan {
 public:
  OutcomeScan(SqliteReader& reader, const OutcomeQuery& query, const JobNames& names,
              OutcomeVisitor visit)
      : reader_(reader),
        query_(query),
        names_(names),
        visit_(visit),
        max_rows_(std::max<std::size_t>(query.limit.rows, 1)),
        next_(query.after) {}

  // Runs a statement whose columns are (position, cell, class, attempt, body). False when as much
  // was read as is allowed.
  StatusOr<bool> Run(Statement& statement) {
    const ScopedReset reset(statement);
    while (true) {
      if (scanned_ == kMaxScannedRows || rows_ >= max_rows_) return false;
      CANDOR_ASSIGN_OR_RETURN(const bool row, statement.Step());
      if (!row) return true;
      ++scanned_;
      const auto position = static_cast<Position>(statement.Integer(0));
      CANDOR_ASSIGN_OR_RETURN(const bool taken, Take(statement, position));
      if (!taken) return false;
      next_ = position;
    }
  }

  ReadEnd Finish(bool end) const { return {.next = next_, .end = end}; }

 private:
  // Shows the row if the query matches it. False when it is too large for this read.
  StatusOr<bool> Take(const Statement& row, Position position) {
    const engine::CellKey cell = UnpackCell(static_cast<std::uint64_t>(row.Integer(1)));
    const std::string* entry = names_.Entry(cell);
    const std::string* scenario = names_.Scenario(cell);
    if (entry == nullptr || scenario == nullptr) return reader_.NameError(query_.job, cell);
    const auto outcome_class = static_cast<v1::Outcome::Class>(row.Integer(2));
    if (!AllowedBy(query_.classes, outcome_class) || !AllowedBy(query_.kinds, cell.kind) ||
        !AllowedBy(query_.entries, *entry) || !AllowedBy(query_.scenarios, *scenario)) {
      return true;
    }
    bytes_ += kNameBytes + entry->size() + scenario->size() + row.Bytes(4).size();
    if (bytes_ > query_.limit.bytes && rows_ > 0) return false;
    CANDOR_RETURN_IF_ERROR(reader_.ParseOutcome(query_.job, names_, row, reader_.outcome_));
    ++rows_;
    visit_(position, reader_.outcome_);
    return true;
  }

  SqliteReader& reader_;
  const OutcomeQuery& query_;
  const JobNames& names_;
  const OutcomeVisitor visit_;
  const std::size_t max_rows_;
  Position next_;
  std::size_t rows_ = 0;
  std::size_t scanned_ = 0;
  std::size_t bytes_ = 0;
};

StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(ReaderContext& context) {
  CANDOR_ASSIGN_OR_RETURN(Connection connection,
                          Connection::Open(context.path, Connection::Access::kReadOnly));
  std::unique_ptr<SqliteReader> reader(new SqliteReader(context, std::move(connection)));
  CANDOR_RETURN_IF_ERROR(reader->connection_.Execute(
      fmt::format("PRAGMA cache_size = -{}", context.cache_bytes / 1024)));
  const std::pair<Statement&, const char*> statements[] = {
      {reader->job_exists_, "SELECT 1 FROM job_statuses WHERE key = ?1"},
      {reader->specification_, "SELECT specification FROM jobs WHERE key = ?1"},
      {reader->by_commit_,
       "SELECT seq, cell, class, attempt, body FROM outcomes INDEXED BY outcomes_job "
       "WHERE job = ?1 AND seq > ?2 ORDER BY seq"},
      {reader->by_cell_,
       "SELECT cell, cell, class, attempt, body FROM outcomes INDEXED BY outcomes_cell "
       "WHERE job = ?1 AND cell BETWEEN ?2 AND ?3 ORDER BY cell"},
      {reader->given_up_, "SELECT 1 FROM failed_cells WHERE job = ?1 AND cell = ?2"},
      {reader->attempts_,
       "SELECT id, cell, state, body FROM attempts INDEXED BY attempts_job "
       "WHERE job = ?1 AND id > ?2 ORDER BY id"},
      {reader->attempt_state_,
       "SELECT state FROM attempts WHERE id = ?1 "
       "AND EXISTS (SELECT 1 FROM job_statuses WHERE key = job)"},
      {reader->get_scenario_set_, "SELECT summary, scenarios FROM scenario_sets WHERE name = ?1"},
      {reader->list_scenario_sets_,
       "SELECT summary FROM scenario_sets WHERE name > ?1 ORDER BY name LIMIT ?2"},
  };
  for (const auto& [statement, sql] : statements) {
    CANDOR_ASSIGN_OR_RETURN(statement, reader->connection_.Prepare(sql));
  }
  return reader;
}

StatusOr<std::shared_ptr<const JobNames>> SqliteReader::Names(engine::JobKey job) {
  const ScopedReset reset_exists(job_exists_);
  job_exists_.Bind(1, job);
  CANDOR_ASSIGN_OR_RETURN(const bool exists, job_exists_.Step());
  if (!exists) return NotFound("there is no job with key {}", job);
  std::shared_ptr<const JobNames> names = context_.names.Find(job);
  if (names != nullptr) return names;

  const ScopedReset reset_specification(specification_);
  specification_.Bind(1, job);
  CANDOR_ASSIGN_OR_RETURN(const bool found, specification_.Step());
  const std::string_view bytes = found ? specification_.Bytes(0) : std::string_view();
  v1::JobSpecification specification;
  if (!found || !specification.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return DataLoss("{}: the specification of job {} cannot be read; restore a backup",
                    context_.path, job);
  }
  names = std::make_shared<const JobNames>(specification);
  context_.names.Add(job, names);
  return names;
}

Status SqliteReader::NameError(engine::JobKey job, const engine::CellKey& cell) const {
  return DataLoss("{}: job {} has no scenario for entry {}, cell {}; restore a backup",
                  context_.path, job, cell.entry, cell.index);
}

Status SqliteReader::ParseOutcome(engine::JobKey job, const JobNames& names, const Statement& row,
                                  v1::Outcome& outcome) const {
  const engine::CellKey cell = UnpackCell(static_cast<std::uint64_t>(row.Integer(1)));
  const std::string* entry = names.Entry(cell);
  const std::string* scenario = names.Scenario(cell);
  if (entry == nullptr || scenario == nullptr) return NameError(job, cell);
  const std::string_view body = row.Bytes(4);
  if (!outcome.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return DataLoss("{}: the outcome at {} of job {} cannot be read; restore a backup",
                    context_.path, row.Integer(0), job);
  }
  outcome.set_entry(*entry);
  outcome.set_scenario(*scenario);
  outcome.set_kind(cell.kind);
  outcome.set_index(cell.index);
  outcome.set_class_(static_cast<v1::Outcome::Class>(row.Integer(2)));
  // An outcome that was imported or taken over has no attempt.
  if (const auto attempt = static_cast<engine::AttemptId>(row.Integer(3)); attempt != 0)
    outcome.set_attempt_id(FormatAttemptName(context_.store_id, attempt));
  return {};
}

StatusOr<std::vector<CellResult>> SqliteReader::ReadCells(engine::JobKey job,
                                                          std::span<const engine::CellKey> cells) {
  CANDOR_ASSIGN_OR_RETURN(const Transaction snapshot, Transaction::BeginRead(connection_));
  CANDOR_ASSIGN_OR_RETURN(const std::shared_ptr<const JobNames> names, Names(job));
  std::vector<CellResult> results(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto cell = static_cast<std::int64_t>(PackCell(cells[i]));
    const ScopedReset reset_outcome(by_cell_);
    by_cell_.Bind(1, job);
    by_cell_.Bind(2, cell);
    by_cell_.Bind(3, cell);
    CANDOR_ASSIGN_OR_RETURN(const bool found, by_cell_.Step());
    if (found) {
      CANDOR_RETURN_IF_ERROR(ParseOutcome(job, *names, by_cell_, results[i].outcome.emplace()));
    }
    const ScopedReset reset_given_up(given_up_);
    given_up_.Bind(1, job);
    given_up_.Bind(2, cell);
    CANDOR_ASSIGN_OR_RETURN(results[i].given_up, given_up_.Step());
  }
  return results;
}

StatusOr<ReadEnd> SqliteReader::VisitOutcomes(const OutcomeQuery& query, OutcomeVisitor visit) {
  CANDOR_ASSIGN_OR_RETURN(const Transaction snapshot, Transaction::BeginRead(connection_));
  CANDOR_ASSIGN_OR_RETURN(const std::shared_ptr<const JobNames> names, Names(query.job));
  OutcomeScan scan(*this, query, *names, visit);
  if (query.order == Order::kCommit) {
    by_commit_.Bind(1, query.job);
    by_commit_.Bind(2, Behind(query.after));
    CANDOR_ASSIGN_OR_RETURN(const bool end, scan.Run(by_commit_));
    return scan.Finish(end);
  }
  for (const CellRange& range : MatchingRanges(query, *names)) {
    if (range.last <= query.after) continue;
    by_cell_.Bind(1, query.job);
    by_cell_.Bind(2, static_cast<std::int64_t>(std::max(range.first, query.after + 1)));
    by_cell_.Bind(3, static_cast<std::int64_t>(range.last));
    CANDOR_ASSIGN_OR_RETURN(const bool end, scan.Run(by_cell_));
    if (!end) return scan.Finish(false);
  }
  return scan.Finish(true);
}

StatusOr<AttemptPage> SqliteReader::ReadAttempts(engine::JobKey job, Position after,
                                                 ReadLimit limit) {
  CANDOR_ASSIGN_OR_RETURN(const Transaction snapshot, Transaction::BeginRead(connection_));
  CANDOR_ASSIGN_OR_RETURN(const std::shared_ptr<const JobNames> names, Names(job));
  AttemptPage page;
  page.next = after;
  const ScopedReset reset(attempts_);
  attempts_.Bind(1, job);
  attempts_.Bind(2, Behind(after));
  std::size_t bytes = 0;
  while (page.rows.size() < std::max<std::size_t>(limit.rows, 1)) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, attempts_.Step());
    if (!row) {
      page.end = true;
      break;
    }
    const auto id = static_cast<engine::AttemptId>(attempts_.Integer(0));
    const engine::CellKey cell = UnpackCell(static_cast<std::uint64_t>(attempts_.Integer(1)));
    const std::string* entry = names->Entry(cell);
    const std::string* scenario = names->Scenario(cell);
    if (entry == nullptr || scenario == nullptr) return NameError(job, cell);
    const std::string_view body = attempts_.Bytes(3);
    v1::Attempt attempt;
    if (!attempt.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
      return DataLoss("{}: attempt {} cannot be read; restore a backup", context_.path,
                      FormatAttemptName(context_.store_id, id));
    }
    attempt.set_id(FormatAttemptName(context_.store_id, id));
    attempt.set_entry(*entry);
    attempt.set_scenario(*scenario);
    attempt.set_kind(cell.kind);
    attempt.set_index(cell.index);
    attempt.set_state(static_cast<v1::Attempt::State>(attempts_.Integer(2)));
    bytes += attempt.ByteSizeLong();
    if (bytes > limit.bytes && !page.rows.empty()) break;
    page.next = id;
    page.rows.push_back({id, std::move(attempt)});
  }
  return page;
}

StatusOr<std::vector<std::optional<v1::Attempt::State>>> SqliteReader::FindAttempts(
    std::span<const engine::AttemptId> attempts) {
  CANDOR_ASSIGN_OR_RETURN(const Transaction snapshot, Transaction::BeginRead(connection_));
  std::vector<std::optional<v1::Attempt::State>> states(attempts.size());
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const ScopedReset reset(attempt_state_);
    attempt_state_.Bind(1, static_cast<std::int64_t>(attempts[i]));
    CANDOR_ASSIGN_OR_RETURN(const bool row, attempt_state_.Step());
    if (row) states[i] = static_cast<v1::Attempt::State>(attempt_state_.Integer(0));
  }
  return states;
}

StatusOr<v1::ScenarioSet> SqliteReader::GetScenarioSet(std::string_view name) {
  const ScopedReset reset(get_scenario_set_);
  get_scenario_set_.BindText(1, name);
  CANDOR_ASSIGN_OR_RETURN(const bool row, get_scenario_set_.Step());
  if (!row) return NotFound("there is no scenario set {}", name);
  v1::ScenarioSet set;
  // Concatenated messages merge: the summary, then a set of nothing but the scenarios.
  const std::string bytes =
      std::string(get_scenario_set_.Bytes(0)) + std::string(get_scenario_set_.Bytes(1));
  if (!set.ParseFromString(bytes)) {
    return DataLoss("{}: scenario set {} cannot be read; restore a backup", context_.path, name);
  }
  return set;
}

StatusOr<ScenarioSetPage> SqliteReader::ListScenarioSets(std::string_view after,
                                                         std::size_t limit) {
  ScenarioSetPage page;
  limit = std::clamp<std::size_t>(limit, 1, kMaxScannedRows);
  const ScopedReset reset(list_scenario_sets_);
  list_scenario_sets_.BindText(1, after);
  list_scenario_sets_.Bind(2, static_cast<std::int64_t>(limit) + 1);
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, list_scenario_sets_.Step());
    if (!row) return page;
    if (page.sets.size() == limit) {
      page.more = true;
      return page;
    }
    const std::string_view summary = list_scenario_sets_.Bytes(0);
    if (!page.sets.emplace_back().ParseFromArray(summary.data(),
                                                 static_cast<int>(summary.size()))) {
      return DataLoss("{}: a scenario set after {} cannot be read; restore a backup", context_.path,
                      after);
    }
  }
}

StatusOr<std::unique_ptr<SqliteReader>> ReaderPool::Take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<SqliteReader> reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
  }
  return SqliteReader::Open(context_);
}

void ReaderPool::Give(std::unique_ptr<SqliteReader> reader) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdleReaders) idle_.push_back(std::move(reader));
}

}  // namespace candor::store
