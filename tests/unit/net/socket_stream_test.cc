#include "net/socket_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>

#include "net/bounds.h"
#include "net/reactor.h"
#include "net_test_tools.h"

namespace swarm::net {
namespace {

// A stream on one side of a connection and a raw socket on the other, in one thread.
struct Pair {
  explicit Pair(bool unix = false) : loop(std::make_unique<Loop>(SystemClock(), nullptr)) {
    if (unix) {
      int ends[2];
      EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
      far = RawSocket(ends[0]);
      near = std::make_unique<SocketStream>(*loop, Descriptor(ends[1]), Peer{"far", ""});
      return;
    }
    RawListener listener;
    far = RawSocket::Connect(listener.address());
    near = std::make_unique<SocketStream>(*loop, Descriptor(dup(listener.Accept().get())),
                                          Peer{"far", ""});
  }
  ~Pair() { near.reset(); }

  bool RunUntil(const std::function<bool()>& condition) {
    return WaitUntil([&] {
      loop->RunReady();
      return condition();
    });
  }

  // One read: the bytes, "<end>" or "<error>".
  std::string Read(std::size_t most = 64) {
    std::string into(most, '\0');
    std::optional<absl::StatusOr<std::size_t>> got;
    near->Read(into, [&](absl::StatusOr<std::size_t> result) { got = std::move(result); });
    EXPECT_FALSE(got) << "called back from inside Read";
    if (!RunUntil([&] { return got.has_value(); })) return "<timeout>";
    if (!got->ok()) return "<error>";
    return **got == 0 ? "<end>" : into.substr(0, **got);
  }

