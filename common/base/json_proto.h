// Text to message and back: JSON, YAML and protobuf's text format, strictly.
//
//   v1::Job job;
//   CANDOR_RETURN_IF_ERROR(ParseFile("job.yaml", &job));
//   std::puts(PrintJson(job).c_str());
//
// Strict: an unknown field is an error that names its path and the nearest field there is, so is a
// value of the wrong type, a word that is none of an enum's, a field given twice, and text after
// the end. Field names are read in snake_case and in lowerCamelCase. A null leaves a field out.
//
//   choices.orders: "TWO" is none of ONE, BOTH
//   models[0].endpont: no such field; did you mean 'endpoint'?
//
// Types are decided by the message, not by the text: in YAML an unquoted `yes` or `007` for a
// string field stays that text, while a quoted "7" for a number is read as in protobuf's JSON.
// Durations are written "30s", and also "250ms", "2m", "1.5h", "1d"; timestamps as RFC 3339; field
// masks as "a,b.c" or a list; wrappers as what they wrap; Struct and Value as any JSON.
//
// All of it may be called by any number of threads. Errors are INVALID_ARGUMENT unless said
// otherwise; a message is in no particular state after one.
#pragma once

#include "common/base/status.h"

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace candor {

enum class TextFormat { kJson, kYaml, kTextproto };

// By the extension of the path (.json, .yaml, .yml, .textproto, .txtpb, .pbtxt); for others, such
// as
// "-", by what the text looks like.
TextFormat TextFormatOf(std::string_view path, std::string_view text);

// Replaces `message` by what the text says.
Status ParseJson(std::string_view text, google::protobuf::Message* message);
Status ParseYaml(std::string_view text, google::protobuf::Message* message);
Status ParseTextproto(std::string_view text, google::protobuf::Message* message);
Status ParseText(TextFormat format, std::string_view text, google::protobuf::Message* message);
// Errors begin with the path. NOT_FOUND and PERMISSION_DENIED as from ReadFile.
Status ParseFile(const std::string& path, google::protobuf::Message* message);

// The names at the top level of a text, as written: tells a job from the envelope around one.
StatusOr<std::vector<std::string>> TopLevelNames(TextFormat format, std::string_view text);

// Sets one field from one text, as a flag or an environment variable does: "worker.slots", "64".
// Lists take "a,b".
Status SetField(google::protobuf::Message* message, std::string_view path, std::string_view text);

// The one scalar field at a path as text, empty when it is not set: SetField's other side.
std::string GetField(const google::protobuf::Message& message, std::string_view path);

struct PrintOptions {
  // Spaces a level; 0 prints one line.
  int indent = 2;
};

// JSON with the field names of the proto files, in the order of the field numbers, fields that are
// not set left out. All integers are numbers, also those of 64 bits; ParseJson reads it back to an
// equal message.
std::string PrintJson(const google::protobuf::Message& message, const PrintOptions& options = {});

}  // namespace candor
