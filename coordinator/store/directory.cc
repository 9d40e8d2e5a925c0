#include "coordinator/store/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace candor::store {
namespace {

// The reserve is made only where this many times its size is free.
constexpr std::uint64_t kReserveRoom = 4;

Status SystemError(std::string_view what, const std::string& path, int error) {
  const std::string text = fmt::format("{} {}: {}", what, path, std::strerror(error));
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      return PermissionDenied("{}; give a directory that this user may write to", text);
    case ENOENT:
      return NotFound("{}; make its parent directory first, or give another", text);
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return InvalidArgument("{}; give another directory", text);
    case ENOSPC:
    case EDQUOT:
      return ResourceExhausted("{}; free some space and start again", text);
    default:
      return Unavailable("{}", text);
  }
}

// A new directory survives a power cut only once its entry in its parent does.
Status SyncParent(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
  const int file = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return SystemError("cannot open", parent.string(), errno);
  const int error = fsync(file) == 0 ? 0 : errno;
  close(file);
  return error == 0 ? Status() : SystemError("cannot sync", parent.string(), error);
}

// What the owner wrote into the lock file.
std::string OwnerOf(int lock) {
  std::array<char, 32> text{};
  const ssize_t size = pread(lock, text.data(), text.size(), 0);
  std::string_view owner(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  owner = owner.substr(0, owner.find('\n'));
  return owner.empty() ? std::string("unknown") : std::string(owner);
}

}  // namespace

StatusOr<StoreDirectory> StoreDirectory::Own(const std::string& path, std::size_t reserve_bytes) {
  if (path.empty()) return InvalidArgument("data directory: empty; give a directory");
  if (mkdir(path.c_str(), 0700) == 0) {
    CANDOR_RETURN_IF_ERROR(SyncParent(path));
  } else if (errno != EEXIST) {
    return SystemError("cannot make data directory", path, errno);
  }
  const std::string lock_path = path + "/lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return SystemError("cannot use data directory", path, errno);
  StoreDirectory directory(path, reserve_bytes, lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError("cannot lock", lock_path, errno);
    return FailedPrecondition(
        "data directory {} is in use by another coordinator (process id {}); stop that one, or "
        "give another directory",
        path, OwnerOf(lock));
  }
  const std::string owner = fmt::format("{}\n", getpid());
  // For people only: the lock is what counts, so an error here is none.
  if (ftruncate(lock, 0) == 0) (void)!pwrite(lock, owner.data(), owner.size(), 0);
  return directory;
}

StoreDirectory::StoreDirectory(StoreDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      reserve_bytes_(other.reserve_bytes_),
      lock_(std::exchange(other.lock_, -1)) {}

StoreDirectory::~StoreDirectory() {
  if (lock_ >= 0) close(lock_);
}

void StoreDirectory::MakeReserve() const {
  if (reserve_bytes_ == 0) return;
  struct statvfs disk {};
  if (statvfs(path_.c_str(), &disk) != 0 ||
      std::uint64_t{disk.f_bavail} * disk.f_frsize < kReserveRoom * reserve_bytes_) {
    return;
  }
  const int file = open(ReservePath().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  // Without it the store works as well, until the disk is full.
  if (posix_fallocate(file, 0, static_cast<off_t>(reserve_bytes_)) != 0) ReleaseReserve();
  close(file);
}

void StoreDirectory::ReleaseReserve() const { (void)unlink(ReservePath().c_str()); }

}  // namespace candor::store
