// A provider key or any other secret. It has no formatter and no stream operator, so that it cannot
// reach a log, an error or a message by accident; whoever needs the text says so by name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  std::string Redact(std::string text) const { return Without(text_, std::move(text)); }

  // What else an error may echo and nobody should read: headers and parameters of the endpoint.
  // Other than a key they may well stand in a reply by chance, so only errors are rid of them.
  void AddCompanion(std::string text) { companions_.push_back(std::move(text)); }
  // As Redact, for the text of an error: of the companions too.
  std::string RedactError(std::string text) const {
    text = Redact(std::move(text));
    for (const std::string& companion : companions_) text = Without(companion, std::move(text));
    return text;
  }

 private:
  static std::string Without(std::string_view secret, std::string text) {
    if (secret.size() < kLeastBytes) return text;
    for (auto at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kReplacement.size())) {
      text.replace(at, secret.size(), kReplacement);
    }
    return text;
  }

  static constexpr std::size_t kLeastBytes = 8;
  static constexpr std::string_view kReplacement = "[redacted]";

  std::string text_;
  std::vector<std::string> companions_;
};

}  // namespace candor
