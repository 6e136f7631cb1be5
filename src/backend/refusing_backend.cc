#include "backend/refusing_backend.h"

#include <utility>

#include "async/loop.h"

namespace swarm {
namespace {

class RefusingBackend final : public BackendClient {
 public:
  explicit RefusingBackend(absl::Status why) : why_(std::move(why)) {}
  void Call(Request, CallOptions, ResultCallback<Reply> done) override { Refuse(std::move(done)); }
  void Open(Request, CallOptions, ResultCallback<Reply> done) override { Refuse(std::move(done)); }
  void Upgrade(Request, CallOptions, ResultCallback<Reply> done) override {
    Refuse(std::move(done));
  }

 private:
  void Refuse(ResultCallback<Reply> done) const {
    Loop::Current()->Post([done = std::move(done), why = why_]() mutable { done(why); });
  }

  const absl::Status why_;
};

}  // namespace

std::unique_ptr<BackendClient> MakeRefusingBackend(absl::Status why) {
  return std::make_unique<RefusingBackend>(std::move(why));
}

}  // namespace swarm
