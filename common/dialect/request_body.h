// The pieces that request bodies of all dialects are made of. Private to the room.
#pragma once

#include "common/base/status.h"
#include "common/dialect/dialect.h"

#include <google/protobuf/struct.pb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace candor::dialect {

// Writes a JSON object field by field, and keeps account of the names: whatever `extra_body` adds
// must not be there twice. Objects within are merged with those of the same name in `extra_body`,
// so that a job can add to what Candor sets itself.
//
//   BodyWriter body(sampling.extra_body(), out);
//   body.String("model", "m");
//   body.BeginObject("reasoning");
//   body.String("effort", "low");
//   CANDOR_RETURN_IF_ERROR(body.EndObject());
//   return body.End({"stream"});
class BodyWriter {
 public:
  // Clears `out`. Both must outlive the writer.
  BodyWriter(const google::protobuf::Struct& extra, std::string* out);

  // Begins a field, whose value the caller appends to what is returned.
  std::string* Field(std::string_view name);
  void String(std::string_view name, std::string_view value);
  void Integer(std::string_view name, std::int64_t value);
  void Number(std::string_view name, double value);
  void True(std::string_view name);

  // A field that is an object; fields go into it until EndObject, which adds those of `extra_body`.
  void BeginObject(std::string_view name);
  Status EndObject(std::initializer_list<std::string_view> refused = {});

  // Adds what `extra_body` has left and ends the body. INVALID_ARGUMENT, of both, for a field of it
  // that was written, or is one of `refused`: what Candor sets or relies on not being there.
  Status End(std::initializer_list<std::string_view> refused);

 private:
  struct Level {
    // What extra_body has for this object; null when nothing.
    const google::protobuf::Struct* extra = nullptr;
    std::string_view name;
    bool first = true;
    std::array<std::string_view, 16> written;
    std::size_t written_size = 0;
    std::array<std::string_view, 4> merged;
    std::size_t merged_size = 0;
  };
  std::string PathOf(std::string_view field) const;
  Status AppendExtra(std::initializer_list<std::string_view> refused);

  std::string* out_;
  std::array<Level, 4> levels_;
  std::size_t depth_ = 0;
  Status status_;
};

// The job's wishes for the kind that is asked.
const v1::Sampling& SamplingOf(const RequestInput& input);

// The sampling seed of this repetition.
std::int64_t SeedOf(const RequestInput& input);

// INVALID_ARGUMENT for numbers that JSON does not have.
Status CheckNumbers(const v1::Sampling& sampling);

// What becomes of system messages.
enum class SystemAs { kSystem, kDeveloper, kUser };
// INVALID_ARGUMENT for a word that is none, and for "developer" where there is no such role.
StatusOr<SystemAs> ReadSystemAs(const RequestInput& input, const Capabilities& capabilities);

// The texts of all system messages, an empty line between them.
std::string SystemText(const RequestInput& input);

// Calls `append(role, content, first)` for each message. Of system messages become: messages of
// role "system" or "developer"; with kUser, text in front of the first user message, an empty line
// between; with `system_apart` and not kUser nothing, because the dialect has another place.
template <typename Append>
void ForEachMessage(const RequestInput& input, SystemAs system_as, bool system_apart,
                    const Append& append) {
  std::string folded;
  if (system_as == SystemAs::kUser) folded = SystemText(input);
  bool first = true;
  for (std::size_t i = 0; i < input.prompt.size(); ++i) {
    std::string_view role = input.prompt.role(i);
    if (role == "system") {
      if (system_as == SystemAs::kUser || system_apart) continue;
      if (system_as == SystemAs::kDeveloper) role = "developer";
    }
    if (role == "user" && !folded.empty()) {
      append(role, std::string_view(folded.append("\n\n").append(input.contents[i])), first);
      folded.clear();
    } else {
      append(role, std::string_view(input.contents[i]), first);
    }
    first = false;
  }
}

// Appends `{"role":...,"content":...}` with a comma in front unless it is the first.
void AppendMessage(std::string_view role, std::string_view content, bool first, std::string* out);

// Appends the JSON schema of a self-report: one required number an attribute, in the order shown,
// because servers that constrain by grammar write the properties in the order of the schema.
// `bounds`: with minimum and maximum.
void AppendReportSchema(const RequestInput& input, bool bounds, std::string* out);

}  // namespace candor::dialect
