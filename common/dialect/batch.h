// Providers' batches: the bytes that create them, and what the bytes of their answers mean. One
// form a file: OpenAI's (a file of lines, then a batch of the file) for "openai" and
// "openai-responses", Anthropic's (one request with all lines) for "anthropic". Other dialects have
// none.
//
//   const BatchForm* form = FindBatchForm(*dialect);            // null: no batches
//   std::string input = form->BeginInput();
//   form->AppendLine(attempt_id, rendered.body, &input);        // each line
//   form->EndInput(&input);
//   ... uploaded and created, or created at once ...
//   CANDOR_ASSIGN_OR_RETURN(BatchObject batch, form->ReadBatch(body));
//   for (line : results) CANDOR_ASSIGN_OR_RETURN(BatchResult result, form->ReadResult(line));
//
// Pure, as everything in this room. Paths are relative to the endpoint's base URL.
#pragma once

#include "common/base/batch_bounds.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/dialect/dialect.h"
#include "common/dialect/error.h"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::dialect {

// How a batch stands, as its provider says.
struct BatchObject {
  enum class Phase {
    kRunning,
    kEnded,   // in whatever way: completed, expired, cancelled; there may be results
    kFailed,  // refused as a whole: `error` says why
  };

  std::string id;
  Phase phase = Phase::kRunning;
  // The provider's own word.
  std::string state;
  // All its lines, 0 where that is not known yet; and those with a result of any kind.
  std::int64_t lines = 0;
  std::int64_t lines_done = 0;
  std::optional<WallTime> create_time;
  // It ended before all its lines had their turn: those without a result were not run.
  bool cut_short = false;
  // The token that we gave it, where the provider keeps one; empty else.
  std::string token;
  // Where its results are, in the order to read them.
  std::vector<std::string> result_paths;
  ProviderError error;
};

struct BatchPage {
  // The newest first.
  std::vector<BatchObject> batches;
  // Older ones follow: ask with the last one's id.
  bool more = false;
};

// What became of one line.
struct BatchResult {
  enum class Kind {
    kAnswered,  // as a call of its own would have been: `status` and `body`
    kNotRun,    // expired or cancelled before its turn, and not paid: `text` says which
  };

  std::string custom_id;
  Kind kind = Kind::kAnswered;
  // Of HTTP; 0 where the line says none.
  int status = 0;
  std::string body;
  // The provider's id of the request, where given.
  std::string request_id;
  std::string text;
};

// An uploaded file.
struct BatchFile {
  std::string id;
  std::string name;
};

class BatchForm {
 public:
  virtual ~BatchForm() = default;

  // True when the input is a file that is uploaded first; otherwise it is the request that creates
  // the batch.
  virtual bool uploads() const = 0;
  // True when a batch carries our token, and shows it as long as it exists.
  virtual bool keeps_token() const = 0;
  // Most lines and bytes that the provider takes.
  virtual BatchBounds bounds() const = 0;

  virtual std::string BeginInput() const = 0;
  // `request` is the body of the call as the dialect renders it.
  virtual void AppendLine(std::string_view custom_id, std::string_view request,
                          std::string* input) const = 0;
  virtual void EndInput(std::string* input) const = 0;

  // POST creates, GET lists.
  virtual std::string_view BatchesPath() const = 0;
  std::string BatchPath(std::string_view id) const;
  std::string CancelPath(std::string_view id) const;
  // Path and query of a page of batches, older than `after` (empty: the newest).
  virtual std::string ListPath(std::string_view after) const = 0;
  // The body that creates a batch of an uploaded file, with our token.
  virtual std::string CreateBody(std::string_view file, std::string_view token) const = 0;

  // What is no such object is an error: INVALID_ARGUMENT with the beginning of the text.
  StatusOr<BatchObject> ReadBatch(std::string_view body) const;
  StatusOr<BatchPage> ReadPage(std::string_view body) const;
  virtual StatusOr<BatchResult> ReadResult(std::string_view line) const = 0;

 private:
  // One batch, alone or of a page; absent when it is none.
  virtual std::optional<BatchObject> ReadObject(const boost::json::value& object) const = 0;
};

// The custom id of a result of which only the beginning is there; empty when it does not show. In
// every form it stands before the answer.
std::string_view CustomIdOf(std::string_view beginning);

// Null for a dialect without batches.
const BatchForm* FindBatchForm(const Dialect& dialect);

// --- OpenAI's files ---

inline constexpr std::string_view kFilesPath = "/files";
// Body of an upload, for the Content-Type of MultipartType. `name` holds no quotes.
std::string MultipartBody(std::string_view name, std::string_view content);
std::string MultipartType();
StatusOr<BatchFile> ReadFile(std::string_view body);

}  // namespace candor::dialect
