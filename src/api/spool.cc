#include "api/spool.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

#include "async/await.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr int kInsufficientStorage = 507;
constexpr std::size_t kSpoolPiece = 256U << 10U;     // bytes moved at a time
constexpr std::uint64_t kCheckEvery = 16ULL << 20U;  // bytes between two looks at the free space

std::string SpoolFolder() {
  const char* named = std::getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? named : "/var/tmp";
}

std::string ErrorText() { return std::generic_category().message(errno); }

int OpenNameless(const std::string& folder) {
  const int nameless = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (nameless >= 0) return nameless;
  // Not every file system has it.
  std::string path = folder + "/swarmd-upload-XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

absl::Status Full(const std::string& why) {
  return HttpError(kInsufficientStorage,
                   "the upload cannot be kept for the nodes in " + SpoolFolder() +
                       " of the manager's host: " + why +
                       ". Make room there, or start swarmd with TMPDIR set to another folder");
}

}  // namespace

// Reads at its own offset.
class SpoolReader final : public Stream {
 public:
  SpoolReader(Loop& loop, std::shared_ptr<Spool> spool, std::function<void(std::uint64_t)> moved)
      : loop_(loop), spool_(std::move(spool)), moved_(std::move(moved)) {}

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    absl::StatusOr<std::size_t> result = Cancelled("the stream was aborted");
    if (spool_) {
      result = Next(into);
      if (moved_) moved_(spool_->size_ - offset_);
    }
    loop_.Post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }

  void Write(std::string_view, Callback<absl::Status> done) override {
    loop_.Post([done = std::move(done)]() mutable {
      done(FailedPrecondition("an upload that is kept is only read"));
    });
  }

  void CloseWrite() override {}
  void Abort() override { spool_.reset(); }

 private:
  absl::StatusOr<std::size_t> Next(std::span<char> into) {
    const std::uint64_t left = spool_->size_ - offset_;
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, into.size()));
    if (wanted == 0) return std::size_t{0};
    ssize_t got = 0;
    do {
      got = ::pread(spool_->descriptor_, into.data(), wanted, static_cast<off_t>(offset_));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
      return Internal("the upload that was kept in " + SpoolFolder() +
                      " cannot be read: " + (got < 0 ? ErrorText() : "it was cut short"));
    }
    offset_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }

  Loop& loop_;
  std::shared_ptr<Spool> spool_;
  std::function<void(std::uint64_t)> moved_;
  std::uint64_t offset_ = 0;
};

absl::StatusOr<std::shared_ptr<Spool>> Spool::Create() {
  const int descriptor = OpenNameless(SpoolFolder());
  if (descriptor < 0) return Full(ErrorText());
  return std::shared_ptr<Spool>(new Spool(descriptor));
}

Spool::~Spool() { ::close(descriptor_); }

absl::Status Spool::Append(std::string_view bytes) {
  if (size_ + bytes.size() > kMostSpooled) {
    return HttpError(413, "the upload is larger than " + std::to_string(kMostSpooled) + " bytes");
  }
  if (size_ >= checked_) {
    checked_ = size_ + kCheckEvery;
    struct statvfs disk {};
    if (::fstatvfs(descriptor_, &disk) == 0 &&
        static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize < kLeastDiskLeft) {
      return Full("less than " + std::to_string(kLeastDiskLeft) + " bytes are free");
    }
  }
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Full(ErrorText());
    size_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

std::unique_ptr<Stream> Spool::Reader(Loop& loop, std::function<void(std::uint64_t)> moved) {
  return std::make_unique<SpoolReader>(loop, shared_from_this(), std::move(moved));
}

Task<absl::Status> FillSpool(std::shared_ptr<Spool> spool, std::string head,
                             std::unique_ptr<Stream> stream, std::function<void()> moved) {
  const absl::Status begun = spool->Append(head);
  if (!begun.ok() || !stream) co_return begun;
  std::vector<char> buffer(kSpoolPiece);
  for (;;) {
    const std::span<char> into(buffer);
    Stream& from = *stream;
    const absl::StatusOr<std::size_t> got = co_await Read(from, into);
    if (!got.ok()) co_return got.status();
    if (*got == 0) co_return absl::OkStatus();
    if (moved) moved();
    const absl::Status kept = spool->Append(std::string_view(buffer.data(), *got));
    if (!kept.ok()) co_return kept;
  }
}

}  // namespace swarm
