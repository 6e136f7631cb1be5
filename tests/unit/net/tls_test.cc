#include "net/tls.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>

#include "async/await.h"
#include "net/bounds.h"
#include "net/client.h"
#include "net_test_tools.h"
#include "support/test_certificates.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

TEST(TlsConfigTest, SaysInOneLineWhatIsWrong) {
  TestAuthority authority;
  const TestAuthority::Files good = authority.Issue("good");
  const TestAuthority::Files other = authority.Issue("other");
  const std::string garbage = authority.Write("garbage.pem", "hello\n");
  EVP_PKEY* key = EVP_EC_gen("P-256");
  std::FILE* file = std::fopen(authority.Write("locked.pem", "").c_str(), "w");
  PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), nullptr, 0, nullptr,
                       const_cast<char*>("secret"));
  std::fclose(file);
  EVP_PKEY_free(key);
  const std::string locked = garbage.substr(0, garbage.rfind('/')) + "/locked.pem";
  const std::string missing = garbage + ".missing";

  struct Case {
    bool tls, verify;
    std::string ca, certificate, key, message;  // message empty = fine
  };
  const Case cases[] = {
      {false, false, "", "", "", ""},
      {true, false, "", good.certificate, good.key, ""},
      {true, true, authority.ca_file(), good.certificate, good.key, ""},
      {false, true, authority.ca_file(), good.certificate, good.key, ""},
      {false, false, authority.ca_file(), "", "", "add --tls or --tlsverify"},
      {false, false, "", good.certificate, good.key, "add --tls or --tlsverify"},
      {true, false, "", "", good.key, "--tls needs a certificate; add --tlscert FILE"},
      {true, false, "", good.certificate, "", "--tls needs a private key; add --tlskey FILE"},
      {false, true, "", good.certificate, good.key,
       "--tlsverify needs the CA's certificate; add --tlscacert FILE"},
      {true, false, "", missing, good.key, "--tlscert " + missing + ": No such file or directory"},
      {true, false, "", good.certificate, missing,
       "--tlskey " + missing + ": No such file or directory"},
      {false, true, missing, good.certificate, good.key,
       "--tlscacert " + missing + ": No such file or directory"},
      {true, false, "", garbage, good.key, "holds no certificate in PEM form"},
      {true, false, "", good.key, good.key, "holds no certificate in PEM form"},
      {true, false, "", good.certificate, garbage, "holds no private key in PEM form"},
      {true, false, "", good.certificate, locked, "give a key without a passphrase"},
      {false, true, garbage, good.certificate, good.key,
       "--tlscacert " + garbage + ": holds no certificate"},
      {true, false, "", good.certificate, other.key, "does not belong to the certificate"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.message);
    const TlsConfig config{test.tls, test.verify, test.ca, test.certificate, test.key};
    const absl::Status status = CheckTls(config);
    if (test.message.empty()) {
      EXPECT_TRUE(status.ok()) << status;
      continue;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(MessageOf(status).find(test.message), std::string_view::npos) << status;
    EXPECT_EQ(MessageOf(status).find('\n'), std::string_view::npos) << status;
    EXPECT_FALSE(MakeServerContext(config).ok());
    EXPECT_FALSE(MakeClientContext(config).ok());
  }
}

Handler CommonNameHandler() {
  return [](Request request, ResultCallback<Reply> done) {
    Reply reply;
    reply.body = "peer=" + request.peer.common_name;
    done(std::move(reply));
  };
}

// One call through a fresh client.
absl::StatusOr<Reply> CallOnce(const std::string& address, std::shared_ptr<TlsContext> tls) {
  LoopThread thread;
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = *ParseAddress(address);
  endpoint->tls = std::move(tls);
  auto client = std::make_shared<Client>(thread.loop, std::move(endpoint));
  std::promise<absl::StatusOr<Reply>> answer;
  thread.On([&] {
    Request request;
    request.method = "GET";
    request.target = "/";
    client->Call(std::move(request), {},
                 [&](absl::StatusOr<Reply> got) { answer.set_value(std::move(got)); });
  });
  absl::StatusOr<Reply> got = answer.get_future().get();
  thread.On([&] { client.reset(); });
  return got;
}

