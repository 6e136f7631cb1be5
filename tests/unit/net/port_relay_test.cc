#include "net/port_relay.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "net/listener.h"
#include "net_test_tools.h"

namespace swarm::net {
namespace {

// A relay on a free port of loopback to a listener that the test serves by hand.
class PortRelayTest : public testing::Test {
 protected:
  PortRelayTest() { budget_->most = 8; }
  ~PortRelayTest() override { Close(); }

  void Open(const std::string& target) {
    auto listeners = BindListeners("tcp://127.0.0.1:0", 1);
    ASSERT_TRUE(listeners.ok()) << listeners.status();
    address_ = listeners->front().address;
    const auto to = ParseAddress(target);
    ASSERT_TRUE(to.ok()) << to.status();
    thread_.On([&] {
      relay_ = std::make_unique<PortRelay>(thread_.loop, *std::move(listeners), *to, budget_);
    });
  }
  void Close() {
    thread_.On([this] { relay_.reset(); });
  }
  std::size_t OpenConnections() {
    return thread_.On([this] { return budget_->open; });
  }

  RawListener target_;
  LoopThread thread_;
  const std::shared_ptr<RelayBudget> budget_ = std::make_shared<RelayBudget>();
  std::unique_ptr<PortRelay> relay_;
  std::string address_;
};

TEST_F(PortRelayTest, CarriesBytesBothWaysWithHalfClose) {
  Open(target_.address());
  RawSocket client = RawSocket::Connect(address_);
  RawSocket inside = target_.Accept();
  const std::string big(3U << 20U, 'x');
  std::thread sender([&] {
    EXPECT_TRUE(client.Send(big));
    client.CloseWrite();
  });
  EXPECT_EQ(inside.ReceiveAll(), big);
  sender.join();
  // The other direction is open still.
  EXPECT_TRUE(inside.Send("answer"));
  EXPECT_EQ(client.ReceiveExactly(6), "answer");
  inside.Close();
  EXPECT_EQ(client.ReceiveAll(), "");
  EXPECT_TRUE(WaitUntil([this] { return OpenConnections() == 0; }));
}

TEST_F(PortRelayTest, AServerMaySpeakFirst) {
  Open(target_.address());
  RawSocket client = RawSocket::Connect(address_);
  RawSocket inside = target_.Accept();
  EXPECT_TRUE(inside.Send("220 hello"));
  EXPECT_EQ(client.ReceiveExactly(9), "220 hello");
  client.Close();
  EXPECT_EQ(inside.ReceiveAll(), "");
  inside.Close();
  EXPECT_TRUE(WaitUntil([this] { return OpenConnections() == 0; }));
}

TEST_F(PortRelayTest, ATargetThatIsNotThereClosesTheConnection) {
  const std::string gone = target_.address();
  target_.Close();
  Open(gone);
  RawSocket client = RawSocket::Connect(address_);
  EXPECT_EQ(client.ReceiveAll(), "");
  EXPECT_TRUE(WaitUntil([this] { return OpenConnections() == 0; }));
}

TEST_F(PortRelayTest, BeyondTheBudgetConnectionsWait) {
  budget_->most = 1;
  Open(target_.address());
  RawSocket first = RawSocket::Connect(address_);
  RawSocket inside = target_.Accept();
  RawSocket second = RawSocket::Connect(address_);
  EXPECT_TRUE(second.Send("later"));
  EXPECT_FALSE(target_.HasNewConnection(std::chrono::milliseconds(150)));
  first.Close();
  inside.Close();
  RawSocket next = target_.Accept();
  EXPECT_EQ(next.ReceiveExactly(5), "later");
}

TEST_F(PortRelayTest, ClosingItCutsWhatIsOpenAndFreesThePort) {
  Open(target_.address());
  RawSocket client = RawSocket::Connect(address_);
  RawSocket inside = target_.Accept();
  EXPECT_TRUE(client.Send("x"));
  EXPECT_EQ(inside.ReceiveExactly(1), "x");
  Close();
  EXPECT_EQ(inside.ReceiveAll(), "");
  EXPECT_TRUE(BindListeners(address_, 1).ok());
  EXPECT_TRUE(WaitUntil([this] { return OpenConnections() == 0; }));
}

}  // namespace
}  // namespace swarm::net
