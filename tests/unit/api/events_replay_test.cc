// `since` and `until` beyond what the manager keeps: engines are asked, and what may be missing is
// marked.
#include "api/events_replay.h"

#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kSecond = 1'000'000'000;

class EventsReplayTest : public ApiTest {
 protected:
  void SetUp() override {
    AddUsual();
    now_ = clock_.Wall().time_since_epoch().count();
    for (const NodePointer& node : cluster_.nodes)
      cluster_.kept_of_nodes[node->address] = {At(-10), 0};
    cluster_.script = [this](const Seen& seen) -> absl::StatusOr<Reply> {
      const auto told = told_.find(seen.node);
      if (told == told_.end()) return FakeEngine::Silence();
      Reply reply;
      if (!seen.line.ends_with("/_ping")) reply.body = told->second;
      return reply;
    };
  }

  std::int64_t At(std::int64_t seconds) const { return now_ + seconds * kSecond; }
  std::string Seconds(std::int64_t offset) const { return std::to_string(At(offset) / kSecond); }

  // As an engine tells it.
  std::string Told(const std::string& action, std::int64_t time_nano) const {
    return "{\"Type\":\"container\",\"Action\":\"" + action + "\",\"Actor\":{\"ID\":\"" +
           FullId('a') +
           "\",\"Attributes\":{\"name\":\"web\"}},\"timeNano\":" + std::to_string(time_nano) +
           "}\n";
  }

  // As the manager keeps it.
  std::shared_ptr<const ClusterEvent> Kept(std::uint64_t sequence, const std::string& action,
                                           std::int64_t time_nano, const std::string& node) const {
    auto event = std::make_shared<ClusterEvent>();
    event->sequence = sequence;
    event->type = "container";
    event->action = action;
    event->actor_id = FullId('a');
    event->attributes = {{"name", "web"}, {"node.name", node}};
    event->time_nano = time_nano;
    event->node = cluster_.FindNode(node)->address;
    return event;
  }

  void Publish(std::shared_ptr<const ClusterEvent> event) {
    loop_.Post([this, event = std::move(event)] { cluster_.Publish(event); });
    Settle();
  }

  // "action@node" of each event shown, in order.
  static std::string Shown(const std::string& text) {
    std::string shown;
    std::size_t at = 0;
    const auto value = [&text, &at](std::string_view key) {
      const std::size_t begin = text.find(key, at) + key.size();
      return text.substr(begin, text.find('"', begin) - begin);
    };
    while ((at = text.find("\"Action\":\"", at)) != std::string::npos) {
      if (!shown.empty()) shown += ' ';
      shown += value("\"Action\":\"") + "@" + value("\"node.name\":\"");
      ++at;
    }
    return shown;
  }

  std::vector<std::string> AskedForEvents() const {
    std::vector<std::string> asked;
    for (const Seen& seen : cluster_.seen) {
      if (seen.line.find("/events?") != std::string::npos)
        asked.push_back(seen.node + " " + seen.line);
    }
    return asked;
  }

  std::int64_t now_ = 0;
  std::map<std::string, std::string> told_;  // by node; one that is not named says nothing
};

TEST_F(EventsReplayTest, EnginesAreAskedOnlyForWhatIsNotKept) {
  cluster_.ring = {Kept(1, "start", At(-5), "n1")};
  Reply kept = Send("GET", "/v1.41/events?since=" + Seconds(-10) + "&until=" + Seconds(-3));
  EXPECT_EQ(Shown(BodyOf(kept)), "start@n1");
  EXPECT_TRUE(cluster_.seen.empty());
}

TEST_F(EventsReplayTest, WhatEnginesTellIsMergedByTimeThenNodeName) {
  // Later than what is kept, or earlier than asked: not to be shown.
  told_["n1"] = Told("old", At(-61)) + Told("create", At(-30)) + Told("attach", At(-20)) +
                Told("double", At(-10));
  told_["n2"] = Told("pull", At(-40)) + Told("create", At(-30));
  cluster_.ring = {Kept(1, "double", At(-10), "n1"), Kept(2, "die", At(-9), "n2")};
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60) + "&until=" + Seconds(-3));
  EXPECT_EQ(HeaderOf(reply, "Content-Type"), "application/json");
  EXPECT_EQ(Shown(BodyOf(reply)), "pull@n2 create@n1 create@n2 attach@n1 double@n1 die@n2");
  const std::string query = "since=" + Seconds(-60) +
                            ".000000000&until=" + std::to_string(At(-10) / kSecond - 1) +
                            ".999999999";
  EXPECT_EQ(AskedForEvents(), (std::vector<std::string>{"n1 GET /v1.41/events?" + query,
                                                        "n2 GET /v1.41/events?" + query}));
  EXPECT_EQ(cluster_.subscriptions, 0);
}

