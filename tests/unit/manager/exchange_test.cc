// Requests in process: whole answers, streams, uploads, tunnels, and every way in which they end.
#include "swarmlib/exchange.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/filter.h"
#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"
#include "unit/manager/exchange_fixture.h"

namespace swarm {
namespace {

using std::chrono::milliseconds;

TEST_F(ExchangeTest, GivesWholeAnswersOfEachKind) {
  EXPECT_NE(Ask(200, "GET", "/version").find("\"ApiVersion\""), std::string::npos);
  EXPECT_NE(Ask(404, "GET", "/v1.41/containers/nosuch/json").find("nosuch"), std::string::npos);
  EXPECT_EQ(Ask(200, "HEAD", "/_ping"), "");
  Run("web", R"(["sleep","1000"])");
  EXPECT_NE(Ask(200, "GET", "/containers/json").find("busybox"), std::string::npos);
}

TEST_F(ExchangeTest, RefusesWhatNoServerWouldLetThrough) {
  struct Case {
    const char* name;
    Request request;
  };
  std::vector<Case> cases;
  cases.push_back({"no method", Asking("", "/version")});
  cases.push_back({"a method with a blank", Asking("GET /", "/version")});
  cases.push_back({"no target", Asking("GET", "")});
  cases.push_back({"a target without /", Asking("GET", "version")});
  cases.push_back({"a split target", Asking("GET", "/version HTTP/1.1\r\nX: y")});
  cases.push_back({"a split field", Asking("GET", "/version")});
  cases.back().request.headers = {{"X-Registry-Auth", "hidden\r\nX: y"}};
  cases.push_back({"a field without a name", Asking("GET", "/version")});
  cases.back().request.headers = {{"", "y"}};
  for (Case& each : cases) {
    const absl::Status status = manager_->Call(std::move(each.request), {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.name << ": " << status;
    EXPECT_EQ(MessageOf(status).find("hidden"), std::string_view::npos) << status;
  }
}

TEST_F(ExchangeTest, BoundsTheAnswerAndItsTime) {
  CallOptions small;
  small.max_body = 10;
  EXPECT_EQ(manager_->Call(Asking("GET", "/info"), std::move(small)).status().code(),
            absl::StatusCode::kResourceExhausted);
  CallOptions brief;
  brief.timeout = milliseconds(30);
  EXPECT_EQ(manager_->Call(Asking("GET", "/events"), std::move(brief)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  std::stop_source stop;
  CallOptions stopped;
  stopped.stop = stop.get_token();
  stop.request_stop();
  EXPECT_EQ(manager_->Call(Asking("GET", "/events"), std::move(stopped)).status().code(),
            absl::StatusCode::kCancelled);
}

TEST_F(ExchangeTest, AWaitThatEndsLosesNothing) {
  const auto events = manager_->Begin(Asking("GET", "/events"));
  ASSERT_TRUE(events->WaitHead(kLong).ok());
  EXPECT_EQ(events->status(), 200);
  EXPECT_FALSE(events->tunnel());
  std::array<char, 16> piece;
  EXPECT_EQ(events->Read(piece, milliseconds(20)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  Run("web", R"(["sleep","1000"])");
  const std::string told = ReadUntil(*events, "\"start\"");
  EXPECT_LT(told.find("\"create\""), told.find("\"start\"")) << told;
  EXPECT_EQ(events->Read({}, kLong).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ExchangeTest, ReadsLogsThatAreFollowedToTheirEnd) {
  Run("talker", R"(["sh","-c","echo one; echo two"])");
  const auto logs = manager_->Begin(Asking("GET", "/containers/talker/logs?stdout=1&follow=1"));
  const absl::StatusOr<std::string> all = logs->ReadAll(1 << 20, kLong);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_NE(all->find("one\n"), std::string::npos);
  EXPECT_NE(all->find("two\n"), std::string::npos);
  std::array<char, 16> piece;
  EXPECT_EQ(*logs->Read(piece, kLong), 0U);
}

TEST_F(ExchangeTest, SendsABodyInPieces) {
  Request request = Asking("POST", "/containers/create?name=piecemeal");
  request.headers = {{"Content-Type", "application/json"}};
  request.body = R"({"Image":)";
  const auto create = manager_->Begin(std::move(request), true);
  ASSERT_TRUE(create->Write(R"("busy)", kLong).ok());
  EXPECT_EQ(create->WaitHead(milliseconds(20)).code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_EQ(*create->Write(R"(box"})", kLong), 5U);
  ASSERT_TRUE(create->CloseWrite().ok());
  ASSERT_TRUE(create->WaitHead(kLong).ok());
  EXPECT_EQ(create->status(), 201);
  EXPECT_EQ(create->Write("more", kLong).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ExchangeTest, TheLengthOfABodyInPiecesIsOfWhatIsWritten) {
  Request request = Asking("POST", "/containers/create?name=measured");
  request.headers = {{"Content-Type", "application/json"}};
  request.body = R"({"Image":)";
  const std::string rest = R"("busybox"})";
  request.body_length = rest.size();
  const auto create = manager_->Begin(std::move(request), true);
  ASSERT_TRUE(create->Write(rest, kLong).ok());
  ASSERT_TRUE(create->CloseWrite().ok());
  ASSERT_TRUE(create->WaitHead(kLong).ok());
  EXPECT_EQ(create->status(), 201);
}

TEST_F(ExchangeTest, SaysThatABodyIsNotRead) {
  const auto nowhere = manager_->Begin(Asking("POST", "/containers/nosuch/start"), true);
  // The answer comes without the body; a write is refused from then on, wherever it was.
  ASSERT_TRUE(nowhere->WaitHead(kLong).ok());
  EXPECT_EQ(nowhere->status(), 404);
  absl::Status status = nowhere->Write("x", kLong).status();
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (status.ok() && std::chrono::steady_clock::now() < end)
    status = nowhere->Write("x", kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  const auto whole = manager_->Begin(Asking("GET", "/version"));
  EXPECT_EQ(whole->Write("x", kLong).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ExchangeTest, SpeaksWithAProcessThroughATunnel) {
  Run("web", R"(["cat"])");
  Request request = Asking("POST", "/containers/web/attach?stream=1&stdin=1&stdout=1&stderr=1");
  request.headers = {{"Upgrade", "tcp"}, {"Connection", "Upgrade"}};
  const auto attached = manager_->Begin(std::move(request));
  ASSERT_TRUE(attached->WaitHead(kLong).ok());
  EXPECT_EQ(attached->status(), 101);
  ASSERT_TRUE(attached->tunnel());
  ASSERT_TRUE(attached->Write("hello\n", kLong).ok());
  EXPECT_NE(ReadUntil(*attached, "hello\n").find("hello\n"), std::string::npos);
  ASSERT_TRUE(attached->CloseWrite().ok());
  const absl::StatusOr<std::string> rest = attached->ReadAll(1 << 20, kLong);
  EXPECT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ(manager_->Call(Asking("POST", "/containers/web/attach?stream=1"), {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ExchangeTest, OurSideMayBeEndedBeforeTheTunnelIsThere) {
  Run("web", R"(["cat"])");
  Request request = Asking("POST", "/containers/web/attach?stream=1&stdin=1&stdout=1");
  request.headers = {{"Upgrade", "tcp"}};
  const auto attached = manager_->Begin(std::move(request));
  EXPECT_TRUE(attached->CloseWrite().ok());
  EXPECT_EQ(attached->CloseWrite().code(), absl::StatusCode::kFailedPrecondition);
  // The container's standard input has ended, and with it the container.
  const absl::StatusOr<std::string> rest = attached->ReadAll(1 << 20, kLong);
  EXPECT_TRUE(rest.ok()) << rest.status();
}

TEST_F(ExchangeTest, ErrorsOfAnswersTellATakenNameFromOtherConflicts) {
  struct Case {
    const char* target;
    const char* body;
    absl::StatusCode code;
    const char* part;
  };
  Run("web", R"(["sleep","1000"])");
  const Case cases[] = {
      {"/containers/create?name=web", R"({"Image":"busybox"})", absl::StatusCode::kAlreadyExists,
       "already in use"},
      {"/v1.20/containers/create?name=web", R"({"Image":"busybox"})",
       absl::StatusCode::kAlreadyExists, "already in use"},
      {"/containers/create?name=other", R"({"Image":"busybox","Env":["constraint:node==moon"]})",
       absl::StatusCode::kFailedPrecondition, "node==moon"},
      {"/containers/nosuch/start", "", absl::StatusCode::kNotFound, "nosuch"},
  };
  for (const Case& each : cases) {
    const absl::StatusOr<Reply> reply = manager_->Call(Asking("POST", each.target, each.body), {});
    ASSERT_TRUE(reply.ok()) << reply.status();
    const absl::Status error = StatusOfReply(reply->status, reply->headers, reply->body);
    EXPECT_EQ(error.code(), each.code) << each.target << ": " << error;
    EXPECT_EQ(HttpStatusOf(error), reply->status) << each.target;
    EXPECT_NE(MessageOf(error).find(each.part), std::string_view::npos) << error;
  }
  EXPECT_EQ(MessageOf(StatusOfReply(502, {}, "")), "HTTP status 502");
}

TEST_F(ExchangeTest, AbortFreesWhoWaits) {
  const auto events = manager_->Begin(Asking("GET", "/events"));
  ASSERT_TRUE(events->WaitHead(kLong).ok());
  std::promise<void> reading;
  auto reader = std::async(std::launch::async, [&] {
    std::array<char, 16> piece;
    reading.set_value();
    return events->Read(piece, kLong).status();
  });
  reading.get_future().wait();
  events->Abort();
  EXPECT_EQ(reader.get().code(), absl::StatusCode::kCancelled);
  events->Abort();
  EXPECT_EQ(events->WaitHead(kLong).code(), absl::StatusCode::kCancelled);
}

TEST_F(ExchangeTest, CloseEndsAllThatAreOpenAndTakesNoMore) {
  Run("web", R"(["cat"])");
  std::vector<std::unique_ptr<Exchange>> open;
  open.push_back(manager_->Begin(Asking("GET", "/events")));
  open.push_back(manager_->Begin(Asking("POST", "/containers/web/attach?stream=1&stdout=1")));
  Request late = Asking("POST", "/containers/create?name=late");
  late.headers = {{"Content-Type", "application/json"}};
  open.push_back(manager_->Begin(std::move(late), true));
  ASSERT_TRUE(open[0]->WaitHead(kLong).ok());
  ASSERT_TRUE(open[1]->WaitHead(kLong).ok());
  std::vector<std::future<absl::Status>> waiting;
  for (const auto& each : open) {
    waiting.push_back(
        std::async(std::launch::async, [&each] { return each->ReadAll(1 << 20, kLong).status(); }));
  }
  const auto whole = manager_->Begin(Asking("GET", "/version"));
  ASSERT_TRUE(whole->WaitHead(kLong).ok());
  auto other = std::async(std::launch::async, [this] { manager_->Close(milliseconds(50)); });
  manager_->Close(milliseconds(50));
  other.get();
  for (std::size_t i = 0; i < waiting.size(); ++i)
    EXPECT_EQ(waiting[i].get().code(), absl::StatusCode::kCancelled) << i;
  EXPECT_EQ(manager_->Call(Asking("GET", "/version"), {}).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(manager_->Serve().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(manager_->WaitReady(kLong).code(), absl::StatusCode::kCancelled);
  bool told = false;
  manager_->Handle(Asking("GET", "/version"), [&told](absl::StatusOr<Reply> reply) {
    told = reply.status().code() == absl::StatusCode::kCancelled;
  });
  EXPECT_TRUE(told);
  manager_.reset();
  EXPECT_EQ(open[0]->WaitHead(kLong).code(), absl::StatusCode::kCancelled);
}

TEST_F(ExchangeTest, RefusesToWaitOnAThreadOfTheManager) {
  std::promise<std::pair<absl::Status, absl::Status>> said;
  manager_->Handle(Asking("GET", "/version"), [&](const absl::StatusOr<Reply>&) {
    said.set_value(
        {manager_->Call(Asking("GET", "/version"), {}).status(), manager_->WaitReady(kLong)});
  });
  const auto statuses = said.get_future().get();
  EXPECT_EQ(statuses.first.code(), absl::StatusCode::kFailedPrecondition) << statuses.first;
  EXPECT_EQ(statuses.second.code(), absl::StatusCode::kFailedPrecondition) << statuses.second;
}

TEST_F(ExchangeTest, AForkedChildIsToldAndDoesNotHang) {
  auto events = manager_->Begin(Asking("GET", "/events"));
  ASSERT_TRUE(events->WaitHead(kLong).ok());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool refused = manager_->Call(Asking("GET", "/version"), {}).status().code() ==
                             absl::StatusCode::kFailedPrecondition &&
                         events->WaitHead(kLong).code() == absl::StatusCode::kFailedPrecondition &&
                         manager_->WaitReady(kLong).code() == absl::StatusCode::kFailedPrecondition;
    events.reset();
    manager_->Close(kLong);
    manager_.reset();
    _exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  Ask(200, "GET", "/version");
}

// A filter that uses the manager it filters for.
class MeddlingFilter final : public Filter {
 public:
  MeddlingFilter(Manager* const* manager, std::vector<absl::Status>* said)
      : manager_(manager), said_(said) {}
  std::string_view name() const override { return "meddling"; }
  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec&) const override {
    said_->push_back((*manager_)->Plan(ContainerSpec()).status());
    said_->push_back((*manager_)->Call(Asking("GET", "/version"), {}).status());
    return std::vector<Rule>();
  }

 private:
  Manager* const* manager_;
  std::vector<absl::Status>* said_;
};

TEST(ManagerFilterTest, FiltersThatCallTheirManagerAreRefusedAndDoNotHang) {
  Manager* raw = nullptr;
  std::vector<absl::Status> said;
  Config config = ThreeEngines();
  config.filters = {"health", "meddling"};
  ASSERT_TRUE(config.filter_registry
                  .Add("meddling", [&] { return std::make_unique<MeddlingFilter>(&raw, &said); })
                  .ok());
  auto manager = Manager::Open(std::move(config));
  ASSERT_TRUE(manager.ok()) << manager.status();
  raw = manager->get();
  ASSERT_TRUE(raw->WaitReady(kLong).ok());
  const auto plan = raw->PlanCreate(R"({"Image":"busybox"})", "", "");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto made = raw->Call(Asking("POST", "/containers/create", R"({"Image":"busybox"})"), {});
  ASSERT_TRUE(made.ok() && made->status == 201) << made.status();
  ASSERT_GE(said.size(), 4U);
  for (const absl::Status& status : said)
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST(ManagerRunTest, ManagersWithThreadsOfTheirOwnRefuseOthers) {
  auto manager = Manager::Open(ThreeEngines());
  ASSERT_TRUE(manager.ok());
  EXPECT_EQ((*manager)->Run().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ManagerRunTest, LoopsRunOnTheThreadsOfTheCaller) {
  Config config = ThreeEngines();
  config.caller_threads = true;
  config.listen = {"tcp://127.0.0.1:0"};
  auto manager = Manager::Open(std::move(config));
  ASSERT_TRUE(manager.ok()) << manager.status();
  ASSERT_TRUE((*manager)->Serve().ok());  // before anybody runs them
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&manager] { EXPECT_TRUE((*manager)->Run().ok()); });
  }
  EXPECT_TRUE((*manager)->WaitReady(kLong).ok());
  for (int i = 0; i < 2; ++i) {
    const auto reply = (*manager)->Call(Asking("GET", "/version"), {});
    EXPECT_TRUE(reply.ok()) << reply.status();
  }
  // Both loops have answered, so both have their thread.
  EXPECT_EQ((*manager)->Run().code(), absl::StatusCode::kFailedPrecondition);
  (*manager)->Close(milliseconds(100));
  for (std::thread& thread : threads) thread.join();
}

// Before the threads of the manager have begun, while they begin, and after.
TEST(ManagerRunTest, ClosesAtOnce) {
  for (int i = 0; i < 100; ++i) {
    auto manager = Manager::Open(ThreeEngines());
    ASSERT_TRUE(manager.ok()) << manager.status();
    if (i % 3 == 1) std::this_thread::yield();
    if (i % 3 == 2) std::this_thread::sleep_for(std::chrono::microseconds(i));
    (*manager)->Close(milliseconds(0));
  }
}

TEST(ManagerRunTest, ClosesWithoutAnyThread) {
  Config config = ThreeEngines();
  config.caller_threads = true;
  auto manager = Manager::Open(std::move(config));
  ASSERT_TRUE(manager.ok()) << manager.status();
  (*manager)->Close(milliseconds(100));
}

}  // namespace
}  // namespace swarm
