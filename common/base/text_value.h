// A document as written, before anybody knows which types its values have: what JSON and YAML
// texts are turned into on the way to a message (json_proto.h).
//
// Not boost::json::value, because that loses what decides here: whether a YAML scalar was quoted,
// how a number was written (Boost 1.81 reads doubles an ulp off), duplicate keys, and lines.
#pragma once

#include "common/base/status.h"

#include <string>
#include <string_view>
#include <vector>

namespace candor {

struct TextValue {
  enum class Kind {
    kNull,
    kBool,    // `text` is "true" or "false".
    kNumber,  // `text` is the number as written in JSON.
    kPlain,   // A YAML scalar without quotes: what it is depends on who asks.
    kString,
    kList,
    kMap,
  };
  struct Member;

  Kind kind = Kind::kNull;
  // Line of the text, from 1; 0 when it is not known.
  int line = 0;
  std::string text;
  std::vector<TextValue> items;
  std::vector<Member> members;
};

struct TextValue::Member {
  std::string name;
  TextValue value;
};

// Limits on what is read: a text in a few bytes may stand for gigabytes (aliases) or exhaust the
// stack (nesting).
inline constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20U;
inline constexpr int kMaxTextDepth = 64;

// INVALID_ARGUMENT with line and column for what is no JSON, for duplicate keys and for texts over
// the limits.
StatusOr<TextValue> ReadJson(std::string_view text);

// Likewise for YAML 1.2, one document; anchors, aliases and merge keys ("<<") are resolved. At most
// 16 MB and 2 million values after that.
StatusOr<TextValue> ReadYaml(std::string_view text);

}  // namespace candor
