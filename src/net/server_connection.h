// One client's connection to a Server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "net/body_decoder.h"
#include "net/connection_room.h"
#include "net/http_head.h"
#include "net/input_buffer.h"
#include "net/relay.h"
#include "net/server.h"
#include "net/transport.h"
#include "net/tunnel.h"
#include "swarmlib/backend.h"

namespace swarm::net {

class ServerConnection;

// {"message": ...} as engines send it.
Reply ErrorReply(int status, std::string_view message);
// 503 with Retry-After, while the clients' memory is used up.
Reply BusyReply();
// A request for the health of the manager itself, which is never refused for want of memory.
bool TellsHealth(std::string_view target);

// What a connection may ask of its server. Outlives its connections' use of it.
class ServerSeam {
 public:
  virtual ~ServerSeam() = default;
  virtual Loop& loop() = 0;
  virtual const Handler& handler() = 0;
  virtual const ForwardRule& forward_rule() = 0;
  virtual void Forwarded(std::string_view route, int status, Duration took) = 0;
  virtual bool LivesForClient(std::string_view method, std::string_view target) = 0;
  virtual const ServerMemory& memory() = 0;
  virtual bool stopping() = 0;
  virtual void RequestStarted() = 0;
  virtual void RequestEnded() = 0;
  // The connection is over; it is dropped by its server.
  virtual void Forget(ServerConnection* connection) = 0;
  // "Date: ...\r\n", made once a second.
  virtual std::string_view DateField() = 0;
};

// A state machine of callbacks: head, handler, answer, and again. There is nearly always one read
// under way, so that a client that goes away is noticed while its request runs; what it brings is
// kept for the next request.
class ServerConnection final : public RelayOwner,
                               public ConnectionRoom::Occupant,
                               public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::shared_ptr<ServerSeam> server, std::unique_ptr<Transport> transport,
                   std::unique_ptr<ConnectionRoom::Slot> slot);

  ~ServerConnection() override;

  void Start();
  // Drops the connection at once.
  void Close();
  // The server stops: closes if no request runs, else after it.
  void StopWhenIdle();

  // For the room: another connection takes its place.
  void CloseIfIdle() override;

  // For the body stream of the request with that number.
  void ReadBody(std::uint64_t request, std::span<char> into, ResultCallback<std::size_t> done);
  void DropBody(std::uint64_t request);

  // For the reply callback. On the loop.
  void OnReply(std::uint64_t request, absl::StatusOr<Reply> reply);
  Loop& loop() { return server_->loop(); }

  // For the relay: server_relay.cc.
  std::shared_ptr<void> KeepAlive() override { return shared_from_this(); }
  Transport& client() override { return *transport_; }
  std::string_view DateField() override { return server_->DateField(); }
  bool RelayCommits() override;
  void RelayAnswered(int status, Duration took) override;
  void RelayAwaits(bool engine) override;
  void RelayAwaitsHead(Duration waited) override;
  void RelayFinished() override;
  void RelayFallsBack() override;
  void RelayRefuses(int status, std::string_view message) override;
  void RelayBroke() override { Close(); }

 private:
  enum class State {
    kHead,
    kRelaying,
    kHandling,
    kReplying,
    kDraining,
    kLingering,
    kTunnel,
    kClosed
  };

  // Input: server_connection.cc.
  void StartRead();
  void OnRead(absl::StatusOr<std::size_t> got);
  void ReadOn();
  void OnEnd();
  void HearEnd();
  void WatchForLoss();
  void Advance();
  void ParseHead();
  void BeginRequest(const RequestHead& head, std::size_t head_size);
  bool BeginRelay(const RequestHead& head, std::size_t head_size);
  void DeliverBody();
  void FinishBodyRead(absl::StatusOr<std::size_t> result);
  void ClientGone();
  void Drain();
  void NextRequest();
  void Linger();

  // Output: server_reply.cc.
  void StartReply();
  void BuildHead();
  void AppendReplyFraming();
  void Write();
  void OnWritten(const absl::Status& status);
  void PumpReply();
  void OnReplyBytes(absl::StatusOr<std::size_t> got);
  void EndReplyStream();
  void FinishReply();
  void StartTunnel();
  bool BodyAllowed() const;

  // Memory and write deadlines: server_memory.cc.
  bool MemoryIsUsedUp();
  void CountReply();
  bool MayGrow(std::size_t bytes);
  Duration WritePatience() const;
  void AwaitClient();
  bool MayGoFirst() const;
  void ClientTook();
  void WriteTimedOut();
  void ReleaseMemory();
  void ShrinkBuffers();

  // One timer, moved lazily: most deadlines never come.
  void SetDeadline(Duration from_now);
  void ClearDeadline() { deadline_ = TimePoint::max(); }
  void ArmTimer();
  void OnTimer();

  std::shared_ptr<ServerSeam> server_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<ConnectionRoom::Slot> slot_;  // its place among all connections of clients
  bool makes_room_ = false;                     // ends with this request
  State state_ = State::kHead;
  InputBuffer input_{InputBuffer::Consumed::kWiped};
  RequestHeadParser parser_;
  bool reading_ = false;
  bool client_ended_ = false;
  bool head_started_ = false;
  std::size_t lingered_ = 0;
  std::unique_ptr<Relay> relay_;  // made with the first forwarded request
  bool relay_failed_ = false;     // this request goes to the handler
  std::size_t relayed_head_ = 0;  // bytes of the head, still in input_

  // Of the request that runs.
  std::uint64_t request_ = 0;
  std::stop_source stop_;
  bool counted_ = false;
  bool keep_alive_ = false;
  bool client_gone_ = false;  // nobody waits for the answer
  std::string method_, target_;
  bool is_head_method_ = false;
  bool is_http10_ = false;
  bool wants_upgrade_ = false;
  bool expects_continue_ = false;  // and has not been told to go on
  BodyDecoder body_;
  std::span<char> body_into_;
  ResultCallback<std::size_t> body_done_;
  std::size_t drained_ = 0;

  // Of the answer.
  enum class Delimited { kLength, kChunks, kClose, kNothing };
  Reply reply_;
  Delimited delimited_ = Delimited::kNothing;
  std::uint64_t reply_left_ = 0;  // kLength: of body_stream
  bool writing_ = false;
  bool reply_waits_ = false;  // until "100 Continue" is out
  bool last_chunk_sent_ = false;
  bool grow_buffer_ = false;  // the last read filled it
  std::string head_text_;
  std::vector<std::string_view> pieces_;
  std::vector<char> reply_buffer_;
  std::shared_ptr<Tunnel> tunnel_;

  // Of what the client has not taken yet.
  MemoryShare held_;
  bool may_refuse_ = false;     // the request changes nothing
  bool awaits_client_ = false;  // to take some of a write
  std::uint64_t written_before_ = 0;
  TimePoint idle_since_{};
  StalledStreams::Id stalled_ = 0;

  TimePoint deadline_ = TimePoint::max();
  TimePoint timer_due_ = TimePoint::max();
  Loop::TimerId timer_ = 0;
};

}  // namespace swarm::net
