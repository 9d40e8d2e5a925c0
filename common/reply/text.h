// What both readers do before and after they read: the outside of a reply, and words that decline.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/reply/reply.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {

// The names of repairs, each once, in the order first added.
class Repairs {
 public:
  void Add(std::string_view name);
  void AddAll(const Repairs& other);
  bool empty() const { return names_.empty(); }
  std::vector<std::string> Take() { return std::move(names_); }

 private:
  std::vector<std::string> names_;
};

// A reply without its outside.
struct Opened {
  // The class, where the text need not be read.
  std::optional<v1::Outcome::Class> class_;
  // The text without a thinking block and without white space around it.
  std::string_view text;
  // The output limit ended the reply.
  bool cut = false;
  // It did so right behind `text`, whose last word may be unfinished.
  bool cut_within_word = false;
  Repairs repairs;
};
Opened Open(const Reply& reply);

// The class of a text that was not understood: REFUSAL, TRUNCATED or `otherwise`.
v1::Outcome::Class ClassOfUnread(const Opened& opened, v1::Outcome::Class otherwise);

// ASCII only; other bytes are kept. Nothing here depends on a locale.
inline bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
inline bool IsLetter(char c) { return ToLower(c) >= 'a' && ToLower(c) <= 'z'; }
inline bool IsWordByte(char c) {
  return IsLetter(c) || IsDigit(c) || static_cast<unsigned char>(c) >= 0x80;
}
std::string Lower(std::string_view text);
// Without ASCII white space, no-break spaces, zero-width spaces and byte-order marks at both ends.
std::string_view Trim(std::string_view text);
// The number of bytes of white space that `text` begins with at `at`, those of `Trim`; 0 for none.
std::size_t SpaceAt(std::string_view text, std::size_t at);

}  // namespace candor::reply
