// JSON text, written piece by piece: integers as numbers whatever their size, doubles in the
// shortest form that reads back as the same number, text in UTF-8 with the escapes JSON demands.
//
//   JsonWriter json;                       // one line; JsonWriter(2) indents by two
//   json.BeginObject().Key("name").String("x").Key("seed").Number(std::int64_t{7}).EndObject();
//   json.text()  ->  {"name":"x","seed":7}
//
// The caller keeps begin and end, key and value in step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor {

class JsonWriter {
 public:
  // `indent` spaces a level and a line an item; 0: one line without spaces.
  explicit JsonWriter(int indent = 0) : indent_(indent) {}

  JsonWriter& BeginObject() { return Begin('{'); }
  JsonWriter& EndObject() { return End('}'); }
  JsonWriter& BeginArray() { return Begin('['); }
  JsonWriter& EndArray() { return End(']'); }
  JsonWriter& Key(std::string_view key);

  JsonWriter& String(std::string_view value);
  JsonWriter& Number(std::int64_t value);
  JsonWriter& Number(std::uint64_t value);
  // NaN and the infinities, which JSON lacks, become the strings that protobuf's JSON has for them.
  JsonWriter& Number(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // A value that is JSON already.
  JsonWriter& Json(std::string_view value) { return Raw(value); }

  const std::string& text() const { return text_; }
  std::string Take() { return std::move(text_); }

 private:
  JsonWriter& Begin(char bracket);
  JsonWriter& End(char bracket);
  JsonWriter& Raw(std::string_view value);
  // What stands between the piece before and the next one.
  void Separate();
  void NewLine();

  int indent_;
  std::string text_;
  // For every open bracket: whether it holds something already.
  std::vector<bool> filled_;
  bool after_key_ = false;
};

// Appends a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD.
void AppendJsonString(std::string_view value, std::string* out);

// The shortest decimal text that reads back as `value`: "0.1", "100", "1e+300", "nan", "inf".
std::string ShortestNumber(double value);

// Bytes at the beginning of `text` that are well-formed UTF-8: all of it, or those before the first
// that is not.
std::size_t Utf8Prefix(std::string_view text);

// True when `text` is well-formed UTF-8.
inline bool IsUtf8(std::string_view text) { return Utf8Prefix(text) == text.size(); }

}  // namespace candor
