// An upload kept on disk while it is given to many nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "swarmlib/stream.h"

namespace swarm {

inline constexpr std::uint64_t kMostSpooled = 64ULL << 30U;     // bytes of one upload
inline constexpr std::uint64_t kLeastDiskLeft = 256ULL << 20U;  // bytes that uploads leave free

// A file without a name, in the folder that the environment variable TMPDIR names, else in
// /var/tmp: it is gone with this object, whatever becomes of the process. Reading and writing go
// through the system's page cache, on the loop. Of one loop.
class Spool : public std::enable_shared_from_this<Spool> {
 public:
  static absl::StatusOr<std::shared_ptr<Spool>> Create();
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // 413 beyond kMostSpooled; 507 when the disk is full or nearly.
  absl::Status Append(std::string_view bytes);
  std::uint64_t size() const { return size_; }

  // Everything appended so far, from the beginning. Several may be read at once. `moved` (may be
  // null) is told with each piece that is handed out how many bytes are left. Keeps this object
  // alive.
  std::unique_ptr<Stream> Reader(Loop& loop, std::function<void(std::uint64_t left)> moved);

 private:
  friend class SpoolReader;
  explicit Spool(int descriptor) : descriptor_(descriptor) {}

  const int descriptor_;
  std::uint64_t size_ = 0;
  std::uint64_t checked_ = 0;  // size at which the free space is looked at next
};

// Fills the spool with `head` and what the stream gives, which may be null. `moved` (may be null)
// is called when bytes have come.
Task<absl::Status> FillSpool(std::shared_ptr<Spool> spool, std::string head,
                             std::unique_ptr<Stream> stream, std::function<void()> moved);

}  // namespace swarm
