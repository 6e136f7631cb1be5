// A client that passes everything on; tests override what they change.
#pragma once

#include <memory>
#include <utility>

#include "swarmlib/backend.h"

namespace swarm {

class ForwardingClient : public BackendClient {
 public:
  explicit ForwardingClient(std::unique_ptr<BackendClient> inner) : inner_(std::move(inner)) {}

  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    inner_->Call(std::move(request), std::move(options), std::move(done));
  }
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override {
    inner_->Open(std::move(request), std::move(options), std::move(done));
  }
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override {
    inner_->Upgrade(std::move(request), std::move(options), std::move(done));
  }

 private:
  const std::unique_ptr<BackendClient> inner_;
};

}  // namespace swarm
