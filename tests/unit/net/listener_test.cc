#include "net/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>
#include <vector>

#include "net/address.h"
#include "net_test_tools.h"
#include "swarmlib/status.h"

// What the modes of sockets were when this program's code came to change them.
static std::vector<mode_t> g_modes_of_sockets;

// In place of the C library's.
extern "C" int chmod(const char* path, mode_t mode) noexcept {
  struct stat status {};
  if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
    g_modes_of_sockets.push_back(status.st_mode);
  return fchmodat(AT_FDCWD, path, mode, 0);
}

namespace swarm::net {
namespace {

TEST(AddressTest, ReadsAddresses) {
  struct Case {
    std::string_view text, canonical, error;
  };
  const Case cases[] = {
      {"tcp://127.0.0.1:2375", "127.0.0.1:2375", ""},
      {"10.0.0.9:2375", "10.0.0.9:2375", ""},
      {"tcp://node-1.example:2375/", "node-1.example:2375", ""},
      {"tcp://[::1]:80", "[::1]:80", ""},
      {"tcp://:2375", ":2375", ""},
      {"unix:///run/swarm.sock", "unix:///run/swarm.sock", ""},
      {"tcp://127.0.0.1", "", "no port"},
      {"tcp://127.0.0.1:x", "", "the port is no number"},
      {"tcp://127.0.0.1:70000", "", "the port is no number"},
      {"tcp://::1:80", "", "between [ and ]"},
      {"tcp://[::1:80", "", "[ without ]"},
      {"tcp://[node]:80", "", "no IPv6 address"},
      {"tcp://a b:80", "", "odd character"},
      {"tcp://a\r\nb:80", "", "odd character"},
      {"http://127.0.0.1:80", "", "unknown scheme"},
      {"unix://relative", "", "must start with /"},
      {"", "", "no port"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.text);
    const auto address = ParseAddress(test.text);
    if (test.error.empty()) {
      ASSERT_TRUE(address.ok()) << address.status();
      EXPECT_EQ(address->text(), test.canonical);
    } else {
      ASSERT_FALSE(address.ok());
      EXPECT_NE(MessageOf(address.status()).find(test.error), std::string_view::npos)
          << address.status();
    }
  }
  EXPECT_FALSE(ParseAddress("unix:///" + std::string(200, 'a')).ok());
  EXPECT_TRUE(IsNumericHost("10.0.0.1"));
  EXPECT_TRUE(IsNumericHost("fe80::1"));
  EXPECT_FALSE(IsNumericHost("10.0.0.1.example"));
}

TEST(ListenerTest, RefusesAPortInUseAlsoWhenShared) {
  const auto first = BindListeners("tcp://127.0.0.1:0", 3);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->size(), 3U);
  for (const Listener& listener : *first) EXPECT_EQ(listener.address, first->front().address);
  for (const std::size_t count : {1U, 3U}) {
    const auto second = BindListeners(first->front().address, count);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_NE(MessageOf(second.status()).find("Address already in use"), std::string_view::npos);
  }
}

TEST(ListenerTest, SharesConnectionsOverLoops) {
  auto listeners = BindListeners("tcp://127.0.0.1:0", 2);
  ASSERT_TRUE(listeners.ok());
  const std::string address = listeners->front().address;
  LoopThread threads[2];
  std::unique_ptr<Server> servers[2];
  for (int i = 0; i < 2; ++i) {
    threads[i].On([&] {
      servers[i] = std::make_unique<Server>(threads[i].loop, ServerOptions(),
                                            [i](Request, ResultCallback<Reply> done) {
                                              Reply reply;
                                              reply.body = std::to_string(i);
                                              done(std::move(reply));
                                            });
      servers[i]->Adopt(std::move((*listeners)[i]));
    });
  }
  std::map<char, int> answers;
  for (int i = 0; i < 64; ++i) {
    RawSocket client = RawSocket::Connect(address);
    client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ++answers[ReceiveAnswer(client).back()];
  }
  EXPECT_EQ(answers['0'] + answers['1'], 64);
  EXPECT_GT(answers['0'], 0);
  EXPECT_GT(answers['1'], 0);
  for (int i = 0; i < 2; ++i) threads[i].On([&] { servers[i].reset(); });
}

class UnixListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "swarm-socket-XXXXXX";
    directory_ = mkdtemp(name.data());
    path_ = directory_ + "/swarm.sock";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }
  bool exists() const {
    struct stat status {};
    return stat(path_.c_str(), &status) == 0;
  }
  std::string directory_, path_;
};

TEST_F(UnixListenerTest, ServesAndRemovesItsFile) {
  {
    ServerThread server(
        [](Request request, ResultCallback<Reply> done) {
          Reply reply;
          reply.body = request.peer.address;
          done(std::move(reply));
        },
        {}, "unix://" + path_);
    EXPECT_EQ(server.address(), "unix://" + path_);
    RawSocket client = server.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: docker\r\n\r\n");
    EXPECT_TRUE(ReceiveAnswer(client).ends_with("unix"));
    struct stat status {};
    ASSERT_EQ(stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0660U);
    // Somebody listens: not to be replaced.
    EXPECT_EQ(BindListeners("unix://" + path_, 1).status().code(),
              absl::StatusCode::kAlreadyExists);
  }
  EXPECT_FALSE(exists());
}

// Between its making and a later chmod everybody could have opened it.
TEST_F(UnixListenerTest, IsNeverOpenToOthers) {
  const mode_t before = umask(0);
  g_modes_of_sockets.clear();
  {
    const auto listeners = BindListeners("unix://" + path_, 1);
    EXPECT_TRUE(listeners.ok()) << listeners.status();
    struct stat status {};
    EXPECT_EQ(stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0660U);
  }
  for (const mode_t mode : g_modes_of_sockets) EXPECT_EQ(mode & 0777, 0660U) << "when it was made";
  umask(0177);
  {
    const auto listeners = BindListeners("unix://" + path_, 1);
    EXPECT_TRUE(listeners.ok()) << listeners.status();
    struct stat status {};
    EXPECT_EQ(stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0660U);
  }
  umask(before);
}

TEST_F(UnixListenerTest, ReplacesAStaleSocketOnly) {
  {
    const Descriptor stale(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path_.data(), path_.size());
    ASSERT_EQ(bind(stale.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  }
  EXPECT_TRUE(exists());
  {
    const auto listeners = BindListeners("unix://" + path_, 2);
    ASSERT_TRUE(listeners.ok()) << listeners.status();
    EXPECT_EQ(listeners->size(), 2U);
  }
  EXPECT_FALSE(exists());
  std::fclose(std::fopen(path_.c_str(), "w"));  // no socket: somebody's file
  EXPECT_FALSE(BindListeners("unix://" + path_, 1).ok());
  EXPECT_TRUE(exists());
}

}  // namespace
}  // namespace swarm::net
