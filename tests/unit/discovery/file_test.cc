#include "discovery/file.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/loop.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

using Addresses = std::vector<std::string>;
using Answer = absl::StatusOr<Addresses>;

// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = testing::TempDir() + "discoveryXXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::trunc) << text;
  }

 private:
  std::string path_;
};

// Hands a descriptor's readiness on until it is told to stop.
class Readiness : public std::enable_shared_from_this<Readiness> {
 public:
  Readiness(Loop& loop, int descriptor, std::function<void()> readable)
      : descriptor_(loop.context(), descriptor), readable_(std::move(readable)) {}
  void Wait() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             if (error) return;
                             self->readable_();
                             if (!self->over_) self->Wait();
                           });
  }
  void Stop() {
    over_ = true;
    descriptor_.release();
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void()> readable_;
  bool over_ = false;
};

class FileDiscoveryTest : public testing::Test {
 protected:
  DiscoveryContext Context(bool with_descriptor) {
    DiscoveryContext context;
    context.clock = &clock_;
    context.heartbeat = std::chrono::seconds(60);
    context.after = [this](Duration delay, Callback<> then) {
      loop_.After(delay, std::move(then));
    };
    if (with_descriptor) {
      context.watch_descriptor = [this](int descriptor,
                                        std::function<void()> readable) -> std::function<void()> {
        auto readiness = std::make_shared<Readiness>(loop_, descriptor, std::move(readable));
        readiness->Wait();
        return [readiness] { readiness->Stop(); };
      };
    }
    return context;
  }

  void Start(const std::string& path, bool with_descriptor) {
    auto made = MakeDiscovery(BuiltinDiscovery(), "file://" + path, Context(with_descriptor));
    ASSERT_TRUE(made.ok()) << made.status();
    discovery_ = *std::move(made);
    discovery_->Watch([this](Answer answer) { answers_.push_back(std::move(answer)); });
  }

  // Runs the loop until there are `count` answers; bounded at 5 s of real time.
  bool WaitForAnswers(std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (answers_.size() < count && std::chrono::steady_clock::now() < end) {
      loop_.context().restart();
      loop_.context().run_one_for(std::chrono::milliseconds(20));
    }
    return answers_.size() >= count;
  }

  Folder folder_;
  ManualClock clock_;
  Loop loop_{clock_, {}};
  std::vector<Answer> answers_;
  std::unique_ptr<Discovery> discovery_;
};

TEST_F(FileDiscoveryTest, ReadsAtOnceAndSeesAWriteThroughInotify) {
  folder_.Write("nodes", "b:1\na:1 # first\n\n# none\n");
  Start(folder_.Path("nodes"), true);
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(*answers_[0], (Addresses{"a:1", "b:1"}));
  folder_.Write("nodes", "a:1\nc[1:2]:5\n");
  ASSERT_TRUE(WaitForAnswers(2));
  EXPECT_EQ(*answers_[1], (Addresses{"a:1", "c1:5", "c2:5"}));
  EXPECT_EQ(clock_.Now(), TimePoint{});
}

TEST_F(FileDiscoveryTest, SeesARenameOverTheFileTwice) {
  folder_.Write("nodes", "a:1\n");
  Start(folder_.Path("nodes"), true);
  for (const char* const text : {"b:1\n", "c:1\n"}) {
    folder_.Write("new", text);
    std::filesystem::rename(folder_.Path("new"), folder_.Path("nodes"));
    ASSERT_TRUE(WaitForAnswers(answers_.size() + 1));
  }
  EXPECT_EQ(*answers_.back(), (Addresses{"c:1"}));
}

TEST_F(FileDiscoveryTest, SeesALinkThatIsTurned) {
  folder_.Write("one", "a:1\n");
  folder_.Write("two", "b:1\n");
  std::filesystem::create_symlink("one", folder_.Path("current"));
  std::filesystem::create_symlink("current", folder_.Path("nodes"));
  Start(folder_.Path("nodes"), true);
  std::filesystem::create_symlink("two", folder_.Path("next"));
  std::filesystem::rename(folder_.Path("next"), folder_.Path("current"));
  ASSERT_TRUE(WaitForAnswers(2));
  EXPECT_EQ(*answers_[1], (Addresses{"b:1"}));
}

