// A provider key or any other secret. It has no formatter and no stream operator, so that it cannot
// reach a log, an error or a message by accident; whoever needs the text says so by name.
#pragma once

#include <string>
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
  // which may echo request headers.
  std::string Redact(std::string text) const {
    if (text_.empty()) return text;
    constexpr const char* kReplacement = "[redacted]";
    for (auto at = text.find(text_); at != std::string::npos; at = text.find(text_, at + 10)) {
      text.replace(at, text_.size(), kReplacement);
    }
    return text;
  }

 private:
  std::string text_;
};

}  // namespace candor
