// Which node the parts of one build went to.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"

namespace swarm {

// A build of BuildKit comes as several requests: its connections must end at the same engine. Each
// part is known by keys: the session, the build, the client. What is decided for one key stays
// until all that was opened under it is closed, and a while longer, so that a part that comes again
// finds its node. Thread-safe.
class BuildSessions {
 public:
  // How long after the last close a node is remembered.
  static constexpr Duration kSessionKept = std::chrono::seconds(60);
  static constexpr Duration kClientKept = std::chrono::minutes(10);
  // How long after its end the images of a build may not be known yet.
  static constexpr Duration kFreshFor = std::chrono::seconds(60);
  static constexpr std::size_t kMostKeys = 8'192;
  static constexpr std::size_t kMostWaiting = 1'024;

  struct Key {
    enum class Kind { kSession, kBuild, kClient };
    Kind kind;
    std::string text;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  using Keys = std::vector<Key>;

  // Something open. Closed when it is destroyed.
  class Hold {
   public:
    Hold(std::shared_ptr<BuildSessions> sessions, Keys keys, std::string node);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    const std::shared_ptr<BuildSessions> sessions_;
    const Keys keys_;
    const std::string node_;
  };

  explicit BuildSessions(const Clock& clock) : clock_(clock) {}

  // The address of the node decided for the first of the keys that has one; empty for none.
  std::string NodeOf(const Keys& keys);
  // The same of keys under which something is open now.
  std::string OpenNodeOf(const Keys& keys);
  // Decides for all keys and tells who waits. A node that was decided for one of them before stays:
  // it is given back. ResourceExhausted (503) when kMostKeys are open.
  absl::StatusOr<std::string> Decide(const Keys& keys, const std::string& node);
  // Forgets what was decided for the key, for what comes from now on.
  void Forget(const Key& key);

  // `decided` is called once, on any thread, with the node of the first of the keys that gets one;
  // at once when one has. Dropped by GiveUp. 0: too many wait.
  using WaitId = std::uint64_t;
  WaitId Await(const Keys& keys, Callback<std::string> decided);
  void GiveUp(WaitId id);

  // How much is open on a node.
  std::size_t OpenOn(const std::string& node);
  // Nodes where something is open, or was closed less than kFreshFor ago; in order.
  std::vector<std::string> FreshNodes();
  std::size_t size();

 private:
  struct Entry {
    std::string node;
    std::size_t open = 0;
    TimePoint touched;  // when it was decided, or something closed last
  };
  struct Waiter {
    Keys keys;
    Callback<std::string> decided;
  };
  struct Use {
    std::size_t open = 0;
    TimePoint closed;
  };

  void Opened(const Keys& keys, const std::string& node);
  void Closed(const Keys& keys, const std::string& node);
  Entry* Find(const Key& key);
  void Sweep();
  bool MakeRoom(std::size_t wanted);

  const Clock& clock_;
  std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::map<WaitId, Waiter> waiters_;
  std::map<std::string, Use> nodes_;  // by address
  WaitId last_id_ = 0;
  TimePoint swept_{};
};

}  // namespace swarm