TEST(TlsTest, ChecksBothSides) {
  TestAuthority authority;
  TestAuthority foreign("foreign CA");
  const auto local = authority.Issue("server");
  const auto elsewhere = authority.Issue("server", "IP:10.1.2.3,DNS:elsewhere");
  const auto expired = authority.Issue("server", "IP:127.0.0.1", true);
  const auto client = authority.Issue("client");
  const auto stranger = foreign.Issue("stranger");
  const TlsConfig trusting = foreign.Config(stranger, false);
  TlsConfig foreign_certificate = foreign.Config(stranger, true);
  foreign_certificate.ca_file = authority.ca_file();

  struct Case {
    std::string_view name;
    TlsConfig server;
    std::optional<TlsConfig> client;
    std::string_view body, error;
    bool reached;
  };
  const Case cases[] = {
      {"both verify", authority.Config(local, true), authority.Config(client, true), "peer=client",
       "", true},
      {"nobody verifies", authority.Config(local, false), trusting, "peer=", "", true},
      {"only the client verifies", authority.Config(local, false), authority.Config(client, true),
       "peer=", "", true},
      {"foreign server", foreign.Config(foreign.Issue("server"), false),
       authority.Config(client, true), "", "its certificate is not signed by the CA of --tlscacert",
       false},
      {"other name", authority.Config(elsewhere, false), authority.Config(client, true), "",
       "its certificate does not name 127.0.0.1", false},
      {"expired", authority.Config(expired, false), authority.Config(client, true), "",
       "has expired", false},
      {"foreign client", authority.Config(local, true), foreign_certificate, "",
       "refused our certificate", true},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    ServerOptions options;
    options.tls = *MakeServerContext(test.server);
    ServerThread server(CommonNameHandler(), std::move(options));
    const auto reply = CallOnce(server.address(), *MakeClientContext(*test.client));
    if (test.error.empty()) {
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->body, test.body);
      continue;
    }
    ASSERT_FALSE(reply.ok());
    EXPECT_NE(MessageOf(reply.status()).find(test.error), std::string_view::npos) << reply.status();
    EXPECT_EQ(reply.status().code() == absl::StatusCode::kUnavailable, !test.reached)
        << reply.status();
  }
}

TEST(TlsTest, ExplainsMixedPorts) {
  TestAuthority authority;
  const auto files = authority.Issue("both");
  ServerOptions options;
  options.tls = *MakeServerContext(authority.Config(files, false));
  ServerThread secure(CommonNameHandler(), std::move(options));
  ServerThread plain(CommonNameHandler());

  const auto over_tls =
      CallOnce(plain.address(), *MakeClientContext(authority.Config(files, true)));
  EXPECT_EQ(over_tls.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(MessageOf(over_tls.status()).find("does not speak TLS here (plain HTTP?)"),
            std::string_view::npos)
      << over_tls.status();

  RawSocket client = secure.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = client.ReceiveUntil("flags.\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 400 Bad Request\r\n")) << answer;
  EXPECT_NE(answer.find("This port speaks TLS"), std::string::npos) << answer;
}

TEST(TlsTest, LogsWhyAClientWasRefused) {
  TestAuthority authority;
  std::mutex mutex;
  std::string logged;
  Loop loop(SystemClock(), [&](const LogRecord& record) {
    const std::lock_guard<std::mutex> lock(mutex);
    for (const auto& [key, value] : record.fields) logged += value;
  });
  std::thread runner([&] { loop.Run(); });
  std::promise<std::string> bound;
  std::unique_ptr<Server> server;
  loop.Post([&] {
    ServerOptions options;
    options.tls = *MakeServerContext(authority.Config(authority.Issue("server"), true));
    server = std::make_unique<Server>(loop, std::move(options), CommonNameHandler());
    EXPECT_TRUE(server->Listen("tcp://127.0.0.1:0").ok());
    bound.set_value(server->addresses().front());
  });
  RawSocket raw = RawSocket::Connect(bound.get_future().get());
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, raw.get());
  SSL_connect(ssl);
  char byte = 0;
  EXPECT_LE(SSL_read(ssl, &byte, 1), 0);
  SSL_free(ssl);
  SSL_CTX_free(context);
  raw.Close();
  EXPECT_TRUE(WaitUntil([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return logged.find("it showed no certificate") != std::string::npos;
  })) << logged;
  loop.Post([&] {
    server.reset();
    loop.Stop();
  });
  runner.join();
}

// Of TLS 1.3, whose clients write their request before they can know that they are refused.
TEST(TlsTest, ARefusedClientMayWriteAndReadsWhy) {
  TestAuthority authority;
  ServerOptions options;
  options.tls = *MakeServerContext(authority.Config(authority.Issue("server"), true));
  ServerThread server(CommonNameHandler(), std::move(options));
  RawSocket raw = server.Connect();
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, raw.get());
  EXPECT_EQ(SSL_connect(ssl), 1);
  pollfd ended{raw.get(), POLLRDHUP, 0};
  EXPECT_EQ(poll(&ended, 1, 10'000), 1) << "the server does not end its side";
  EXPECT_EQ(ended.revents & (POLLERR | POLLHUP), 0);
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(SSL_write(ssl, request.data(), static_cast<int>(request.size())),
              static_cast<int>(request.size()));
  }
  char byte = 0;
  EXPECT_LE(SSL_read(ssl, &byte, 1), 0);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
  SSL_free(ssl);
  SSL_CTX_free(context);
}

