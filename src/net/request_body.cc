#include "net/request_body.h"

#include "swarmlib/status.h"

namespace swarm::net {

RequestBody::RequestBody(std::shared_ptr<ServerConnection> connection, std::uint64_t request)
    : connection_(std::move(connection)), request_(request) {}

RequestBody::~RequestBody() { Abort(); }

void RequestBody::Read(std::span<char> into, ResultCallback<std::size_t> done) {
  connection_->ReadBody(request_, into, std::move(done));
}

void RequestBody::Write(std::string_view, Callback<absl::Status> done) {
  connection_->loop().Post([done = std::move(done)]() mutable {
    done(FailedPrecondition("the body of a request is read only"));
  });
}

void RequestBody::Abort() { connection_->DropBody(request_); }

ReplyCallback::~ReplyCallback() {
  if (connection_) (*this)(Internal("the request was dropped without an answer"));
}

void ReplyCallback::operator()(absl::StatusOr<Reply> reply) {
  const std::shared_ptr<ServerConnection> connection = std::move(connection_);
  Loop& loop = connection->loop();
  if (Loop::Current() == &loop) return connection->OnReply(request_, std::move(reply));
  loop.Post([connection, request = request_, reply = std::move(reply)]() mutable {
    connection->OnReply(request, std::move(reply));
  });
}

}  // namespace swarm::net
