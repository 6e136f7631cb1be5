#include "net/reactor.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "net/bounds.h"

namespace swarm::net {

boost::asio::execution_context::id Reactor::id;

Reactor& Reactor::Of(Loop& loop) { return boost::asio::use_service<Reactor>(loop.context()); }

Reactor::Reactor(boost::asio::io_context& context) : service(context), epoll_(context) {
  const int made = epoll_create1(EPOLL_CLOEXEC);
  if (made < 0) return;  // out of descriptors: Add() says so
  boost::system::error_code error;
  epoll_.assign(made, error);
  SWARM_CHECK(!error, "an epoll descriptor can be watched");
}

int Reactor::Add(int descriptor, Watcher& watcher) {
  SWARM_CHECK(!watcher.watched(), "watched once");
  if (!epoll_.is_open()) return EMFILE;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watcher;
  if (epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) != 0) return errno;
  watcher.descriptor_ = descriptor;
  watcher.next_ = first_;
  watcher.previous_ = nullptr;
  if (first_ != nullptr) first_->previous_ = &watcher;
  first_ = &watcher;
  if (!in_batch_) Wait();
  return 0;
}

// Explicitly, since a duplicate of the descriptor may live on and keep the registration.
void Reactor::Remove(Watcher& watcher) {
  if (!watcher.watched()) return;
  epoll_event unused{};
  epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, watcher.descriptor_, &unused);
  Unlink(watcher);
  if (in_batch_) removed_.push_back(watcher.shared_from_this());
}

void Reactor::Unlink(Watcher& watcher) {
  if (watcher.next_ != nullptr) watcher.next_->previous_ = watcher.previous_;
  (watcher.previous_ != nullptr ? watcher.previous_->next_ : first_) = watcher.next_;
  watcher.next_ = watcher.previous_ = nullptr;
  watcher.descriptor_ = -1;
}

void Reactor::Wait() {
  if (std::exchange(waiting_, true)) return;
  epoll_.async_wait(Waitable::wait_read, [this](const boost::system::error_code& error) {
    waiting_ = false;
    if (!error) RunBatch();
  });
}

void Reactor::RunBatch() {
  std::array<epoll_event, kReactorBatch> events;
  const int count =
      epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  in_batch_ = true;
  for (int i = 0; i < count; ++i) {
    auto* const watcher = static_cast<Watcher*>(events[i].data.ptr);
    if (watcher->watched()) watcher->OnReady(events[i].events);
  }
  in_batch_ = false;
  std::exchange(removed_, {}).clear();
  Wait();  // tells at once when more is ready
}

// What waits may own the stream on which it waits.
void Reactor::shutdown() {
  boost::system::error_code ignored;
  while (first_ != nullptr) {
    const std::shared_ptr<Watcher> watcher = first_->shared_from_this();
    Unlink(*watcher);
    watcher->OnShutdown();
  }
  removed_.clear();
  epoll_.close(ignored);
}

}  // namespace swarm::net
