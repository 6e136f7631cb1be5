#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "api/container_filters.h"
#include "api/container_sizes.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/retry_later.h"
#include "swarmlib/status.h"
#include "wire/containers.h"
#include "wire/filters.h"

namespace swarm {
namespace {

constexpr std::size_t kFirstPiece = 16U << 10U;    // bytes made before the first leaves
constexpr std::size_t kFirstGroups = 256U << 10U;  // the same where most is kept
constexpr std::size_t kPiece = 64U << 10U;         // made for every further piece
constexpr std::size_t kRoomForRow = 4U << 10U;     // more than most rows take

// Makes the rows of one list piece by piece, from the containers as they were when it began.
class RowWriter {
 public:
  RowWriter(const ContextPointer& context, ContainerQuery query, SizeFields sizes)
      : context_(context),
        query_(std::move(query)),
        sizes_(std::move(sizes)),
        now_(context->clock().Wall()),
        groups_(GroupsOf(*context, query_, &own_bytes_)),
        is_plain_(query_.IsPlain() && sizes_.empty()),
        list_(is_plain_ ? context->rows().Begin() : 0) {}

  // Appends the next pieces: kept ones, and at least `least` bytes of new ones unless the list ends
  // before.
  void Next(std::size_t least, std::vector<Piece>& pieces) {
    if (is_plain_) {
      NextGroups(least, pieces);
    } else {
      pieces.push_back(NextRows(least));
    }
  }

  // Of memory that no other list shares: the groups of a filter that has its own.
  std::size_t own_bytes() const { return own_bytes_; }
  bool is_plain() const { return is_plain_; }
  bool ended() const { return ended_; }

 private:
  static ContainerGroups GroupsOf(const Context& context, const ContainerQuery& query,
                                  std::size_t* own_bytes) {
    std::optional<ContainerGroups> candidates = query.Candidates(context);
    if (!candidates) return context.cluster().ContainersInGroups();
    for (const auto& group : *candidates) *own_bytes += group->size() * sizeof(ContainerPointer);
    return *std::move(candidates);
  }

  void NextGroups(std::size_t least, std::vector<Piece>& pieces) {
    std::size_t made = 0;
    for (; group_ < groups_.size() && made < least; ++group_) {
      const KeptRows::Form form{query_.all(), rows_ == 0};
      Piece text = context_->rows().Find(list_, *groups_[group_], form, now_);
      if (!text) {
        text = MakeGroup(form);
        made += text->size();
      }
      if (text->empty()) continue;
      ++rows_;
      pieces.push_back(std::move(text));
    }
    ended_ = group_ == groups_.size();
    if (!ended_) return;
    pieces.push_back(std::make_shared<const std::string>(rows_ == 0 ? "[]\n" : "]\n"));
    context_->rows().End(list_, query_.all());
  }

  Piece MakeGroup(KeptRows::Form form) {
    const ContainerGroup& group = *groups_[group_];
    auto text = std::make_shared<std::string>();
    text->reserve(SizeOf(group));
    WallTime until = WallTime::max();
    for (const ContainerPointer& entry : group) {
      if (!query_.Shows(*entry)) continue;
      *text += text->empty() && form.is_first ? '[' : ',';
      AppendRow(*text, *entry, now_);
      until = std::min(until, RowHoldsUntil(*entry, now_));
    }
    return context_->rows().Keep(list_, groups_[group_], form, std::move(text), until);
  }

  static std::size_t SizeOf(const ContainerGroup& group) {
    constexpr std::size_t kRoomForStatus = 64;
    std::size_t size = 0;
    for (const ContainerPointer& entry : group) {
      size += entry->row.head.size() + kRoomForStatus + entry->row.tail.size();
    }
    return size;
  }

