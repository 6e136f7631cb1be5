// The guarded way to one engine.
#pragma once

#include "swarmlib/backend.h"

namespace swarm {

class Engine;

// Part of an Engine, handed out in a pointer that keeps the Engine. Thread-safe.
//
// A call that waits for its head (Open, Upgrade) or its answer (Call) when the engine stops being
// healthy is given up and says Cancelled with the engine's reason: it may have been carried out.
class GuardedClient final : public BackendClient {
 public:
  explicit GuardedClient(Engine& engine) : engine_(engine) {}

  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override;
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override;
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override;

 private:
  // Joins the engine's health into `options.stop`, and counts how the call ends.
  ResultCallback<Reply> Guard(CallOptions& options, ResultCallback<Reply> done);
  bool Refused(ResultCallback<Reply>& done);

  Engine& engine_;
};

}  // namespace swarm
