// What clients may make the manager hold: bodies that come slowly, lists that are not read.
#include "api/kept_rows.h"
#include "api/output.h"
#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

using std::chrono::seconds;

class ClientMemoryTest : public ApiTest {
 protected:
  ClientMemoryTest() {
    options_.budget = std::make_shared<MemoryBudget>(4U << 20U);
    MakeApi();
    AddUsual();
  }

  // A request whose body the test sends.
  struct Upload {
    std::shared_ptr<Output> body;
    std::shared_ptr<std::optional<Reply>> reply = std::make_shared<std::optional<Reply>>();
    int status() const { return reply->has_value() ? (*reply)->status : 0; }
  };
  Upload Begin(std::optional<std::uint64_t> length) {
    Upload upload;
    upload.body = std::make_shared<Output>(loop_, 8U << 20U);
    Request request = MakeRequest("POST", "/v1.41/containers/create");
    request.headers.emplace_back("Content-Type", "application/json");
    request.body_stream = upload.body->Reader();
    request.body_length = length;
    loop_.Spawn(Run(*api_, std::move(request), upload.reply));
    Settle();
    return upload;
  }
  void Send(const Upload& upload, std::size_t bytes) {
    upload.body->Write(std::string(bytes, ' '));
    Settle();
  }
  using ApiTest::Send;
  void Wait(Duration time) {
    bool over = false;
    loop_.After(time, [&over] { over = true; });
    while (!over && loop_.StepTime(clock_)) Settle();
  }
  std::size_t used() const { return options_.budget->used(); }
};

TEST_F(ClientMemoryTest, ABodyThatPausesIsAnswered408) {
  const Upload upload = Begin(100);
  Send(upload, 10);
  Wait(seconds(29));
  EXPECT_EQ(upload.status(), 0);
  Wait(seconds(1));
  ASSERT_EQ(upload.status(), 408);
  EXPECT_NE((*upload.reply)->body.find("10 bytes so far"), std::string::npos)
      << (*upload.reply)->body;
  EXPECT_EQ(used(), 0U);
}

TEST_F(ClientMemoryTest, ABodyThatTricklesIsAnswered408) {
  const Upload upload = Begin(1U << 20U);
  int second = 0;
  for (; second < 100 && upload.status() == 0; ++second) {
    Send(upload, 1000);
    Wait(seconds(1));
  }
  EXPECT_EQ(upload.status(), 408);
  EXPECT_LE(second, 33);
}

TEST_F(ClientMemoryTest, ABodyThatComesSteadilyIsTaken) {
  constexpr std::size_t kSecondly = 32U << 10U;
  const Upload upload = Begin(100 * kSecondly);
  for (int second = 0; second < 100; ++second) {
    ASSERT_EQ(upload.status(), 0) << second;
    Send(upload, kSecondly);
    Wait(seconds(1));
  }
  upload.body->End();
  Settle();
  EXPECT_EQ(upload.status(), 400);  // nothing but blanks
  EXPECT_EQ(used(), 0U);
}

TEST_F(ClientMemoryTest, BodiesBeyondTheBudgetAreToldToRetry) {
  constexpr std::size_t kLarge = 3U << 20U;
  const Upload first = Begin(kLarge);
  EXPECT_EQ(used(), kLarge);
  const Upload second = Begin(kLarge);
  ASSERT_EQ(second.status(), 503);
  EXPECT_EQ(HeaderOf(**second.reply, "Retry-After"), "1");
  // Small ones find room, and the one that was accepted is not cut.
  const Upload small = Begin(20);
  EXPECT_EQ(small.status(), 0);
  Send(first, kLarge);
  first.body->End();
  Settle();
  EXPECT_EQ(first.status(), 400);
  const Upload third = Begin(kLarge);
  EXPECT_EQ(third.status(), 0);
  for (const Upload* left : {&small, &third}) left->body->End();
  Settle();
}

TEST_F(ClientMemoryTest, ABodyOfUnknownLengthIsCountedAsItComes) {
  const Upload first = Begin(std::nullopt);
  EXPECT_EQ(used(), 0U);
  Send(first, 1U << 20U);
  EXPECT_GE(used(), 1U << 20U);
  EXPECT_LE(used(), (1U << 20U) + (64U << 10U));
  options_.budget->Take(3U << 20U);
  Send(first, 1U << 20U);
  EXPECT_EQ(first.status(), 503);
  options_.budget->Release(3U << 20U);
  EXPECT_EQ(used(), 0U);
}

// A filtered list of some MiB, of which a client reads the first half and then nothing.
TEST_F(ClientMemoryTest, AListThatIsNotReadHoldsLittle) {
  const std::string id(40, '0');
  for (int at = 0; at < 1000; ++at) {
    AddContainer("n1", 'd', "c" + std::to_string(at), ContainerState::kRunning, 300 + at,
                 [&](Container& container) {
                   container.id = id + std::to_string(100'000 + at) + std::string(18, 'e');
                 });
    auto entry = std::make_shared<ContainerEntry>(*cluster_.containers.back());
    entry->row.tail = ",\"Pad\":\"" + std::string(2'000, 'x') + "\"}";
    cluster_.containers.back() = entry;
  }
  Reply reply =
      Send("GET", "/v1.41/containers/json?filters=" + PercentEncode(R"({"status":["running"]})"));
  ASSERT_EQ(reply.status, 200);
  ASSERT_NE(reply.body_stream, nullptr);
  EXPECT_TRUE(reply.body_is_held);
  std::string buffer(64U << 10U, '\0');
  for (int i = 0; i < 16; ++i) {
    reply.body_stream->Read({buffer.data(), buffer.size()}, [](auto) {});
    Settle();
  }
  EXPECT_GT(used(), 400U << 10U);  // collected, for others who ask the same
  Wait(seconds(2));
  EXPECT_LE(used(), 128U << 10U);
  EXPECT_GT(used(), 0U);
  reply = {};
  Settle();
  EXPECT_EQ(used(), 0U);
}

TEST_F(ClientMemoryTest, AKeptListIsCountedOnceAndDroppedInTime) {
  const std::string target =
      "/v1.41/containers/json?filters=" + PercentEncode(R"({"status":["running"]})");
  const Reply first = Send("GET", target);
  const std::size_t once = used();
  EXPECT_GT(once, 0U);
  Reply second = Send("GET", target);
  EXPECT_EQ(second.pieces.front().get(), first.pieces.front().get());
  EXPECT_EQ(used(), once);
  Wait(seconds(3));
  EXPECT_EQ(used(), once);  // the replies hold it
  { const Reply dropped = std::move(second); }
  EXPECT_EQ(used(), once);
}

TEST(KeptRowsMemory, ATextThatOnlyRepliesHoldIsCountedOnce) {
  const auto budget = std::make_shared<MemoryBudget>(1U << 20U);
  KeptRows rows(budget);
  const auto group = std::make_shared<const ContainerGroup>(1);
  const std::uint64_t list = rows.Begin();
  const KeptRows::Form form{true, true};
  Piece first = rows.Keep(list, group, form, std::make_shared<const std::string>(1000, 'x'),
                          WallTime(seconds(10)));
  Piece second = rows.Find(list, *group, form, WallTime(seconds(1)));
  EXPECT_EQ(budget->used(), 0U);
  EXPECT_EQ(rows.Find(list, *group, form, WallTime(seconds(11))), nullptr);
  EXPECT_EQ(budget->used(), 1000U);
  first.reset();
  EXPECT_EQ(budget->used(), 1000U);
  second.reset();
  EXPECT_EQ(budget->used(), 0U);
}

}  // namespace
}  // namespace swarm::testing
