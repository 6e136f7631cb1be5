// The guarded way to one engine.
#pragma once

#include "swarmlib/backend.h"

namespace swarm {

class Engine;

// Part of an Engine, handed out in a pointer that keeps the Engine. Thread-safe.
class GuardedClient final : public BackendClient {
 public:
  explicit GuardedClient(Engine& engine) : engine_(engine) {}

  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override;
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override;
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override;

 private:
  ResultCallback<Reply> Counted(ResultCallback<Reply> done);
  bool Refused(ResultCallback<Reply>& done);

  Engine& engine_;
};

}  // namespace swarm
