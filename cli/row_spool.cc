#include "cli/row_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace candor::cli {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20U;

}  // namespace

StatusOr<RowSpool> RowSpool::Create(const std::string& directory) {
  std::string path = directory + "/spool-XXXXXX";
  const int file = mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) {
    return Unavailable("{}: cannot make a temporary file: {}", directory, std::strerror(errno));
  }
  unlink(path.c_str());
  return RowSpool(directory, file);
}

RowSpool::~RowSpool() {
  if (file_ >= 0) close(file_);
}

RowSpool::RowSpool(RowSpool&& other) noexcept
    : directory_(std::move(other.directory_)),
      file_(std::exchange(other.file_, -1)),
      index_(std::move(other.index_)),
      buffer_(std::move(other.buffer_)),
      written_(other.written_) {}

Status RowSpool::Error(const char* what) const {
  return Unavailable("{}: cannot {} a temporary file: {}", directory_, what, std::strerror(errno));
}

Status RowSpool::Add(std::uint32_t group, std::string_view row) {
  index_.push_back({written_ + buffer_.size(), group, static_cast<std::uint32_t>(row.size())});
  buffer_ += row;
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
}

Status RowSpool::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t done = pwrite(file_, rest.data(), rest.size(), static_cast<off_t>(written_));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return Error("write");
    written_ += static_cast<std::uint64_t>(done);
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
  buffer_.clear();
  return absl::OkStatus();
}

Status RowSpool::Drain(const std::function<Status(std::uint32_t, std::string_view)>& take) {
  CANDOR_RETURN_IF_ERROR(Flush());
  // Offsets grow in the order in which rows came.
  std::sort(index_.begin(), index_.end(), [](const Place& a, const Place& b) {
    return a.group != b.group ? a.group < b.group : a.offset < b.offset;
  });
  std::string row;
  for (const Place& place : index_) {
    row.resize(place.size);
    std::size_t done = 0;
    while (done < row.size()) {
      const ssize_t got = pread(file_, row.data() + done, row.size() - done,
                                static_cast<off_t>(place.offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Error("read");
      done += static_cast<std::size_t>(got);
    }
    CANDOR_RETURN_IF_ERROR(take(place.group, row));
  }
  index_.clear();
  written_ = 0;
  if (ftruncate(file_, 0) != 0) return Error("empty");
  return absl::OkStatus();
}

}  // namespace candor::cli
