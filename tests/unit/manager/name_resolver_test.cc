// Look-ups that hang hold up neither others nor the end.
#include "manager/name_resolver.h"

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::chrono::seconds kBound(30);

// A name server that answers names that begin with "hang" only when told to.
class Server {
 public:
  absl::StatusOr<std::vector<std::string>> Answer(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++asked_;
    changed_.notify_all();
    if (host.starts_with("hang")) changed_.wait(lock, [this] { return released_; });
    if (host == "nobody") return NotFound("no address");
    return std::vector<std::string>{"10.0.0.1"};
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  bool WaitAsked(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kBound, [this, count] { return asked_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int asked_ = 0;
  bool released_ = false;
};

NameResolver::LookUp LookUpAt(const std::shared_ptr<Server>& server) {
  return [server](const std::string& host) { return server->Answer(host); };
}

using Addresses = absl::StatusOr<std::vector<std::string>>;

std::future<Addresses> Ask(NameResolver& resolver, const std::string& host) {
  auto promise = std::make_shared<std::promise<Addresses>>();
  std::future<Addresses> future = promise->get_future();
  resolver.Resolve(host, [promise](Addresses found) { promise->set_value(std::move(found)); });
  return future;
}

TEST(NameResolver, NamesThatHangHoldNoOtherUp) {
  const auto server = std::make_shared<Server>();
  NameResolver resolver(LookUpAt(server));
  for (int i = 0; i < kMostLookUps - 1; ++i) Ask(resolver, "hang" + std::to_string(i));
  for (const char* host : {"one", "nobody", "two"}) {
    auto answer = Ask(resolver, host);
    ASSERT_EQ(answer.wait_for(kBound), std::future_status::ready) << host;
    EXPECT_EQ(answer.get().ok(), std::string(host) != "nobody") << host;
  }
  EXPECT_LE(resolver.threads(), kMostLookUps);
  server->Release();
}

TEST(NameResolver, CloseWaitsForNobodyAndNothingCallsBackAfterIt) {
  const auto server = std::make_shared<Server>();
  auto called = std::make_shared<int>(0);
  NameResolver resolver(LookUpAt(server));
  for (int i = 0; i < kMostLookUps + 5; ++i) {
    resolver.Resolve("hang", [called](Addresses) { ++*called; });
  }
  ASSERT_TRUE(server->WaitAsked(kMostLookUps));
  EXPECT_EQ(resolver.threads(), kMostLookUps);
  resolver.Close();
  server->Release();
  const auto end = std::chrono::steady_clock::now() + kBound;
  while (resolver.threads() > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(resolver.threads(), 0);
  EXPECT_EQ(*called, 0);
}

TEST(NameResolver, MoreThanTheBoundIsRefused) {
  const auto server = std::make_shared<Server>();
  NameResolver resolver(LookUpAt(server));
  for (int i = 0; i < kMostLookUps; ++i) Ask(resolver, "hang");
  ASSERT_TRUE(server->WaitAsked(kMostLookUps));
  for (std::size_t i = 0; i < kMostWaitingLookUps; ++i) Ask(resolver, "hang");
  auto refused = Ask(resolver, "one");
  ASSERT_EQ(refused.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  EXPECT_TRUE(absl::IsResourceExhausted(refused.get().status()));
  resolver.Close();
  server->Release();
}

TEST(NameResolver, TheSystemKnowsThisHost) {
  const Addresses found = LookUpName("localhost");
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_FALSE(found->empty());
  for (const std::string& ip : *found) EXPECT_TRUE(ip == "127.0.0.1" || ip == "::1") << ip;
  EXPECT_TRUE(absl::IsNotFound(LookUpName("").status()));
}

TEST(NameResolver, ShowsTheFirstPlainAddress) {
  struct Case {
    std::vector<std::string> addresses;
    const char* plainest;
  };
  const Case cases[] = {
      {{"10.0.0.2", "10.0.0.1"}, "10.0.0.2"},
      {{"fd00::1", "10.0.0.1"}, "10.0.0.1"},
      {{"fd00::2", "fd00::1"}, "fd00::2"},
  };
  for (const Case& test : cases) EXPECT_EQ(PlainestAddress(test.addresses), test.plainest);
}

}  // namespace
}  // namespace swarm