// Two ends of one session.
class TlsPair {
 public:
  TlsPair() {
    const auto files = authority_.Issue("both");
    server_context_ = *MakeServerContext(authority_.Config(files, true));
    client_context_ = *MakeClientContext(authority_.Config(files, true));
    RawListener listener;
    RawSocket near = RawSocket::Connect(listener.address());
    RawSocket far = listener.Accept();
    std::promise<void> accepted;
    std::promise<void> connected;
    thread_.On([&] {
      AcceptTls(thread_.loop, server_context_, Descriptor(dup(far.get())), Peer{"client", ""},
                [&](absl::StatusOr<std::unique_ptr<Transport>> got) {
                  EXPECT_TRUE(got.ok()) << got.status();
                  if (got.ok()) server = *std::move(got);
                  accepted.set_value();
                });
      ConnectTls(thread_.loop, client_context_, Descriptor(dup(near.get())), Peer{"server", ""},
                 "127.0.0.1", [&](absl::StatusOr<std::unique_ptr<Transport>> got) {
                   EXPECT_TRUE(got.ok()) << got.status();
                   if (got.ok()) client = *std::move(got);
                   connected.set_value();
                 });
    });
    accepted.get_future().wait();
    connected.get_future().wait();
  }
  ~TlsPair() {
    thread_.On([this] {
      server.reset();
      client.reset();
    });
  }
  absl::StatusOr<std::string> Read(Stream& from) {
    std::promise<absl::StatusOr<std::string>> result;
    std::vector<char> buffer(70'000);
    thread_.On([&] {
      from.Read(buffer, [&](absl::StatusOr<std::size_t> got) {
        if (got.ok()) {
          result.set_value(std::string(buffer.data(), *got));
        } else {
          result.set_value(std::move(got).status());
        }
      });
    });
    return result.get_future().get();
  }
  std::future<absl::Status> Write(Stream& to, const std::string& bytes) {
    auto promise = std::make_shared<std::promise<absl::Status>>();
    thread_.On([&] {
      to.Write(bytes, [promise](absl::Status status) { promise->set_value(std::move(status)); });
    });
    return promise->get_future();
  }
  LoopThread& thread() { return thread_; }

  std::unique_ptr<Transport> server, client;

 private:
  TestAuthority authority_;
  std::shared_ptr<TlsContext> server_context_, client_context_;
  LoopThread thread_;
};

TEST(TlsTest, ClosesOneDirectionAtATime) {
  for (const bool server_first : {false, true}) {
    TlsPair pair;
    Transport& first = server_first ? *pair.server : *pair.client;
    Transport& second = server_first ? *pair.client : *pair.server;
    EXPECT_TRUE(pair.Write(first, "one").get().ok());
    EXPECT_EQ(*pair.Read(second), "one");
    pair.thread().On([&] { first.CloseWrite(); });
    EXPECT_EQ(*pair.Read(second), "");
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(pair.Write(second, "two").get().ok());
      EXPECT_EQ(*pair.Read(first), "two");
    }
    pair.thread().On([&] { second.CloseWrite(); });
    EXPECT_EQ(*pair.Read(first), "");
  }
}

TEST(TlsTest, TellsAnEndFromABreak) {
  TlsPair pair;
  // Once the client has read, nothing unread turns its close into a reset.
  EXPECT_TRUE(pair.Write(*pair.server, "x").get().ok());
  EXPECT_EQ(*pair.Read(*pair.client), "x");
  pair.thread().On([&] { pair.client->Abort(); });  // no close_notify
  const auto got = pair.Read(*pair.server);
  ASSERT_FALSE(got.ok());
  EXPECT_NE(MessageOf(got.status()).find("ended without the end of its TLS session"),
            std::string_view::npos)
      << got.status();
}

TEST(TlsTest, CancelsWhatWaitsWhenDestroyed) {
  TlsPair pair;
  std::promise<absl::Status> read;
  char byte = 0;
  pair.thread().On([&] {
    pair.client->Read({&byte, 1}, [&](absl::StatusOr<std::size_t> got) {
      read.set_value(std::move(got).status());
    });
    pair.client.reset();
  });
  EXPECT_EQ(read.get_future().get().code(), absl::StatusCode::kCancelled);
}

