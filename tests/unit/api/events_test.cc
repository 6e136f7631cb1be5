#include "api/replay_turns.h"
#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

class EventsTest : public ApiTest {
 protected:
  void SetUp() override {
    AddUsual();
    now_ = clock_.Wall().time_since_epoch().count();
  }

  std::shared_ptr<const ClusterEvent> Event(std::uint64_t sequence, const std::string& action,
                                            std::int64_t time_nano,
                                            const std::string& name = "web") {
    auto event = std::make_shared<ClusterEvent>();
    event->sequence = sequence;
    event->type = "container";
    event->action = action;
    event->actor_id = FullId('a');
    event->attributes = {{"name", name}, {"image", "busybox"}, {"node.name", "n1"}};
    event->scope = "local";
    event->time_nano = time_nano;
    event->node = cluster_.nodes[0]->address;
    return event;
  }

  // As the cluster does: on the loop.
  void Publish(std::shared_ptr<const ClusterEvent> event) {
    loop_.Post([this, event = std::move(event)] { cluster_.Publish(event); });
    Settle();
  }

  // The actions shown, in order.
  static std::string Actions(const std::string& text) {
    std::string actions;
    constexpr std::string_view kKey = "\"Action\":\"";
    for (std::size_t at = text.find(kKey); at != std::string::npos; at = text.find(kKey, at + 1)) {
      const std::size_t begin = at + kKey.size();
      if (!actions.empty()) actions += ' ';
      actions += text.substr(begin, text.find('"', begin) - begin);
    }
    return actions;
  }

  std::string Seconds(std::int64_t offset) { return std::to_string(now_ / kSecond + offset); }

  std::int64_t now_ = 0;
};

TEST_F(EventsTest, LiveEventsFollowAtOnce) {
  Reply reply = Send("GET", "/v1.41/events");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(HeaderOf(reply, "Content-Type"), "application/json");
  ASSERT_NE(reply.body_stream, nullptr);
  EXPECT_EQ(cluster_.subscriptions, 1);
  const auto followed = Follow(*reply.body_stream);
  EXPECT_EQ(followed->text, "");
  Publish(Event(1, "create", now_));
  Publish(Event(2, "start", now_));
  Settle();
  EXPECT_EQ(Actions(followed->text), "create start");
  EXPECT_NE(followed->text.find("\"status\":\"create\""), std::string::npos) << followed->text;
  EXPECT_NE(followed->text.find("node.name"), std::string::npos);
  EXPECT_FALSE(followed->ended);
  reply.body_stream->Abort();
  Settle();
  EXPECT_EQ(cluster_.subscriptions, 0);
}

TEST_F(EventsTest, AClientThatGoesEndsTheSubscription) {
  Reply reply = Send("GET", "/v1.41/events");
  EXPECT_EQ(cluster_.subscriptions, 1);
  reply.body_stream.reset();
  Settle();
  EXPECT_EQ(cluster_.subscriptions, 0);
}

TEST_F(EventsTest, ReplayThenLiveWithoutGapOrDouble) {
  cluster_.ring = {Event(1, "create", now_ - 20 * kSecond), Event(2, "start", now_ - 10 * kSecond),
                   Event(3, "die", now_ - kSecond)};
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-15) + ".5");
  const auto followed = Follow(*reply.body_stream);
  EXPECT_EQ(Actions(followed->text), "start die");
  Publish(Event(3, "die", now_ - kSecond));
  Publish(Event(4, "destroy", now_));
  Settle();
  EXPECT_EQ(Actions(followed->text), "start die destroy");
  EXPECT_FALSE(followed->ended);
}

TEST_F(EventsTest, UntilInThePastEndsAfterTheReplay) {
  cluster_.ring = {Event(1, "create", now_ - 20 * kSecond), Event(2, "start", now_ - 10 * kSecond)};
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-30) + "&until=" + Seconds(-15));
  EXPECT_EQ(Actions(BodyOf(reply)), "create");
  EXPECT_EQ(cluster_.subscriptions, 0);
}

