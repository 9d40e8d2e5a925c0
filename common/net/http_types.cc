#include "common/net/http_types.h"

#include <absl/strings/ascii.h>

namespace candor::net {

void HttpHeaders::Add(std::string_view name, std::string_view value) {
  fields_.push_back({static_cast<std::uint32_t>(text_.size()),
                     static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

void HttpHeaders::Clear() {
  text_.clear();
  fields_.clear();
}

void HttpHeaders::Reserve() {
  constexpr std::size_t kUsualBytes = 480;
  constexpr std::size_t kUsualFields = 16;
  text_.reserve(kUsualBytes);
  fields_.reserve(kUsualFields);
}

std::string_view HttpHeaders::name(std::size_t i) const {
  return std::string_view(text_).substr(fields_[i].begin, fields_[i].name_size);
}

std::string_view HttpHeaders::value(std::size_t i) const {
  return std::string_view(text_).substr(fields_[i].begin + fields_[i].name_size,
                                        fields_[i].value_size);
}

std::optional<std::string_view> HttpHeaders::Find(std::string_view wanted) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name_size == wanted.size() && EqualIgnoringCase(name(i), wanted)) {
      return value(i);
    }
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> HttpHeaders::ToList() const {
  std::vector<std::pair<std::string, std::string>> list;
  list.reserve(size());
  for (std::size_t i = 0; i < size(); ++i) {
    std::string lower(name(i));
    absl::AsciiStrToLower(&lower);
    list.emplace_back(std::move(lower), value(i));
  }
  return list;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (absl::ascii_tolower(static_cast<unsigned char>(a[i])) !=
        absl::ascii_tolower(static_cast<unsigned char>(b[i]))) {
      return false;
    }
  }
  return true;
}

}  // namespace candor::net
