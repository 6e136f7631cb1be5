// Those that wait for an event or for a turn, and leave before it comes.
#include "api/event_pump.h"

#include <vector>

#include <gtest/gtest.h>

#include "api/replay_turns.h"
#include "async/loop.h"
#include "unit/api/fake_cluster.h"

namespace swarm::testing {
namespace {

constexpr int kLeaving = 10'000;
// Of them that may still be remembered.
constexpr std::size_t kMaxRemembered = 200;

// Counts the blocks of shared objects, which last as long as a weak pointer to them.
template <typename T>
struct CountingAllocator {
  using value_type = T;
  explicit CountingAllocator(std::size_t* of) : blocks(of) {}
  template <typename U>
  explicit CountingAllocator(const CountingAllocator<U>& other) : blocks(other.blocks) {}
  T* allocate(std::size_t count) {
    ++*blocks;
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* at, std::size_t count) {
    --*blocks;
    std::allocator<T>().deallocate(at, count);
  }
  bool operator==(const CountingAllocator&) const = default;
  std::size_t* blocks;
};

struct CountingListener : EventPump::Listener {
  void TakeTurn() override { ++turns; }
  int turns = 0;
};

TEST(EventPump, ListenersThatLeftAreForgottenWhileNoEventComes) {
  ManualClock clock;
  Loop loop(clock, {});
  FakeCluster cluster;
  const auto pump = std::make_shared<EventPump>(loop, cluster);
  pump->Join();
  const auto stays = std::make_shared<CountingListener>();
  pump->RunAtNews(stays);
  std::size_t remembered = 0;
  const CountingAllocator<CountingListener> allocator(&remembered);
  for (int i = 0; i < kLeaving; ++i)
    pump->RunAtNews(std::allocate_shared<CountingListener>(allocator));
  EXPECT_LE(remembered, kMaxRemembered);
  cluster.Publish(std::make_shared<ClusterEvent>());
  while (loop.RunReady() > 0) {
  }
  EXPECT_EQ(stays->turns, 1);
  EXPECT_EQ(remembered, 0U);
  pump->Leave();
}

TEST(ReplayTurns, OwnersThatLeftAreForgottenWhileNoTurnEnds) {
  ManualClock clock;
  Loop loop(clock, {});
  const auto turns = std::make_shared<ReplayTurns>(1);
  const auto owner = std::make_shared<int>(0);
  std::vector<std::shared_ptr<ReplayTurns::Turn>> begun;
  const auto begin = [&begun](std::shared_ptr<ReplayTurns::Turn> turn) {
    begun.push_back(std::move(turn));
  };
  turns->Await(loop, owner, begin);
  turns->Await(loop, owner, begin);
  std::size_t remembered = 0;
  const CountingAllocator<int> allocator(&remembered);
  for (int i = 0; i < kLeaving; ++i)
    turns->Await(loop, std::allocate_shared<int>(allocator), begin);
  EXPECT_LE(remembered, kMaxRemembered);
  while (loop.RunReady() > 0) {
  }
  ASSERT_EQ(begun.size(), 1U);
  begun[0].reset();
  while (loop.RunReady() > 0) {
  }
  EXPECT_EQ(begun.size(), 2U);
  begun.clear();
}

}  // namespace
}  // namespace swarm::testing
