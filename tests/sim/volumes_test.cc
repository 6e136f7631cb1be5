// Volumes of the cluster, over simulated engines.
#include <algorithm>
#include <functional>
#include <optional>

#include "sim/faults.h"
#include "tests/sim/objects_world.h"

namespace swarm {
namespace {

class VolumesTest : public ObjectsTest {};

TEST_F(VolumesTest, OneVolumeIsMadeOnceAndListedOnce) {
  EXPECT_EQ(Ask("POST", "/volumes/create", R"({"Name":"data","Labels":{"a":"b"}})").status, 201);
  const Answer again = Ask("POST", "/volumes/create", R"({"Name":"data"})");
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body.find("com.docker.swarm"), std::string::npos) << again.body;
  EXPECT_EQ(Holders("/volumes/data"), 1);
  const Answer list = Ask("GET", "/volumes");
  EXPECT_EQ(Names(list, "Volumes"), std::vector<std::string>{"data"});
  EXPECT_EQ(list.body.find("com.docker.swarm"), std::string::npos) << list.body;
  EXPECT_NE(list.body.find(R"("Labels":{"a":"b"})"), std::string::npos) << list.body;
  EXPECT_EQ(Ask("GET", "/volumes/data").status, 200);
  EXPECT_EQ(Ask("DELETE", "/volumes/data").status, 204);
  EXPECT_EQ(Holders("/volumes/data"), 0);
  EXPECT_EQ(Ask("DELETE", "/volumes/data").status, 404);
  EXPECT_EQ(Ask("DELETE", "/volumes/data?force=1").status, 204);
}

TEST_F(VolumesTest, ANodesOwnVolumeIsAddressedByIt) {
  const std::string own = NameOf(1) + "/own";
  const Answer made = Ask("POST", "/volumes/create", R"({"Name":")" + own + R"("})");
  EXPECT_EQ(made.status, 201);
  EXPECT_NE(made.body.find("\"" + own + "\""), std::string::npos) << made.body;
  EXPECT_EQ(AskEngine(1, "GET", "/volumes/own").status, 200);
  EXPECT_EQ(Names(Ask("GET", "/volumes"), "Volumes"), std::vector<std::string>{own});
  // A container that names it with or without its node goes there.
  for (const std::string& name : {own, std::string("own")}) {
    const std::string container = name == own ? "with" : "without";
    EXPECT_EQ(Create(container, Run(R"("Binds":[")" + name + R"(:/d"])")).status, 201);
    EXPECT_EQ(NodeOf(container), NameOf(1)) << name;
  }
  EXPECT_EQ(Ask("DELETE", "/volumes/" + own).status, 409);
  EXPECT_EQ(Ask("DELETE", "/containers/with").status, 204);
  EXPECT_EQ(Ask("DELETE", "/containers/without").status, 204);
  EXPECT_EQ(Ask("DELETE", "/volumes/" + own).status, 204);
}

TEST_F(VolumesTest, ConsumersGoToTheHolder) {
  EXPECT_EQ(Create("one", Run(R"("Binds":["data:/d"])")).status, 201);
  EXPECT_EQ(Holders("/volumes/data"), 1);
  EXPECT_EQ(Names(Ask("GET", "/volumes"), "Volumes"), std::vector<std::string>{"data"});
  for (const char* name : {"two", "three", "four"}) {
    const std::string mounts =
        R"("Mounts":[{"Type":"volume","Source":"data","Target":"/d"},{"Type":"bind","Source":"/tmp","Target":"/t"}])";
    EXPECT_EQ(Create(name, Run(mounts)).status, 201);
    EXPECT_EQ(NodeOf(name), NodeOf("one"));
  }
  const Answer in_use = Ask("DELETE", "/volumes/data");
  EXPECT_EQ(in_use.status, 409);
  EXPECT_NE(in_use.body.find(NodeOf("one")), std::string::npos) << in_use.body;
  // Elsewhere it cannot go, and the reason is told.
  const std::string other = NodeOf("one") == NameOf(0) ? NameOf(1) : NameOf(0);
  const Answer refused = Create(
      "five", Run(R"("Binds":["data:/d"])", R"(,"Env":["constraint:node==)" + other + R"("])"));
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("volume data is on " + NodeOf("one")), std::string::npos)
      << refused.body;
}

