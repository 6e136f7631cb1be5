#include "discovery/file.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "discovery/addresses.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

using Changed = std::function<void(absl::StatusOr<std::vector<std::string>>)>;

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                  IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                  IN_ONLYDIR;

std::string ErrorText(int error) {
  return std::error_code(error, std::generic_category()).message();
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  // Not blocking: a named pipe must not hold the loop.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0)
    return Unavailable("the node file " + path + " cannot be read: " + ErrorText(errno));
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return InvalidArgument("the node file " + path + " is not a regular file");
  }
  std::string text;
  std::array<char, 16U << 10U> buffer;
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Unavailable("the node file " + path + " cannot be read: " + ErrorText(errno));
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostFileBytes) {
      return ResourceExhausted("the node file " + path + " holds more than " +
                               std::to_string(kMostFileBytes) + " bytes");
    }
  }
}

// Lives in a shared_ptr: a timer that fires after the end finds it gone.
class FileWatch : public std::enable_shared_from_this<FileWatch> {
 public:
  FileWatch(std::string path, DiscoveryContext context)
      : path_(std::move(path)),
        context_(std::move(context)),
        notify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    const std::size_t slash = path_.rfind('/');
    folder_ = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
    name_ = slash == std::string::npos ? path_ : path_.substr(slash + 1);
  }

  ~FileWatch() {
    if (unwatch_) unwatch_();
  }

  void Start(Changed changed) {
    changed_ = std::move(changed);
    if (context_.watch_descriptor && notify_.get() >= 0) {
      AddFolder();
      std::weak_ptr<FileWatch> weak = weak_from_this();
      unwatch_ = context_.watch_descriptor(notify_.get(), [weak] {
        if (const std::shared_ptr<FileWatch> self = weak.lock()) self->Drain();
      });
    }
    Reread();
    Beat();
  }

 private:
  void Beat() {
    if (!context_.after) return;
    std::weak_ptr<FileWatch> weak = weak_from_this();
    context_.after(context_.heartbeat, [weak] {
      const std::shared_ptr<FileWatch> self = weak.lock();
      if (!self) return;
      if (self->unwatch_ && !self->folder_watched_) self->AddFolder();
      self->Reread();
      self->Beat();
    });
  }

  // The folder and not the file: a file that is replaced by rename would take its watch away with
  // it.
  void AddFolder() {
    folder_watched_ = ::inotify_add_watch(notify_.get(), folder_.c_str(), kEvents) >= 0;
    if (!folder_watched_) {
      Log(context_.log, LogLevel::kWarning,
          "the node file's folder is not watched; changes are seen at each heartbeat",
          {{"folder", folder_}, {"reason", ErrorText(errno)}});
    }
  }

  void Drain() {
    // A link changes where it points to without an event of its own name.
    struct stat facts {};
    bool concerned = ::lstat(path_.c_str(), &facts) == 0 && S_ISLNK(facts.st_mode);
    alignas(inotify_event) std::array<char, 16U << 10U> buffer;
    for (;;) {
      const ssize_t got = ::read(notify_.get(), buffer.data(), buffer.size());
      if (got <= 0) break;
      for (ssize_t at = 0; at < got;) {
        inotify_event event;
        std::memcpy(&event, buffer.data() + at, sizeof event);
        const char* const name = buffer.data() + at + sizeof event;
        if ((event.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0U)
          folder_watched_ = false;
        if ((event.mask & IN_Q_OVERFLOW) != 0U || event.len == 0 || name_ == name) concerned = true;
        at += static_cast<ssize_t>(sizeof event + event.len);
      }
    }
    if (concerned) Reread();
  }

  void Reread() {
    const absl::StatusOr<std::string> text = ReadFile(path_);
    absl::StatusOr<std::vector<std::string>> addresses =
        text.ok() ? ParseAddressFile(*text, path_)
                  : absl::StatusOr<std::vector<std::string>>(text.status());
    if (!addresses.ok()) {
      std::string message(MessageOf(addresses.status()));
      if (message == last_error_) return;  // said once, not at each heartbeat
      last_error_ = std::move(message);
    } else {
      const bool healed = !std::exchange(last_error_, {}).empty();
      if (!healed && known_ && *addresses == last_) return;
      last_ = *addresses;
      known_ = true;
    }
    const std::shared_ptr<FileWatch> self = shared_from_this();  // `changed` may end the discovery
    changed_(std::move(addresses));
  }

  std::string path_;
  DiscoveryContext context_;
  Descriptor notify_;
  std::string folder_;
  std::string name_;
  bool folder_watched_ = false;
  std::function<void()> unwatch_;
  Changed changed_;
  bool known_ = false;
  std::vector<std::string> last_;
  std::string last_error_;
};

class FileDiscovery final : public Discovery {
 public:
  FileDiscovery(std::string path, const DiscoveryContext& context)
      : watch_(std::make_shared<FileWatch>(std::move(path), context)) {}

  void Watch(Changed changed) override { watch_->Start(std::move(changed)); }

 private:
  std::shared_ptr<FileWatch> watch_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseAddressFile(std::string_view text,
                                                          std::string_view path) {
  std::vector<std::string> addresses;
  std::size_t number = 0;
  for (const std::string_view line : Split(text, '\n')) {
    ++number;
    const std::string_view item = Trim(line.substr(0, line.find('#')));
    if (item.empty()) continue;
    if (absl::Status appended = AppendAddresses(item, addresses); !appended.ok()) {
      std::string where = "the node file ";
      where.append(path).append(", line ").append(std::to_string(number));
      return Annotate(appended, where);
    }
  }
  if (addresses.empty())
    return InvalidArgument("the node file " + std::string(path) + " names no node");
  SortAddresses(addresses);
  return addresses;
}

absl::StatusOr<std::unique_ptr<Discovery>> MakeFileDiscovery(std::string_view rest,
                                                             const DiscoveryContext& context) {
  if (rest.empty() || rest.back() == '/' || rest.find('\0') != std::string_view::npos) {
    return InvalidArgument("file:// wants the path of a file, as in file:///etc/swarm/nodes");
  }
  return std::unique_ptr<Discovery>(std::make_unique<FileDiscovery>(std::string(rest), context));
}

}  // namespace swarm
