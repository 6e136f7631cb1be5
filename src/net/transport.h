// What the transport asks of a connection beyond Stream.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "swarmlib/backend.h"
#include "swarmlib/callback.h"
#include "swarmlib/stream.h"

namespace swarm::net {

// A connection: a socket or a TLS session on one. Rules of threads and callbacks as for Stream.
class Transport : public Stream {
 public:
  // Writes all bytes of all pieces, in order. The array and the bytes live until the callback.
  // Counts as the one Write that may be under way.
  virtual void WriteMany(std::span<const std::string_view> pieces, Callback<absl::Status> done) = 0;

  // Hands over what the connection takes at once, without a callback, and returns how many bytes
  // that was, counted over the pieces; 0 also on errors, which the next Write reports. Only while
  // no Write is under way.
  virtual std::size_t WriteSome(std::span<const std::string_view> pieces) = 0;

  // Bytes that the socket has taken so far, TLS records among them: tells a write that goes on from
  // one that is stuck.
  virtual std::uint64_t written() const = 0;

  // Who is at the other end.
  virtual const Peer& peer() const = 0;

  // True when bytes, an end or an error are there to be read at once; for a connection that should
  // be silent. Costs a system call. No Read may have delivered bytes that were not taken.
  virtual bool HasNews() = 0;
};

}  // namespace swarm::net
