// One connection to an engine's events, from the answer to GET /events until it breaks.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "async/task.h"
#include "cluster/engine.h"
#include "cluster/tasks.h"
#include "swarmlib/event.h"
#include "swarmlib/stream.h"

namespace swarm {

// Events that wait to be applied before the stream is given up and everything is read anew.
inline constexpr std::size_t kMostUnappliedEvents = 65'536;
// Events applied together: a container that is in several of them is read once.
inline constexpr std::size_t kMostEventsAtOnce = 256;
// Events of one engine applied in one turn of the loop, for many engines may tell of much at the
// same time. Of what waits at least this part, so that an engine is never left behind.
inline constexpr std::size_t kEventsATurn = 8;
inline constexpr std::size_t kWaitingEventsATurn = 64;  // one of so many

// Which events of an engine were seen, over its sessions: an engine replays what it still has since
// a time, and what came before the break must not come twice. Home loop only.
class SeenEvents {
 public:
  // What the engine's own clock showed before its first stream was opened, so that the next one has
  // a `since` also when the first told nothing. Nothing older is taken. Ignored after Opened.
  void BeginAt(std::int64_t engine_nano);
  // A stream was opened. True for the first one.
  bool Opened();
  // False when it was seen already.
  bool Add(const ClusterEvent& event);
  // True once after a stream was opened anew if the engine did not tell the newest event again that
  // was seen: it has forgotten it, and maybe others behind it. To be asked behind what it replays.
  bool TakeLoss();
  std::int64_t begin() const { return begin_; }  // of BeginAt; 0 without
  std::int64_t newest() const { return newest_; }
  // The `since` of a new stream, "1700000000.123456789"; empty when neither an event nor the
  // engine's clock was seen yet.
  std::string Since() const;

 private:
  // Twice what engines keep (256).
  static constexpr std::size_t kRemembered = 512;

  std::array<std::uint64_t, kRemembered> keys_{};
  std::size_t next_ = 0;
  std::int64_t newest_ = 0;
  std::uint64_t newest_key_ = 0;
  std::int64_t begin_ = 0;
  bool opened_ = false;
  bool awaits_newest_ = false;  // a stream was opened anew, and has not told it again yet
};

struct ReceivedEvent {
  ClusterEvent event;
  UnderWay::Moment received = 0;
};

// Home loop only.
struct Session {
  // Ends every part: the stream is cut, calls under way are given up, sleepers wake.
  void End();

  std::shared_ptr<Engine> engine;
  std::shared_ptr<SeenEvents> seen;
  std::unique_ptr<Stream> stream;
  std::string first_bytes;  // that came with the head
  std::deque<ReceivedEvent> waiting;
  bool over = false;
  bool resync = false;  // something could not be applied: read everything at the next tick
  bool silent = true;   // nothing came since the last reading of everything
  std::stop_source stop;
  Pause tick_pause;
  Pause apply_pause;
};

// Opens the stream, since what was seen last.
Task<absl::Status> OpenEvents(std::shared_ptr<Session> session);
// Reads events into `waiting` until the stream ends, then ends the session.
Task<void> ReadEvents(std::shared_ptr<Session> session);
// To be called when all that the engine replays was read: adds an `events_lost` if some are
// missing.
void NoteLoss(Session& session);
// Hands on what waits without applying it.
void ForwardWaiting(Session& session);
// Applies what waits, in order, until the session is over.
Task<void> ApplyEvents(std::shared_ptr<Session> session);

}  // namespace swarm