  Piece NextRows(std::size_t least) {
    auto piece = std::make_shared<std::string>();
    piece->reserve(least + kRoomForRow);
    if (!std::exchange(begun_, true)) *piece += '[';
    while (group_ < groups_.size() && piece->size() < least) {
      const ContainerGroup& group = *groups_[group_];
      const ContainerEntry& entry = *group[in_group_];
      if (query_.Shows(entry)) AddRow(entry, *piece);
      if (++in_group_ == group.size()) ++group_, in_group_ = 0;
      if (query_.limit() > 0 && rows_ == query_.limit()) group_ = groups_.size();
    }
    ended_ = group_ == groups_.size();
    if (ended_) *piece += "]\n";
    return piece;
  }

  void AddRow(const ContainerEntry& entry, std::string& piece) {
    if (rows_++ > 0) piece += ',';
    const std::size_t begin = piece.size();
    AppendRow(piece, entry, now_);
    const auto size = sizes_.find(entry.container.id);
    if (size != sizes_.end()) piece.insert(begin + 1, size->second);  // behind the brace
  }

  ContextPointer context_;
  ContainerQuery query_;
  SizeFields sizes_;
  WallTime now_;
  std::size_t own_bytes_ = 0;
  ContainerGroups groups_;
  bool is_plain_;
  std::uint64_t list_;
  std::size_t group_ = 0, in_group_ = 0;  // what comes next
  std::size_t rows_ = 0;                  // written; of a plain list, pieces
  bool begun_ = false, ended_ = false;
};

absl::Status NoRoomForList() {
  return RetryLater(
      "no room for a list: the memory for clients (--client-memory) is in use; try again");
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

std::int64_t SecondNow(const Context& context) {
  return std::chrono::floor<std::chrono::seconds>(context.clock().Wall())
      .time_since_epoch()
      .count();
}

// The rest of a long list, made while its beginning is on its way. What was sent is collected for
// others who ask the same, as long as that is of use and the budget has room.
class RestOfList final : public Stream {
 public:
  RestOfList(ContextPointer context, RowWriter rows, std::shared_ptr<KeptList> list,
             ListMoment moment, MemoryShare memory)
      : context_(std::move(context)),
        rows_(std::move(rows)),
        list_(std::move(list)),
        next_(list_->pieces.size()),
        moment_(moment),
        memory_(std::move(memory)),
        collects_(!rows_.is_plain()),
        loop_(Loop::Current()),
        aborted_(std::make_shared<bool>(false)) {
    SWARM_CHECK(loop_ != nullptr, "requests run on a Loop");
    if (!collects_) return;
    // A client that does not read must not keep what nobody can use any more.
    timer_ = loop_->After(std::chrono::seconds(1), [this] {
      timer_ = 0;
      StopCollecting();
    });
  }
  ~RestOfList() override { Abort(); }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    auto fill = [this, into, done = std::move(done), aborted = aborted_]() mutable {
      if (*aborted) return done(Cancelled("the stream was aborted"));
      done(Fill(into));
    };
    if (!left_.empty()) return loop_->Post(std::move(fill));
    // Only the waiting pieces hold the turns, for they may hold this stream.
    const std::shared_ptr<OneATurn> turns = context_->list_turns().Of(*loop_);
    turns->Run(std::move(fill));
  }
  void Write(std::string_view, Callback<absl::Status> done) override {
    loop_->Post([done = std::move(done)]() mutable {
      done(FailedPrecondition("the body of a reply is only read"));
    });
  }
  void CloseWrite() override {}
  void Abort() override {
    *aborted_ = true;
    loop_->Cancel(std::exchange(timer_, 0));
  }

 private:
  std::size_t Fill(std::span<char> into) {
    if (left_.empty()) NextPiece();
    const std::size_t count = std::min(left_.size(), into.size());
    std::copy_n(left_.data(), count, into.data());
    left_.remove_prefix(count);
    return count;
  }

  void NextPiece() {
    if (next_ == list_->pieces.size() && !rows_.ended()) {
      if (collects_ && SecondNow(*context_) != moment_.second) StopCollecting();
      if (!collects_) list_->pieces.clear(), next_ = 0;
      rows_.Next(kPiece, list_->pieces);
      if (collects_ && !list_->memory.TryGrow(list_->pieces.back()->size())) StopCollecting();
      if (collects_ && rows_.ended()) {
        collects_ = false;
        context_->lists()->Keep(*loop_, moment_, list_);
      }
    }
    if (next_ < list_->pieces.size()) left_ = *list_->pieces[next_++];
  }

  // What is being sent and what comes next stays.
  void StopCollecting() {
    if (!std::exchange(collects_, false)) return;
    const std::size_t sent = next_ > 0 ? next_ - 1 : 0;
    list_->pieces.erase(list_->pieces.begin(),
                        list_->pieces.begin() + static_cast<std::ptrdiff_t>(sent));
    next_ -= sent;
    list_->memory.Release();
  }

  const ContextPointer context_;
  RowWriter rows_;
  const std::shared_ptr<KeptList> list_;
  std::size_t next_;  // of its pieces
  const ListMoment moment_;
  const MemoryShare memory_;  // of what is held in any case
  bool collects_;
  Loop* const loop_;
  const std::shared_ptr<bool> aborted_;
  Loop::TimerId timer_ = 0;
  std::string_view left_;  // of the piece before that
};

// Each piece holds the list, and with it what the list takes of the budget.
Reply ReplyOf(const std::shared_ptr<const KeptList>& list) {
  Reply reply = JsonReply(200, "");
  for (const Piece& piece : list->pieces) reply.pieces.emplace_back(list, piece.get());
  if (!list->unreachable.empty())
    reply.headers.emplace_back("X-Swarmd-Unreachable", list->unreachable);
  return reply;
}

// The beginning of one whose rest follows.
Result BeginList(const ContextPointer& context, RowWriter rows, std::shared_ptr<KeptList> list,
                 ListMoment moment) {
  MemoryShare memory(context->budget());
  // Texts of a plain list are counted where they are kept.
  const std::size_t held = rows.is_plain() ? 0 : kFirstPiece + kPiece + rows.own_bytes();
  if (held > 0 && !memory.Admit(held)) return NoRoomForList();
  Reply reply = JsonReply(200, "");
  reply.pieces = list->pieces;
  reply.body_is_held = true;
  if (!list->unreachable.empty())
    reply.headers.emplace_back("X-Swarmd-Unreachable", list->unreachable);
  reply.body_stream = std::make_unique<RestOfList>(context, std::move(rows), std::move(list),
                                                   moment, std::move(memory));
  return reply;
}

}  // namespace

Task<Result> ListContainers(ContextPointer context, ApiExchange exchange) {
  // Read before the list: a change in between makes the kept list look older than it is, never
  // newer.
  ListMoment moment{};
  moment.generation = context->cluster().generation();
  moment.second = SecondNow(*context);
  const std::string key = FormatQuery(exchange.query);
  const std::shared_ptr<const KeptList> kept = context->lists()->Find(moment, key);
  if (kept) co_return ReplyOf(kept);

  absl::StatusOr<ContainerQuery> query = ContainerQuery::Read(*context, exchange.query);
  if (!query.ok()) co_return query.status();
  if (query->NamesNetworkIds()) {
    const FoundNetworks found = co_await FindNetworks(context);
    query->AddCopies(found);
  }
  SizeFields sizes;
  const std::string* size = FindQuery(exchange.query, "size");
  if (size != nullptr && ParseBoolean(*size)) {
    SizeFields asked = co_await AskSizes(context, exchange.version);
    sizes = std::move(asked);
  }
  RowWriter rows(context, *std::move(query), std::move(sizes));
  auto list = std::make_shared<KeptList>();
  list->query = key;
  list->memory = MemoryShare(context->budget());
  rows.Next(rows.is_plain() ? kFirstGroups : kFirstPiece, list->pieces);
  list->unreachable = UnreachableNodes(*context);
  if (!rows.ended()) co_return BeginList(context, std::move(rows), std::move(list), moment);
  if (!rows.is_plain()) {
    if (!list->memory.Admit(list->pieces.back()->size())) co_return NoRoomForList();
    context->lists()->Keep(*Loop::Current(), moment, list);
  }
  co_return ReplyOf(list);
}

}  // namespace swarm
