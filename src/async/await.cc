#include "async/await.h"

#include <array>
#include <vector>

#include "base/check.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

// Tasks that are waited for together.
struct Group {
  std::size_t left = 0;
  Callback<bool> done;
};

Task<void> RunPart(Task<void> task, std::shared_ptr<Group> group) {
  co_await std::move(task);
  if (--group->left == 0) group->done(true);
}

}  // namespace

Task<void> SleepFor(Duration delay) {
  Loop* loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "SleepFor runs on a Loop");
  auto start = [loop, delay](Callback<bool> done) {
    loop->After(delay, [done = std::move(done)]() mutable { done(true); });
  };
  co_await AwaitCallback<bool>(std::move(start));
}

Task<void> Yield() {
  auto start = [](Callback<bool> done) { done(true); };
  co_await AwaitCallback<bool>(std::move(start));
}

Task<absl::StatusOr<Reply>> Call(BackendClient& client, Request request, CallOptions options) {
  auto start = [&client, request = std::move(request),
                options = std::move(options)](ResultCallback<Reply> done) mutable {
    client.Call(std::move(request), std::move(options), std::move(done));
  };
  return AwaitCallback<absl::StatusOr<Reply>>(std::move(start));
}

Task<absl::StatusOr<Reply>> OpenStream(BackendClient& client, Request request,
                                       CallOptions options) {
  auto start = [&client, request = std::move(request),
                options = std::move(options)](ResultCallback<Reply> done) mutable {
    client.Open(std::move(request), std::move(options), std::move(done));
  };
  return AwaitCallback<absl::StatusOr<Reply>>(std::move(start));
}

Task<absl::StatusOr<Reply>> Upgrade(BackendClient& client, Request request, CallOptions options) {
  auto start = [&client, request = std::move(request),
                options = std::move(options)](ResultCallback<Reply> done) mutable {
    client.Upgrade(std::move(request), std::move(options), std::move(done));
  };
  return AwaitCallback<absl::StatusOr<Reply>>(std::move(start));
}

Task<absl::StatusOr<std::size_t>> Read(Stream& stream, std::span<char> into) {
  auto start = [&stream, into](ResultCallback<std::size_t> done) {
    stream.Read(into, std::move(done));
  };
  return AwaitCallback<absl::StatusOr<std::size_t>>(std::move(start));
}

Task<absl::Status> Write(Stream& stream, std::string_view bytes) {
  auto start = [&stream, bytes](Callback<absl::Status> done) {
    stream.Write(bytes, std::move(done));
  };
  return AwaitCallback<absl::Status>(std::move(start));
}

Task<absl::StatusOr<std::string>> ReadAll(Stream& stream, std::size_t most) {
  std::string all;
  std::vector<char> buffer(16U << 10U);
  for (;;) {
    const std::span<char> into(buffer);
    const absl::StatusOr<std::size_t> got = co_await Read(stream, into);
    if (!got.ok()) co_return got.status();
    if (*got == 0) co_return all;
    if (all.size() + *got > most) {
      co_return ResourceExhausted("a body of more than " + std::to_string(most) + " bytes");
    }
    all.append(buffer.data(), *got);
  }
}

Task<void> RunAll(std::vector<Task<void>> tasks) {
  if (tasks.empty()) co_return;
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "RunAll runs on a Loop");
  auto start = [loop, tasks = std::move(tasks)](Callback<bool> done) mutable {
    auto group = std::make_shared<Group>();
    group->left = tasks.size();
    group->done = std::move(done);
    for (Task<void>& task : tasks) loop->Spawn(RunPart(std::move(task), group));
  };
  co_await AwaitCallback<bool>(std::move(start));
}

}  // namespace swarm
