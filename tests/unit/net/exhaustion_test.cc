// A listener whose process has no descriptors left says so, but not with each try.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "net/server.h"
#include "unit/net/net_test_tools.h"

namespace swarm::net {
namespace {

// While it lives, a descriptor can be opened only after another one was closed.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const int lowest_free = open("/dev/null", O_RDONLY);
    EXPECT_GE(lowest_free, 0);
    close(lowest_free);
    const rlimit none{static_cast<rlim_t>(lowest_free), before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST(Exhaustion, IsLoggedOnceAMinute) {
  ManualClock clock;
  std::vector<LogRecord> lines;
  Loop loop(clock, [&lines](const LogRecord& record) {
    if (record.message.find("out of descriptors") != std::string::npos) lines.push_back(record);
  });
  Server server(loop, {}, [](Request, ResultCallback<Reply> done) { done(Reply()); });
  ASSERT_TRUE(server.Listen("tcp://127.0.0.1:0").ok());
  loop.RunReady();
  const RawSocket client = RawSocket::Connect(server.addresses().front());
  const TimePoint begin = clock.Now();
  int tries = 0;
  {
    const NoDescriptors none;
    while (clock.Now() - begin < std::chrono::seconds(150)) {
      loop.RunReady();
      if (!loop.StepTime(clock)) break;
      ++tries;
    }
  }
  EXPECT_GT(tries, 1'000);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].fields[1].second, "1");
  EXPECT_GT(std::stoi(lines[1].fields[1].second), 500);
  EXPECT_EQ(lines[0].fields[0].second, server.addresses().front());
  // With descriptors it goes on by itself.
  for (int i = 0; i < 10 && server.connections() == 0; ++i) {
    loop.StepTime(clock);
    loop.RunReady();
  }
  EXPECT_EQ(server.connections(), 1U);
}

TEST(Exhaustion, ClosesTheLongestIdleConnectionForTheNext) {
  ManualClock clock;
  Loop loop(clock, nullptr);
  Server server(loop, {}, [](Request, ResultCallback<Reply> done) { done(Reply()); });
  ASSERT_TRUE(server.Listen("tcp://127.0.0.1:0").ok());
  std::vector<RawSocket> idle;
  for (std::size_t i = 1; i <= 3; ++i) {
    idle.push_back(RawSocket::Connect(server.addresses().front()));
    ASSERT_TRUE(WaitUntil([&] { return loop.RunReady(), server.connections() == i; }));
  }
  RawSocket next = RawSocket::Connect(server.addresses().front());
  const NoDescriptors none;
  ASSERT_TRUE(next.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  std::string answer = "<timeout>";
  for (int tries = 0; tries < 100 && answer == "<timeout>"; ++tries) {
    loop.RunReady();
    loop.StepTime(clock);
    answer = next.ReceiveSome(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_EQ(idle[0].ReceiveSome(std::chrono::milliseconds(1)), "");  // closed
  EXPECT_EQ(idle[1].ReceiveSome(std::chrono::milliseconds(1)), "<timeout>");
}

}  // namespace
}  // namespace swarm::net
