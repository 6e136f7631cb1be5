#include "api/list_cache.h"

#include <utility>

#include "async/loop.h"

namespace swarm {
namespace {

std::size_t BytesOf(const KeptList& list) {
  std::size_t bytes = list.query.size();
  for (const auto& piece : list.pieces) bytes += piece->size();
  return bytes;
}

bool IsSameMoment(const ListMoment& left, const ListMoment& right) {
  return left.generation == right.generation && left.second == right.second;
}

}  // namespace

std::shared_ptr<const KeptList> ListCache::Find(const ListMoment& moment,
                                                const std::string& query) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!IsSameMoment(moment_, moment)) return nullptr;
  for (const std::shared_ptr<const KeptList>& list : lists_) {
    if (list->query == query) return list;
  }
  return nullptr;
}

void ListCache::Keep(Loop& loop, const ListMoment& moment, std::shared_ptr<const KeptList> list) {
  const std::size_t bytes = BytesOf(*list);
  std::vector<std::shared_ptr<const KeptList>> older;  // freed without the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!IsSameMoment(moment_, moment)) {
    // Another loop may have kept a newer one already.
    if (moment_.generation > moment.generation || moment_.second > moment.second) return;
    older.swap(lists_);
    bytes_ = 0;
    moment_ = moment;
  }
  if (lists_.size() >= kMostLists || bytes_ + bytes > kMostBytes) return;
  if (lists_.empty()) {
    loop.After(kKept, [weak = weak_from_this(), second = moment.second] {
      if (const std::shared_ptr<ListCache> cache = weak.lock()) cache->DropThrough(second);
    });
  }
  lists_.push_back(std::move(list));
  bytes_ += bytes;
}

void ListCache::DropThrough(std::int64_t second) {
  std::vector<std::shared_ptr<const KeptList>> older;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (moment_.second > second) return;
  older.swap(lists_);
  bytes_ = 0;
}

}  // namespace swarm
