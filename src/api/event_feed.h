// What one client of /events reads: a place in the event history, no queue of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/context.h"
#include "api/event_pump.h"
#include "api/replay_turns.h"
#include "base/memory_budget.h"
#include "swarmlib/stream.h"

namespace swarm {

// Later than any event, also of an engine whose clock is ahead.
inline constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

// Live events, or first the past: what engines told, merged by time with what is kept. Lives on the
// loop that made it. The reader keeps it alive until the client goes.
class EventFeed final : public EventPump::Listener, public std::enable_shared_from_this<EventFeed> {
 public:
  struct Options {
    ContextPointer context;
    FilterArguments filters;
    ApiVersion version;
    bool sequence_marks = false;  // RFC 7464: RS before each object
    std::optional<std::int64_t> until;
  };
  using Events = std::vector<std::shared_ptr<const ClusterEvent>>;

  EventFeed(Loop& loop, Options options);
  ~EventFeed() override;

  // Once, for Reply::body_stream.
  std::unique_ptr<Stream> Reader();

  const ContextPointer& context() const { return options_.context; }
  const std::optional<std::int64_t>& until() const { return options_.until; }
  ApiVersion version() const { return options_.version; }
  bool gone() const { return gone_; }

  // The cluster's news wake this feed from now on. Not needed where the end is past.
  void Follow();
  // Either: events that come from now on.
  void StartLive();
  // Or: nothing is given before StartPast, and `turn` is this feed's from now on.
  void HoldTurn(std::shared_ptr<ReplayTurns::Turn> turn) { turn_ = std::move(turn); }
  // The past from `since` on: `told` in order, and of the kept events those up to the sequence
  // `newest`; `dropped` as for Cluster::EventsBehind. Behind it, what came after `newest`.
  void StartPast(Events told, std::int64_t since, std::uint64_t newest, std::uint64_t dropped);
  // The end comes behind the event of that sequence and then `told`.
  void FinishBehind(std::uint64_t newest, Events told);
  // Calls `then` at that time, unless the client goes before.
  void AtTime(Duration from_now, Callback<> then);

  void TakeTurn() override;

 private:
  friend class EventFeedReader;
  enum class Phase { kGathering, kPast, kLive, kLast, kEnded };

  void Read(std::span<char> into, ResultCallback<std::size_t> done);
  void Gone();
  void Finish(absl::StatusOr<std::size_t> result);
  std::size_t Fill(std::span<char> into);
  bool IsWanted(const ClusterEvent& event) const;
  std::shared_ptr<const ClusterEvent> Next();
  std::shared_ptr<const ClusterEvent> NextPast();
  std::shared_ptr<const ClusterEvent> NextLive();
  void EndPast();
  std::string TextOf(const ClusterEvent& event) const;
  std::shared_ptr<const ClusterEvent> LossMark(std::string_view reason) const;
  void CutOff();
  void LeavePump();
  void AwaitTurn();
  void WatchForStall();

  Loop& loop_;
  const Options options_;
  const std::shared_ptr<EventPump> pump_;
  Phase phase_ = Phase::kGathering;
  bool joined_ = false;
  bool gone_ = false;
  std::span<char> into_;
  ResultCallback<std::size_t> done_;
  bool in_line_ = false;  // for the pump, or for news
  std::string rest_;      // of an event that did not fit
  std::size_t rest_at_ = 0;
  absl::Status end_;

  // Places.
  EventPlace place_;                   // kPast
  std::uint64_t dropped_ = 0;          // when the past began
  std::uint64_t past_newest_ = 0;      // of kPast
  std::uint64_t passed_ = 0;           // kLive: the newest that was given
  std::optional<std::uint64_t> last_;  // kLive ends behind it
  std::deque<std::shared_ptr<const ClusterEvent>> told_, told_last_;
  MemoryShare told_memory_;
  std::shared_ptr<ReplayTurns::Turn> turn_;  // null: the past waits
  bool awaits_turn_ = false;
  Loop::TimerId stall_timer_ = 0, until_timer_ = 0;
  // Of the turn that runs: what was read from the history and not given yet.
  std::deque<std::shared_ptr<const ClusterEvent>> page_;
  std::size_t looked_at_ = 0;
};

}  // namespace swarm
