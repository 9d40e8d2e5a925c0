// Work off the strand, awaited on it.
//
//   auto page = co_await OnReaders(host, [&] { return host.store().ReadOutcomes(query); });
//
// What `work` refers to lives until it is done, also when the client goes meanwhile: the coroutine
// stays where it is.
#pragma once

#include "coordinator/service/engine_host.h"
#include "coordinator/service/signal.h"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace candor::service {

template <typename Work>
boost::asio::awaitable<std::invoke_result_t<Work>> OffStrand(
    EngineHost& host, void (EngineHost::*post)(absl::AnyInvocable<void()>), Work work) {
  std::optional<std::invoke_result_t<Work>> result;
  Signal done(host.strand());
  (host.*post)([&] {
    result.emplace(work());
    host.Post([&done] { done.Notify(); });
  });
  co_await done.Wait();
  co_return *std::move(result);
}

// On a reader thread: some milliseconds at most, because the engine waits for these threads too.
template <typename Work>
auto OnReaders(EngineHost& host, Work work) {
  return OffStrand(host, &EngineHost::PostToReaders, std::move(work));
}

// On a thread for analyses, which may take seconds.
template <typename Work>
auto OnAnalysts(EngineHost& host, Work work) {
  return OffStrand(host, &EngineHost::PostToAnalysts, std::move(work));
}

}  // namespace candor::service
