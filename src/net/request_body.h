// The two ends of a request that the handler holds: its body and its reply callback.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "net/server_connection.h"
#include "swarmlib/stream.h"

namespace swarm::net {

// The read side of a request's body.
class RequestBody final : public Stream {
 public:
  RequestBody(std::shared_ptr<ServerConnection> connection, std::uint64_t request);
  ~RequestBody() override;

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override;
  void Write(std::string_view bytes, Callback<absl::Status> done) override;
  void CloseWrite() override {}
  void Abort() override;

 private:
  std::shared_ptr<ServerConnection> connection_;
  const std::uint64_t request_;
};

// Brings the reply to the connection, on its loop. A handler that drops its callback has answered
// with an error.
class ReplyCallback {
 public:
  ReplyCallback(std::shared_ptr<ServerConnection> connection, std::uint64_t request)
      : connection_(std::move(connection)), request_(request) {}
  ReplyCallback(ReplyCallback&& other) noexcept = default;
  ReplyCallback& operator=(ReplyCallback&&) = delete;
  ~ReplyCallback();

  void operator()(absl::StatusOr<Reply> reply);

 private:
  std::shared_ptr<ServerConnection> connection_;
  const std::uint64_t request_;
};

}  // namespace swarm::net
