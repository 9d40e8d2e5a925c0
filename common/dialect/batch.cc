#include "common/dialect/batch.h"

#include "common/dialect/batch_forms.h"
#include "common/dialect/parse.h"

#include <boost/json/serialize.hpp>

#include <utility>

namespace candor::dialect {
namespace {

using boost::json::value;

// Fixed, so that equal files are equal uploads; no line of JSON begins with it.
constexpr std::string_view kBoundary = "candor-batch-7f1c9d52e8a44b06";

}  // namespace

std::string BatchForm::BatchPath(std::string_view id) const {
  return fmt::format("{}/{}", BatchesPath(), id);
}

std::string BatchForm::CancelPath(std::string_view id) const {
  return fmt::format("{}/{}/cancel", BatchesPath(), id);
}

StatusOr<BatchObject> BatchForm::ReadBatch(std::string_view body) const {
  const ParsedJson json(body);
  auto batch = json.ok() ? ReadObject(json.value()) : std::nullopt;
  if (!batch) return NoSuchObject("batch", body);
  return *std::move(batch);
}

// Both APIs list batches alike.
StatusOr<BatchPage> BatchForm::ReadPage(std::string_view body) const {
  const ParsedJson json(body);
  const value* data = json.ok() ? Member(json.value(), "data") : nullptr;
  if (data == nullptr || !data->is_array()) return NoSuchObject("list of batches", body);
  BatchPage page;
  for (const value& item : data->get_array()) {
    auto batch = ReadObject(item);
    if (!batch) return NoSuchObject("list of batches", boost::json::serialize(item));
    page.batches.push_back(*std::move(batch));
  }
  const value* more = Member(json.value(), "has_more");
  page.more = more != nullptr && more->is_bool() && more->get_bool() && !page.batches.empty();
  return page;
}

const BatchForm* FindBatchForm(const Dialect& dialect) {
  static const OpenAiBatches* const kChat = new OpenAiBatches("/v1/chat/completions");
  static const OpenAiBatches* const kResponses = new OpenAiBatches("/v1/responses");
  static const AnthropicBatches* const kAnthropic = new AnthropicBatches;
  if (dialect.name() == "openai") return kChat;
  if (dialect.name() == "openai-responses") return kResponses;
  if (dialect.name() == "anthropic") return kAnthropic;
  return nullptr;
}

std::string_view CustomIdOf(std::string_view beginning) {
  constexpr std::string_view kName = "\"custom_id\"";
  const std::size_t name = beginning.find(kName);
  if (name == std::string_view::npos) return {};
  std::string_view rest = beginning.substr(name + kName.size());
  for (const char expected : {':', '"'}) {
    const std::size_t at = rest.find_first_not_of(" \t");
    if (at == std::string_view::npos || rest[at] != expected) return {};
    rest.remove_prefix(at + 1);
  }
  const std::size_t end = rest.find('"');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

std::string MultipartType() { return fmt::format("multipart/form-data; boundary={}", kBoundary); }

std::string MultipartBody(std::string_view name, std::string_view content) {
  std::string body;
  body.reserve(content.size() + 512);
  body += fmt::format(
      "--{0}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
      "--{0}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{1}\"\r\n"
      "Content-Type: application/jsonl\r\n\r\n",
      kBoundary, name);
  body += content;
  body += fmt::format("\r\n--{}--\r\n", kBoundary);
  return body;
}

StatusOr<BatchFile> ReadFile(std::string_view body) {
  const ParsedJson json(body);
  BatchFile file;
  if (json.ok()) {
    file.id = TextMember(json.value(), "id");
    file.name = TextMember(json.value(), "filename");
  }
  if (!IsProviderId(file.id)) return NoSuchObject("file", body);
  return file;
}

bool IsProviderId(std::string_view id) {
  if (id.empty() || id.size() > 200) return false;
  for (const char c : id) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.' || c == ':';
    if (!fits) return false;
  }
  return id != "." && id != "..";
}

Status NoSuchObject(std::string_view what, std::string_view body) {
  return InvalidArgument("the answer is no {}: {}", what, CleanText(body, 300));
}

}  // namespace candor::dialect
