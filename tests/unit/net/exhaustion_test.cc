// A listener whose process has no descriptors left says so, but not with each try.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <string>
#include <vector>

#include "net/server.h"
#include "unit/net/net_test_tools.h"

namespace swarm::net {
namespace {

// No descriptor can be opened while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
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

}  // namespace
}  // namespace swarm::net
