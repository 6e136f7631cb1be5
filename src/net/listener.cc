#include "net/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "net/address.h"
#include "net/bounds.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

constexpr int kPortTries = 8;  // for port 0: somebody may take the port between two binds

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::string Reason(int error) { return std::system_category().message(error); }

absl::Status CannotListen(const Address& address, int error) {
  const std::string message = "cannot listen on " + address.text() + ": " + Reason(error);
  if (error == EADDRINUSE) {
    const bool docker = address.port == 2375 || address.port == 2376;
    return AlreadyExists(
        message +
        (docker ? "; is a Docker engine listening there? Stop it" : "; stop the other program") +
        " or choose another address");
  }
  return FailedPrecondition(message);
}

absl::StatusOr<SocketAddress> Resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string host = address.host.empty() ? "0.0.0.0" : address.host;
  const int failed =
      getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (failed != 0) {
    return InvalidArgument("cannot listen on " + address.text() + ": " + gai_strerror(failed));
  }
  SocketAddress result;
  result.size = found->ai_addrlen;
  std::memcpy(&result.storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return result;
}

// A bound socket; the error number otherwise.
int BindTcp(const SocketAddress& address, bool share_port, Descriptor* bound) {
  Descriptor socket(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno;
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (share_port && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    return errno;
  if (bind(socket.get(), address.get(), address.size) != 0) return errno;
  *bound = std::move(socket);
  return 0;
}

// The exclusive bind. Listening too: a mere bind with SO_REUSEADDR may pass beside another such
// bind.
int Probe(SocketAddress* address) {
  Descriptor probe;
  if (const int error = BindTcp(*address, false, &probe)) return error;
  if (listen(probe.get(), 1) != 0) return errno;
  address->size = sizeof address->storage;
  if (getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address->storage), &address->size) !=
      0) {
    return errno;
  }
  return 0;
}

std::uint16_t PortOf(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

int BindShared(const SocketAddress& address, std::size_t count, std::vector<Listener>* listeners) {
  listeners->clear();
  for (std::size_t i = 0; i < count; ++i) {
    Listener listener;
    if (const int error = BindTcp(address, count > 1, &listener.socket)) return error;
    if (listen(listener.socket.get(), kListenBacklog) != 0) return errno;
    listeners->push_back(std::move(listener));
  }
  return 0;
}

absl::StatusOr<std::vector<Listener>> ListenTcp(Address address, std::size_t count) {
  absl::StatusOr<SocketAddress> wanted = Resolve(address);
  if (!wanted.ok()) return wanted.status();
  std::vector<Listener> listeners;
  int error = 0;
  for (int tried = 0; tried < kPortTries; ++tried) {
    SocketAddress actual = *wanted;
    error = Probe(&actual);
    if (error == 0) error = BindShared(actual, count, &listeners);
    if (error == 0) {
      address.port = PortOf(actual);
      if (address.host.empty()) address.host = "0.0.0.0";
      for (Listener& listener : listeners) listener.address = "tcp://" + address.text();
      return listeners;
    }
    if (address.port != 0 || error != EADDRINUSE) break;
  }
  return CannotListen(address, error);
}

// Removes the socket file if it is still the one that was bound.
class SocketFile {
 public:
  explicit SocketFile(std::string path) : path_(std::move(path)) {
    struct stat status {};
    if (stat(path_.c_str(), &status) == 0) {
      device_ = status.st_dev;
      inode_ = status.st_ino;
    }
  }
  ~SocketFile() {
    struct stat status {};
    if (stat(path_.c_str(), &status) != 0) return;
    if (status.st_dev == device_ && status.st_ino == inode_) unlink(path_.c_str());
  }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  const std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

bool SomebodyListens(const SocketAddress& address) {
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return !probe.valid() || connect(probe.get(), address.get(), address.size) == 0 ||
         errno != ECONNREFUSED;
}

absl::StatusOr<std::vector<Listener>> ListenUnix(const Address& address, std::size_t count) {
  SocketAddress where;
  auto* name = reinterpret_cast<sockaddr_un*>(&where.storage);
  name->sun_family = AF_UNIX;
  std::memcpy(name->sun_path, address.path.data(), address.path.size());
  where.size = static_cast<socklen_t>(sizeof *name);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return CannotListen(address, errno);
  // Whoever reaches the API is root on every engine, so the file has its mode from the start: that
  // of the socket, without what the umask takes away.
  constexpr mode_t kMode = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP;
  if (fchmod(socket.get(), kMode) != 0) return CannotListen(address, errno);
  int error = bind(socket.get(), where.get(), where.size) == 0 ? 0 : errno;
  struct stat status {};
  if (error == EADDRINUSE && lstat(address.path.c_str(), &status) == 0 &&
      S_ISSOCK(status.st_mode) && !SomebodyListens(where)) {
    unlink(address.path.c_str());
    error = bind(socket.get(), where.get(), where.size) == 0 ? 0 : errno;
  }
  if (error != 0) return CannotListen(address, error);
  const auto file = std::make_shared<SocketFile>(address.path);
  chmod(address.path.c_str(), kMode);  // what the umask took
  if (listen(socket.get(), kListenBacklog) != 0) return CannotListen(address, errno);
  std::vector<Listener> listeners(count);
  for (Listener& listener : listeners) {
    listener.socket = Descriptor(fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!listener.socket.valid()) return CannotListen(address, errno);
    listener.address = "unix://" + address.path;
    listener.file = file;
  }
  return listeners;
}

}  // namespace

absl::StatusOr<std::vector<Listener>> BindListeners(std::string_view address, std::size_t count) {
  absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  if (parsed->is_unix()) return ListenUnix(*parsed, count);
  return ListenTcp(*std::move(parsed), count);
}

}  // namespace swarm::net
