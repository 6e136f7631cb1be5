// Builds on a cluster of simulated engines, in virtual time.
#include <gtest/gtest.h>

#include "sim/faults.h"
#include "sim/tar.h"
#include "tests/sim/objects_world.h"
#include "wire/images.h"

namespace swarm {
namespace {

class ClusterBuilds : public ObjectsTest {
 protected:
  Answer Build(const std::string& query, const std::string& dockerfile) {
    return Ask("POST", "/build?" + query, WriteTar({{"Dockerfile", dockerfile}}));
  }

  // Names of the nodes that are known to hold the image.
  std::vector<std::string> NodesWith(const std::string& image) {
    std::vector<std::string> names;
    for (const auto& entry : world_.cluster().Images()) {
      if (ImageMatches(entry->image, image))
        names.push_back(world_.cluster().FindNode(entry->node)->name);
    }
    return names;
  }

  std::string PlaceOf(const std::string& name, const std::string& image) {
    const Answer created =
        Ask("POST", "/containers/create?name=" + name, "{\"Image\":\"" + image + "\"}");
    EXPECT_EQ(created.status, 201) << created.body;
    return NodeOf(name);
  }
};

TEST_F(ClusterBuilds, WhatWasBuiltIsRunWhereItIs) {
  const std::string last = NameOf(2);
  const Answer built = Build(
      "t=app&buildargs=%7B%22constraint%3Anode%22%3A%22%3D" + last + "%22%7D", "FROM busybox\n");
  EXPECT_EQ(built.status, 200);
  EXPECT_NE(built.body.find("Successfully built"), std::string::npos) << built.body;
  EXPECT_EQ(NodesWith("app"), std::vector<std::string>{last});
  EXPECT_EQ(PlaceOf("one", "app"), last);
  EXPECT_EQ(PlaceOf("two", "app"), last);
}

TEST_F(ClusterBuilds, ABuildGoesToItsBase) {
  const std::string last = NameOf(2);
  Build("t=base&buildargs=%7B%22constraint%3Anode%22%3A%22%3D" + last + "%22%7D", "FROM busybox\n");
  const Answer built = Build("t=app", "ARG B=base\nFROM $B AS x\nCMD y\n");
  // The simulated engine knows no variables; that it was asked is enough.
  EXPECT_NE(built.body.find("Step : FROM $B AS x"), std::string::npos) << built.body;
  const Answer plain = Build("t=app", "FROM base\n");
  EXPECT_NE(plain.body.find("Successfully built"), std::string::npos) << plain.body;
  EXPECT_EQ(NodesWith("app"), std::vector<std::string>{last});
}

TEST_F(ClusterBuilds, ASilentNodeIsNamedInBoundedTime) {
  const std::string silent = world_.simulation().addresses()[1];
  const std::string name = world_.cluster().FindNode(silent)->name;
  world_.simulation().engine(silent)->faults().Always({Fault::Kind::kSilence});
  const TimePoint began = world_.clock().Now();
  const Answer built = Build(
      "t=app&buildargs=%7B%22constraint%3Anode%22%3A%22%3D" + name + "%22%7D", "FROM busybox\n");
  EXPECT_EQ(built.status, 503);
  EXPECT_NE(built.body.find(name), std::string::npos) << built.body;
  EXPECT_LT(world_.clock().Now() - began, std::chrono::minutes(2));
}

}  // namespace
}  // namespace swarm
