// HTTP messages as values, and the seam through which engines are reached.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/callback.h"
#include "swarmlib/clock.h"
#include "swarmlib/stream.h"
#include "swarmlib/wiped.h"

namespace swarm {

// Fields in order, names as sent; several fields of one name are kept apart. They may hold
// credentials (X-Registry-Auth), so each copy is overwritten when it goes.
using Headers = std::vector<std::pair<std::string, std::string>,
                            WipingAllocator<std::pair<std::string, std::string>>>;

// The first field of that name (case-insensitive), or null.
const std::string* FindHeader(const Headers& headers, std::string_view name);

// Replaces every field of that name by one, or appends it.
void SetHeader(Headers& headers, std::string_view name, std::string_view value);

// Removes every field of that name.
void RemoveHeader(Headers& headers, std::string_view name);

// Who sent a request, as far as the transport knows.
struct Peer {
  std::string address;      // "10.0.0.9:51234", "unix", or "in-process"
  std::string common_name;  // of the client's certificate; empty without one
};

// A request with its body either whole in `body` or still to come through `body_stream`.
struct Request {
  std::string method;  // upper case
  std::string target;  // origin form: path and query, percent-encoded as sent
  Headers headers;     // end-to-end fields only; framing and hop-by-hop fields are the transport's
  WipedText body;      // may be a password (POST /auth)
  std::unique_ptr<Stream> body_stream;       // read side only; null when the body is whole
  std::optional<std::uint64_t> body_length;  // of body_stream, when known; else it is sent chunked
  bool wants_upgrade = false;                // "Connection: Upgrade" was there
  Peer peer;
  std::stop_token stop;  // requested when the client is gone: nobody waits for the answer any more
};

// A reply whose body is whole, in pieces, still to come, or a tunnel.
struct Reply {
  int status = 200;
  Headers headers;  // end-to-end fields only
  std::string body;
  // Further pieces of the body, after `body`: kept fragments, sent without copying.
  std::vector<std::shared_ptr<const std::string>> pieces;
  // The body to come until its end, after `body`. Null when there is none.
  std::unique_ptr<Stream> body_stream;
  std::optional<std::uint64_t> body_length;  // of body_stream, when known
  // True when body_stream gives what this process itself holds (a list, events): a client that
  // takes none of it for 60 s is dropped. What an engine sends waits up to 10 minutes.
  bool body_is_held = false;
  // Set when the connection stops being HTTP: after the head (101, or 200 without an Upgrade) bytes
  // flow both ways with half-close. `tunnel_head` are bytes that the peer sent already behind its
  // head.
  std::unique_ptr<Stream> tunnel;
  std::string tunnel_head;
};

struct CallOptions {
  // Until the head (Open, Upgrade) or the whole answer (Call).
  Duration timeout = std::chrono::seconds(30);
  std::size_t max_body = 64U << 20U;  // bytes of the answer that Call takes
  // Asks to give up; the callback then says Cancelled. Requested on any thread, with the loop's
  // work under way: do no more there than post.
  std::stop_token stop;
};

// One engine. Calls may be made from any loop, several at once. One of a program's own may call
// back on any thread, once, also from inside the call; the streams of its answers are used on the
// loop that made the call, and call back there (CallerLoop of caller_loop.h is the way). The
// library's own clients call back on the loop of the caller. Destroyed, a client calls no more.
//
// Answers of any status are values, not errors: an error means that there is no (whole) answer.
// Unavailable = the engine was not reached, ResourceExhausted = this side had nothing left to reach
// it with (descriptors), so the request was certainly not carried out; every other error leaves
// that open. DeadlineExceeded = no answer within the timeout.
class BackendClient {
 public:
  virtual ~BackendClient() = default;

  // The whole exchange; the answer's body is in `body`.
  virtual void Call(Request request, CallOptions options, ResultCallback<Reply> done) = 0;

  // Done when the head is there; the body follows in `body_stream` (always set).
  virtual void Open(Request request, CallOptions options, ResultCallback<Reply> done) = 0;

  // Sends the request with its Upgrade header. Answer 101, or a 200 raw stream: `tunnel` is set.
  // Any other answer: as Open.
  virtual void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) = 0;
};

}  // namespace swarm
