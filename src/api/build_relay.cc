#include "api/build_relay.h"

#include <string>
#include <utility>

#include "api/image_holders.h"
#include "api/output.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "swarmlib/status.h"
#include "wire/events.h"
#include "wire/progress.h"

namespace swarm {
namespace {

constexpr std::size_t kMostBuildOutput = 2 * kMostBuildObject + kMostBuildAhead;

Task<void> AwaitRoom(std::shared_ptr<Output> output) {
  auto start = [output](Callback<bool> done) {
    output->OnRoom(kMostBuildAhead, [done = std::move(done)]() mutable { done(true); });
  };
  co_await AwaitCallback<bool>(std::move(start));
}

// Until the engine has told all. The error of what broke.
Task<absl::Status> PassObjects(std::shared_ptr<BuildRun> build, std::shared_ptr<Output> output,
                               Stream* body) {
  ObjectSplitter splitter(kMostBuildObject);
  std::vector<char> buffer(16U << 10U);
  for (;;) {
    const std::span<char> into(buffer);
    const absl::StatusOr<std::size_t> got = co_await Read(*body, into);
    if (!got.ok()) co_return got.status();
    if (*got == 0) co_return absl::OkStatus();
    build->watched->run()->moved = build->context->clock().Now();
    std::vector<std::string> objects;
    const absl::Status split = splitter.Feed(std::string_view(buffer.data(), *got), objects);
    if (!split.ok()) co_return split;
    for (const std::string& object : objects) output->Write(object + "\r\n");
    if (output->gone()) co_return Cancelled("the client went away");
    if (output->held() > kMostBuildAhead) co_await AwaitRoom(output);
  }
}

Task<void> PassBuild(std::shared_ptr<BuildRun> build, std::shared_ptr<Output> output,
                     std::unique_ptr<Stream> body) {
  NodeRun& run = *build->watched->run();
  run.answer = body.get();
  Stream* const stream = body.get();
  absl::Status status = co_await PassObjects(build, output, stream);
  run.answer = nullptr;
  body.reset();
  if (!run.cut.ok()) status = run.cut;
  if (!status.ok()) {
    const std::string where = "node " + NameOf(*run.node) + ", build";
    output->Write(ErrorLine(MessageOf(Annotate(status, where))));
  } else {
    const absl::Status reread = co_await RereadImages(build->context, run.node->address);
    (void)reread;  // the image is there all the same; the node's events have them read again too
  }
  build->holds.clear();
  build->place.reset();
  output->End();
}

// Bytes of a tunnel are copied, never spliced: so it can be ended from here.
class BuildTunnel final : public Stream {
 public:
  BuildTunnel(Loop& loop, std::shared_ptr<BuildRun> build, std::unique_ptr<Stream> stream)
      : loop_(loop), build_(std::move(build)), stream_(std::move(stream)) {
    build_->watched->run()->answer = stream_.get();
  }
  ~BuildTunnel() override {
    build_->watched->run()->answer = nullptr;
    stream_.reset();
    build_->holds.clear();
    // Not when the loop itself ends.
    if (Loop::Current() == &loop_) loop_.Spawn(Reread(build_));
  }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    stream_->Read(into, std::move(done));
  }
  void Write(std::string_view bytes, Callback<absl::Status> done) override {
    stream_->Write(bytes, std::move(done));
  }
  void CloseWrite() override { stream_->CloseWrite(); }
  void Abort() override { stream_->Abort(); }
  void NotifyLoss(Callback<> lost) override { stream_->NotifyLoss(std::move(lost)); }

 private:
  static Task<void> Reread(std::shared_ptr<BuildRun> build) {
    const std::string address = build->node()->address;
    const absl::Status reread = co_await RereadImages(build->context, address);
    (void)reread;
  }

  Loop& loop_;
  const std::shared_ptr<BuildRun> build_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace

Reply RelayBuild(std::shared_ptr<BuildRun> build, Reply answer) {
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto output = std::make_shared<Output>(*loop, kMostBuildOutput);
  const std::weak_ptr<NodeRun> run = build->watched->run();
  output->OnGone([run] {
    if (const std::shared_ptr<NodeRun> held = run.lock())
      CutRun(*held, Cancelled("the client went away"));
  });
  std::unique_ptr<Stream> body = std::move(answer.body_stream);
  answer.body_length.reset();
  answer.body_stream = output->Reader();
  if (body) {
    loop->Spawn(PassBuild(std::move(build), std::move(output), std::move(body)));
  } else {
    output->End();
  }
  return answer;
}

std::unique_ptr<Stream> RelayTunnel(std::shared_ptr<BuildRun> build,
                                    std::unique_ptr<Stream> tunnel) {
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  return std::make_unique<BuildTunnel>(*loop, std::move(build), std::move(tunnel));
}

}  // namespace swarm
