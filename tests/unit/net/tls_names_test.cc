// Which names of an engine's certificate count, and which clients count as refused.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>

#include "net/client.h"
#include "net/tls.h"
#include "net_test_tools.h"
#include "support/test_certificates.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

// A handshake with a server that shows `shown`, as with an engine called `host`.
absl::Status Shake(const TlsConfig& shown, const TlsConfig& own, const std::string& host) {
  RawListener listener;
  RawSocket near = RawSocket::Connect(listener.address());
  RawSocket far = listener.Accept();
  const auto server = *MakeServerContext(shown);
  const auto client = *MakeClientContext(own);
  LoopThread thread;
  std::promise<absl::Status> shaken;
  std::unique_ptr<Transport> ours, theirs;
  std::promise<void> accepted;
  thread.On([&] {
    AcceptTls(thread.loop, server, Descriptor(dup(far.get())), Peer{"client", ""}, [&](auto got) {
      if (got.ok()) theirs = *std::move(got);
      accepted.set_value();
    });
    ConnectTls(thread.loop, client, Descriptor(dup(near.get())), Peer{host, ""}, host,
               [&](auto got) {
                 if (got.ok()) ours = *std::move(got);
                 shaken.set_value(got.status());
               });
  });
  const absl::Status status = shaken.get_future().get();
  near.Close();
  far.Close();
  accepted.get_future().wait();
  thread.On([&] {
    ours.reset();
    theirs.reset();
  });
  return status;
}

struct NameCase {
  const char* name;
  const char* common_name;
  const char* alternative;
  const char* host;
  const char* error;  // empty: it is taken
};

class EngineCertificateTest : public testing::TestWithParam<NameCase> {};

TEST_P(EngineCertificateTest, CountsAlternativeNamesOnly) {
  const NameCase& test = GetParam();
  TestAuthority authority;
  const auto engine = authority.Issue(test.common_name, test.alternative);
  const auto manager = authority.Issue("manager", "");  // a client's needs no name
  const absl::Status status =
      Shake(authority.Config(engine, true), authority.Config(manager, true), test.host);
  if (*test.error == '\0') {
    EXPECT_TRUE(status.ok()) << status;
    return;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(MessageOf(status).find(test.error), std::string_view::npos) << status;
}

INSTANTIATE_TEST_SUITE_P(
    , EngineCertificateTest,
    testing::Values(
        NameCase{"CommonNameAlone", "node-1", "", "node-1",
                 "certificate relies on legacy Common Name field, use SANs instead"},
        NameCase{"AddressAsCommonName", "10.0.0.9", "", "10.0.0.9",
                 "cannot validate certificate for 10.0.0.9 because it doesn't contain any IP SANs"},
        NameCase{"AddressWithNamesOnly", "10.0.0.9", "DNS:node-1", "10.0.0.9",
                 "cannot validate certificate for 10.0.0.9 because it doesn't contain any IP SANs"},
        NameCase{"NameAmongAddresses", "node-1", "IP:10.0.0.9", "node-1", "does not name node-1"},
        NameCase{"OtherName", "node-1", "DNS:node-2", "node-1", "does not name node-1"},
        NameCase{"OtherAddress", "node-1", "IP:10.0.0.8", "10.0.0.9", "does not name 10.0.0.9"},
        NameCase{"Name", "other", "DNS:node-1", "node-1", ""},
        NameCase{"Address", "other", "IP:10.0.0.9", "10.0.0.9", ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TlsClient, MerelyClosingIsNotLoggedAsARefusal) {
  TestAuthority authority;
  std::mutex mutex;
  std::string logged;
  Loop loop(SystemClock(), [&](const LogRecord& record) {
    if (record.level < LogLevel::kInfo) return;
    const std::lock_guard<std::mutex> lock(mutex);
    logged += record.message + "\n";
  });
  std::unique_ptr<Server> server;
  std::promise<std::string> bound;
  std::thread runner([&] { loop.Run(); });
  loop.Post([&] {
    ServerOptions options;
    options.tls = *MakeServerContext(authority.Config(authority.Issue("server"), true));
    server =
        std::make_unique<Server>(loop, std::move(options), [](Request, ResultCallback<Reply>) {});
    EXPECT_TRUE(server->Listen("tcp://127.0.0.1:0").ok());
    bound.set_value(server->addresses().front());
  });
  const std::string address = bound.get_future().get();
  RawSocket::Connect(address).Close();
  RawSocket::Connect(address).Reset();
  RawSocket begun = RawSocket::Connect(address);
  begun.Send("\x16\x03\x01");  // the begin of a hello
  begun.CloseWrite();
  begun.ReceiveAll();
  // The one that speaks no TLS is told so, behind the others.
  RawSocket plain = RawSocket::Connect(address);
  plain.Send("GET / HTTP/1.1\r\n\r\n");
  plain.ReceiveUntil("flags.\n");
  plain.CloseWrite();
  plain.ReceiveAll();
  EXPECT_TRUE(WaitUntil([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return !logged.empty();
  }));
  loop.Post([&] {
    server.reset();
    loop.Stop();
  });
  runner.join();
  EXPECT_EQ(logged, "a TLS client was refused\n") << "of the four, only the last";
}

}  // namespace
}  // namespace swarm::net
