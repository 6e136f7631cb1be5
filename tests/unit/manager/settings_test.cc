#include "manager/settings.h"

#include <gtest/gtest.h>

#include <limits>

#include "swarmlib/status.h"

namespace swarm {
namespace {

struct ListenCase {
  const char* address;
  bool verify;
  bool insecure;
  const char* complaint;  // a part of the message; empty = accepted
};

class CheckListenTest : public testing::TestWithParam<ListenCase> {};

TEST_P(CheckListenTest, BeyondLoopbackNeedsVerificationOrTheWordOfTheUser) {
  Config config;
  config.listen = {GetParam().address};
  config.tls.verify = GetParam().verify;
  config.insecure = GetParam().insecure;
  const absl::Status status = CheckListen(config);
  if (std::string_view(GetParam().complaint).empty()) {
    EXPECT_TRUE(status.ok()) << status;
  } else {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(MessageOf(status).find(GetParam().complaint), std::string_view::npos) << status;
  }
}

INSTANTIATE_TEST_SUITE_P(
    , CheckListenTest,
    testing::Values(ListenCase{"tcp://127.0.0.1:2375", false, false, ""},
                    ListenCase{"tcp://127.9.9.9:0", false, false, ""},
                    ListenCase{"tcp://localhost:2375", false, false, ""},
                    ListenCase{"tcp://[::1]:2375", false, false, ""},
                    ListenCase{"unix:///run/swarm.sock", false, false, ""},
                    ListenCase{"tcp://0.0.0.0:2375", false, false, "--insecure"},
                    ListenCase{"tcp://:2375", false, false, "--insecure"},
                    ListenCase{"tcp://10.0.0.1:2375", false, false, "--tlsverify"},
                    ListenCase{"tcp://127.example.com:2375", false, false, "--tlsverify"},
                    ListenCase{"tcp://127.0.0.1.example.com:2375", false, false, "--tlsverify"},
                    ListenCase{"tcp://127.:2375", false, false, "--tlsverify"},
                    ListenCase{"tcp://128.0.0.1:2375", false, false, "--tlsverify"},
                    ListenCase{"tcp://localhost.example.com:2375", false, false, "--tlsverify"},
                    ListenCase{"tcp://[::2]:2375", false, false, "--tlsverify"},
                    ListenCase{"tcp://10.0.0.1:2375", true, false, ""},
                    ListenCase{"tcp://10.0.0.1:2375", false, true, ""},
                    ListenCase{"tcp://127.0.0.1", false, false, "port"},
                    ListenCase{"tcp://127.0.0.1:70000", false, false, "port"},
                    ListenCase{"unix://", false, false, "path"},
                    ListenCase{"http://127.0.0.1:1", false, false, "tcp://ADDRESS:PORT"}));

TEST(CheckConfig, NamesWhatIsWrong) {
  Config config;
  EXPECT_NE(MessageOf(CheckConfig(config)).find("nodes"), std::string_view::npos);
  config.discovery = "nodes://127.0.0.1:2375";
  EXPECT_TRUE(CheckConfig(config).ok());
  config.refresh_max = config.refresh_min - Duration(1);
  EXPECT_NE(MessageOf(CheckConfig(config)).find("refresh_max"), std::string_view::npos);
}

TEST(CheckConfig, ThreadsHaveBothBounds) {
  Config config;
  config.discovery = "nodes://127.0.0.1:2375";
  for (const int wrong : {-1, 1'025, std::numeric_limits<int>::max()}) {
    config.threads = wrong;
    const absl::Status refused = CheckConfig(config);
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(MessageOf(refused).find("0 (one a processor) to 1024"), std::string_view::npos)
        << refused;
  }
  for (const int right : {0, 1, 1'024}) {
    config.threads = right;
    EXPECT_TRUE(CheckConfig(config).ok()) << right;
  }
}

TEST(CheckConfig, RefusesAClockThatStandsStill) {
  ManualClock clock;
  Config config;
  config.discovery = "nodes://127.0.0.1:2375";
  config.clock = &clock;
  EXPECT_NE(MessageOf(CheckConfig(config)).find("ManualClock"), std::string_view::npos);
}

TEST(CheckConfig, OvercommitHasBothBounds) {
  Config config;
  config.discovery = "nodes://127.0.0.1:2375";
  for (const double wrong : {-1.0, -2.0, 1000.5, 1e300, std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    config.overcommit = wrong;
    EXPECT_NE(MessageOf(CheckConfig(config)).find("at most 1000"), std::string_view::npos) << wrong;
  }
  for (const double right : {-0.5, 0.0, 0.05, 1000.0}) {
    config.overcommit = right;
    EXPECT_TRUE(CheckConfig(config).ok()) << right;
  }
}

TEST(CheckConfig, RefusesMemoryBelowItsLeast) {
  Config config;
  config.discovery = "nodes://127.0.0.1:2375";
  config.client_memory = kMinClientMemory - 1;
  EXPECT_NE(MessageOf(CheckConfig(config)).find("client_memory"), std::string_view::npos);
  config.client_memory = kMinClientMemory;
  config.event_memory = 0;
  EXPECT_NE(MessageOf(CheckConfig(config)).find("event_memory"), std::string_view::npos);
  config.event_memory = kMinClientMemory;
  EXPECT_TRUE(CheckConfig(config).ok());
  config.event_listeners = 0;
  EXPECT_NE(MessageOf(CheckConfig(config)).find("event_listeners"), std::string_view::npos);
}

TEST(MakeFilters, TheDefaultIsThePeersOrder) {
  const Config config;
  const auto filters = MakeFilters(config);
  ASSERT_TRUE(filters.ok());
  std::string order;
  for (const auto& filter : *filters) order += std::string(filter->name()) + " ";
  EXPECT_EQ(order, "health port containerslots dependency affinity constraint whitelist platform ");
}

TEST(MakeFilters, UnknownNamesAreRefusedWithTheChoices) {
  Config config;
  config.filters = {"health", "astrology"};
  const auto filters = MakeFilters(config);
  ASSERT_FALSE(filters.ok());
  EXPECT_NE(MessageOf(filters.status()).find("constraint"), std::string_view::npos);
}

TEST(MakeStrategy, AliasesOfThePeerAreKnown) {
  for (const char* name : {"spread", "balanced", "binpack", "binpacking", "random"}) {
    Config config;
    config.strategy = name;
    EXPECT_TRUE(MakeStrategy(config).ok()) << name;
  }
  Config config;
  config.strategy = "best";
  EXPECT_NE(MessageOf(MakeStrategy(config).status()).find("spread"), std::string_view::npos);
}

}  // namespace
}  // namespace swarm
