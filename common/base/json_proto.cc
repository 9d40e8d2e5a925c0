#include "common/base/json_proto.h"

#include "common/base/files.h"
#include "common/base/message_filler.h"
#include "common/base/nearest.h"
#include "common/base/text_value.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cctype>

namespace candor {
namespace {

namespace pb = google::protobuf;

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// `identifier {` with nothing between but spaces opens a message in the text format and is nothing
// sensible in YAML.
bool OpensTextMessage(std::string_view line) {
  std::size_t i = 0;
  while (i < line.size() &&
         (std::isalnum(static_cast<unsigned char>(line[i])) != 0 || line[i] == '_'))
    ++i;
  if (i == 0) return false;
  const std::size_t next = line.find_first_not_of(' ', i);
  return next != std::string_view::npos && line[next] == '{';
}

// The first error of the text format's parser, as a status.
class FirstError final : public pb::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (status_.ok()) {
      status_ = InvalidArgument("line {}, column {}: {}", line + 1, column + 1, message);
      message_ = message;
    }
  }
  const Status& status() const { return status_; }
  const std::string& message() const { return message_; }

 private:
  Status status_;
  std::string message_;
};

// The text between the first pair of quotes at or after `*at`, which moves behind it.
std::string Quoted(const std::string& text, std::size_t* at) {
  const std::size_t begin = text.find('"', *at);
  if (begin == std::string::npos) return "";
  const std::size_t end = text.find('"', begin + 1);
  if (end == std::string::npos) return "";
  *at = end + 1;
  return text.substr(begin + 1, end - begin - 1);
}

// 'Message type "T" has no field named "f".' is what the parser says.
std::string Suggestion(const std::string& message, const pb::Descriptor& root) {
  std::size_t at = 0;
  const std::string type_name = Quoted(message, &at);
  const std::string field_name = Quoted(message, &at);
  const pb::Descriptor* type = root.file()->pool()->FindMessageTypeByName(type_name);
  if (type == nullptr || message.find("no field named") == std::string::npos) return "";
  return DidYouMean(field_name, FieldNames(*type));
}

// Tokenizers report into this one when nobody is to hear.
class Silent final : public pb::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
};

}  // namespace

TextFormat TextFormatOf(std::string_view path, std::string_view text) {
  if (EndsWith(path, ".json")) return TextFormat::kJson;
  if (EndsWith(path, ".yaml") || EndsWith(path, ".yml")) return TextFormat::kYaml;
  for (const std::string_view end : {".textproto", ".txtpb", ".pbtxt"}) {
    if (EndsWith(path, end)) return TextFormat::kTextproto;
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
    return TextFormat::kJson;
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (OpensTextMessage(text.substr(0, end))) return TextFormat::kTextproto;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return TextFormat::kYaml;
}

Status ParseJson(std::string_view text, pb::Message* message) {
  CANDOR_ASSIGN_OR_RETURN(const TextValue value, ReadJson(text));
  message->Clear();
  return FillMessage(value, message);
}

Status ParseYaml(std::string_view text, pb::Message* message) {
  CANDOR_ASSIGN_OR_RETURN(const TextValue value, ReadYaml(text));
  message->Clear();
  return FillMessage(value, message);
}

Status ParseTextproto(std::string_view text, pb::Message* message) {
  if (text.size() > kMaxTextBytes) {
    return InvalidArgument("{} bytes of text are more than the {} that are read", text.size(),
                           kMaxTextBytes);
  }
  FirstError error;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.SetRecursionLimit(kMaxTextDepth);
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  if (parser.Parse(&input, message)) return absl::OkStatus();
  if (error.status().ok()) return InvalidArgument("the text does not fit the message");
  return InvalidArgument("{}{}", Message(error.status()),
                         Suggestion(error.message(), *message->GetDescriptor()));
}

Status ParseText(TextFormat format, std::string_view text, pb::Message* message) {
  switch (format) {
    case TextFormat::kJson:
      return ParseJson(text, message);
    case TextFormat::kYaml:
      return ParseYaml(text, message);
    case TextFormat::kTextproto:
      return ParseTextproto(text, message);
  }
  return absl::OkStatus();
}

Status ParseFile(const std::string& path, pb::Message* message) {
  CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxTextBytes));
  return Annotate(ParseText(TextFormatOf(path, text), text, message), path);
}

StatusOr<std::vector<std::string>> TopLevelNames(TextFormat format, std::string_view text) {
  std::vector<std::string> names;
  if (format != TextFormat::kTextproto) {
    CANDOR_ASSIGN_OR_RETURN(const TextValue value,
                            format == TextFormat::kJson ? ReadJson(text) : ReadYaml(text));
    for (const TextValue::Member& member : value.members) names.push_back(member.name);
    return names;
  }
  if (text.size() > kMaxTextBytes) return InvalidArgument("the text is too large");
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  Silent silent;
  pb::io::Tokenizer tokenizer(&input, &silent);
  tokenizer.set_comment_style(pb::io::Tokenizer::SH_COMMENT_STYLE);
  int depth = 0;
  while (tokenizer.Next()) {
    const auto& now = tokenizer.current();
    if (now.text == "{" || now.text == "<" || now.text == "[") ++depth;
    if (now.text == "}" || now.text == ">" || now.text == "]") --depth;
    const bool is_value = tokenizer.previous().text == ":";
    if (depth == 0 && !is_value && now.type == pb::io::Tokenizer::TYPE_IDENTIFIER) {
      names.push_back(now.text);
    }
  }
  return names;
}

}  // namespace candor
