#include "coordinator/engine/worker_table.h"

namespace candor::engine {

WorkerState* WorkerTable::Find(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &workers_[found->second];
}

const WorkerState* WorkerTable::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &workers_[found->second];
}

WorkerState* WorkerTable::OfSession(SessionId session) {
  const auto found = by_session_.find(session);
  return found == by_session_.end() ? nullptr : &workers_[found->second];
}

WorkerState& WorkerTable::Add(const std::string& name) {
  if (WorkerState* known = Find(name)) return *known;
  std::uint32_t number = 0;
  if (free_.empty()) {
    number = static_cast<std::uint32_t>(workers_.size());
    workers_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  by_name_[name] = number;
  WorkerState& worker = workers_[number];
  worker.present = true;
  worker.name = name;
  return worker;
}

void WorkerTable::Remove(std::uint32_t number) {
  SetSession(number, 0);
  by_name_.erase(workers_[number].name);
  workers_[number] = {};
  free_.push_back(number);
}

void WorkerTable::SetSession(std::uint32_t number, SessionId session) {
  WorkerState& worker = workers_[number];
  if (worker.session != 0) by_session_.erase(worker.session);
  worker.session = session;
  if (session != 0) by_session_[session] = number;
}

}  // namespace candor::engine
