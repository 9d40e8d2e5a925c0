// A provider key or any other secret. It has no formatter and no stream operator, so that it cannot
// reach a log, an error or a message by accident; whoever needs the text says so by name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace candor {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  bool empty() const { return text_.empty(); }
  // The text itself: only for writing it into a request to its own endpoint, and for `Redact`.
  const std::string& Reveal() const { return text_; }

  // `text` with every occurrence of the secret replaced by "[redacted]": for what a provider says,
  // which may echo request headers. Before anything is cut: half a key is a leak, too. What is
  // shorter than 8 bytes is no secret ("none", "EMPTY"), and blotting it out would spoil replies.
  std::string Redact(std::string text) const {
    if (text_.size() < kLeastBytes) return text;
    for (auto at = text.find(text_); at != std::string::npos;
         at = text.find(text_, at + kReplacement.size())) {
      text.replace(at, text_.size(), kReplacement);
    }
    return text;
  }

 private:
  static constexpr std::size_t kLeastBytes = 8;
  static constexpr std::string_view kReplacement = "[redacted]";

  std::string text_;
};

}  // namespace candor
