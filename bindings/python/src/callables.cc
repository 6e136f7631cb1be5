#include "callables.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "swarmlib/expression.h"
#include "swarmlib/status.h"
#include "values.h"

namespace pyswarm {
namespace {

thread_local absl::Status silent_failure;

void KeepSilentFailure(absl::Status status) {
  if (silent_failure.ok()) silent_failure = std::move(status);
}

// A node as a predicate sees it, for the length of one call.
class ViewHandle {
 public:
  explicit ViewHandle(const swarm::NodeView& view) : view_(&view) {}
  void End() { view_ = nullptr; }
  const swarm::NodeView& view() const {
    if (view_ == nullptr) {
      throw StatusError(swarm::FailedPrecondition(
          "a NodeView can be asked only while the predicate that it was given to runs"));
    }
    return *view_;
  }

 private:
  const swarm::NodeView* view_;
};

bool Holds(const Callable& predicate, const swarm::NodeView& view) {
  const WithGil lock;
  if (!lock.held()) return false;
  try {
    auto handle = std::make_shared<ViewHandle>(view);
    const absl::StatusOr<py::object> answer = predicate.Call(py::cast(handle));
    handle->End();
    if (answer.ok()) return answer->cast<bool>();
    KeepSilentFailure(answer.status());
    return false;
  } catch (const std::exception& error) {
    KeepSilentFailure(predicate.Failed(error));
    return false;
  }
}

// kind, payload: what Rule of _values.py became in _callbacks.py.
swarm::Term TermOf(const std::string& kind, const py::object& payload, const std::string& what) {
  if (kind == "node") return swarm::term::NodeIn{StringVector(payload, "node")};
  if (kind == "label")
    return swarm::term::Label{ValueOrRaise(swarm::ParseExpression(payload.cast<std::string>()))};
  auto predicate = std::make_shared<Callable>("predicate of " + what, payload);
  return swarm::term::Opaque{
      [predicate](const swarm::NodeView& view) { return Holds(*predicate, view); }};
}

class PythonFilter final : public swarm::Filter {
 public:
  PythonFilter(std::string name, std::shared_ptr<Callable> rules_for)
      : name_(std::move(name)), rules_for_(std::move(rules_for)) {}

  std::string_view name() const override { return name_; }

  absl::StatusOr<std::vector<swarm::Rule>> RulesFor(
      const swarm::ContainerSpec& spec) const override {
    const WithGil lock;
    if (!lock.held()) return swarm::Cancelled("Python is shutting down");
    try {
      const absl::StatusOr<py::object> answer = rules_for_->Call(SpecDict(spec));
      if (!answer.ok()) return answer.status();
      std::vector<swarm::Rule> rules;
      for (const py::handle item : *answer) {
        const auto parts = item.cast<py::tuple>();
        swarm::Rule rule;
        rule.text = parts[0].cast<std::string>();
        rule.soft = parts[1].cast<bool>();
        rule.term = TermOf(parts[2].cast<std::string>(), parts[3], rules_for_->what());
        if (const auto* label = std::get_if<swarm::term::Label>(&rule.term))
          rule.soft = rule.soft || label->expression.soft;
        rules.push_back(std::move(rule));
      }
      return rules;
    } catch (const StatusError& error) {
      return error.status();
    } catch (const std::exception& error) {
      return rules_for_->Failed(error);
    }
  }

 private:
  const std::string name_;
  const std::shared_ptr<Callable> rules_for_;
};

class PythonStrategy final : public swarm::Strategy {
 public:
  PythonStrategy(std::string name, std::shared_ptr<Callable> rank)
      : name_(std::move(name)), rank_(std::move(rank)) {}

  std::string_view name() const override { return name_; }

  std::optional<std::int64_t> Rank(const swarm::NodeUsage& usage,
                                   const swarm::Resources& request) const override {
    const WithGil lock;
    if (!lock.held()) return std::nullopt;
    try {
      const absl::StatusOr<py::object> answer =
          rank_->Call(ResourcesTuple(usage.reserved), ResourcesTuple(usage.total), usage.health,
                      usage.containers, ResourcesTuple(request));
      if (!answer.ok()) KeepSilentFailure(answer.status());
      if (!answer.ok() || answer->is_none()) return std::nullopt;
      return answer->cast<std::int64_t>();
    } catch (const std::exception& error) {
      KeepSilentFailure(rank_->Failed(error));
      return std::nullopt;
    }
  }

