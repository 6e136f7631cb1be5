#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "discovery/addresses.h"
#include "swarmlib/discovery.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

struct ListCase {
  const char* name;
  const char* url;
  std::vector<std::string> addresses;
};

class NodeLists : public testing::TestWithParam<ListCase> {};

TEST_P(NodeLists, AreSpreadSortedAndWithoutDoubles) {
  const auto made = MakeDiscovery(BuiltinDiscovery(), GetParam().url, {});
  ASSERT_TRUE(made.ok()) << made.status();
  int calls = 0;
  (*made)->Watch([&](absl::StatusOr<std::vector<std::string>> addresses) {
    ++calls;
    ASSERT_TRUE(addresses.ok());
    EXPECT_EQ(*addresses, GetParam().addresses);
  });
  EXPECT_EQ(calls, 1);
}

INSTANTIATE_TEST_SUITE_P(
    , NodeLists,
    testing::Values(ListCase{"Scheme",
                             "nodes://10.0.0.2:2375,10.0.0.1:2375",
                             {"10.0.0.1:2375", "10.0.0.2:2375"}},
                    ListCase{"Bare", "b:1,a:1,b:1", {"a:1", "b:1"}},
                    ListCase{"Blanks", " a:1 , b:2 ,", {"a:1", "b:2"}},
                    ListCase{"Range",
                             "10.0.0.[8:10]:2375",
                             {"10.0.0.10:2375", "10.0.0.8:2375", "10.0.0.9:2375"}},
                    ListCase{"RangeInName", "node[1:2].x:2375", {"node1.x:2375", "node2.x:2375"}},
                    ListCase{"RangeOfPorts", "h:[1:2]", {"h:1", "h:2"}},
                    ListCase{"RangeBackwardsIsNothing", "a:1,b[3:1]:1", {"a:1"}},
                    ListCase{"AddressOfVersion6",
                             "[::1]:2375,[fe80::[1:2]]:2375",
                             {"[::1]:2375", "[fe80::1]:2375", "[fe80::2]:2375"}}),
    [](const auto& info) { return std::string(info.param.name); });

struct BadCase {
  const char* name;
  const char* url;
  const char* says;
};

class BadUrls : public testing::TestWithParam<BadCase> {};

TEST_P(BadUrls, AreRefusedWithWhatToDo) {
  const auto made = MakeDiscovery(BuiltinDiscovery(), GetParam().url, {});
  ASSERT_FALSE(made.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(made.status()) || absl::IsResourceExhausted(made.status()));
  EXPECT_NE(std::string(MessageOf(made.status())).find(GetParam().says), std::string::npos)
      << made.status();
}

INSTANTIATE_TEST_SUITE_P(
    , BadUrls,
    testing::Values(
        BadCase{"Empty", "", "file://, nodes://"}, BadCase{"Unknown", "consul://a:1", "\"consul\""},
        BadCase{"UnknownNamesChoices", "etcd://a:1", "swarmd manage nodes://host:2375,..."},
        BadCase{"NoNodes", "nodes://", "empty"}, BadCase{"NoPort", "10.0.0.1", "no port"},
        BadCase{"NoPortInSix", "[::1]", "no port"}, BadCase{"PortZero", "a:0", "1 to 65535"},
        BadCase{"PortTooBig", "a:65536", "1 to 65535"}, BadCase{"PortText", "a:x", "1 to 65535"},
        BadCase{"NoHost", ":2375", "host name"}, BadCase{"SpaceInHost", "a b:1", "host name"},
        BadCase{"RangeNotNumbers", "a[x:y]:1", "host name"},
        BadCase{"SecondRange", "a[1:2]b[1:2]:1", "host name"},
        BadCase{"SchemeInside", "nodes://a:1,tcp://b:1", "scheme"},
        BadCase{"TooMany", "a[1:100001]:1", "100000"},
        BadCase{"FarTooMany", "a[0:18446744073709551615]:1", "100000"},
        BadCase{"FileWithoutPath", "file://", "path"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Addresses, AreUntouchedByAnError) {
  std::vector<std::string> addresses = {"a:1"};
  EXPECT_FALSE(AppendAddresses("b:[65535:65537]", addresses).ok());
  EXPECT_EQ(addresses, std::vector<std::string>{"a:1"});
}

TEST(Addresses, HoldTheirBoundExactly) {
  std::vector<std::string> addresses;
  EXPECT_TRUE(AppendAddresses("a[1:100000]:1", addresses).ok());
  EXPECT_EQ(addresses.size(), kMostAddresses);
  EXPECT_TRUE(absl::IsResourceExhausted(AppendAddresses("b:1", addresses)));
}

}  // namespace
}  // namespace swarm