TEST(TlsTest, WritesUnderBackPressureInBothDirections) {
  TlsPair pair;
  const std::string much(1U << 20U, 'm');
  auto up = pair.Write(*pair.client, much);
  auto down = pair.Write(*pair.server, much);
  std::size_t at_server = 0;
  std::size_t at_client = 0;
  while (at_server < much.size() || at_client < much.size()) {
    if (at_server < much.size()) at_server += pair.Read(*pair.server)->size();
    if (at_client < much.size()) at_client += pair.Read(*pair.client)->size();
  }
  EXPECT_TRUE(up.get().ok());
  EXPECT_TRUE(down.get().ok());
}

TEST(TlsTest, ResumesSessions) {
  TestAuthority authority;
  const auto files = authority.Issue("both");
  ServerOptions options;
  const auto server_tls = *MakeServerContext(authority.Config(files, true));
  options.tls = server_tls;
  ServerThread server(CommonNameHandler(), std::move(options));
  const auto tls = *MakeClientContext(authority.Config(files, true));
  // A resumed session shows the same peer without its certificate being sent again.
  for (int i = 0; i < 3; ++i) {
    const auto reply = CallOnce(server.address(), tls);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->body, "peer=both");
    EXPECT_EQ(server_tls->resumed(), static_cast<std::uint64_t>(i));
  }
}

TEST(TlsTest, EndsAHandshakeThatDoesNotCome) {
  TestAuthority authority;
  ManualClock clock;
  Loop loop(clock, nullptr);
  RawListener listener;
  RawSocket silent = RawSocket::Connect(listener.address());
  RawSocket far = listener.Accept();
  absl::Status status;
  AcceptTls(loop, *MakeServerContext(authority.Config(authority.Issue("s"), false)),
            Descriptor(dup(far.get())), Peer{"client", ""},
            [&](absl::StatusOr<std::unique_ptr<Transport>> got) { status = got.status(); });
  loop.RunReady();
  const TimePoint start = clock.Now();
  ASSERT_TRUE(loop.StepTime(clock));
  loop.RunReady();
  EXPECT_EQ(clock.Now() - start, kHandshakeDeadline);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

// docker attach over TLS on both sides: client's end, then the container's last words.
TEST(TlsTest, TunnelsWithHalfCloseOnBothSides) {
  TestAuthority authority;
  const auto files = authority.Issue("both");
  const auto server_tls = *MakeServerContext(authority.Config(files, true));
  const auto client_tls = *MakeClientContext(authority.Config(files, true));
  ServerOptions options;
  options.tls = server_tls;
  RawListener listener;
  RawSocket far;
  LoopThread* server_loop = nullptr;
  ServerThread server(
      [&](Request, ResultCallback<Reply> done) {
        far = RawSocket::Connect(listener.address());
        RawSocket near = listener.Accept();
        Reply reply;
        reply.status = 101;
        reply.tunnel = std::make_unique<SocketStream>(server_loop->loop,
                                                      Descriptor(dup(near.get())), Peer{"far", ""});
        done(std::move(reply));
      },
      std::move(options));
  server_loop = &server.thread();

  LoopThread thread;
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->address = *ParseAddress(server.address());
  endpoint->tls = client_tls;
  auto client = std::make_shared<Client>(thread.loop, endpoint);
  std::promise<absl::StatusOr<Reply>> upgraded;
  thread.On([&] {
    Request request;
    request.method = "POST";
    request.target = "/containers/c/attach";
    request.headers = {{"Upgrade", "tcp"}};
    client->Upgrade(std::move(request), {},
                    [&](absl::StatusOr<Reply> got) { upgraded.set_value(std::move(got)); });
  });
  absl::StatusOr<Reply> reply = upgraded.get_future().get();
  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_NE(reply->tunnel, nullptr);
  thread.On([&] { reply->tunnel->Write("stdin", [](absl::Status) {}); });
  EXPECT_EQ(far.ReceiveExactly(5), "stdin");
  thread.On([&] { reply->tunnel->CloseWrite(); });
  EXPECT_EQ(far.ReceiveAll(), "");
  far.Send("last words");
  far.Close();
  std::promise<absl::StatusOr<std::string>> all;
  thread.On([&] {
    struct Reader {
      static Task<void> Run(Stream* stream, std::promise<absl::StatusOr<std::string>>* into) {
        absl::StatusOr<std::string> text = co_await ReadAll(*stream, 1000);
        into->set_value(std::move(text));
      }
    };
    thread.loop.Spawn(Reader::Run(reply->tunnel.get(), &all));
  });
  const auto words = all.get_future().get();
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_EQ(*words, "last words");
  thread.On([&] {
    *reply = Reply();
    client.reset();
  });
  EXPECT_TRUE(WaitUntil([&] { return server.connections() == 0; }));
}

}  // namespace
}  // namespace swarm::net