 private:
  const std::string name_;
  const std::shared_ptr<Callable> rank_;
};

// The newest answer of a source, on its way from any thread to the loop of the discovery.
class Changes {
 public:
  Changes() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Changes() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  int descriptor() const { return descriptor_; }

  void Put(absl::StatusOr<std::vector<std::string>> addresses) {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      newest_ = std::move(addresses);
    }
    const std::uint64_t one = 1;
    // A full counter wakes the loop as well.
    [[maybe_unused]] const ssize_t written = write(descriptor_, &one, sizeof one);
  }

  std::optional<absl::StatusOr<std::vector<std::string>>> Take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = read(descriptor_, &count, sizeof count);
    const std::lock_guard<std::mutex> guard(mutex_);
    return std::exchange(newest_, std::nullopt);
  }

 private:
  const int descriptor_;
  std::mutex mutex_;
  std::optional<absl::StatusOr<std::vector<std::string>>> newest_;
};

class PythonDiscovery final : public swarm::Discovery {
 public:
  PythonDiscovery(std::shared_ptr<Callable> start, std::string rest,
                  swarm::DiscoveryContext context)
      : start_(std::move(start)), rest_(std::move(rest)), context_(std::move(context)) {}

  ~PythonDiscovery() override {
    if (stop_watching_) stop_watching_();
    if (!stop_) return;
    const WithGil lock;
    if (lock.held()) (void)stop_->Call();
  }

  void Watch(std::function<void(absl::StatusOr<std::vector<std::string>>)> changed) override {
    stop_watching_ = context_.watch_descriptor(changes_->descriptor(),
                                               [changes = changes_, changed = std::move(changed)] {
                                                 if (auto newest = changes->Take())
                                                   changed(*std::move(newest));
                                               });
    const WithGil lock;
    if (!lock.held()) return;
    try {
      const absl::StatusOr<py::object> stop =
          start_->Call(Text(rest_), py::cast(changes_),
                       std::chrono::duration<double>(context_.heartbeat).count());
      if (!stop.ok()) return changes_->Put(stop.status());
      stop_ = std::make_shared<Callable>("the end of " + start_->what(), *stop);
    } catch (const std::exception& error) {
      changes_->Put(start_->Failed(error));
    }
  }

 private:
  const std::shared_ptr<Callable> start_;
  const std::string rest_;
  const swarm::DiscoveryContext context_;
  const std::shared_ptr<Changes> changes_ = std::make_shared<Changes>();
  std::function<void()> stop_watching_;
  std::shared_ptr<Callable> stop_;
};

std::shared_ptr<Callable> Keep(const char* kind, const std::string& name, const py::handle& object,
                               Callables& kept) {
  auto callable = std::make_shared<Callable>(std::string(kind) + " \"" + name + "\"",
                                             py::reinterpret_borrow<py::object>(object));
  kept.push_back(callable);
  return callable;
}

const char* LevelName(swarm::LogLevel level) {
  switch (level) {
    case swarm::LogLevel::kDebug: return "debug";
    case swarm::LogLevel::kInfo: return "info";
    case swarm::LogLevel::kWarning: return "warning";
    case swarm::LogLevel::kError: break;
  }
  return "error";
}

}  // namespace

Callable::Callable(std::string what, py::object object)
    : what_(std::move(what)), object_(std::move(object)) {}

Callable::~Callable() {
  const WithGil lock;
  if (lock.held()) {
    object_ = py::object();
  } else {
    (void)object_.release();
  }
}

void Callable::Drop() {
  // Its end may run Python code, which must not find it half gone.
  const py::object dropped = std::exchange(object_, py::object());
}

absl::Status Callable::Ended() const {
  return swarm::Cancelled(what_ + " was called after the manager was closed");
}

absl::Status Callable::Failed(const std::exception& error) const {
  return swarm::Internal(what_ + " failed: " + error.what());
}