TEST_F(EventsTest, UntilInTheFutureEndsWhenItComes) {
  Reply reply = Send("GET", "/v1.41/events?until=" + Seconds(5));
  const auto followed = Follow(*reply.body_stream);
  Publish(Event(1, "start", now_ + kSecond));
  Publish(Event(2, "die", now_ + 6 * kSecond));
  Settle();
  EXPECT_EQ(Actions(followed->text), "start");
  EXPECT_FALSE(followed->ended);
  while (!followed->ended && loop_.StepTime(clock_)) Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_TRUE(followed->status.ok());
  EXPECT_EQ(cluster_.subscriptions, 0);
}

TEST_F(EventsTest, AClientThatGoesLeavesNoTimerBehind) {
  for (int i = 0; i < 3; ++i) {
    Reply reply = Send("GET", "/v1.41/events?until=" + Seconds(3'600));
    const auto followed = Follow(*reply.body_stream);
    EXPECT_FALSE(followed->ended);
    reply.body_stream->Abort();
    Settle();
  }
  EXPECT_EQ(cluster_.subscriptions, 0);
  EXPECT_FALSE(loop_.StepTime(clock_));
}

TEST_F(EventsTest, Filters) {
  struct Case {
    const char* filters;
    const char* actions;
  };
  cluster_.ring = {Event(1, "create", now_ - 3 * kSecond, "web"),
                   Event(2, "start", now_ - 2 * kSecond, "web"),
                   Event(3, "start", now_ - kSecond, "other")};
  const Case cases[] = {
      {"{\"event\":[\"start\"]}", "start start"},
      {"{\"container\":{\"web\":true}}", "create start"},
      {"{\"container\":[\"n1/web\"],\"event\":[\"start\"]}", "start"},
      {"{\"type\":[\"image\"]}", ""},
      {"{\"image\":[\"busybox\"]}", "create start start"},
      {"{\"node\":[\"n1\"]}", "create start start"},
      {"{\"node\":[\"n2\"]}", ""},
  };
  for (const Case& wanted : cases) {
    Reply reply = Send("GET", "/v1.41/events?since=0&until=" + Seconds(0) +
                                  "&filters=" + PercentEncode(wanted.filters));
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(Actions(BodyOf(reply)), wanted.actions) << wanted.filters;
  }
}

TEST_F(EventsTest, BadQueriesAreRefused) {
  for (const char* query :
       {"filters=%7B", "filters=%7B%22nosuch%22%3A%5B%22x%22%5D%7D", "since=yesterday",
        "until=1.2.3", "since=", "since=20&until=10", "since=99999999999999999999"}) {
    Reply reply = Send("GET", std::string("/v1.41/events?") + query);
    EXPECT_EQ(reply.status, std::string(query) == "since=" ? 200 : 400) << query << reply.body;
  }
}

// It is only a place in the history: nothing waits for it, and it goes on where it was.
TEST_F(EventsTest, AClientThatReadsLateMissesNothing) {
  Reply reply = Send("GET", "/v1.41/events");
  constexpr std::uint64_t kEvents = 20'000;
  std::weak_ptr<const ClusterEvent> first;
  for (std::uint64_t at = 1; at <= kEvents; ++at) {
    const auto event = Event(at, "exec_start: " + std::to_string(at), now_);
    if (at == 1) first = event;
    cluster_.ring.push_back(event);
  }
  Settle();
  EXPECT_EQ(first.use_count(), 1);  // the history's
  const auto followed = Follow(*reply.body_stream);
  EXPECT_NE(followed->text.find("exec_start: 1\""), std::string::npos);
  EXPECT_NE(followed->text.find("exec_start: 20000\""), std::string::npos);
  EXPECT_FALSE(followed->ended);
}

TEST_F(EventsTest, AClientWhoseNextEventsHaveLeftTheHistoryIsCutOff) {
  Reply reply = Send("GET", "/v1.41/events");
  for (std::uint64_t at = 1; at <= 10; ++at) Publish(Event(at, "start", now_));
  cluster_.Drop(5);
  Settle();
  const auto followed = Follow(*reply.body_stream);
  EXPECT_EQ(cluster_.subscriptions, 0);
  EXPECT_TRUE(followed->ended);
  EXPECT_TRUE(absl::IsResourceExhausted(followed->status));
}

// More than what any client may be behind in bytes: it is put into words as it is read.
TEST_F(EventsTest, ALongReplayIsMadeAsItIsRead) {
  constexpr std::uint64_t kEvents = 30'000;
  for (std::uint64_t at = 1; at <= kEvents; ++at)
    cluster_.ring.push_back(Event(at, at == kEvents ? "last" : std::string(1000, 'x'), now_));
  Reply reply = Send("GET", "/v1.41/events?since=" + Seconds(-1));
  Publish(Event(kEvents + 1, "after", now_ + kSecond));
  const auto followed = Follow(*reply.body_stream);
  EXPECT_FALSE(followed->ended) << followed->status;
  EXPECT_GT(followed->text.size(), std::size_t{30} << 20);
  EXPECT_EQ(Actions(followed->text.substr(followed->text.size() - 1000)).substr(0, 4), "last");
  EXPECT_NE(followed->text.find("\"Action\":\"after\""), std::string::npos);
  Reply ended = Send("GET", "/v1.41/events?since=" + Seconds(-1) + "&until=" + Seconds(0));
  const auto whole = Follow(*ended.body_stream);
  EXPECT_TRUE(whole->ended);
  EXPECT_TRUE(whole->status.ok());
  EXPECT_EQ(whole->text.find("\"Action\":\"after\""), std::string::npos);
  EXPECT_NE(whole->text.find("\"Action\":\"last\""), std::string::npos);
}

TEST_F(EventsTest, NewsThatWereCutOffAreFollowedAnew) {
  Reply reply = Send("GET", "/v1.41/events");
  const auto followed = Follow(*reply.body_stream);
  loop_.Post([this] { cluster_.Drop(0); });
  Settle();
  EXPECT_EQ(cluster_.subscriptions, 1);
  Publish(Event(1, "start", now_));
  EXPECT_EQ(Actions(followed->text), "start");
}

TEST_F(EventsTest, ListenersBeyondTheBoundAreRefused) {
  options_.event_listeners = 2;
  MakeApi();
  Reply first = Send("GET", "/v1.41/events");
  const Reply second = Send("GET", "/v1.41/events");
  const Reply third = Send("GET", "/v1.41/events");
  EXPECT_EQ(third.status, 503);
  EXPECT_EQ(HeaderOf(third, "Retry-After"), "1");
  EXPECT_NE(third.body.find("--event-listeners"), std::string::npos) << third.body;
  first.body_stream.reset();
  Settle();
  EXPECT_EQ(Send("GET", "/v1.41/events").status, 200);
}

TEST_F(EventsTest, OnlySoManyReplayAtOnceAndTheNextBeginsWhenOneStalls) {
  cluster_.ring = {Event(1, "start", now_ - kSecond)};
  for (std::uint64_t at = 2; at < 20; ++at)
    cluster_.ring.push_back(Event(at, std::string(1000, 'x'), now_ - kSecond));
  const std::string target = "/v1.41/events?since=" + Seconds(-5);
  std::vector<Reply> stalled;
  std::string buffer(100, '\0');
  for (std::size_t i = 0; i < ReplayTurns::kMaxAtOnce; ++i) {
    stalled.push_back(Send("GET", target));
    stalled.back().body_stream->Read({buffer.data(), buffer.size()}, [](auto) {});
  }
  Settle();
  Reply next = Send("GET", target);
  const auto followed = Follow(*next.body_stream);
  EXPECT_EQ(followed->text, "");
  Pass(std::chrono::seconds(2));
  EXPECT_EQ(Actions(followed->text).substr(0, 5), "start");
}

TEST_F(EventsTest, ListenersAreCounted) {
  Reply reply = Send("GET", "/v1.41/events");
  EXPECT_NE(Send("GET", "/swarmd/v1/metrics").body.find("swarmd_event_listeners 1\n"),
            std::string::npos);
  EXPECT_NE(Send("GET", "/swarmd/v1/metrics").body.find("swarmd_open_streams 1\n"),
            std::string::npos);
  reply.body_stream->Abort();
  Settle();
  EXPECT_NE(Send("GET", "/swarmd/v1/metrics").body.find("swarmd_event_listeners 0\n"),
            std::string::npos);
}

}  // namespace
}  // namespace swarm::testing