  std::unique_ptr<Loop> loop;
  RawSocket far;
  std::unique_ptr<SocketStream> near;
};

TEST(SocketStreamTest, ReadsWhatCameBeforeAndAfterTheRead) {
  for (const bool unix : {false, true}) {
    SCOPED_TRACE(unix);
    Pair pair(unix);
    pair.far.Send("early");
    EXPECT_EQ(pair.Read(), "early");
    for (int i = 0; i < 3; ++i) {
      std::array<char, 16> into;
      std::optional<absl::StatusOr<std::size_t>> got;
      pair.near->Read(into, [&](absl::StatusOr<std::size_t> result) { got = std::move(result); });
      pair.loop->RunReady();
      EXPECT_FALSE(got) << "nothing was sent";
      pair.far.Send("late");
      ASSERT_TRUE(pair.RunUntil([&] { return got.has_value(); }));
      EXPECT_EQ(std::string_view(into.data(), **got), "late");
    }
  }
}

TEST(SocketStreamTest, ReadsTheRestInPieces) {
  Pair pair;
  pair.far.Send("0123456789");
  EXPECT_EQ(pair.Read(4), "0123");
  EXPECT_EQ(pair.Read(4), "4567");
  EXPECT_EQ(pair.Read(4), "89");
}

TEST(SocketStreamTest, SeesTheEndBehindTheLastBytes) {
  for (const bool unix : {false, true}) {
    for (const bool watched_before : {false, true}) {
      SCOPED_TRACE(testing::Message() << "unix " << unix << " watched " << watched_before);
      Pair pair(unix);
      if (watched_before) {
        pair.far.Send("first");
        EXPECT_EQ(pair.Read(), "first");
      }
      // Bytes and end in one event: the read of the bytes is short, and no other event comes.
      pair.far.Send("last");
      pair.far.CloseWrite();
      EXPECT_EQ(pair.Read(), "last");
      EXPECT_EQ(pair.Read(), "<end>");
      EXPECT_EQ(pair.Read(), "<end>");
    }
  }
}

TEST(SocketStreamTest, TellsAResetAsAnError) {
  Pair pair;
  pair.far.Reset();
  EXPECT_EQ(pair.Read(), "<error>");
}

TEST(SocketStreamTest, WritesMoreThanTheKernelTakes) {
  Pair pair;
  const std::string much(8U << 20U, 'w');
  std::optional<absl::Status> written;
  pair.near->Write(much, [&](absl::Status status) { written = std::move(status); });
  pair.loop->RunReady();
  EXPECT_FALSE(written) << "nobody reads";
  pair.near->CloseWrite();
  std::string all;
  std::thread reader([&] { all = pair.far.ReceiveAll(); });
  EXPECT_TRUE(pair.RunUntil([&] { return written.has_value(); }));
  reader.join();
  EXPECT_TRUE(written->ok());
  EXPECT_EQ(all.size(), much.size());
}

TEST(SocketStreamTest, WriteSomeThenTheRest) {
  Pair pair;
  const std::string much(8U << 20U, 'w');
  std::string_view rest = much;
  const std::size_t some = pair.near->WriteSome({&rest, 1});
  ASSERT_LT(some, much.size());
  rest.remove_prefix(some);
  EXPECT_EQ(pair.near->WriteSome({&rest, 1}), 0U);
  std::optional<absl::Status> written;
  pair.near->Write(rest, [&](absl::Status status) { written = std::move(status); });
  std::string all;
  std::thread reader([&] { all = pair.far.ReceiveExactly(much.size()); });
  EXPECT_TRUE(pair.RunUntil([&] { return written.has_value(); }));
  reader.join();
  EXPECT_EQ(all.size(), much.size());
}

TEST(SocketStreamTest, CancelsWhatWaitsWhenAborted) {
  Pair pair;
  std::array<char, 8> into;
  std::optional<absl::Status> read, written;
  const std::string much(8U << 20U, 'w');
  pair.near->Read(into, [&](absl::StatusOr<std::size_t> got) { read = got.status(); });
  pair.near->Write(much, [&](absl::Status status) { written = std::move(status); });
  pair.loop->RunReady();
  pair.near.reset();
  EXPECT_FALSE(read);
  EXPECT_FALSE(written);
  pair.loop->RunReady();
  ASSERT_TRUE(read && written);
  EXPECT_TRUE(absl::IsCancelled(*read)) << *read;
  EXPECT_TRUE(absl::IsCancelled(*written)) << *written;
}

// Both have events in one batch, and whichever is told first destroys the other.
TEST(SocketStreamTest, IsNotToldOfEventsAfterItsEnd) {
  Pair one, two;
  RawListener listener;
  RawSocket far = RawSocket::Connect(listener.address());
  auto second = std::make_unique<SocketStream>(*one.loop, Descriptor(dup(listener.Accept().get())),
                                               Peer{"second", ""});
  std::array<char, 8> into, other;
  int bytes = 0, cancelled = 0;
  one.near->Read(into, [&](absl::StatusOr<std::size_t> got) {
    got.ok() ? ++bytes : ++cancelled;
    second.reset();
  });
  second->Read(other, [&](absl::StatusOr<std::size_t> got) {
    got.ok() ? ++bytes : ++cancelled;
    one.near.reset();
  });
  one.loop->RunReady();
  one.far.Send("a");
  far.Send("b");
  EXPECT_TRUE(one.RunUntil([&] { return bytes + cancelled == 2; }));
  EXPECT_EQ(bytes, 1);
}

// Whoever moves bytes by the descriptor waits by itself; reading here goes on after that.
TEST(SocketStreamTest, ReadsAgainAfterTheSocketWasLent) {
  Pair pair;
  pair.far.Send("mine");
  EXPECT_EQ(pair.Read(), "mine");
  const std::optional<int> lent = pair.near->NativeSocket();
  ASSERT_TRUE(lent);
  const Descriptor copy(fcntl(*lent, F_DUPFD_CLOEXEC, 0));
  pair.far.Send("theirs");
  std::array<char, 16> into;
  ASSERT_TRUE(WaitUntil([&] { return recv(copy.get(), into.data(), 16, MSG_DONTWAIT) == 6; }));
  pair.loop->RunReady();
  std::string again(16, '\0');
  std::optional<std::size_t> got;
  pair.near->Read(again, [&](absl::StatusOr<std::size_t> result) { got = result.value_or(0); });
  pair.loop->RunReady();
  EXPECT_FALSE(got);
  pair.far.Send("again");
  ASSERT_TRUE(pair.RunUntil([&] { return got.has_value(); }));
  EXPECT_EQ(again.substr(0, *got), "again");
}

// The descriptor is closed, but a copy of it lives: the registration must not.
TEST(SocketStreamTest, ForgetsASocketOfWhichACopyLives) {
  Pair pair;
  pair.far.Send("x");
  EXPECT_EQ(pair.Read(), "x");
  const Descriptor copy(fcntl(*pair.near->NativeSocket(), F_DUPFD_CLOEXEC, 0));
  std::array<char, 16> into;
  pair.near->Read(into, [](absl::StatusOr<std::size_t>) {});
  pair.near.reset();
  pair.far.Send("nobody");
  pair.loop->RunReady();  // an address sanitizer would see the stale registration
  SUCCEED();
}

// What waits often holds the object that owns the stream.
TEST(SocketStreamTest, ALoopThatGoesBreaksTheCircle) {
  struct Owner {
    std::unique_ptr<SocketStream> stream;
    std::array<char, 8> into;
  };
  Pair pair;
  auto owner = std::make_shared<Owner>();
  const std::weak_ptr<Owner> watch = owner;
  owner->stream = std::move(pair.near);
  bool called = false;
  owner->stream->Read(owner->into,
                      [owner, &called](const absl::StatusOr<std::size_t>&) { called = true; });
  pair.loop->RunReady();
  owner.reset();
  EXPECT_FALSE(watch.expired());
  pair.loop.reset();
  EXPECT_TRUE(watch.expired());
  EXPECT_FALSE(called);
}

TEST(SocketStreamTest, ServesMoreSocketsThanOneBatchHolds) {
  constexpr std::size_t kMany = kReactorBatch + 40;
  Loop loop(SystemClock(), nullptr);
  struct End {
    RawSocket far;
    std::unique_ptr<SocketStream> near;
    std::array<char, 8> into;
  };
  std::vector<End> ends(kMany);
  std::size_t told = 0;
  for (End& end : ends) {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    end.far = RawSocket(pair[0]);
    end.near = std::make_unique<SocketStream>(loop, Descriptor(pair[1]), Peer{"far", ""});
    end.near->Read(end.into, [&](absl::StatusOr<std::size_t> got) { told += got.value_or(0); });
  }
  loop.RunReady();
  for (End& end : ends) end.far.Send("!");
  EXPECT_TRUE(WaitUntil([&] {
    loop.RunReady();
    return told == kMany;
  }));
}

}  // namespace
}  // namespace swarm::net