TEST_F(EventsReplayTest, AnEngineThatCameBackTellsNothingTwice) {
  // It left and came back, so that what is kept of its first stay is not known to be whole.
  cluster_.ring = {Kept(1, "create", At(-30), "n1")};
  told_["n1"] = Told("create", At(-30)) + Told("start", At(-29));
  told_["n2"] = "";
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60) + "&until=" + Seconds(-3));
  EXPECT_EQ(Shown(BodyOf(reply)), "create@n1 start@n1");
}

// A copy of the nodes takes as long as there are nodes.
TEST_F(EventsReplayTest, NodesAreCopiedForEachReplayAndNotForEachEventTold) {
  told_["n2"] = "";
  std::vector<std::size_t> copies;
  for (const int events : {1, 10}) {
    told_["n1"].clear();
    for (int i = 0; i < events; ++i) told_["n1"] += Told("start", At(-40 + i));
    const std::size_t before = cluster_.copies_of_nodes;
    Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60) + "&until=" + Seconds(-3));
    const std::string text = BodyOf(reply);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), events) << text;
    copies.push_back(cluster_.copies_of_nodes - before);
  }
  EXPECT_EQ(copies[0], copies[1]);
}

TEST_F(EventsReplayTest, LiveEventsComeBehindTheReplayAndNoneTwice) {
  cluster_.ring = {Kept(1, "start", At(-5), "n1")};
  told_["n1"] = Told("create", At(-30));
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60));  // n2 has not answered yet
  const auto followed = Follow(*reply.body_stream);
  EXPECT_EQ(followed->text, "");
  Publish(Kept(1, "start", At(-5), "n1"));
  Publish(Kept(2, "die", At(0), "n1"));
  EXPECT_EQ(followed->text, "");
  while (followed->text.empty() && loop_.StepTime(clock_)) Settle();
  EXPECT_EQ(Shown(followed->text), "create@n1 events_lost@n2 start@n1 die@n1");
  Publish(Kept(3, "destroy", At(0), "n1"));
  EXPECT_EQ(Shown(followed->text), "create@n1 events_lost@n2 start@n1 die@n1 destroy@n1");
  EXPECT_FALSE(followed->ended);
}

TEST_F(EventsReplayTest, AHangingNodeIsMarkedWithinASecond) {
  told_["n1"] = "";
  const TimePoint began = clock_.Now();
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60) + "&until=" + Seconds(-3));
  const auto followed = Follow(*reply.body_stream);
  while (!followed->ended && loop_.StepTime(clock_)) Settle();
  EXPECT_LE(clock_.Now() - began, std::chrono::seconds(1));
  EXPECT_EQ(Shown(followed->text), "events_lost@n2");
  EXPECT_NE(followed->text.find("does not answer"), std::string::npos) << followed->text;
  EXPECT_TRUE(followed->status.ok());
}

TEST_F(EventsReplayTest, WhatMayBeMissingIsMarked) {
  told_["n1"] = "no events at all";
  cluster_.ChangeNode("n2", [](Node& node) { node.state = NodeState::kUnhealthy; });
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60) + "&until=" + Seconds(-3));
  const std::string text = BodyOf(reply);
  EXPECT_EQ(Shown(text), "events_lost@n1 events_lost@n2");
  EXPECT_NE(text.find("could not be asked"), std::string::npos) << text;
  EXPECT_NE(text.find("not healthy"), std::string::npos) << text;
  EXPECT_NE(text.find("\"Type\":\"node\""), std::string::npos) << text;
  EXPECT_EQ(AskedForEvents().size(), 1U);
}

TEST_F(EventsReplayTest, AnEngineThatTellsAllItKeepsMayHaveForgottenMore) {
  for (const std::size_t kept_after : {0, 1}) {
    told_["n1"].clear();
    for (std::size_t at = 0; at < kKeptByEngines - 1; ++at)
      told_["n1"] += Told("top", At(-30) + static_cast<std::int64_t>(at));
    told_["n2"] = "";
    cluster_.kept_of_nodes[cluster_.nodes[0]->address].count = kept_after;
    Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60) + "&until=" + Seconds(-3));
    const std::string text = BodyOf(reply);
    EXPECT_EQ(text.find("events_lost") != std::string::npos, kept_after == 1) << kept_after;
  }
}

TEST_F(EventsReplayTest, AnEngineThatForgotLaterOnesHasForgottenThese) {
  told_["n1"] = told_["n2"] = "";
  cluster_.ring = {Kept(1, "events_lost", At(-5), "n1")};
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60) + "&until=" + Seconds(-3));
  EXPECT_EQ(Shown(BodyOf(reply)), "events_lost@n1 events_lost@n1");
}

