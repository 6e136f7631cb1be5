// How many connections of clients a manager holds at once, and which of them makes room for
// another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "async/loop.h"
#include "base/metrics.h"
#include "swarmlib/clock.h"
#include "swarmlib/log.h"

namespace swarm::net {

// Half of the descriptors that this process may open, but for the reserved ones: each client's
// connection may need another one to an engine. At least 16.
std::size_t MaxConnectionsOfDescriptors();

// Whose connection a socket is: the address of its client ("10.0.0.9"), of IPv6 the network of 64
// bits that one host can have for itself ("2001:db8::/64"), and on a unix socket, where clients
// have no address, their user ("unix user 1000").
std::string ClientOf(int socket);

// Counts the connections of all servers that share it. When it is full, the connection that has
// waited longest for its next request is closed for the new one; a client that holds as many as one
// may gives one of its own, and is refused when all of those are at work. Thread-safe.
class ConnectionRoom : public std::enable_shared_from_this<ConnectionRoom> {
  struct Holder;

 public:
  struct Options {
    std::size_t max_connections = 0;  // of all clients; 0 = MaxConnectionsOfDescriptors()
    std::size_t max_per_client = 0;   // of one, as ClientOf() names it; 0 = max_connections
    Clock* clock = nullptr;           // null = SystemClock()
    LogSink log;                      // one warning a minute while connections are closed or wait
    Metrics* metrics = nullptr;       // null = not counted; else it must outlive the room
  };

  // What is asked to close while it waits for a request. Called on its loop.
  class Occupant {
   public:
    virtual ~Occupant() = default;
    virtual void CloseIfIdle() = 0;
  };

  // The place of one connection, until destroyed. Used on the loop of its connection.
  class Slot {
   public:
    Slot(std::shared_ptr<ConnectionRoom> room, Loop& loop) : room_(std::move(room)), loop_(loop) {}
    ~Slot();
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    // Who waits here; before the first AwaitRequest.
    void Attach(std::weak_ptr<Occupant> occupant) { occupant_ = std::move(occupant); }
    // The connection waits for a request from now on, and may be closed. Does nothing when it does
    // so already: half a request renews nothing.
    void AwaitRequest();
    // A request begins. False: the connection was to be closed at this moment; it should end with
    // this request.
    bool BeginRequest();

   private:
    friend ConnectionRoom;
    enum class State { kBusy, kIdle, kClosing };

    const std::shared_ptr<ConnectionRoom> room_;
    Loop& loop_;
    std::weak_ptr<Occupant> occupant_;
    bool waits_ = false;  // as the connection knows it

    // Guarded by the room.
    State state_ = State::kBusy;
    Holder* holder_ = nullptr;
    std::list<Slot*>::iterator in_room_, of_holder_;  // while idle
  };

  explicit ConnectionRoom(Options options);
  ~ConnectionRoom();

  // Whether the next connection may be accepted. If not, every connection is at work: `resume` is
  // called once when that has changed, on any thread and with the room locked, so it may do no more
  // than post. One for each `owner`.
  bool MayAccept(const void* owner, std::function<void()> resume);
  // Drops what waits for the owner.
  void StopWaiting(const void* owner);

  // The place of a connection just accepted. Null: refused, since its client holds as many as one
  // may and uses all of them.
  std::unique_ptr<Slot> Enter(const std::string& client, Loop& loop);

  // Called when accept() found no descriptor: closes the connection that has waited longest for its
  // next request, unless another one is closing. Whether one closes now.
  bool CloseOneIdle();

  std::size_t open() const;
  std::size_t max_connections() const { return max_; }
  std::size_t max_per_client() const { return max_per_client_; }

 private:
  struct Tally;

  // With mutex_ held.
  bool CloseLongestIdle(std::list<Slot*>& idle);
  void RemoveIdle(Slot& slot);
  void ResumeWaiting();
  std::optional<LogRecord> ReportNow();
  void Tell(const std::optional<LogRecord>& record) const;

  const std::size_t max_;
  const std::size_t max_per_client_;
  Clock& clock_;
  const LogSink log_;
  const std::unique_ptr<Metrics> own_metrics_;
  const std::unique_ptr<Tally> tally_;

  mutable std::mutex mutex_;
  std::size_t counted_ = 0;  // all but those told to close
  std::size_t closing_ = 0;  // told to close, and still open
  std::list<Slot*> idle_;    // the longest first
  std::unordered_map<std::string, std::unique_ptr<Holder>> holders_;
  std::unordered_map<const void*, std::function<void()>> waiting_;
  TimePoint next_report_{};
};

}  // namespace swarm::net
