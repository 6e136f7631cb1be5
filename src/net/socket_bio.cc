#include "net/socket_bio.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace swarm::net {
namespace {

// The socket's number and whether it has ended, in the one pointer that a BIO keeps.
constexpr std::uintptr_t kEnded = 1;

int SocketOf(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(BIO_get_data(bio)) >> 1U);
}

int Send(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent =
      send(SocketOf(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int Receive(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = recv(SocketOf(bio), into, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (got == 0) {
    const auto data = reinterpret_cast<std::uintptr_t>(BIO_get_data(bio));
    BIO_set_data(bio, reinterpret_cast<void*>(data | kEnded));
  }
  return static_cast<int>(got);
}

long Control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP: return 1;
    case BIO_CTRL_EOF:
      return static_cast<long>(reinterpret_cast<std::uintptr_t>(BIO_get_data(bio)) & kEnded);
    default: return 0;
  }
}

// Lives for ever; null when memory ran out.
BIO_METHOD* Method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made != nullptr) {
      BIO_meth_set_write(made, Send);
      BIO_meth_set_read(made, Receive);
      BIO_meth_set_ctrl(made, Control);
    }
    return made;
  }();
  return method;
}

}  // namespace

BIO* NewSocketBio(int socket) {
  BIO* const bio = Method() != nullptr ? BIO_new(Method()) : nullptr;
  if (bio != nullptr) {
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::uintptr_t>(socket) << 1U));
    BIO_set_init(bio, 1);
  }
  return bio;
}

}  // namespace swarm::net
