#include <algorithm>
#include <chrono>
#include <utility>

#include "api/container_filters.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "wire/containers.h"

namespace swarm {
namespace {

constexpr std::size_t kPiece = 128U << 10U;     // bytes after which a new piece of a list begins
constexpr std::size_t kRoomForRow = 4U << 10U;  // more than most rows take

using Pieces = std::vector<std::shared_ptr<const std::string>>;

Pieces BuildPieces(const Context& context, const ContainerQuery& query) {
  const WallTime now = context.clock().Wall();
  Pieces pieces;
  auto piece = std::make_shared<std::string>();
  piece->reserve(kPiece + kRoomForRow);
  *piece += '[';
  std::size_t rows = 0;
  for (const ContainerPointer& entry : context.cluster().Containers()) {
    if (!query.Shows(*entry)) continue;
    if (rows++ > 0) *piece += ',';
    AppendRow(*piece, *entry, now);
    if (piece->size() >= kPiece) {
      pieces.push_back(std::move(piece));
      piece = std::make_shared<std::string>();
      piece->reserve(kPiece + kRoomForRow);
    }
    if (query.limit() > 0 && rows == query.limit()) break;
  }
  *piece += "]\n";
  pieces.push_back(std::move(piece));
  return pieces;
}

std::string UnreachableNodes(const Context& context) {
  constexpr std::size_t kMostNamed = 50;
  std::string names;
  std::size_t count = 0;
  for (const NodePointer& node : context.cluster().Nodes()) {
    if (node->state != NodeState::kUnhealthy) continue;
    if (++count > kMostNamed) continue;
    if (!names.empty()) names += ", ";
    names += node->name.empty() ? node->address : node->name;
  }
  if (count > kMostNamed) names += " and " + std::to_string(count - kMostNamed) + " more";
  return names;
}

std::shared_ptr<const KeptList> Kept(ListCache& cache, std::uint64_t generation,
                                     std::int64_t second, const std::string& query) {
  const std::lock_guard<std::mutex> lock(cache.mutex);
  if (cache.generation != generation || cache.second != second) return nullptr;
  for (const std::shared_ptr<const KeptList>& list : cache.lists) {
    if (list->query == query) return list;
  }
  return nullptr;
}

void Keep(ListCache& cache, std::uint64_t generation, std::int64_t second,
          std::shared_ptr<const KeptList> list) {
  const std::lock_guard<std::mutex> lock(cache.mutex);
  if (cache.generation != generation || cache.second != second) {
    // Another loop may have kept a newer one already.
    if (cache.generation > generation || cache.second > second) return;
    cache.lists.clear();
    cache.generation = generation;
    cache.second = second;
  }
  if (cache.lists.size() < ListCache::kMostLists) cache.lists.push_back(std::move(list));
}

Reply ReplyOf(const KeptList& list) {
  Reply reply = JsonReply(200, "");
  reply.pieces = list.pieces;
  if (!list.unreachable.empty())
    reply.headers.emplace_back("X-Swarmd-Unreachable", list.unreachable);
  return reply;
}

}  // namespace

Task<Result> ListContainers(ContextPointer context, Exchange exchange) {
  // Read before the list: a change in between makes the kept list look older than it is, never
  // newer.
  const std::uint64_t generation = context->cluster().generation();
  const std::int64_t second =
      std::chrono::floor<std::chrono::seconds>(context->clock().Wall()).time_since_epoch().count();
  const std::string key = FormatQuery(exchange.query);
  const std::shared_ptr<const KeptList> kept = Kept(context->lists(), generation, second, key);
  if (kept) co_return ReplyOf(*kept);

  const absl::StatusOr<ContainerQuery> query = ContainerQuery::Read(*context, exchange.query);
  if (!query.ok()) co_return query.status();
  auto list = std::make_shared<KeptList>();
  list->query = key;
  list->pieces = BuildPieces(*context, *query);
  list->unreachable = UnreachableNodes(*context);
  Reply reply = ReplyOf(*list);
  Keep(context->lists(), generation, second, std::move(list));
  co_return reply;
}

}  // namespace swarm
