// What clients see when there is room for no more connections.
#include "net/connection_room.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "net/bounds.h"
#include "net_test_tools.h"

namespace swarm::net {
namespace {

constexpr const char* kGreedy = "127.0.0.1";
constexpr const char* kOther = "127.0.0.2";

// Servers on loops of their own that share one room. "/hold" is answered when the test says so.
class RoomTest : public testing::Test {
 protected:
  void Open(std::size_t servers, std::size_t max, std::size_t max_per_client,
            std::string_view address = "tcp://127.0.0.1:0") {
    ConnectionRoom::Options options;
    options.max_connections = max;
    options.max_per_client = max_per_client;
    options.clock = &clock_;
    options.metrics = &metrics_;
    options.log = [this](const LogRecord& record) {
      const std::lock_guard<std::mutex> lock(mutex_);
      records_.push_back(record);
    };
    room_ = std::make_shared<ConnectionRoom>(std::move(options));
    for (std::size_t i = 0; i < servers; ++i) {
      ServerOptions with;
      with.room = room_;
      servers_.push_back(std::make_unique<ServerThread>(
          [this](Request request, ResultCallback<Reply> done) {
            if (request.target != "/hold") return done(Reply());
            const std::lock_guard<std::mutex> lock(mutex_);
            held_.push_back(std::move(done));
          },
          std::move(with), address));
    }
  }

  RawSocket Connect(std::size_t server, const char* from = kGreedy) {
    return RawSocket::Connect(servers_[server]->address(), from);
  }
  // A connection that has been answered, and is idle since.
  RawSocket Answered(std::size_t server, const char* from = kGreedy) {
    RawSocket client = Connect(server, from);
    EXPECT_EQ(Ask(client), 200);
    return client;
  }
  static int Ask(RawSocket& client) {
    client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    return StatusOf(ReceiveAnswer(client));
  }
  // A connection whose request runs.
  RawSocket Busy(std::size_t server, const char* from = kGreedy) {
    const std::size_t before = servers_[server]->active();
    RawSocket client = Connect(server, from);
    client.Send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(WaitUntil([&] { return servers_[server]->active() == before + 1; }));
    return client;
  }
  void AnswerHeld() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& done : held_) done(Reply());
    held_.clear();
  }
  std::string Metric(const std::string& name) {
    const std::string all = metrics_.Render();
    const std::size_t at = all.find("\n" + name + " ");
    if (at == std::string::npos) return "(none)";
    const std::size_t begin = at + name.size() + 2;
    return all.substr(begin, all.find('\n', begin) - begin);
  }
  std::vector<LogRecord> Warnings() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return records_;
  }
  static std::string FieldOf(const LogRecord& record, std::string_view name) {
    for (const auto& [known, value] : record.fields) {
      if (known == name) return value;
    }
    return "(none)";
  }

  ManualClock clock_;
  Metrics metrics_;
  std::mutex mutex_;
  std::vector<LogRecord> records_;
  std::vector<ResultCallback<Reply>> held_;
  std::shared_ptr<ConnectionRoom> room_;
  std::vector<std::unique_ptr<ServerThread>> servers_;
};

TEST_F(RoomTest, FullRoomClosesTheLongestIdle) {
  Open(1, 3, 3);
  RawSocket first = Answered(0);
  RawSocket second = Answered(0);
  RawSocket third = Answered(0);
  EXPECT_EQ(Ask(first), 200);  // now the second is idle for longest
  RawSocket other = Answered(0, kOther);
  EXPECT_EQ(second.ReceiveAll(), "");
  EXPECT_EQ(Ask(first), 200);
  EXPECT_EQ(Ask(third), 200);
  EXPECT_EQ(Ask(other), 200);
  EXPECT_EQ(Metric("swarmd_client_connections_closed_idle_total"), "1");
  EXPECT_EQ(Metric("swarmd_client_connections"), "3");
  EXPECT_EQ(Metric("swarmd_client_connections_max"), "3");
}

TEST_F(RoomTest, ConnectionThatNeverSpokeIsIdle) {
  Open(1, 2, 2);
  RawSocket silent = Connect(0);
  RawSocket half = Connect(0);
  half.Send("GET / HTT");
  ASSERT_TRUE(WaitUntil([&] { return room_->open() == 2; }));
  RawSocket other = Answered(0, kOther);
  RawSocket more = Answered(0, kOther);
  EXPECT_EQ(silent.ReceiveAll(), "");
  EXPECT_NE(half.ReceiveAll(), "<timeout>");
}

TEST_F(RoomTest, RoomOfAllServersCountsTogether) {
  Open(2, 4, 4);
  std::vector<RawSocket> busy;
  for (int i = 0; i < 3; ++i) busy.push_back(Busy(0));
  RawSocket idle = Answered(1);
  // The first server has three of four: what it takes beyond closes one of the second.
  RawSocket next = Answered(0, kOther);
  EXPECT_EQ(idle.ReceiveAll(), "");
  AnswerHeld();
  for (RawSocket& client : busy) EXPECT_EQ(StatusOf(ReceiveAnswer(client)), 200);
}

