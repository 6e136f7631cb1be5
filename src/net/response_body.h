// The body of an answer as a Stream.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "net/exchange.h"
#include "swarmlib/status.h"
#include "swarmlib/stream.h"

namespace swarm::net {

// Read to its end it gives the connection back; destroyed before, it closes it.
class ResponseBody final : public Stream {
 public:
  explicit ResponseBody(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~ResponseBody() override { exchange_->DropBody(); }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    exchange_->ReadBody(into, std::move(done));
  }
  void Write(std::string_view, Callback<absl::Status> done) override {
    exchange_->loop().Post([done = std::move(done)]() mutable {
      done(FailedPrecondition("the body of an answer is read only"));
    });
  }
  void CloseWrite() override {}
  void Abort() override { exchange_->DropBody(); }

 private:
  const std::shared_ptr<Exchange> exchange_;
};

}  // namespace swarm::net
