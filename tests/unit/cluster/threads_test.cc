// The same cluster on two loops with a thread each, used from a third.
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

constexpr int kEngines = 4;
constexpr int kCreators = 4;
constexpr int kEach = 25;
constexpr std::chrono::seconds kBound(30);

TEST(Threads, ManyCallersOnTwoLoopsAgreeAtTheEnd) {
  Loop first(SystemClock(), {}), second(SystemClock(), {});
  std::map<std::string, std::unique_ptr<FakeEngine>> engines;
  std::vector<std::string> addresses;
  for (int i = 1; i <= kEngines; ++i) {
    addresses.push_back(World::AddressOf(i));
    engines[addresses.back()] = std::make_unique<FakeEngine>(
        SystemClock(), addresses.back(), "ID" + std::to_string(i), "n" + std::to_string(i));
  }
  EngineClusterOptions options = OptionsFor({&first, &second});
  options.backend = [&engines](const std::string& address) {
    return engines.at(address)->MakeClient();
  };
  auto cluster = std::make_unique<EngineCluster>(std::move(options));
  std::thread one([&first] { first.Run(); }), two([&second] { second.Run(); });

  std::promise<void> ready;
  cluster->WhenReady([&ready] { ready.set_value(); });
  cluster->SetAddresses(addresses);
  ASSERT_EQ(ready.get_future().wait_for(kBound), std::future_status::ready);

  std::atomic<int> events{0};
  auto subscription =
      cluster->Subscribe([&events](std::shared_ptr<const ClusterEvent>) { ++events; });
  std::vector<CreateRequest> requests;
  for (int i = 0; i < kCreators * kEach; ++i)
    requests.push_back(CreateOf("box" + std::to_string(i), "busybox"));
  std::atomic<int> made{0}, started{0}, answered{0};
  std::promise<void> over;
  std::vector<std::thread> creators;
  for (int c = 0; c < kCreators; ++c) {
    creators.emplace_back([&, c] {
      for (int i = c * kEach; i < (c + 1) * kEach; ++i) {
        Loop& loop = i % 2 == 0 ? first : second;
        auto request =
            std::make_shared<CreateRequest>(std::move(requests[static_cast<std::size_t>(i)]));
        loop.Post([&, request] {
          cluster->CreateContainer(std::move(*request), [&](absl::StatusOr<CreateResult> result) {
            ContainerOperation start;
            start.api_version = "1.41";
            if (result.ok()) {
              ++made;
              start.entry = result->entry;
              cluster->Operate(std::move(start), [&](absl::StatusOr<Reply> reply) {
                started += reply.ok() ? 1 : 0;
                if (++answered == kCreators * kEach) over.set_value();
              });
            } else if (++answered == kCreators * kEach) {
              over.set_value();
            }
          });
        });
        cluster->Containers();
        cluster->FindContainer("box0").status().IgnoreError();
        cluster->Totals();
      }
    });
  }
  for (std::thread& creator : creators) creator.join();
  ASSERT_EQ(over.get_future().wait_for(kBound), std::future_status::ready);
  EXPECT_EQ(made, kCreators * kEach);
  EXPECT_EQ(started, kCreators * kEach);
  EXPECT_EQ(cluster->Totals().running, kCreators * kEach);
  EXPECT_EQ(cluster->Containers().size(), static_cast<std::size_t>(kCreators * kEach));
  cluster->SetAddresses({addresses[0], addresses[1]});
  EXPECT_EQ(cluster->Nodes().size(), 2U);
  cluster->SetAddresses(addresses);
  EXPECT_EQ(cluster->Nodes().size(), 4U);
  subscription.reset();
  EXPECT_GT(events, 0);

  cluster.reset();
  for (Loop* const loop : {&first, &second}) {
    std::promise<void> drained;
    loop->Post([&] {
      loop->Post([&] { loop->After(std::chrono::milliseconds(20), [&] { drained.set_value(); }); });
    });
    ASSERT_EQ(drained.get_future().wait_for(kBound), std::future_status::ready);
  }
  first.Stop();
  second.Stop();
  one.join();
  two.join();
}

}  // namespace
}  // namespace swarm
