// Uploads that go to many nodes.
#include <cstdlib>

#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class LoadTest : public ApiTest {
 protected:
  void SetUp() override {
    cluster_.keep_uploads = &uploads_;
    cluster_.AddNode("n1", "1.41", "1.12");
    cluster_.AddNode("n2", "1.45", "1.24");
    cluster_.script = [this](const Seen& seen) -> absl::StatusOr<Reply> {
      if (const auto broken = broken_.find(seen.node); broken != broken_.end())
        return broken->second;
      auto body = std::make_shared<Output>(loop_, 1U << 20U);
      bodies_[seen.node] = body;
      Reply reply;
      reply.body_stream = body->Reader();
      return reply;
    };
  }
  void TearDown() override { uploads_.clear(); }

  // An upload that comes piece by piece.
  std::shared_ptr<Output> upload_ = std::make_shared<Output>(loop_, 8U << 20U);
  Request Upload(const std::string& target) {
    Request request = MakeRequest("POST", target);
    request.headers.emplace_back("Content-Type", "application/x-tar");
    request.body_stream = upload_->Reader();
    return request;
  }

  static std::string StreamLine(const std::string& text) {
    return "{\"stream\":\"" + text + "\\n\"}\r\n";
  }

  FakeEngine::Uploads uploads_;
  std::map<std::string, std::shared_ptr<Output>> bodies_;
  std::map<std::string, absl::Status> broken_;
};

TEST_F(LoadTest, EveryNodeGetsTheWholeUpload) {
  const std::string archive(3'000'000, 'x');
  auto into = std::make_shared<std::optional<Reply>>();
  loop_.Spawn(Run(*api_, Upload("/v1.45/images/load"), into));
  upload_->Write(archive);
  Settle();
  EXPECT_TRUE(cluster_.seen.empty());  // it may be longer
  upload_->Write("end");
  upload_->End();
  Settle();
  ASSERT_TRUE(into->has_value());
  Reply reply = std::move(**into);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(HeaderOf(reply, "Content-Type"), "application/json");
  const auto followed = Follow(*reply.body_stream);
  ASSERT_EQ(cluster_.seen.size(), 2U);
  EXPECT_EQ(cluster_.seen[0].line, "POST /v1.41/images/load");
  EXPECT_EQ(cluster_.seen[1].line, "POST /v1.45/images/load");
  for (const char* node : {"n1", "n2"}) {
    const auto given = Follow(*uploads_[node]);
    EXPECT_TRUE(given->ended);
    EXPECT_EQ(given->text.size(), archive.size() + 3) << node;
    EXPECT_TRUE(given->text.ends_with("xend")) << node;
    bodies_[node]->Write("{\"status\":\"Loading layer\",\"progress\":\"[>]\",\"id\":\"abc\"}\r\n");
    bodies_[node]->Write(StreamLine("Loaded image: app:latest"));
    bodies_[node]->End();
  }
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_EQ(followed->text,
            "{\"status\":\"Loading layer\",\"progress\":\"[>]\",\"id\":\"n1/abc\"}\r\n"
            "{\"status\":\"Loaded image: app:latest\",\"id\":\"n1\"}\r\n"
            "{\"status\":\"Loading layer\",\"progress\":\"[>]\",\"id\":\"n2/abc\"}\r\n"
            "{\"status\":\"Loaded image: app:latest\",\"id\":\"n2\"}\r\n" +
                StreamLine("Loaded image: app:latest"));
  EXPECT_EQ(cluster_.refreshed_images, (std::vector<std::string>{"n1", "n2"}));
}

TEST_F(LoadTest, QuietlyItTellsWhatOneEngineTells) {
  upload_->End();
  Reply reply = Send(Upload("/v1.45/images/load?quiet=1"));
  const auto followed = Follow(*reply.body_stream);
  EXPECT_EQ(cluster_.seen[0].line, "POST /v1.41/images/load?quiet=1");
  for (const char* node : {"n1", "n2"}) {
    bodies_[node]->Write(StreamLine("Loaded image: app:latest"));
    bodies_[node]->End();
  }
  Settle();
  EXPECT_EQ(followed->text, StreamLine("Loaded image: app:latest"));
}

TEST_F(LoadTest, ANodeThatTakesNothingDoesNotHoldTheOthers) {
  upload_->Write("archive");
  upload_->End();
  Reply reply = Send(Upload("/v1.45/images/load?quiet=1"));
  const auto followed = Follow(*reply.body_stream);
  const auto given = Follow(*uploads_["n2"]);
  EXPECT_EQ(given->text, "archive");
  bodies_["n2"]->Write(StreamLine("Loaded image: app:latest"));
  bodies_["n2"]->End();
  Settle();
  EXPECT_EQ(cluster_.refreshed_images, (std::vector<std::string>{"n2"}));
  Pass(seconds(30));
  EXPECT_FALSE(followed->ended);
  Pass(seconds(32));
  EXPECT_TRUE(followed->ended);
  EXPECT_TRUE(bodies_["n1"]->gone());
  EXPECT_TRUE(cluster_.seen[0].options.stop.stop_requested());
  EXPECT_NE(followed->text.find("the upload was loaded on 1 of 2 nodes (n2): n1: nothing moved for "
                                "60 s"),
            std::string::npos)
      << followed->text;
}

