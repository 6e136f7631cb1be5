// What TlsContext is made of, and the library's errors in words. For tls_*.cc.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "net/tls.h"

namespace swarm::net {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
template <typename T, auto kFree>
using Handle = std::unique_ptr<T, Freer<kFree>>;

using SslHandle = Handle<SSL, SSL_free>;

class SslContext final : public TlsContext {
 public:
  SslContext(bool is_server, bool verify, Handle<SSL_CTX, SSL_CTX_free> context);

  // A session of this context; null when memory ran out.
  SslHandle NewSession() const { return SslHandle(SSL_new(context_.get())); }
  bool verify() const { return verify_; }
  std::uint64_t resumed() const override {
    return static_cast<std::uint64_t>(SSL_CTX_sess_hits(context_.get()));
  }

  // Sessions to resume, by "host:port". Thread-safe.
  void KeepSession(const std::string& endpoint, SSL_SESSION* session);
  void Resume(const std::string& endpoint, SSL* ssl);

 private:
  static constexpr std::size_t kMaxSessions = 4096;

  const bool verify_;
  const Handle<SSL_CTX, SSL_CTX_free> context_;
  std::mutex mutex_;
  std::map<std::string, Handle<SSL_SESSION, SSL_SESSION_free>, std::less<>> sessions_;
};

// Why the call on `ssl` that returned `code` (of SSL_get_error) failed, as the end of a sentence
// about the peer. Empties the thread's error queue.
std::string ExplainTls(SSL* ssl, int code, bool is_server, std::string_view host);

}  // namespace swarm::net
