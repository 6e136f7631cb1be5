#include <algorithm>
#include <chrono>
#include <utility>

#include "api/container_filters.h"
#include "api/container_sizes.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "async/loop.h"
#include "base/check.h"
#include "swarmlib/status.h"
#include "wire/containers.h"
#include "wire/filters.h"

namespace swarm {
namespace {

constexpr std::size_t kFirstPiece = 16U << 10U;  // bytes made before the first leaves
constexpr std::size_t kPiece = 64U << 10U;       // of every further piece
constexpr std::size_t kRoomForRow = 4U << 10U;   // more than most rows take

// Makes the rows of one list piece by piece, from the containers as they were when it began.
class RowWriter {
 public:
  RowWriter(const Context& context, ContainerQuery query, SizeFields sizes)
      : query_(std::move(query)),
        sizes_(std::move(sizes)),
        now_(context.clock().Wall()),
        entries_(context.cluster().Containers()) {}

  // The next piece, of at least `least` bytes unless it is the last.
  std::shared_ptr<const std::string> Next(std::size_t least) {
    auto piece = std::make_shared<std::string>();
    piece->reserve(least + kRoomForRow);
    if (at_ == 0) *piece += '[';
    for (; at_ < entries_.size() && piece->size() < least; ++at_) {
      const ContainerEntry& entry = *entries_[at_];
      if (!query_.Shows(entry)) continue;
      if (rows_++ > 0) *piece += ',';
      const std::size_t begin = piece->size();
      AppendRow(*piece, entry, now_);
      const auto size = sizes_.find(entry.container.id);
      if (size != sizes_.end()) piece->insert(begin + 1, size->second);  // behind the brace
      if (query_.limit() > 0 && rows_ == query_.limit()) at_ = entries_.size() - 1;
    }
    ended_ = at_ == entries_.size();
    if (ended_) *piece += "]\n";
    return piece;
  }

  bool ended() const { return ended_; }

 private:
  ContainerQuery query_;
  SizeFields sizes_;
  WallTime now_;
  std::vector<ContainerPointer> entries_;
  std::size_t at_ = 0;
  std::size_t rows_ = 0;
  bool ended_ = false;
};

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

// Which kept lists an answer belongs to.
struct Moment {
  std::uint64_t generation;
  std::int64_t second;
};

std::shared_ptr<const KeptList> Kept(ListCache& cache, const Moment& moment,
                                     const std::string& query) {
  const std::lock_guard<std::mutex> lock(cache.mutex);
  if (cache.generation != moment.generation || cache.second != moment.second) return nullptr;
  for (const std::shared_ptr<const KeptList>& list : cache.lists) {
    if (list->query == query) return list;
  }
  return nullptr;
}

void Keep(ListCache& cache, const Moment& moment, std::shared_ptr<const KeptList> list) {
  const std::lock_guard<std::mutex> lock(cache.mutex);
  if (cache.generation != moment.generation || cache.second != moment.second) {
    // Another loop may have kept a newer one already.
    if (cache.generation > moment.generation || cache.second > moment.second) return;
    cache.lists.clear();
    cache.generation = moment.generation;
    cache.second = moment.second;
  }
  if (cache.lists.size() < ListCache::kMostLists) cache.lists.push_back(std::move(list));
}

// The rest of a long list, made while its beginning is on its way; kept when it is whole.
class RestOfList final : public Stream {
 public:
  RestOfList(ContextPointer context, RowWriter rows, std::shared_ptr<KeptList> list, Moment moment)
      : context_(std::move(context)),
        rows_(std::move(rows)),
        list_(std::move(list)),
        moment_(moment),
        loop_(Loop::Current()),
        aborted_(std::make_shared<bool>(false)) {
    SWARM_CHECK(loop_ != nullptr, "requests run on a Loop");
  }
  ~RestOfList() override { *aborted_ = true; }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    if (left_.empty() && !rows_.ended()) MakeMore();
    const std::size_t count = std::min(left_.size(), into.size());
    std::copy_n(left_.data(), count, into.data());
    left_.remove_prefix(count);
    loop_->Post([done = std::move(done), aborted = aborted_, count]() mutable {
      if (*aborted) return done(Cancelled("the stream was aborted"));
      done(count);
    });
  }
  void Write(std::string_view, Callback<absl::Status> done) override {
    loop_->Post([done = std::move(done)]() mutable {
      done(FailedPrecondition("the body of a reply is only read"));
    });
  }
  void CloseWrite() override {}
  void Abort() override { *aborted_ = true; }

 private:
  void MakeMore() {
    list_->pieces.push_back(rows_.Next(kPiece));
    left_ = *list_->pieces.back();
    if (rows_.ended()) Keep(context_->lists(), moment_, list_);
  }

  const ContextPointer context_;
  RowWriter rows_;
  const std::shared_ptr<KeptList> list_;
  const Moment moment_;
  Loop* const loop_;
  const std::shared_ptr<bool> aborted_;
  std::string_view left_;  // of the newest piece
};

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
  Moment moment{};
  moment.generation = context->cluster().generation();
  moment.second =
      std::chrono::floor<std::chrono::seconds>(context->clock().Wall()).time_since_epoch().count();
  const std::string key = FormatQuery(exchange.query);
  const std::shared_ptr<const KeptList> kept = Kept(context->lists(), moment, key);
  if (kept) co_return ReplyOf(*kept);

  absl::StatusOr<ContainerQuery> query = ContainerQuery::Read(*context, exchange.query);
  if (!query.ok()) co_return query.status();
  SizeFields sizes;
  const std::string* size = FindQuery(exchange.query, "size");
  if (size != nullptr && ParseBoolean(*size)) {
    SizeFields asked = co_await AskSizes(context, exchange.version);
    sizes = std::move(asked);
  }
  RowWriter rows(*context, *std::move(query), std::move(sizes));
  auto list = std::make_shared<KeptList>();
  list->query = key;
  list->pieces.push_back(rows.Next(kFirstPiece));
  list->unreachable = UnreachableNodes(*context);
  Reply reply = ReplyOf(*list);
  if (rows.ended()) {
    Keep(context->lists(), moment, std::move(list));
  } else {
    reply.body_stream =
        std::make_unique<RestOfList>(context, std::move(rows), std::move(list), moment);
  }
  co_return reply;
}

}  // namespace swarm
