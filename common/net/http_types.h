// What client and server share: header fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::net {

// Header fields in the order in which they came, repeated ones included. Names compare without
// regard to case. All text lies in one string, so that a message costs two allocations, and none
// when the object is reused.
//
//   HttpHeaders headers{{"authorization", "Bearer ..."}};
//   headers.Add("x-client-request-id", attempt_id);
//   std::optional<std::string_view> wait = result.headers.Find("retry-after");
//   for (std::size_t i = 0; i < headers.size(); ++i) Use(headers.name(i), headers.value(i));
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    for (const auto& [name, value] : fields) Add(name, value);
  }

  void Add(std::string_view name, std::string_view value);
  void Clear();
  // Room for a message of the usual size, at once instead of step by step.
  void Reserve();

  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  // As they were sent; `i` is below size().
  std::string_view name(std::size_t i) const;
  std::string_view value(std::size_t i) const;
  // The first field of that name; the view lives until the next Add or Clear.
  std::optional<std::string_view> Find(std::string_view name) const;
  // Every field, names in lower case, in order.
  std::vector<std::pair<std::string, std::string>> ToList() const;

 private:
  struct Field {
    std::uint32_t begin;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  std::string text_;
  std::vector<Field> fields_;
};

// True when `a` and `b` are equal but for the case of ASCII letters.
bool EqualIgnoringCase(std::string_view a, std::string_view b);

}  // namespace candor::net
