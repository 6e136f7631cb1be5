#include "net/tunnel.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>

#include "net/bounds.h"

namespace swarm::net {
namespace {

using Waitable = boost::asio::posix::stream_descriptor;

constexpr int kSplicesInOneTurn = 16;  // then others get the loop

// A descriptor of our own of the same socket, so that waiting needs nothing of the stream.
std::optional<Waitable> Duplicate(Loop& loop, int socket) {
  Descriptor copy(fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return std::nullopt;
  Waitable waitable(loop.context());
  boost::system::error_code error;
  waitable.assign(copy.get(), error);
  if (error) return std::nullopt;
  copy.Release();
  waitable.native_non_blocking(true, error);
  if (error) return std::nullopt;
  return waitable;
}

}  // namespace

Tunnel::Tunnel(Loop& loop, Ends ends, Callback<> done)
    : loop_(loop), ends_(std::move(ends)), done_(std::move(done)) {
  to_upstream_.from = ends_.client.get();
  to_upstream_.to = ends_.upstream.get();
  to_upstream_.first = std::move(ends_.from_client);
  to_client_.from = ends_.upstream.get();
  to_client_.to = ends_.client.get();
  to_client_.first = std::move(ends_.from_upstream);
}

Tunnel::~Tunnel() = default;

std::vector<Tunnel::Pipe>& Tunnel::SparePipes() {
  thread_local std::vector<Pipe> spare;
  return spare;
}

bool Tunnel::TakePipe(Way& way) {
  if (way.pipe.read_end.valid()) return true;
  std::vector<Pipe>& spare = SparePipes();
  if (!spare.empty()) {
    way.pipe = std::move(spare.back());
    spare.pop_back();
    return true;
  }
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return false;
  way.pipe = {Descriptor(ends[0]), Descriptor(ends[1])};
  return true;
}

void Tunnel::GivePipe(Way& way) {
  Pipe pipe = std::exchange(way.pipe, {});
  std::vector<Pipe>& spare = SparePipes();
  if (way.in_pipe == 0 && pipe.read_end.valid() && spare.size() < kMaxSparePipes) {
    spare.push_back(std::move(pipe));
  }
}

void Tunnel::Start() {
  const std::optional<int> client = ends_.client->NativeSocket();
  const std::optional<int> upstream = ends_.upstream->NativeSocket();
  if (client && upstream) {
    for (Way* way : {&to_upstream_, &to_client_}) {
      const bool up = way == &to_upstream_;
      way->source = Duplicate(loop_, up ? *client : *upstream);
      way->sink = Duplicate(loop_, up ? *upstream : *client);
    }
  }
  Run(to_client_);
  Run(to_upstream_);
}

void Tunnel::FromClient(std::string_view bytes) {
  if (finished_) return;
  ends_.client_read_pending = false;
  if (bytes.empty()) ends_.client_ended = true;
  late_ = bytes;
  if (to_upstream_.first.empty()) Run(to_upstream_);
}

void Tunnel::Abort() { Finish(); }

void Tunnel::Run(Way& way) {
  if (!way.first.empty()) {
    way.to->Write(way.first, [self = shared_from_this(), &way](absl::Status status) {
      if (self->finished_) return;
      way.first = {};
      if (!status.ok()) return self->WayEnded(way);
      self->Run(way);
    });
    return;
  }
  if (&way == &to_upstream_) {
    if (ends_.client_read_pending) return;  // FromClient() goes on
    if (!late_.empty()) {
      way.first = std::exchange(late_, {});
      return Run(way);
    }
    if (ends_.client_ended) return SourceEnded(way);
  }
  if (way.source && way.sink) {
    Splice(way);
  } else {
    Copy(way);
  }
}

void Tunnel::Copy(Way& way) {
  // The buffer lives in the tunnel, which the callbacks keep.
  if (way.buffer.empty()) way.buffer.resize(kStreamBuffer);
  way.from->Read(way.buffer, [self = shared_from_this(), &way](absl::StatusOr<std::size_t> got) {
    if (self->finished_) return;
    if (!got.ok()) return self->Finish();
    if (*got == 0) return self->SourceEnded(way);
    const std::string_view bytes(way.buffer.data(), *got);
    way.to->Write(bytes, [self, &way](absl::Status status) {
      if (self->finished_) return;
      if (!status.ok()) return self->WayEnded(way);
      self->Copy(way);
    });
  });
}

void Tunnel::Splice(Way& way) {
  for (int i = 0; i < kSplicesInOneTurn; ++i) {
    if (way.in_pipe == 0 && !FillPipe(way)) return;
    if (!DrainPipe(way)) return;
  }
  boost::asio::post(loop_.context(), [self = shared_from_this(), &way] {
    if (!self->finished_) self->Splice(way);
  });
}

// False when the way waits or ended.
bool Tunnel::FillPipe(Way& way) {
  if (!TakePipe(way)) {  // out of descriptors
    way.source.reset();
    Copy(way);
    return false;
  }
  const ssize_t got = splice(way.source->native_handle(), nullptr, way.pipe.write_end.get(),
                             nullptr, kMaxSpliced, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (got > 0) {
    way.in_pipe = static_cast<std::size_t>(got);
    return true;
  }
  if (got == 0) {
    SourceEnded(way);
  } else if (errno == EAGAIN || errno == EINTR) {
    GivePipe(way);
    Await(way, true);
  } else {
    Finish();
  }
  return false;
}

bool Tunnel::DrainPipe(Way& way) {
  while (way.in_pipe > 0) {
    const ssize_t put = splice(way.pipe.read_end.get(), nullptr, way.sink->native_handle(), nullptr,
                               way.in_pipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (put > 0) {
      way.in_pipe -= static_cast<std::size_t>(put);
    } else if (put < 0 && (errno == EAGAIN || errno == EINTR)) {
      Await(way, false);
      return false;
    } else {
      WayEnded(way);
      return false;
    }
  }
  return true;
}

void Tunnel::Await(Way& way, bool readable) {
  Waitable& waitable = readable ? *way.source : *way.sink;
  waitable.async_wait(readable ? Waitable::wait_read : Waitable::wait_write,
                      [self = shared_from_this(), &way](const boost::system::error_code& error) {
                        if (self->finished_) return;
                        if (error) return self->Finish();
                        self->Splice(way);
                      });
}

// A peer that has ended its side may still go away altogether; nobody reads from it any more, so
// nobody would notice. An end of both its directions, or a reset, ends the tunnel.
void Tunnel::WatchForLoss(Way& way) {
  if (!way.source) {
    way.from->NotifyLoss([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Finish();
    });
    return;
  }
  way.source->async_wait(Waitable::wait_error,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           if (!error && !self->finished_) self->Finish();
                         });
}

void Tunnel::SourceEnded(Way& way) {
  way.to->CloseWrite();
  WayEnded(way);
}

void Tunnel::WayEnded(Way& way) {
  if (way.ended) return;
  way.ended = true;
  way.buffer = {};
  GivePipe(way);
  if (to_upstream_.ended && to_client_.ended) return Finish();
  if (&way == &to_upstream_) WatchForLoss(way);
}

void Tunnel::Finish() {
  if (std::exchange(finished_, true)) return;
  for (Way* way : {&to_upstream_, &to_client_}) {
    way->source.reset();
    way->sink.reset();
    way->pipe = {};
  }
  ends_.client.reset();
  ends_.upstream.reset();
  boost::asio::post(loop_.context(), [self = shared_from_this()] {
    Callback<> done = std::exchange(self->done_, nullptr);
    if (done) done();
  });
}

}  // namespace swarm::net
