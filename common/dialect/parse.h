// Boost.JSON on memory of the stack: how every body of a provider is parsed. Private to the room.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <string_view>

namespace candor::dialect {

// A parsed text and the memory that it lives in. Not movable; stays where it is made.
class ParsedJson {
 public:
  explicit ParsedJson(std::string_view text)
      : resource_(memory_.data(), memory_.size()), value_(boost::json::storage_ptr(&resource_)) {
    boost::json::parse_options options;
    options.max_depth = 64;
    // Boost.JSON throws when memory runs out.
    try {
      boost::json::parser parser({}, options, temporary_.data(), temporary_.size());
      parser.reset(&resource_);
      boost::json::error_code error;
      parser.write(text.data(), text.size(), error);
      if (error) return;
      value_ = parser.release();
      ok_ = true;
    } catch (const std::exception&) {
      ok_ = false;
    }
  }
  ParsedJson(const ParsedJson&) = delete;
  ParsedJson& operator=(const ParsedJson&) = delete;

  // False for text that is no JSON, or is nested deeper than 64.
  bool ok() const { return ok_; }
  const boost::json::value& value() const { return value_; }

 private:
  std::array<unsigned char, 12 << 10> memory_;
  std::array<unsigned char, 2 << 10> temporary_;
  boost::json::monotonic_resource resource_;
  boost::json::value value_;
  bool ok_ = false;
};

// A member of an object; null when `value` is no object or has none of that name.
inline const boost::json::value* Member(const boost::json::value& value, std::string_view name) {
  const boost::json::object* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains({name.data(), name.size()});
}

// A member that is a text; empty when there is none.
inline std::string_view TextMember(const boost::json::value& value, std::string_view name) {
  const boost::json::value* member = Member(value, name);
  if (member == nullptr || !member->is_string()) return {};
  return {member->get_string().data(), member->get_string().size()};
}

}  // namespace candor::dialect
