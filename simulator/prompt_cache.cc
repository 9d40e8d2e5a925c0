#include "simulator/prompt_cache.h"

#include "common/base/digest.h"

#include <string>

namespace candor::simulator {
namespace {

constexpr Duration kLife = std::chrono::minutes{5};

}  // namespace

void PromptCache::Look(TimePoint now, ApiRequest* request) {
  if (request->cached_messages == 0) return;
  std::string part(request->model);
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < request->cached_messages; ++i) {
    const ChatMessage& message = request->messages[i];
    part += '\0';
    part += message.role;
    part += '\0';
    part += message.content;
    tokens += 4 + CountTokens(message.content);
  }
  if (tokens < minimum_tokens_) return;
  const Digest digest = Sha256(part);
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key |= std::uint64_t{digest[i]} << (8 * i);
  const auto [used, is_new] = used_.try_emplace(key, now);
  const bool hit = !is_new && used->second + kLife > now;
  used->second = now;
  (hit ? request->cached_tokens : request->cache_written_tokens) = tokens;
}

}  // namespace candor::simulator
