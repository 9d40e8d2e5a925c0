// The files of OpenAI's batch API: what was uploaded, and what batches have written.
//
// Not for concurrent use.
#pragma once

#include "common/base/clock.h"
#include "common/base/json_writer.h"
#include "simulator/batch_api.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

struct StoredFile {
  std::string id;
  std::string filename;
  std::string purpose;
  std::shared_ptr<const std::string> content;
  TimePoint visible_at;
  // Seconds since the Unix epoch.
  std::int64_t created = 0;
};

class OpenAiFiles {
 public:
  // Nobody can see new files for `lag`.
  explicit OpenAiFiles(Duration lag) : lag_(lag) {}

  HttpReply Upload(const net::HttpServerRequest& request, TimePoint now, WallTime wall);
  const StoredFile& Add(std::string filename, std::string purpose, std::string content,
                        TimePoint now, WallTime wall);
  // Null for one that is not there, or not yet.
  const StoredFile* Find(std::string_view id, TimePoint now) const;
  HttpReply List(const net::HttpServerRequest& request, TimePoint now) const;
  HttpReply Get(std::string_view id, TimePoint now) const;
  HttpReply Content(std::string_view id, TimePoint now) const;
  HttpReply Delete(std::string_view id, TimePoint now);

 private:
  Duration lag_;
  std::vector<std::unique_ptr<StoredFile>> files_;
  std::uint64_t next_ = 1;
};

// An error in OpenAI's form.
HttpReply OpenAiError(int status, std::string message, std::string param = {},
                      std::string code = {});

}  // namespace candor::simulator
