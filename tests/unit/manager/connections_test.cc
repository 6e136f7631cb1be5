// A manager whose clients hold more connections than there is room for.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <string>
#include <vector>

#include "net/bounds.h"
#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "unit/net/net_test_tools.h"

namespace swarm {
namespace {

using net::RawSocket;

// Lowers the limit of descriptors while it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t soft) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit fewer{soft, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &fewer), 0);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

class ConnectionsTest : public testing::Test {
 protected:
  static constexpr std::size_t kRoom = 20;

  void Open(Config config = {}) {
    config.discovery = "sim://1?seed=5";
    config.threads = 2;
    config.listen = {"tcp://127.0.0.1:0"};
    AddSimulation(config);
    auto opened = Manager::Open(std::move(config));
    ASSERT_TRUE(opened.ok()) << opened.status();
    manager_ = *std::move(opened);
    ASSERT_TRUE(manager_->Serve().ok());
  }
  RawSocket Connect(const char* from) {
    return RawSocket::Connect(manager_->addresses().front(), from);
  }
  static int Ping(RawSocket& client) {
    client.Send("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n");
    return net::StatusOf(net::ReceiveAnswer(client));
  }

  FewDescriptors few_{net::kReservedDescriptors + 2 * kRoom};
  std::unique_ptr<Manager> manager_;
};

TEST_F(ConnectionsTest, IdleOnesOfOneAddressLockNobodyOut) {
  Open();
  std::vector<RawSocket> flood;
  for (std::size_t i = 0; i < 2 * kRoom; ++i) flood.push_back(Connect("127.0.0.1"));
  std::vector<RawSocket> others;
  for (std::size_t i = 0; i < kRoom / 2; ++i) {
    others.push_back(Connect("127.0.0.2"));
    ASSERT_EQ(Ping(others.back()), 200) << i;
  }
  for (RawSocket& other : others) EXPECT_EQ(Ping(other), 200);
}

// The kernel spreads connections over the loops as it likes: whichever it chooses, they are served.
TEST_F(ConnectionsTest, AllOfTheRoomIsUsable) {
  Config config;
  config.max_connections_per_client = static_cast<int>(kRoom);
  Open(std::move(config));
  std::vector<RawSocket> all;
  for (std::size_t i = 0; i < kRoom; ++i) {
    all.push_back(Connect("127.0.0.1"));
    ASSERT_EQ(Ping(all.back()), 200) << i;
  }
  for (RawSocket& one : all) EXPECT_EQ(Ping(one), 200);
}

TEST_F(ConnectionsTest, ConfigThatCannotBeIsRefused) {
  struct Case {
    int max, per_client;
    const char* says;
  };
  for (const Case& test : {Case{-1, 0, "max_connections must not be negative"},
                           Case{0, -1, "max_connections_per_client must not be negative"},
                           Case{2 * kRoom + 1, 0, "descriptors for 40 at most"}}) {
    Config config;
    config.discovery = "sim://1";
    AddSimulation(config);
    config.max_connections = test.max;
    config.max_connections_per_client = test.per_client;
    const auto opened = Manager::Open(std::move(config));
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(opened.status().message().find(test.says), std::string::npos) << opened.status();
  }
}

}  // namespace
}  // namespace swarm
