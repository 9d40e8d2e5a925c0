#include "simulator/openai_files.h"

#include "simulator/multipart.h"
#include "simulator/openai_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace candor::simulator {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{200} << 20U;

void WriteFile(const StoredFile& file, JsonWriter* writer) {
  writer->BeginObject().Key("object").String("file").Key("id").String(file.id);
  writer->Key("purpose").String(file.purpose).Key("filename").String(file.filename);
  writer->Key("bytes").Number(static_cast<std::int64_t>(file.content->size()));
  writer->Key("created_at").Number(file.created).Key("expires_at").Null();
  writer->Key("status").String("processed").Key("status_details").Null();
  writer->EndObject();
}

HttpReply NoSuchFile(std::string_view id) {
  return OpenAiError(404, fmt::format("No such File object: {}", id.substr(0, 100)), "id");
}

}  // namespace

HttpReply OpenAiError(int status, std::string message, std::string param, std::string code) {
  const ApiError error{status,           std::move(message), "invalid_request_error",
                       std::move(param), std::move(code),    {}};
  return {status, openai::WriteError(error), "application/json"};
}

HttpReply OpenAiFiles::Upload(const net::HttpServerRequest& request, TimePoint now, WallTime wall) {
  const auto parts = ReadMultipart(request.headers.Find("content-type").value_or(""), request.body);
  if (!parts) return OpenAiError(400, "The request must be of multipart/form-data.");
  const auto part = [&](std::string_view name) -> const FormPart* {
    const auto found = std::find_if(parts->begin(), parts->end(),
                                    [&](const FormPart& item) { return item.name == name; });
    return found == parts->end() ? nullptr : &*found;
  };
  const FormPart* purpose = part("purpose");
  const FormPart* file = part("file");
  if (file == nullptr) return OpenAiError(400, "'file' is a required property", "file");
  if (purpose == nullptr) return OpenAiError(400, "'purpose' is a required property", "purpose");
  if (purpose->content != "batch") {
    return OpenAiError(
        400,
        fmt::format("'{}' is not one of ['batch'] - 'purpose'", purpose->content.substr(0, 100)),
        "purpose");
  }
  if (file->content.size() > kMaxFileBytes) {
    return OpenAiError(413, "The file is too large: at most 200 MB are allowed.", "file");
  }
  JsonWriter writer;
  WriteFile(Add(file->filename.empty() ? "batch.jsonl" : file->filename, "batch",
                std::string(file->content), now, wall),
            &writer);
  return {200, writer.Take(), "application/json"};
}

const StoredFile& OpenAiFiles::Add(std::string filename, std::string purpose, std::string content,
                                   TimePoint now, WallTime wall) {
  auto file = std::make_unique<StoredFile>();
  // So that a program that starts again does not give out the same ids.
  file->id = fmt::format("file-{:x}{:06x}", wall.time_since_epoch().count(), next_++);
  file->filename = std::move(filename);
  file->purpose = std::move(purpose);
  file->content = std::make_shared<const std::string>(std::move(content));
  file->visible_at = now + lag_;
  file->created = std::chrono::duration_cast<std::chrono::seconds>(wall.time_since_epoch()).count();
  files_.push_back(std::move(file));
  return *files_.back();
}

const StoredFile* OpenAiFiles::Find(std::string_view id, TimePoint now) const {
  const auto found =
      std::find_if(files_.begin(), files_.end(), [&](const auto& file) { return file->id == id; });
  return found == files_.end() || (*found)->visible_at > now ? nullptr : found->get();
}

HttpReply OpenAiFiles::List(const net::HttpServerRequest& request, TimePoint now) const {
  const std::string after = QueryValue(request.query, "after");
  const std::string purpose = QueryValue(request.query, "purpose");
  const std::string limit_text = QueryValue(request.query, "limit");
  std::size_t limit = 10'000;
  std::from_chars(limit_text.data(), limit_text.data() + limit_text.size(), limit);
  limit = std::clamp<std::size_t>(limit, 1, 10'000);

  JsonWriter writer;
  writer.BeginObject().Key("object").String("list").Key("data").BeginArray();
  bool begun = after.empty();
  bool has_more = false;
  std::string first;
  std::string last;
  std::size_t count = 0;
  for (auto it = files_.rbegin(); it != files_.rend(); ++it) {
    const StoredFile& file = **it;
    if (!begun) {
      begun = file.id == after;
      continue;
    }
    if (file.visible_at > now || (!purpose.empty() && file.purpose != purpose)) continue;
    if (count == limit) {
      has_more = true;
      break;
    }
    if (count++ == 0) first = file.id;
    last = file.id;
    WriteFile(file, &writer);
  }
  writer.EndArray().Key("first_id");
  const auto id = [&](const std::string& text) {
    if (text.empty()) {
      writer.Null();
    } else {
      writer.String(text);
    }
  };
  id(first);
  writer.Key("last_id");
  id(last);
  writer.Key("has_more").Bool(has_more).EndObject();
  return {200, writer.Take(), "application/json"};
}

HttpReply OpenAiFiles::Get(std::string_view id, TimePoint now) const {
  const StoredFile* file = Find(id, now);
  if (file == nullptr) return NoSuchFile(id);
  JsonWriter writer;
  WriteFile(*file, &writer);
  return {200, writer.Take(), "application/json"};
}

HttpReply OpenAiFiles::Content(std::string_view id, TimePoint now) const {
  const StoredFile* file = Find(id, now);
  if (file == nullptr) return NoSuchFile(id);
  return {200, *file->content, "application/octet-stream"};
}

HttpReply OpenAiFiles::Delete(std::string_view id, TimePoint now) {
  if (Find(id, now) == nullptr) return NoSuchFile(id);
  std::erase_if(files_, [&](const auto& file) { return file->id == id; });
  JsonWriter writer;
  writer.BeginObject().Key("object").String("file").Key("deleted").Bool(true);
  writer.Key("id").String(id).EndObject();
  return {200, writer.Take(), "application/json"};
}

}  // namespace candor::simulator
