#include "cluster/look_up.h"

#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "async/await.h"
#include "cluster/hub.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

bool IsIp(const std::string& host) {
  boost::system::error_code wrong;
  boost::asio::ip::make_address(host, wrong);
  return !wrong;
}

// One look-up. Ends on the home loop with the answer, the deadline or the stop, whichever is first.
struct LookUp : std::enable_shared_from_this<LookUp> {
  struct OnStop {
    std::weak_ptr<LookUp> look_up;
    Loop* home;
    void operator()() const {
      home->Post([weak = look_up] {
        if (const auto self = weak.lock()) self->End(Cancelled("the look-up was given up"));
      });
    }
  };

  void End(absl::StatusOr<std::string> result) {
    if (!done) return;
    home->Cancel(timer);
    std::exchange(done, nullptr)(std::move(result));
  }

  Loop* home = nullptr;
  Loop::TimerId timer = 0;
  ResultCallback<std::string> done;
  std::optional<std::stop_callback<OnStop>> on_stop;
};

void Begin(LookUp& look_up, const Hub& hub, const std::string& host, Duration most,
           std::stop_token stop) {
  const std::weak_ptr<LookUp> weak = look_up.weak_from_this();
  Loop* const home = look_up.home;
  look_up.timer = home->After(most, [weak, most] {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(most).count();
    if (const auto self = weak.lock()) {
      self->End(DeadlineExceeded("no answer within " + std::to_string(seconds) + " s"));
    }
  });
  look_up.on_stop.emplace(std::move(stop), LookUp::OnStop{weak, home});
  hub.options.resolve(host, [weak, home](absl::StatusOr<std::string> ip) {
    home->Post([weak, ip = std::move(ip)]() mutable {
      if (const auto self = weak.lock()) self->End(std::move(ip));
    });
  });
}

}  // namespace

Task<absl::StatusOr<std::string>> ResolveHost(std::shared_ptr<Engine> engine,
                                              std::stop_token stop) {
  const std::string host = engine->host();
  if (!engine->hub().options.resolve || IsIp(host)) co_return host;
  const std::string before = engine->node().ip;
  const bool known = IsIp(before);
  auto look_up = std::make_shared<LookUp>();
  look_up->home = engine->home();
  const Duration most = known ? kLookUpAgainDeadline : kLookUpDeadline;
  auto start = [look_up, engine, host, most, stop](ResultCallback<std::string> done) {
    look_up->done = std::move(done);
    Begin(*look_up, engine->hub(), host, most, stop);
  };
  absl::StatusOr<std::string> ip =
      co_await AwaitCallback<absl::StatusOr<std::string>>(std::move(start));
  look_up->on_stop.reset();
  if (ip.ok() || absl::IsCancelled(ip.status())) co_return ip;
  if (known) co_return before;
  co_return Annotate(ip.status(), "the host " + host + " cannot be resolved");
}

}  // namespace swarm
