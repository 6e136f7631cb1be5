// When sockets can be read and written: one epoll descriptor a loop. docs/design/010 tells why it
// is not Asio's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/loop.h"

namespace swarm::net {

// Belongs to the loop's io_context and is watched by it. Each socket is registered once for
// reading, writing and hang-up, edge-triggered: an event comes when something changes, and its
// watcher remembers it. Use it on the loop.
class Reactor final : public boost::asio::execution_context::service {
 public:
  class Watcher : public std::enable_shared_from_this<Watcher> {
   public:
    virtual ~Watcher() = default;
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    bool watched() const { return descriptor_ >= 0; }

    // EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR. May remove any watcher, this one too.
    virtual void OnReady(std::uint32_t events) = 0;

    // The loop is destroyed: drop what waits, without calling it. The watcher is removed already.
    virtual void OnShutdown() = 0;

   private:
    friend Reactor;
    int descriptor_ = -1;
    Watcher* next_ = nullptr;
    Watcher* previous_ = nullptr;
  };

  static boost::asio::execution_context::id id;  // named so by Asio
  static Reactor& Of(Loop& loop);

  explicit Reactor(boost::asio::io_context& context);

  // What is ready already is told too. The error number when the kernel refuses, else 0. The
  // watcher must be removed before it and before the descriptor are gone.
  int Add(int descriptor, Watcher& watcher);
  // Nothing is told any more. A watcher that is not watched is ignored.
  void Remove(Watcher& watcher);

 private:
  void shutdown() override;
  void Wait();
  void RunBatch();
  void Unlink(Watcher& watcher);

  using Waitable =
      boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  Waitable epoll_;
  bool waiting_ = false;
  bool in_batch_ = false;
  Watcher* first_ = nullptr;
  std::vector<std::shared_ptr<Watcher>> removed_;  // an event of this batch may still name them
};

}  // namespace swarm::net
