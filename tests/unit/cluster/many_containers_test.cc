// An engine of many containers is read in pieces, so that nobody waits long for a turn of its loop.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/sanitized.h"
#include "swarmlib/status.h"
#include "unit/cluster/forwarding_client.h"
#include "unit/cluster/world.h"

namespace {

// Pieces of memory that were taken or freed: they count the work that is done with containers.
std::atomic<std::size_t> handled{0};

}  // namespace

#if SWARM_SANITIZED
// Sanitizers have operators of their own, and call these (sanitizer/allocator_interface.h).
extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*taken)(const volatile void* memory, std::size_t size),
    void (*freed)(const volatile void* memory));
namespace {
void CountTaken(const volatile void*, std::size_t) { ++handled; }
void CountFreed(const volatile void*) { ++handled; }
[[maybe_unused]] const int hooks =
    __sanitizer_install_malloc_and_free_hooks(CountTaken, CountFreed);
}  // namespace
#else
void* operator new(std::size_t size) {
  handled.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  handled.fetch_add(1, std::memory_order_relaxed);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
#endif

namespace swarm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kMany = kSanitized ? 2'000 : 10'000;
// Of one round of the loop. A container costs about 30 in each step: 10,000 at once 300,000.
constexpr std::size_t kMaxHandled = 4'000;

// Looks between any two turns of a loop until it is told to stop.
class TurnWatch : public std::enable_shared_from_this<TurnWatch> {
 public:
  TurnWatch(Loop& loop, std::function<bool()> look) : loop_(loop), look_(std::move(look)) {}
  void Begin() {
    loop_.Post([self = shared_from_this()] {
      if (self->look_() && ++self->looks_ < kMaxLooks) self->Begin();
    });
  }

 private:
  static constexpr int kMaxLooks = 1'000'000;  // a reading takes some thousands

  Loop& loop_;
  const std::function<bool()> look_;
  int looks_ = 0;
};

void LookBetweenTurns(World& world, std::function<bool()> look) {
  std::make_shared<TurnWatch>(world.loop(), std::move(look))->Begin();
}

// A client of a fake engine whose own work is not counted. Tells when a list is asked for.
class UncountedClient final : public ForwardingClient {
 public:
  UncountedClient(std::unique_ptr<BackendClient> inner, std::function<void()> on_list)
      : ForwardingClient(std::move(inner)), on_list_(std::move(on_list)) {}
  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    const bool is_list = request.target.ends_with("/containers/json?all=1");
    const std::size_t before = handled;
    ForwardingClient::Call(std::move(request), std::move(options), std::move(done));
    handled = before;
    if (is_list) on_list_();
  }

 private:
  const std::function<void()> on_list_;
};

TEST(ManyContainers, AreReadInPiecesThatHoldUpNobody) {
  World world(1);
  for (int i = 0; i < kMany; ++i) world.engine(1).Run("c" + std::to_string(i), "running");
  world.engine(1).ForgetEvents();
  std::size_t most = 0;
  int readings = 0;
  // From the request of a list until the node says that it was read.
  const auto on_list = [&world, &most, &readings] {
    const WallTime before = world.cluster().FindNode(World::AddressOf(1))->updated_at;
    LookBetweenTurns(world, [&world, &most, &readings, before, last = handled.load()]() mutable {
      most = std::max(most, handled.load() - last);
      const bool is_over = world.cluster().FindNode(World::AddressOf(1))->updated_at != before;
      readings += is_over ? 1 : 0;
      last = handled;
      return !is_over;
    });
  };
  world.Start([&world, &on_list](EngineClusterOptions& options) {
    options.backend = [&world, &on_list](const std::string&) {
      return std::make_unique<UncountedClient>(world.engine(1).MakeClient(), on_list);
    };
  });
  ASSERT_TRUE(world.Connect());
  ASSERT_EQ(world.cluster().Totals().running, kMany);
  EXPECT_EQ(readings, 1);
  EXPECT_LT(most, kMaxHandled) << "first reading";
  EXPECT_GT(most, 100U) << "it counts";
  most = 0;
  world.Pass(seconds(61));
  EXPECT_GE(readings, 2);
  EXPECT_LT(most, kMaxHandled) << "nothing has changed";
  // Others, and none of before.
  world.engine(1).ForgetStreams();
  for (int i = 0; i < kMany; ++i)
    world.engine(1).SetState("c" + std::to_string(i), "exited", false);
  most = 0;
  readings = 0;
  world.Pass(seconds(61));
  EXPECT_GE(readings, 1);
  EXPECT_EQ(world.cluster().Totals().running, 0);
  EXPECT_LT(most, kMaxHandled) << "everything has changed";
}

// An engine whose containers have all changed since they were read.
class ManyChangedContainers : public testing::Test {
 protected:
  static constexpr int kCount = 2'000;