TEST_F(RoomTest, WaitsWhileAllAreBusyAndGoesOnOnBothLoops) {
  Open(2, 2, 2);
  RawSocket one = Busy(0);
  RawSocket two = Busy(1);
  RawSocket waiting = Connect(0, kOther);
  waiting.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(WaitUntil([&] { return Metric("swarmd_client_connections_waits_total") == "1"; }));
  EXPECT_EQ(servers_[0]->connections(), 1U);
  two.Reset();  // ends on the other loop
  EXPECT_EQ(StatusOf(ReceiveAnswer(waiting)), 200);
  ASSERT_EQ(Warnings().size(), 1U);
  EXPECT_EQ(FieldOf(Warnings()[0], "waits"), "1");
  AnswerHeld();
  EXPECT_EQ(StatusOf(ReceiveAnswer(one)), 200);
}

TEST_F(RoomTest, ClientWithItsShareGivesItsOwn) {
  Open(1, 8, 2);
  RawSocket other = Answered(0, kOther);
  RawSocket first = Answered(0);
  RawSocket second = Answered(0);
  RawSocket third = Answered(0);
  EXPECT_EQ(first.ReceiveAll(), "");
  EXPECT_EQ(Ask(second), 200);
  EXPECT_EQ(Ask(third), 200);
  EXPECT_EQ(Ask(other), 200);  // idle for longest, but somebody else's
  EXPECT_EQ(room_->open(), 3U);
}

TEST_F(RoomTest, ClientWhoseShareIsAtWorkIsRefused) {
  Open(1, 8, 2);
  RawSocket one = Busy(0);
  RawSocket two = Busy(0);
  RawSocket third = Connect(0);
  EXPECT_NE(third.ReceiveAll(), "<timeout>");
  EXPECT_EQ(Metric("swarmd_client_connections_refused_total"), "1");
  RawSocket other = Answered(0, kOther);
  AnswerHeld();
  EXPECT_EQ(StatusOf(ReceiveAnswer(one)), 200);
  EXPECT_EQ(StatusOf(ReceiveAnswer(two)), 200);
}

TEST_F(RoomTest, WarnsOnceAMinuteAndNamesWhoHoldsMost) {
  Open(1, 8, 2);
  std::vector<RawSocket> flood;
  for (int i = 0; i < 6; ++i) flood.push_back(Answered(0));
  ASSERT_EQ(Warnings().size(), 1U);
  const LogRecord first = Warnings()[0];
  EXPECT_EQ(first.level, LogLevel::kWarning);
  EXPECT_EQ(FieldOf(first, "closed"), "1");
  EXPECT_EQ(FieldOf(first, "most_of"), kGreedy);
  EXPECT_EQ(FieldOf(first, "most"), "2");
  EXPECT_EQ(FieldOf(first, "max"), "8");
  EXPECT_EQ(FieldOf(first, "max_per_client"), "2");
  servers_[0]->thread().On([&] { clock_.Advance(kRoomReportPause); });
  flood.push_back(Answered(0));
  ASSERT_EQ(Warnings().size(), 2U);
  EXPECT_EQ(FieldOf(Warnings()[1], "closed"), "4");  // what was not told meanwhile too
}

TEST_F(RoomTest, ClientsOfAUnixSocketCountByUser) {
  const std::string path = testing::TempDir() + "room_test_" + std::to_string(getpid()) + ".sock";
  Open(1, 8, 1, "unix://" + path);
  RawSocket first = RawSocket::Connect("unix://" + path);
  EXPECT_EQ(Ask(first), 200);
  RawSocket second = RawSocket::Connect("unix://" + path);
  EXPECT_EQ(Ask(second), 200);
  EXPECT_EQ(first.ReceiveAll(), "");
  ASSERT_EQ(Warnings().size(), 1U);
  EXPECT_EQ(FieldOf(Warnings()[0], "most_of"), "unix user " + std::to_string(getuid()));
}

// Whose a socket is: the pair of sockets stands for one connection of the family.
TEST(ClientOf, NamesTheHostNotTheConnection) {
  struct Case {
    int family;
    const char* address;
    const char* client;
  };
  const Case cases[] = {
      {AF_INET, "127.0.0.3", "127.0.0.3"},
      {AF_INET6, "::1", "::1"},
      {AF_INET6, "::ffff:127.0.0.1", "127.0.0.1"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.address);
    sockaddr_storage storage{};
    socklen_t size = 0;
    storage.ss_family = static_cast<sa_family_t>(test.family);
    if (test.family == AF_INET) {
      inet_pton(AF_INET, test.address, &reinterpret_cast<sockaddr_in*>(&storage)->sin_addr);
      size = sizeof(sockaddr_in);
    } else {
      inet_pton(AF_INET6, test.address, &reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr);
      size = sizeof(sockaddr_in6);
    }
    const Descriptor listener(socket(test.family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!listener.valid()) GTEST_SKIP() << "no IPv6 here";
    const int off = 0;
    if (test.family == AF_INET6)
      setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0)
      GTEST_SKIP() << "no such address here";
    ASSERT_EQ(listen(listener.get(), 1), 0);
    getsockname(listener.get(), reinterpret_cast<sockaddr*>(&storage), &size);
    const Descriptor client(socket(test.family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&storage), size), 0);
    EXPECT_EQ(ClientOf(client.get()), test.client);  // its far end has the same address
  }
}

}  // namespace
}  // namespace swarm::net
