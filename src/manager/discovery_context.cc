#include "manager/discovery_context.h"

#include <memory>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace swarm {
namespace {

// Waits again and again until it is told to stop. The descriptor stays its owner's: it is released,
// not closed.
class DescriptorWatch : public std::enable_shared_from_this<DescriptorWatch> {
 public:
  DescriptorWatch(Loop& loop, int descriptor, std::function<void()> readable)
      : descriptor_(loop.context(), descriptor), readable_(std::move(readable)) {}

  void Wait() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             if (error || self->stopped_) return;
                             self->readable_();
                             if (!self->stopped_) self->Wait();
                           });
  }

  void Stop() {
    stopped_ = true;
    descriptor_.release();
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void()> readable_;
  bool stopped_ = false;
};

}  // namespace

DiscoveryContext MakeDiscoveryContext(Loop& loop, Duration heartbeat) {
  DiscoveryContext context;
  context.clock = &loop.clock();
  context.heartbeat = heartbeat;
  context.log = loop.log();
  context.after = [&loop](Duration delay, Callback<> then) { loop.After(delay, std::move(then)); };
  context.watch_descriptor = [&loop](int descriptor, std::function<void()> readable) {
    auto watch = std::make_shared<DescriptorWatch>(loop, descriptor, std::move(readable));
    watch->Wait();
    return [watch] { watch->Stop(); };
  };
  return context;
}

absl::StatusOr<std::vector<std::string>> ListOnce(const DiscoveryRegistry& registry,
                                                  std::string_view url, Duration timeout) {
  Loop loop(SystemClock(), nullptr);
  const DiscoveryContext context = MakeDiscoveryContext(loop, timeout);
  absl::StatusOr<std::unique_ptr<Discovery>> discovery = MakeDiscovery(registry, url, context);
  if (!discovery.ok()) return discovery.status();
  absl::StatusOr<std::vector<std::string>> answer =
      DeadlineExceeded("Timed out: " + std::string(url) + " gave no list of engines");
  loop.After(timeout, [&loop] { loop.Stop(); });
  loop.Post([&] {
    (*discovery)->Watch([&](absl::StatusOr<std::vector<std::string>> addresses) {
      answer = std::move(addresses);
      loop.Stop();
    });
  });
  loop.Run();
  return answer;
}

}  // namespace swarm