  ManyChangedContainers() : world_(1) {
    for (int i = 0; i < kCount; ++i) world_.engine(1).Run(NameOf(i), "exited");
    world_.engine(1).ForgetEvents();
    world_.Start([this](EngineClusterOptions& options) {
      options.state.failure_retry = 1;
      options.backend = [this](const std::string&) {
        return std::make_unique<UncountedClient>(world_.engine(1).MakeClient(),
                                                 [this] { ListIsAskedFor(); });
      };
    });
    EXPECT_TRUE(world_.Connect());
    world_.engine(1).ForgetStreams();
    for (int i = 0; i < kCount; ++i) world_.engine(1).SetState(NameOf(i), "running", false);
  }

  static std::string NameOf(int number) { return "c" + std::to_string(number); }
  std::int64_t Running() { return world_.cluster().Totals().running; }
  // Calls `act` as soon as the next reading is published in part. False: it never was.
  bool WhenPartlyShown(std::function<void()> act) {
    act_ = std::move(act);
    return world_.Until([this] { return !act_ && acted_; }, minutes(2));
  }
  void ListIsAskedFor() {
    if (!act_) return;
    LookBetweenTurns(world_, [this] {
      if (Running() == 0) return true;
      acted_ = Running() < kCount;
      std::exchange(act_, nullptr)();
      return false;
    });
  }

  World world_;
  std::function<void()> act_;
  bool acted_ = false;
};

TEST_F(ManyChangedContainers, OfANodeThatLeavesMeanwhileNoneStays) {
  ASSERT_TRUE(WhenPartlyShown([this] { world_.cluster().SetAddresses({}); }));
  EXPECT_EQ(world_.cluster().Totals().containers, 0);
  world_.Pass(minutes(2));
  EXPECT_EQ(world_.cluster().Totals().containers, 0);
}

TEST_F(ManyChangedContainers, AreDroppedWhenTheirNodeTurnsUnhealthyMeanwhile) {
  // A call through the guard finds the engine gone.
  ASSERT_TRUE(WhenPartlyShown([this] {
    world_.engine(1).SetMode(FakeEngine::Mode::kRefusing);
    std::shared_ptr<BackendClient> client = world_.cluster().EngineClient(World::AddressOf(1));
    Request request;
    request.method = "GET";
    request.target = "/_ping";
    client->Call(std::move(request), {}, [client](const absl::StatusOr<Reply>&) {});
  }));
  EXPECT_EQ(world_.StateOf(1), NodeState::kUnhealthy);
  EXPECT_LT(Running(), kCount);
  for (const ContainerPointer& entry : world_.cluster().Containers())
    ASSERT_EQ(entry->node->state, NodeState::kUnhealthy) << entry->container.id;
  // It comes back healthy with all of them, never with a part.
  world_.engine(1).SetMode(FakeEngine::Mode::kWell);
  std::int64_t shown = 0;
  act_ = [this, &shown] {
    LookBetweenTurns(world_, [this, &shown] {
      shown = Running();
      return world_.StateOf(1) != NodeState::kHealthy;
    });
  };
  ASSERT_TRUE(
      world_.Until([this] { return world_.StateOf(1) == NodeState::kHealthy; }, minutes(2)));
  EXPECT_EQ(shown, kCount);
  for (const ContainerPointer& entry : world_.cluster().Containers())
    ASSERT_EQ(entry->node->state, NodeState::kHealthy) << entry->container.id;
}

TEST_F(ManyChangedContainers, DoNotUndoACreateMadeMeanwhile) {
  std::optional<absl::StatusOr<CreateResult>> made;
  ASSERT_TRUE(WhenPartlyShown([this, &made] {
    world_.cluster().CreateContainer(
        CreateOf("made", "busybox"),
        [&made](absl::StatusOr<CreateResult> result) { made.emplace(std::move(result)); });
  }));
  ASSERT_TRUE(made.has_value());
  ASSERT_TRUE(made->ok()) << made->status();
  EXPECT_TRUE(world_.cluster().FindContainer("made").ok());
  EXPECT_EQ(Running(), kCount);
  EXPECT_EQ(world_.cluster().Totals().containers, kCount + 1);
}

TEST_F(ManyChangedContainers, DoNotUndoARemovalMadeMeanwhile) {
  const std::string last = NameOf(kCount - 1);
  std::int64_t shown_then = 0;
  ASSERT_TRUE(WhenPartlyShown([this, &last, &shown_then] {
    world_.cluster().Operate(
        world_.OperationOf(ContainerOperation::Verb::kRemove, last),
        [this, &shown_then](const absl::StatusOr<Reply>&) { shown_then = Running(); });
  }));
  EXPECT_LT(shown_then, kCount - 1) << "its row came before it was removed";
  EXPECT_FALSE(world_.cluster().FindContainer(last).ok());
  EXPECT_EQ(Running(), kCount - 1);
}

}  // namespace
}  // namespace swarm
