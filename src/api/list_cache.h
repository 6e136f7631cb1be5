// List answers with a filter or a limit, kept for those who ask the same within the same second.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/kept_rows.h"
#include "base/memory_budget.h"
#include "swarmlib/clock.h"

namespace swarm {

class Loop;

// Immutable once it is shared.
struct KeptList {
  std::string query;
  std::vector<Piece> pieces;
  std::string unreachable;  // names of nodes, joined
  MemoryShare memory;       // of the pieces, once for all who hold them
};

// Which kept lists an answer belongs to.
struct ListMoment {
  std::uint64_t generation;
  std::int64_t second;
};

// The lists made at one generation in one second. Thread-safe.
class ListCache : public std::enable_shared_from_this<ListCache> {
 public:
  static constexpr std::size_t kMostLists = 16;
  static constexpr std::size_t kMostBytes = 64U << 20U;  // of all of them
  // Nobody is given them later.
  static constexpr Duration kKept = std::chrono::seconds(2);

  std::shared_ptr<const KeptList> Find(const ListMoment& moment, const std::string& query);
  // On `loop`, whose timer drops it in time.
  void Keep(Loop& loop, const ListMoment& moment, std::shared_ptr<const KeptList> list);

 private:
  void DropThrough(std::int64_t second);

  std::mutex mutex_;
  std::size_t bytes_ = 0;
  ListMoment moment_{};
  std::vector<std::shared_ptr<const KeptList>> lists_;
};

}  // namespace swarm