TEST_F(VolumesTest, AnUnusedVolumeMovesToItsFirstConsumer) {
  EXPECT_EQ(Ask("POST", "/volumes/create", R"({"Name":"data","Labels":{"a":"b"}})").status, 201);
  for (std::size_t at = 0; at < 3; ++at) {
    const std::string container = "c" + std::to_string(at);
    const std::string volume = "v" + std::to_string(at);
    EXPECT_EQ(
        Ask("POST", "/volumes/create", R"({"Name":")" + volume + R"(","Labels":{"a":"b"}})").status,
        201);
    const std::string there = R"(,"Env":["constraint:node==)" + NameOf(at) + R"("])";
    EXPECT_EQ(Create(container, Run(R"("Binds":[")" + volume + R"(:/d"])", there)).status, 201);
    EXPECT_EQ(NodeOf(container), NameOf(at));
    EXPECT_EQ(Holders("/volumes/" + volume), 1);
    const Answer moved = AskEngine(at, "GET", "/volumes/" + volume);
    EXPECT_EQ(moved.status, 200);
    EXPECT_NE(moved.body.find(R"("a":"b")"), std::string::npos) << moved.body;
    // It was used: it stays, though its container is gone.
    EXPECT_EQ(Ask("DELETE", "/containers/" + container).status, 204);
    EXPECT_EQ(Create("again" + container, Run(R"("Binds":[")" + volume + R"(:/d"])")).status, 201);
    EXPECT_EQ(NodeOf("again" + container), NameOf(at));
  }
}

// Used past the cluster's name, made anew past the cluster, or kept too long to be sure: moving it
// might lose what is in it.
TEST_F(VolumesTest, AVolumeThatMayHaveBeenUsedDoesNotMove) {
  struct Case {
    const char* name;
    std::function<void(const std::string& volume, std::size_t holder)> use;
  };
  const Case cases[] = {
      {"used",
       [this](const std::string& volume, std::size_t holder) {
         const std::string own = NameOf(holder) + "/" + volume;
         EXPECT_EQ(Create("user", Run(R"("Binds":[")" + own + R"(:/d"])")).status, 201);
         EXPECT_EQ(Ask("DELETE", "/containers/user").status, 204);
       }},
      {"replaced",
       [this](const std::string& volume, std::size_t holder) {
         EXPECT_EQ(AskEngine(holder, "DELETE", "/volumes/" + volume).status, 204);
         EXPECT_EQ(
             AskEngine(holder, "POST", "/volumes/create", R"({"Name":")" + volume + R"("})").status,
             201);
       }},
      {"old",
       [this](const std::string&, std::size_t) {
         const TimePoint end = world_.clock().Now() + std::chrono::minutes(11);
         EXPECT_TRUE(world_.RunUntil([&] { return world_.clock().Now() >= end; }));
       }},
  };
  for (const Case& test : cases) {
    const std::string volume = std::string("v_") + test.name;
    const std::string path = "/volumes/" + volume;
    ASSERT_EQ(Ask("POST", "/volumes/create", R"({"Name":")" + volume + R"("})").status, 201);
    std::size_t holder = 0;
    while (AskEngine(holder, "GET", path).status != 200) ++holder;
    test.use(volume, holder);
    const std::string elsewhere = R"(,"Env":["constraint:node!=)" + NameOf(holder) + R"("])";
    EXPECT_EQ(Create("consumer", Run(R"("Binds":[")" + volume + R"(:/d"])", elsewhere)).status, 409)
        << test.name;
    EXPECT_EQ(AskEngine(holder, "GET", path).status, 200) << test.name;
    EXPECT_EQ(Holders(path), 1) << test.name;
  }
}

TEST_F(VolumesTest, AVolumeStaysWhereItsLabelsHavePutIt) {
  const std::string labels =
      R"("Labels":{"com.docker.swarm.constraints":"[\"node==)" + NameOf(1) + R"(\"]"})";
  EXPECT_EQ(Ask("POST", "/volumes/create", R"({"Name":"data",)" + labels + "}").status, 201);
  EXPECT_EQ(AskEngine(1, "GET", "/volumes/data").status, 200);
  EXPECT_EQ(Create("consumer", Run(R"("Binds":["data:/d"])")).status, 201);
  EXPECT_EQ(NodeOf("consumer"), NameOf(1));
}

TEST_F(VolumesTest, ACreateThatFailsLeavesNoVolume) {
  std::string body = Run(R"("Binds":["data:/d"])");
  body.replace(body.find("busybox"), 7, "nosuch1");
  EXPECT_EQ(Create("web", body).status, 404);
  EXPECT_EQ(Holders("/volumes/data"), 0);
  EXPECT_EQ(Ask("POST", "/volumes/create", R"({"Name":"kept"})").status, 201);
  body.replace(body.find("data:"), 5, "kept:");
  EXPECT_EQ(Create("web", body).status, 404);
  EXPECT_EQ(Holders("/volumes/kept"), 1);
}

TEST_F(VolumesTest, FirstConsumersAtTheSameTimeShareOneVolume) {
  std::vector<Answer> answers(6);
  int ended = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    struct Ending {
      static Task<void> Of(Task<void> task, int* ended) {
        co_await std::move(task);
        ++*ended;
      }
    };
    const std::string target = "/containers/create?name=c" + std::to_string(i);
    world_.loop().Spawn(Ending::Of(
        AskInto(api_, "POST", target, Run(R"("Binds":["data:/d"])"), &answers[i]), &ended));
  }
  EXPECT_TRUE(world_.RunUntil([&] { return ended == 6; }));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].status, 201) << answers[i].body;
    EXPECT_EQ(NodeOf("c" + std::to_string(i)), NodeOf("c0"));
  }
  EXPECT_EQ(Holders("/volumes/data"), 1);
}