TEST_F(EventsReplayTest, FiltersHoldForWhatEnginesTell) {
  told_["n1"] = Told("create", At(-30)) + Told("start", At(-29));
  told_["n2"] = Told("start", At(-28));
  Reply reply =
      Send("GET", "/v1.41/events?since=" + Seconds(-60) + "&until=" + Seconds(-3) +
                      "&filters=" + PercentEncode(R"({"event":["start"],"node":["n1"]})"));
  EXPECT_EQ(Shown(BodyOf(reply)), "start@n1");
  for (const std::string& line : AskedForEvents())
    EXPECT_EQ(line.find("filters"), std::string::npos) << line;
}

TEST_F(EventsReplayTest, AClientThatGoesDuringTheReplayLeavesNothing) {
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60));
  EXPECT_EQ(cluster_.subscriptions, 1);
  reply.body_stream.reset();
  Settle();
  EXPECT_EQ(cluster_.subscriptions, 0);
  while (loop_.StepTime(clock_)) Settle();
}

TEST_F(EventsReplayTest, UntilMayComeWhileEnginesAreAsked) {
  told_["n1"] = Told("create", At(-30));
  const std::int64_t whole = now_ / kSecond;
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-60) +
                                "&until=" + std::to_string(whole) + ".500000000");
  const auto followed = Follow(*reply.body_stream);
  EXPECT_FALSE(followed->ended);
  while (!followed->ended && loop_.StepTime(clock_)) Settle();
  EXPECT_EQ(Shown(followed->text), "create@n1 events_lost@n2");
  EXPECT_TRUE(followed->status.ok());
}

// It came to the engine's stream, and has not come through the manager.
TEST_F(EventsReplayTest, WhatEnginesToldJustBeforeTheEndIsNotLost) {
  constexpr std::int64_t kMillisecond = 1'000'000;
  told_["n1"] = Told("start", At(0) - 3 * kMillisecond) + Told("die", At(0) + 2 * kMillisecond);
  cluster_.ring = {Kept(1, "create", At(-1), "n1")};
  told_["n2"] = "";
  Reply past = Send("GET", "/v1.41/events?since=" + Seconds(-1) + "&until=" + Seconds(0));
  const auto ended = Follow(*past.body_stream);
  Settle();
  EXPECT_TRUE(ended->ended);
  EXPECT_EQ(Shown(ended->text), "create@n1 start@n1");
  EXPECT_EQ(AskedForEvents().size(), 2U);

  // A few milliseconds ahead; one of them has come through meanwhile.
  Reply ahead = Send("GET", "/v1.41/events?until=" + Seconds(0) + ".003000000");
  const auto followed = Follow(*ahead.body_stream);
  cluster_.ring.push_back(Kept(2, "pause", At(0) + kMillisecond, "n1"));
  Publish(cluster_.ring.back());
  told_["n1"] = Told("pause", At(0) + kMillisecond) + Told("die", At(0) + 2 * kMillisecond);
  const TimePoint before = clock_.Now();
  while (!followed->ended && loop_.StepTime(clock_)) Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_EQ(Shown(followed->text), "pause@n1 die@n1");
  EXPECT_LE(clock_.Now() - before, milliseconds(3));
  EXPECT_EQ(cluster_.subscriptions, 0);
}

TEST_F(EventsReplayTest, TheEndIsNotHeldBackByANodeThatHangs) {
  Reply reply = Send("GET", "/v1.41/events?until=" + Seconds(1));
  const auto followed = Follow(*reply.body_stream);
  const TimePoint before = clock_.Now();
  while (!followed->ended && loop_.StepTime(clock_)) Settle();
  EXPECT_EQ(Shown(followed->text), "");
  EXPECT_LE(clock_.Now() - before, seconds(2));
}

TEST_F(EventsReplayTest, TheLastEventOfOneThatIsCutOffSaysSo) {
  Reply reply = Send("GET", "/v1.41/events");
  const auto followed = Follow(*reply.body_stream);
  Publish(Kept(1, "start", At(0), "n1"));
  cluster_.ring.push_back(Kept(2, "die", At(0), "n1"));
  cluster_.Drop(2);
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_TRUE(absl::IsResourceExhausted(followed->status)) << followed->status;
  const std::size_t last = followed->text.find("\"Action\":\"events_lost\"");
  ASSERT_NE(last, std::string::npos) << followed->text;
  EXPECT_GT(last, followed->text.find("\"Action\":\"start\""));
  EXPECT_NE(followed->text.find("follows events too slowly"), std::string::npos);
  EXPECT_NE(followed->text.find("\"ID\":\"MANAGER\""), std::string::npos);
}

}  // namespace
}  // namespace swarm::testing
