#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/c/manager.h"
#include "bindings/c/options.h"
#include "bindings/c/structs.h"
#include "swarmlib/discovery.h"
#include "swarmlib/status.h"

using Addresses = absl::StatusOr<std::vector<std::string>>;

// The newest answer of a source, put in by any thread and taken out on the discovery's loop, which
// `wake` calls.
struct swarm_discovery {
  swarm_discovery() : wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if constexpr (swarm::c::kHandlesAreChecked) swarm::c::Remember(this, "swarm_discovery");
  }
  ~swarm_discovery() {
    if constexpr (swarm::c::kHandlesAreChecked) swarm::c::Forget(this, "swarm_discovery");
    if (wake >= 0) ::close(wake);
  }
  swarm_discovery(const swarm_discovery&) = delete;
  swarm_discovery& operator=(const swarm_discovery&) = delete;

  void Put(Addresses addresses) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      newest = std::move(addresses);
    }
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the loop is awake already.
    [[maybe_unused]] const ssize_t wrote = ::write(wake, &one, sizeof one);
  }

  std::optional<Addresses> Take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake, &count, sizeof count);
    const std::lock_guard<std::mutex> lock(mutex);
    return std::exchange(newest, std::nullopt);
  }

  const int wake;
  std::mutex mutex;
  std::optional<Addresses> newest;
};
SWARM_HANDLE(swarm_discovery);

namespace swarm::c {
namespace {

class CallerDiscovery final : public Discovery {
 public:
  CallerDiscovery(swarm_scheme scheme, OwnedPointer owned, DiscoveryContext context)
      : scheme_(scheme),
        owned_(std::move(owned)),
        context_(std::move(context)),
        handle_(std::make_shared<swarm_discovery>()) {}

  ~CallerDiscovery() override {
    if (unwatch_) unwatch_();
    if (!is_open_) return;
    const InCallback marked;
    GuardValue(0, [this] {
      scheme_.close(owned_->user_data(), source_);
      return 0;
    });
  }

  absl::Status Open(const std::string& name, const std::string& rest) {
    if (handle_->wake < 0) return ResourceExhausted("no descriptor is left for discovery");
    if (!context_.watch_descriptor)
      return FailedPrecondition("schemes by callbacks need a loop that watches descriptors");
    const absl::Status opened = CallBack("discovery " + name, [&](swarm_failure* failure) {
      return scheme_.open(owned_->user_data(), rest.c_str(), handle_.get(), &source_, failure);
    });
    is_open_ = opened.ok();
    return opened;
  }

  void Watch(std::function<void(Addresses)> changed) override {
    // What has come before is delivered too: the descriptor is readable since then. `changed` may
    // end this object, so nothing of it is touched after.
    unwatch_ =
        context_.watch_descriptor(handle_->wake, [handle = handle_, changed = std::move(changed)] {
          std::optional<Addresses> newest = handle->Take();
          if (newest) changed(*std::move(newest));
        });
  }

 private:
  const swarm_scheme scheme_;
  const OwnedPointer owned_;
  const DiscoveryContext context_;
  const std::shared_ptr<swarm_discovery> handle_;
  std::function<void()> unwatch_;
  void* source_ = nullptr;
  bool is_open_ = false;
};

}  // namespace

absl::Status AddScheme(const swarm_scheme* given, Config& config, OwnedList& owned) {
  swarm_scheme scheme = SWARM_SCHEME_INIT;
  if (absl::Status read = Widen(given, scheme, "swarm_scheme"); !read.ok()) return read;
  if (absl::Status fit = CheckName(scheme.name); !fit.ok()) return fit;
  if (absl::Status wanted = Wanted(reinterpret_cast<const void*>(scheme.open), "open");
      !wanted.ok())
    return wanted;
  if (absl::Status wanted = Wanted(reinterpret_cast<const void*>(scheme.close), "close");
      !wanted.ok())
    return wanted;
  owned.push_back(std::make_shared<Owned>(scheme.user_data, scheme.destroy));
  return config.discovery_registry.Add(
      scheme.name,
      [name = std::string(scheme.name), scheme, share = owned.back()](
          std::string_view rest,
          const DiscoveryContext& context) -> absl::StatusOr<std::unique_ptr<Discovery>> {
        auto discovery = std::make_unique<CallerDiscovery>(scheme, share, context);
        const absl::Status opened = discovery->Open(name, std::string(rest));
        if (!opened.ok()) return opened;
        return std::unique_ptr<Discovery>(std::move(discovery));
      });
}

}  // namespace swarm::c

using namespace swarm::c;

swarm_code swarm_discovery_update(swarm_discovery* discovery, const char* const* addresses,
                                  size_t address_count, swarm_error** error) {
  return Guard("swarm_discovery_update", error, [&]() -> absl::Status {
    if (absl::Status live = CheckHandle(discovery); !live.ok()) return live;
    std::vector<std::string> set;
    if (absl::Status read = ReadStrings(addresses, address_count, "addresses", set); !read.ok())
      return read;
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    if (!set.empty() && set.front().empty())
      return swarm::InvalidArgument("an address is empty; \"host:port\" is wanted");
    discovery->Put(std::move(set));
    return absl::OkStatus();
  });
}

void swarm_discovery_fail(swarm_discovery* discovery, swarm_code code, const char* message) {
  if (!IsLive(discovery, "swarm_discovery_fail")) return;
  GuardValue(0, [&] {
    discovery->Put(MakeStatus(code, OrEmpty(message)));
    return 0;
  });
}

swarm_code swarm_discovery_list(const swarm_options* options, int64_t timeout_ms,
                                swarm_strings** addresses, swarm_error** error) {
  if (addresses != nullptr) *addresses = nullptr;
  return GuardWait("swarm_discovery_list", error, [&]() -> absl::Status {
    if (absl::Status wanted = Wanted(addresses, "addresses"); !wanted.ok()) return wanted;
    OwnedList owned;
    swarm::Config config;
    if (absl::Status read = ReadOptions(options, config, owned); !read.ok()) return read;
    absl::StatusOr<std::vector<std::string>> list =
        swarm::ListOnce(config.discovery_registry, config.discovery, ToDuration(timeout_ms));
    if (!list.ok()) return list.status();
    *addresses = New(swarm_strings{*std::move(list)});
    return absl::OkStatus();
  });
}
