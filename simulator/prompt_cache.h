// Anthropic's prompt cache: the part of a prompt before its last mark is read from the cache when
// it was there within the last 5 minutes, and written to it otherwise.
//
// Not for concurrent use.
#pragma once

#include "common/base/clock.h"
#include "simulator/api_request.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>

namespace candor::simulator {

class PromptCache {
 public:
  // Shorter parts are not cached.
  explicit PromptCache(std::int64_t minimum_tokens) : minimum_tokens_(minimum_tokens) {}

  // Sets the request's cached_tokens and cache_written_tokens.
  void Look(TimePoint now, ApiRequest* request);

 private:
  std::int64_t minimum_tokens_;
  // When each part was last used, by its hash.
  absl::flat_hash_map<std::uint64_t, TimePoint> used_;
};

}  // namespace candor::simulator