TEST_F(FileDiscoveryTest, AMissingFileIsSaidAndFoundWhenItComes) {
  Start(folder_.Path("nodes"), true);
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_NE(std::string(MessageOf(answers_[0].status())).find(folder_.Path("nodes")),
            std::string::npos);
  folder_.Write("nodes", "a:1\n");
  ASSERT_TRUE(WaitForAnswers(2));
  EXPECT_EQ(*answers_[1], (Addresses{"a:1"}));
}

TEST_F(FileDiscoveryTest, WithoutInotifyTheHeartbeatSeesChangesAndSaysAnErrorOnce) {
  folder_.Write("nodes", "a:1\n");
  Start(folder_.Path("nodes"), false);
  ASSERT_TRUE(loop_.StepTime(clock_));
  EXPECT_EQ(answers_.size(), 1U);  // unchanged
  folder_.Write("nodes", "a:1\nrubbish here\n");
  ASSERT_TRUE(loop_.StepTime(clock_));
  ASSERT_TRUE(loop_.StepTime(clock_));
  ASSERT_EQ(answers_.size(), 2U);
  const std::string message(MessageOf(answers_[1].status()));
  EXPECT_NE(message.find("line 2"), std::string::npos) << message;
  EXPECT_NE(message.find("rubbish here"), std::string::npos) << message;
  EXPECT_EQ(clock_.Now(), TimePoint{} + std::chrono::seconds(180));
  folder_.Write("nodes", "a:1\n");
  ASSERT_TRUE(loop_.StepTime(clock_));
  ASSERT_EQ(answers_.size(), 3U);  // the source is well again
  EXPECT_EQ(*answers_[2], (Addresses{"a:1"}));
}

TEST_F(FileDiscoveryTest, EndsWhenItIsDestroyed) {
  folder_.Write("nodes", "a:1\n");
  Start(folder_.Path("nodes"), true);
  discovery_.reset();
  folder_.Write("nodes", "b:1\n");
  loop_.RunReady();
  while (loop_.StepTime(clock_)) {
  }
  EXPECT_EQ(answers_.size(), 1U);
}

struct FileCase {
  const char* name;
  std::string text;
  const char* says;
};

class BadFiles : public testing::TestWithParam<FileCase> {};

TEST_P(BadFiles, AreRefusedNamingTheFile) {
  const auto parsed = ParseAddressFile(GetParam().text, "nodes.txt");
  ASSERT_FALSE(parsed.ok());
  const std::string message(MessageOf(parsed.status()));
  EXPECT_NE(message.find("nodes.txt"), std::string::npos) << message;
  EXPECT_NE(message.find(GetParam().says), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    , BadFiles,
    testing::Values(FileCase{"Empty", "", "names no node"},
                    FileCase{"CommentsOnly", "# a:1\n  # b\n", "names no node"},
                    FileCase{"NoPort", "a:1\nb\n", "line 2"},
                    FileCase{"Html", "<html>\n", "<html>"},
                    FileCase{"Bytes", std::string("a:1\n\0\x01\x7f:5\n", 10), "line 2"},
                    FileCase{"TooMany", "a[1:60000]:1\nb[1:60000]:1\n", "line 2"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(FileDiscoveryTest, RefusesAFolderAndAHugeFile) {
  Start(folder_.Path("."), false);
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_NE(std::string(MessageOf(answers_[0].status())).find("not a regular file"),
            std::string::npos);
  folder_.Write("huge", std::string(kMostFileBytes + 1, '\n'));
  Start(folder_.Path("huge"), false);
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_TRUE(absl::IsResourceExhausted(answers_[1].status()));
}

}  // namespace
}  // namespace swarm