TEST_F(LoadTest, UnpackingMayTakeLong) {
  upload_->Write("archive");
  upload_->End();
  Reply reply = Send(Upload("/v1.45/images/load?quiet=1"));
  const auto followed = Follow(*reply.body_stream);
  for (const char* node : {"n1", "n2"}) EXPECT_TRUE(Follow(*uploads_[node])->ended);
  Pass(minutes(20));
  EXPECT_FALSE(followed->ended);
  for (const char* node : {"n1", "n2"}) bodies_[node]->End();
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_EQ(followed->text.find("error"), std::string::npos) << followed->text;
}

TEST_F(LoadTest, FailuresAreNamed) {
  broken_["n1"] = Unavailable("connection refused");
  upload_->End();
  Reply reply = Send(Upload("/v1.45/images/load"));
  const auto followed = Follow(*reply.body_stream);
  bodies_["n2"]->Write("{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}\r\n");
  bodies_["n2"]->End();
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_NE(followed->text.find("\"error\":\"the upload was loaded on 0 of 2 nodes: n1: connection "
                                "refused; n2: no space\""),
            std::string::npos)
      << followed->text;
}

TEST_F(LoadTest, AClientThatLeavesStopsEveryNode) {
  upload_->End();
  Reply reply = Send(Upload("/v1.45/images/load"));
  reply.body_stream->Abort();
  Settle();
  for (const char* node : {"n1", "n2"}) EXPECT_TRUE(bodies_[node]->gone()) << node;
  for (const Seen& seen : cluster_.seen) EXPECT_TRUE(seen.options.stop.stop_requested());
}

TEST_F(LoadTest, AnUploadThatBreaksReachesNobody) {
  upload_->Write("half");
  upload_->Fail(Cancelled("the client went away"));
  EXPECT_GE(Send(Upload("/v1.45/images/load")).status, 400);
  EXPECT_TRUE(cluster_.seen.empty());
}

TEST_F(LoadTest, WithoutAFolderToKeepItInNobodyIsAsked) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/nosuch/folder", 1);
  upload_->End();
  const Reply reply = Send(Upload("/v1.45/images/load"));
  kept.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
  EXPECT_EQ(reply.status, 507);
  EXPECT_NE(reply.body.find("/nosuch/folder"), std::string::npos) << reply.body;
  EXPECT_TRUE(cluster_.seen.empty());
}

TEST_F(LoadTest, ImportsOnceAndGivesItToTheOthers) {
  const std::string id = "sha256:" + std::string(64, 'd');
  cluster_.script = [&](const Seen& seen) {
    Reply reply;
    if (seen.line.starts_with("POST /v1.41/images/create"))
      reply.body = "{\"status\":\"" + id + "\"}\r\n";
    if (seen.line.starts_with("GET ")) reply.body = "saved";
    if (seen.line.ends_with("/images/load?quiet=1"))
      reply.body = StreamLine("Loaded image: mine:1");
    return reply;
  };
  upload_->Write("rootfs");
  upload_->End();
  Reply reply = Send(Upload("/v1.45/images/create?fromSrc=-&repo=mine&tag=1&changes=CMD+sh"));
  EXPECT_EQ(BodyOf(reply), "{\"status\":\"" + id + "\"}\r\n");
  ASSERT_EQ(cluster_.seen.size(), 3U);
  EXPECT_EQ(cluster_.seen[0].node, "n1");
  EXPECT_EQ(cluster_.seen[0].line,
            "POST /v1.41/images/create?fromSrc=-&repo=mine&tag=1&changes=CMD%20sh");
  EXPECT_EQ(Follow(*uploads_["n1"])->text, "rootfs");
  EXPECT_EQ(cluster_.seen[1].line, "GET /v1.41/images/mine%3A1/get");
  EXPECT_EQ(cluster_.seen[2].node, "n2");
  EXPECT_EQ(cluster_.seen[2].line, "POST /v1.45/images/load?quiet=1");
  EXPECT_EQ(Follow(*uploads_["n2"])->text, "saved");
  EXPECT_EQ(cluster_.refreshed_images, (std::vector<std::string>{"n1", "n2"}));
}

TEST_F(LoadTest, AnImportThatFailsSaysWhere) {
  cluster_.script = [](const Seen& seen) {
    Reply reply;
    if (seen.line.find("/images/create") == std::string::npos) return reply;
    reply.status = 400;
    reply.body = "{\"message\":\"invalid reference format\"}";
    return reply;
  };
  upload_->End();
  const Reply refused = Send(Upload("/v1.45/images/create?fromSrc=-&repo=BAD"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, "{\"message\":\"invalid reference format\"}\n");
  EXPECT_EQ(cluster_.seen.size(), 1U);

  cluster_.script = [](const Seen& seen) -> absl::StatusOr<Reply> {
    Reply reply;
    if (seen.line.find("/images/create") != std::string::npos)
      reply.body = "{\"status\":\"sha256:abc\"}\r\n";
    if (seen.line.find("/images/load") != std::string::npos) return Unavailable("refused");
    return reply;
  };
  Reply partly = Send("POST", "/v1.45/images/create?fromSrc=http://x/y.tar");
  const std::string body = BodyOf(partly);
  EXPECT_NE(body.find("\"error\":\"sha256:abc was imported on 1 of 2 nodes (n1): n2: refused\""),
            std::string::npos)
      << body;
}

}  // namespace
}  // namespace swarm::testing
