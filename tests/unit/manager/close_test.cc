// What Close waits for, and what it does not.
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "swarmlib/filter.h"
#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"
#include "unit/manager/exchange_fixture.h"

namespace swarm {
namespace {

// Its rules wait until the test lets them go.
struct Barrier {
  std::promise<void> entered;
  std::promise<void> released;
  std::shared_future<void> go_on = released.get_future().share();
};

class WaitingFilter final : public Filter {
 public:
  explicit WaitingFilter(std::shared_ptr<Barrier> barrier) : barrier_(std::move(barrier)) {}
  std::string_view name() const override { return "waiting"; }
  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec&) const override {
    barrier_->entered.set_value();
    barrier_->go_on.wait();
    return std::vector<Rule>();
  }

 private:
  const std::shared_ptr<Barrier> barrier_;
};

Config WithFilter(const std::shared_ptr<Barrier>& barrier) {
  Config config = ThreeEngines();
  config.threads = 1;
  EXPECT_TRUE(config.filter_registry
                  .Add("waiting", [barrier] { return std::make_unique<WaitingFilter>(barrier); })
                  .ok());
  return config;
}

TEST(ManagerCloseTest, WhoCallsMeanwhileKeepsNothingOpen) {
  const auto barrier = std::make_shared<Barrier>();
  auto opened = Manager::Open(WithFilter(barrier));
  ASSERT_TRUE(opened.ok()) << opened.status();
  Manager& manager = **opened;
  ASSERT_TRUE(manager.WaitReady(kLong).ok());
  manager.Handle(Asking("POST", "/containers/create?name=web", R"({"Image":"busybox"})"),
                 [](const absl::StatusOr<Reply>&) {});
  barrier->entered.get_future().wait();
  std::promise<void> closed;
  const std::shared_future<void> is_closed = closed.get_future().share();
  std::thread closer([&manager, &closed] {
    manager.Close(std::chrono::hours(1));
    closed.set_value();
  });
  // Waits inside of a call that is refused, until the manager is closed.
  bool was_closed = false;
  bool refused = false;
  while (!refused) {
    manager.Handle(Asking("GET", "/_ping"), [&](const absl::StatusOr<Reply>& reply) {
      if (reply.ok()) return;
      EXPECT_TRUE(absl::IsCancelled(reply.status())) << reply.status();
      refused = true;
      barrier->released.set_value();
      was_closed = is_closed.wait_for(kLong) == std::future_status::ready;
    });
  }
  EXPECT_TRUE(was_closed);
  closer.join();
}

TEST(ManagerFilterTest, AFilterThatWaitsKeepsNoOtherCallWaiting) {
  const auto barrier = std::make_shared<Barrier>();
  auto opened = Manager::Open(WithFilter(barrier));
  ASSERT_TRUE(opened.ok()) << opened.status();
  Manager& manager = **opened;
  ASSERT_TRUE(manager.WaitReady(kLong).ok());
  const auto create =
      manager.Begin(Asking("POST", "/containers/create?name=web", R"({"Image":"busybox"})"));
  barrier->entered.get_future().wait();
  CallOptions options;
  options.timeout = kLong;
  const auto list = manager.Call(Asking("GET", "/containers/json"), std::move(options));
  EXPECT_TRUE(list.ok()) << list.status();
  barrier->released.set_value();
  ASSERT_TRUE(create->WaitHead(kLong).ok());
  EXPECT_EQ(create->status(), 201);
}

TEST_F(ExchangeTest, TellsWhenAWaitIsOver) {
  const auto events = manager_->Begin(Asking("GET", "/events"));
  std::promise<void> head;
  if (events->WhenReady(ExchangeWait::kHead, [&head] { head.set_value(); })) head.set_value();
  ASSERT_EQ(head.get_future().wait_for(kLong), std::future_status::ready);
  ASSERT_TRUE(events->WaitHead(Duration::zero()).ok());
  std::promise<void> replaced, bytes;
  std::future<void> bytes_there = bytes.get_future();
  EXPECT_FALSE(events->WhenReady(ExchangeWait::kRead, [&replaced] { replaced.set_value(); }));
  EXPECT_FALSE(events->WhenReady(ExchangeWait::kRead, [&bytes] { bytes.set_value(); }));
  Ask(201, "POST", "/containers/create?name=web", R"({"Image":"busybox"})");
  ASSERT_EQ(bytes_there.wait_for(kLong), std::future_status::ready);
  std::array<char, 64> into;
  const auto read = events->Read(into, Duration::zero());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_GT(*read, 0U);
  events->Abort();
  EXPECT_TRUE(events->WhenReady(ExchangeWait::kRead, [] { FAIL(); }));
}

TEST_F(ExchangeTest, SendsPiecesWithoutWaiting) {
  Request request = Asking("POST", "/containers/create?name=web");
  request.headers = {{"Content-Type", "application/json"}};
  const auto create = manager_->Begin(std::move(request), true);
  const auto ready = [&create](ExchangeWait what) {
    std::promise<void> told;
    if (create->WhenReady(what, [&told] { told.set_value(); })) return true;
    return told.get_future().wait_for(kLong) == std::future_status::ready;
  };
  for (const std::string_view piece : {R"({"Image":)", R"("busybox"})"}) {
    ASSERT_TRUE(ready(ExchangeWait::kWrite));
    const auto begun = create->StartWrite(piece);
    ASSERT_TRUE(begun.ok()) << begun.status();
    EXPECT_EQ(*begun, piece.size());
    EXPECT_EQ(create->StartWrite(piece).status().code(), absl::StatusCode::kFailedPrecondition);
    ASSERT_TRUE(ready(ExchangeWait::kWrite));
    const auto taken = create->FinishWrite();
    ASSERT_TRUE(taken.ok()) << taken.status();
    EXPECT_EQ(*taken, piece.size());
  }
  ASSERT_TRUE(create->CloseWrite().ok());
  ASSERT_TRUE(ready(ExchangeWait::kHead));
  ASSERT_TRUE(create->WaitHead(Duration::zero()).ok());
  EXPECT_EQ(create->status(), 201);
}

}  // namespace
}  // namespace swarm