TEST_F(VolumesTest, PruneTakesUnusedOnesOfAllNodes) {
  for (const char* name : {"kept", "gone1", "gone2"}) {
    Ask("POST", "/volumes/create", std::string(R"({"Name":")") + name + R"("})");
  }
  EXPECT_EQ(Create("web", Run(R"("Binds":["kept:/d"])")).status, 201);
  AskEngine(2, "POST", "/volumes/create", R"({"Name":"past"})");
  const Answer pruned = Ask("POST", "/volumes/prune");
  EXPECT_EQ(pruned.status, 200);
  EXPECT_EQ(pruned.body,
            "{\"VolumesDeleted\":[\"gone1\",\"gone2\",\"past\"],\"SpaceReclaimed\":0}\n");
  EXPECT_EQ(Names(Ask("GET", "/volumes"), "Volumes"), std::vector<std::string>{"kept"});
}

// Made past the manager later, on a node that comes first.
TEST_F(VolumesTest, AnInspectOfAPlainNameShowsTheClustersVolume) {
  const std::string there = R"("Labels":{"com.docker.swarm.constraints":"[\"node==)" + NameOf(2) +
                            R"(\"]","whose":"ours"})";
  EXPECT_EQ(Ask("POST", "/volumes/create", R"({"Name":"data",)" + there + "}").status, 201);
  ASSERT_EQ(AskEngine(2, "GET", "/volumes/data").status, 200);
  AskEngine(0, "POST", "/volumes/create", R"({"Name":"data","Labels":{"whose":"own"}})");
  const Answer plain = Ask("GET", "/volumes/data");
  EXPECT_EQ(plain.status, 200);
  EXPECT_NE(plain.body.find(R"("whose":"ours")"), std::string::npos) << plain.body;
  const Answer own = Ask("GET", "/volumes/" + NameOf(0) + "/data");
  EXPECT_NE(own.body.find(R"("whose":"own")"), std::string::npos) << own.body;
  // Of what is no node's but its own, the first node's is shown.
  AskEngine(1, "POST", "/volumes/create", R"({"Name":"two","Labels":{"whose":"n1"}})");
  AskEngine(2, "POST", "/volumes/create", R"({"Name":"two","Labels":{"whose":"n2"}})");
  const Answer first = Ask("GET", "/volumes/two");
  EXPECT_NE(first.body.find(R"("whose":"n1")"), std::string::npos) << first.body;
}

TEST_F(VolumesTest, LabelsTellAfterARestart) {
  EXPECT_EQ(Ask("POST", "/volumes/create", R"({"Name":"data"})").status, 201);
  Restart();
  EXPECT_EQ(Names(Ask("GET", "/volumes"), "Volumes"), std::vector<std::string>{"data"});
  EXPECT_EQ(Ask("POST", "/volumes/create", R"({"Name":"data"})").status, 201);
  EXPECT_EQ(Holders("/volumes/data"), 1);
  // Whether it was used is not known any more: it stays.
  for (std::size_t at = 0; at < 3; ++at) {
    const bool holds = AskEngine(at, "GET", "/volumes/data").status == 200;
    const std::string there = R"(,"Env":["constraint:node==)" + NameOf(at) + R"("])";
    const Answer made = Create("c" + std::to_string(at), Run(R"("Binds":["data:/d"])", there));
    EXPECT_EQ(made.status, holds ? 201 : 409) << made.body;
  }
  EXPECT_EQ(Holders("/volumes/data"), 1);
}

// What a node that does not answer may have is not made a second time.
TEST_F(VolumesTest, ANodeThatIsSilentIsNotGuessedAbout) {
  EXPECT_EQ(Create("one", Run(R"("Binds":["data:/d"])")).status, 201);
  std::size_t holder = 0;
  while (NameOf(holder) != NodeOf("one")) ++holder;
  const std::string address = world_.simulation().addresses()[holder];
  world_.simulation().engine(address)->faults().Always({Fault::Kind::kSilence});
  const Answer unsure = Create("two", Run(R"("Binds":["data:/d"])"));
  EXPECT_EQ(unsure.status, 503);
  EXPECT_NE(unsure.body.find(NameOf(holder)), std::string::npos) << unsure.body;
  // Found to be down: its containers tell what it has.
  EXPECT_TRUE(world_.RunUntil(
      [&] { return world_.cluster().FindNode(address)->state != NodeState::kHealthy; }));
  const Answer down = Create("three", Run(R"("Binds":["data:/d"])"));
  EXPECT_EQ(down.status, 503);
  EXPECT_NE(down.body.find("volume data is on node " + NameOf(holder)), std::string::npos)
      << down.body;
  world_.simulation().engine(address)->faults().Heal();
}

}  // namespace
}  // namespace swarm
