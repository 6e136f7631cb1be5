#include "api/output.h"

#include <array>

#include "unit/api/api_fixture.h"

namespace swarm::testing {
namespace {

using OutputTest = ApiTest;

TEST_F(OutputTest, ReadsWhatWasWrittenInItsOrder) {
  const auto output = std::make_shared<Output>(loop_, 100);
  const std::unique_ptr<Stream> stream = output->Reader();
  EXPECT_TRUE(output->Write("one "));
  EXPECT_EQ(output->held(), 4U);
  const auto followed = Follow(*stream);
  EXPECT_EQ(followed->text, "one ");
  for (int at = 0; at < 100; ++at) {
    EXPECT_TRUE(output->Write("0123456789"));
    Settle();
  }
  EXPECT_EQ(followed->text.size(), 1'004U);
  output->End();
  Settle();
  EXPECT_TRUE(followed->ended);
  EXPECT_TRUE(followed->status.ok());
  EXPECT_FALSE(output->Write("late"));
}

TEST_F(OutputTest, LinesStayWholeWhereTheyFit) {
  const auto output = std::make_shared<Output>(loop_, 100);
  output->KeepLinesWhole();
  const std::unique_ptr<Stream> stream = output->Reader();
  output->Write("one\ntwo\nthree\nlonger than the buffer\nend");
  output->End();
  std::vector<std::string> reads;
  std::array<char, 10> buffer;
  do {
    stream->Read(buffer, [&](absl::StatusOr<std::size_t> got) {
      reads.emplace_back(buffer.data(), got.value_or(0));
    });
    Settle();
  } while (!reads.empty() && !reads.back().empty() && reads.size() < 20);
  EXPECT_EQ(reads, (std::vector<std::string>{"one\ntwo\n", "three\n", "longer tha", "n the buff",
                                             "er\nend", ""}));
}

TEST_F(OutputTest, BeyondTheBoundItEndsWithAnError) {
  const auto output = std::make_shared<Output>(loop_, 10);
  const std::unique_ptr<Stream> stream = output->Reader();
  EXPECT_TRUE(output->Write("0123456789"));
  EXPECT_FALSE(output->Write("x"));
  const auto followed = Follow(*stream);
  EXPECT_EQ(followed->text, "0123456789");
  EXPECT_TRUE(absl::IsResourceExhausted(followed->status));
}

TEST_F(OutputTest, AbortCancelsTheReadAndTellsTheWriter) {
  const auto output = std::make_shared<Output>(loop_, 10);
  const std::unique_ptr<Stream> stream = output->Reader();
  int told = 0;
  output->OnGone([&told] { ++told; });
  const auto followed = Follow(*stream);
  loop_.Post([&stream] { stream->Abort(); });
  Settle();
  EXPECT_TRUE(absl::IsCancelled(followed->status));
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(output->Write("x"));
  output->OnGone([&told] { ++told; });
  Settle();
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace swarm::testing
