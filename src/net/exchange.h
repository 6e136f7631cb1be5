// One request and its answer on a connection to an engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "net/body_decoder.h"
#include "net/client.h"
#include "net/client_connection.h"
#include "net/http_head.h"
#include "swarmlib/backend.h"
#include "swarmlib/wiped.h"

namespace swarm::net {

// Owned by its Client until the answer is delivered, then by the answer's body stream.
class Exchange final : public ConnectionUser, public std::enable_shared_from_this<Exchange> {
 public:
  enum class Kind { kCall, kOpen, kUpgrade };

  Exchange(std::shared_ptr<Client> client, Kind kind, Request request, CallOptions options,
           ResultCallback<Reply> done);
  ~Exchange() override;

  void Start();
  // Ends it with an error if it has not been delivered.
  void Fail(absl::Status status);
  void OnInput() override;

  // For the answer's body stream.
  void ReadBody(std::span<char> into, ResultCallback<std::size_t> done);
  void DropBody();
  Loop& loop() { return loop_; }

 private:
  // Sending: exchange_send.cc.
  void BuildHead();
  void Send();
  void OnWritten(const absl::Status& status);
  void PumpRequest();
  void OnRequestBytes(absl::StatusOr<std::size_t> got);
  void WritePieces();

  // Receiving: exchange.cc.
  void Acquire();
  void ConnectAnew();
  void UseConnection(std::unique_ptr<ClientConnection> connection);
  void TakeHead();
  void NoAnswer();
  void OnHead(const ResponseHead& head, std::size_t head_size);
  void HandOverTunnel();
  void Collect();
  void DeliverBody();
  void FinishBodyRead(absl::StatusOr<std::size_t> result);
  absl::Status BodyFailure() const;
  void MaybeReuse();
  void Deliver(absl::StatusOr<Reply> reply);
  std::string Name() const { return endpoint_->name(); }

  Loop& loop_;
  const std::weak_ptr<Client> client_;
  const std::shared_ptr<const Endpoint> endpoint_;
  const Kind kind_;
  Request request_;
  CallOptions options_;
  ResultCallback<Reply> done_;
  std::optional<std::stop_callback<std::function<void()>>> stop_callback_;
  Loop::TimerId timer_ = 0;

  std::unique_ptr<ClientConnection> connection_;
  bool reused_ = false;
  bool retried_ = false;
  int attempt_ = 0;  // connections used

  // Sending.
  WipedString head_text_;
  std::string chunk_text_;
  std::vector<std::string_view> pieces_;
  std::vector<char, WipingAllocator<char>> send_buffer_;
  bool writing_ = false;
  bool head_sent_ = false;
  bool last_chunk_sent_ = false;
  bool request_sent_ = false;
  std::uint64_t request_left_ = 0;
  bool asks_upgrade_ = false;

  // Receiving.
  ResponseHeadParser parser_;
  std::size_t interim_heads_ = 0;
  bool head_taken_ = false;
  bool keep_alive_ = false;
  bool tunnel_waits_ = false;  // until our request is out
  BodyDecoder body_;
  Reply reply_;
  std::span<char> body_into_;
  ResultCallback<std::size_t> body_done_;
};

}  // namespace swarm::net