absl::StatusOr<py::object> Callable::TakeApart(const py::object& answer) const {
  const auto parts = answer.cast<py::tuple>();
  if (parts[0].cast<bool>()) return py::object(parts[1]);
  const int code = parts[1].cast<int>();
  const auto message = parts[2].cast<std::string>();
  // Ctrl-C in the callable: once more, for when its caller is back in Python.
  if (parts[3].cast<bool>()) PyErr_SetInterrupt();
  if (code < 1 || code > 16) return swarm::Internal(message);
  const absl::Status status(static_cast<absl::StatusCode>(code), message);
  return status;
}

void AddFilters(swarm::Config& config, const py::dict& filters, Callables& kept) {
  for (const auto& [key, object] : filters) {
    const auto name = key.cast<std::string>();
    const std::shared_ptr<Callable> callable = Keep("filter", name, object, kept);
    OkOrRaise(config.filter_registry.Add(
        name, [name, callable] { return std::make_unique<PythonFilter>(name, callable); }));
  }
}

void AddStrategies(swarm::Config& config, const py::dict& strategies, Callables& kept) {
  for (const auto& [key, object] : strategies) {
    const auto name = key.cast<std::string>();
    const std::shared_ptr<Callable> callable = Keep("strategy", name, object, kept);
    OkOrRaise(config.strategy_registry.Add(
        name, [name, callable] { return std::make_unique<PythonStrategy>(name, callable); }));
  }
}

void AddDiscovery(swarm::Config& config, const py::dict& schemes, Callables& kept) {
  for (const auto& [key, object] : schemes) {
    const auto name = key.cast<std::string>();
    const std::shared_ptr<Callable> callable = Keep("discovery", name, object, kept);
    OkOrRaise(config.discovery_registry.Add(
        name,
        [callable](std::string_view rest, const swarm::DiscoveryContext& context)
            -> absl::StatusOr<std::unique_ptr<swarm::Discovery>> {
          if (!context.watch_descriptor)
            return swarm::Unimplemented(callable->what() +
                                        " needs a loop that watches descriptors");
          return std::make_unique<PythonDiscovery>(callable, std::string(rest), context);
        }));
  }
}

void SetLog(swarm::Config& config, const py::object& log, Callables& kept) {
  if (log.is_none()) return;
  const std::shared_ptr<Callable> callable = Keep("log", "log", log, kept);
  config.log = [callable](const swarm::LogRecord& record) {
    const WithGil lock;
    if (!lock.held()) return;
    try {
      py::dict fields;
      for (const auto& [name, value] : record.fields) fields[Text(name)] = Text(value);
      (void)callable->Call(LevelName(record.level), Text(record.message), fields);
    } catch (const std::exception&) {
      // A line that cannot be handed over is lost; there is nowhere to say so.
      return;
    }
  };
}

absl::Status TakeSilentFailure() { return std::exchange(silent_failure, absl::OkStatus()); }

void BindCallables(py::module_& module) {
  py::class_<ViewHandle, std::shared_ptr<ViewHandle>>(module, "ViewHandle")
      .def("node", [](const ViewHandle& self) { return NodeDict(self.view().node()); })
      .def("containers",
           [](const ViewHandle& self) {
             py::list list;
             for (const swarm::Container* container : self.view().containers())
               list.append(ContainerDict(*container));
             return list;
           })
      .def("images",
           [](const ViewHandle& self) {
             py::list list;
             for (const swarm::Image* image : self.view().images()) list.append(ImageDict(*image));
             return list;
           })
      .def("reserved",
           [](const ViewHandle& self) { return ResourcesTuple(self.view().reserved()); });
  module.def(
      "check_expression",
      [](const std::string& text) { OkOrRaise(swarm::ParseExpression(text).status()); },
      py::arg("text"));
  py::class_<Changes, std::shared_ptr<Changes>>(module, "Changes")
      .def(
          "put",
          [](Changes& self, const py::list& addresses) {
            self.Put(StringVector(addresses, "addresses"));
          },
          py::arg("addresses"))
      .def(
          "fail",
          [](Changes& self, int code, const std::string& message) {
            self.Put(absl::Status(static_cast<absl::StatusCode>(code), message));
          },
          py::arg("code"), py::arg("message"));
}

}  // namespace pyswarm
