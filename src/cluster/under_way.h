// Which containers of an engine this manager itself is changing now.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/loop.h"
#include "async/task.h"
#include "base/text.h"
#include "swarmlib/callback.h"

namespace swarm {

// Events of a change of our own arrive while it is under way, and it ends with a reading of the
// container anyway. An event that came before that reading was begun, or that is the change's own,
// which an engine tells before it answers, is spared a reading of its own.
//
// Thread-safe.
class UnderWay {
 public:
  // Orders what came and what was begun.
  using Moment = std::uint64_t;

  struct Reading {
    Moment begun = 0;    // 0 before
    std::string action;  // of the event that is still to come and that it shows; empty without one
  };

  // One change: from before the request to the engine until the container was read, or will not be.
  class Change {
   public:
    // `key` is a container's id, or KeyOfName of one that is being created; `action` that of the
    // one event by which an engine tells of the change before it answers, or empty. `all` outlives
    // this.
    Change(UnderWay& all, std::string key, std::string action);
    ~Change();
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

    // The reading that is begun next shows what came up to now, and the change if it was `made`.
    void BeginReading(bool made);
    // It was published, or nothing came of it.
    void EndReading(bool published);

   private:
    friend class UnderWay;
    UnderWay& all_;
    const std::string key_;
    Reading reading_;
    bool is_over_ = false;
    std::vector<Callback<bool>> waiting_;
  };

  static std::string KeyOfName(const std::string& name) { return "/" + name; }

  Moment Now();

  // Of an event about `key`.
  struct Event {
    std::string key;
    std::string action;
    Moment received = 0;
  };
  // kComing: `done` is called once, with whether a reading that shows the event was published.
  // Otherwise it is dropped. An own event is asked for once.
  enum class Answer { kNone, kComing, kPublished };
  Answer Await(const Event& event, Callback<bool> done);
  // The event needs no answer, as a later one about the same container is asked for. If it is a
  // change's own, that one is not awaited any more.
  void Pass(const Event& event);
  // Own events that have not come yet may never come: the stream that would tell them is a new one.
  void ForgetFinished();
  // Whether anything is known of `key`.
  bool Has(const std::string& key) const;

 private:
  static constexpr std::size_t kMostFinished = 64;

  struct Finished {
    std::string key;
    Reading reading;
  };

  static bool Shows(Reading& reading, const Event& event);
  static bool IsOwn(const Reading& reading, const Event& event);

  mutable std::mutex mutex_;
  Moment last_ = 0;
  StringMap<std::vector<Change*>> changes_;
  std::deque<Finished> finished_;  // published, newest last
};

// True when a change of our own read and published what the event tells; false when there is none
// or it does not come to that within `patience`. On `loop`, the caller's; `under_way` outlives the
// wait.
Task<bool> IsReadByChange(UnderWay& under_way, Loop* loop, UnderWay::Event event,
                          Duration patience);

}  // namespace swarm
