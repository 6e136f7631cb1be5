// Bytes both ways between two streams, each side's end relayed as an end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/loop.h"
#include "net/descriptor.h"
#include "swarmlib/callback.h"
#include "swarmlib/stream.h"

namespace swarm::net {

// Between two plain sockets bytes are spliced and never seen; else they pass a buffer of 64 KiB a
// direction. A side that ends is told to the other side, and the other direction stays open. A side
// that breaks ends the tunnel; a side that takes no more bytes ends only that direction, so that
// what it still says arrives.
class Tunnel : public std::enable_shared_from_this<Tunnel> {
 public:
  struct Ends {
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> upstream;
    std::string from_client;  // read already, to be written first
    std::string from_upstream;
    // The owner's read of `client` is still under way: FromClient() tells what it brought.
    bool client_read_pending = false;
    bool client_ended = false;
  };

  // `done` is called once, when both directions ended or the tunnel broke; both streams are gone
  // then.
  Tunnel(Loop& loop, Ends ends, Callback<> done);
  ~Tunnel();

  void Start();
  // The outcome of the read that was under way: bytes, or the end when empty.
  void FromClient(std::string_view bytes);
  // Drops both sides; `done` comes.
  void Abort();

 private:
  struct Pipe {
    Descriptor read_end, write_end;
  };
  // One direction.
  struct Way {
    Stream* from = nullptr;
    Stream* to = nullptr;
    std::string first;
    bool ended = false;
    std::vector<char> buffer;  // copying
    // Splicing: our own descriptors of the two sockets, to wait on.
    std::optional<boost::asio::posix::stream_descriptor> source, sink;
    Pipe pipe;  // held only while bytes flow
    std::size_t in_pipe = 0;
  };

  void Run(Way& way);
  void Copy(Way& way);
  void Splice(Way& way);
  bool FillPipe(Way& way);
  bool DrainPipe(Way& way);
  void Await(Way& way, bool readable);
  void WatchForLoss(Way& way);
  // The source ended.
  void SourceEnded(Way& way);
  // Nothing more flows this way.
  void WayEnded(Way& way);
  void Finish();

  static std::vector<Pipe>& SparePipes();  // of this thread
  static bool TakePipe(Way& way);
  static void GivePipe(Way& way);

  Loop& loop_;
  Ends ends_;
  Callback<> done_;
  bool finished_ = false;
  std::string late_;  // what FromClient() brought
  Way to_upstream_;
  Way to_client_;
};

}  // namespace swarm::net
