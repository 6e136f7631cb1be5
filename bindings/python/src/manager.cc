#include "manager.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "callables.h"
#include "config.h"
#include "exchange.h"
#include "lock.h"
#include "ready.h"
#include "swarmlib/manager.h"
#include "swarmlib/status.h"
#include "values.h"

namespace pyswarm {
namespace {

// At the end of the interpreter.
constexpr swarm::Duration kExitGrace = std::chrono::seconds(1);
constexpr std::chrono::seconds kLongestExit(10);  // for managers to close, threads to come back

void RefuseInCallback() {
  if (!InCallback()) return;
  throw StatusError(
      swarm::FailedPrecondition("a manager cannot be asked from inside of a callable that a "
                                "manager calls: it may hold what the "
                                "answer needs"));
}

// A manager and what of Python it may call. Its members are touched with the lock held only.
class PythonManager {
 public:
  explicit PythonManager(const py::dict& options) : process_(getpid()) {
    swarm::Config config = ReadConfig(options, kept_);
    discovery_ = config.discovery;
    manager_ = ValueOrRaise(Unlocked([&] { return swarm::Manager::Open(std::move(config)); }));
    All().push_back(this);
  }

  ~PythonManager() {
    std::erase(All(), this);
    if (process_ != getpid()) {
      // After fork(): neither its threads nor its locks can be used any more.
      new std::shared_ptr<swarm::Manager>(std::move(manager_));
      return;
    }
    if (InCallback()) {
      // Dropped by a callable, on a thread that this or another manager needs for its end.
      StartThread([manager = std::move(manager_)]() mutable { manager.reset(); });
      return;
    }
    Unlocked([this] { manager_.reset(); });
  }

  PythonManager(const PythonManager&) = delete;
  PythonManager& operator=(const PythonManager&) = delete;

  // Those of this interpreter that are not destroyed.
  static std::vector<PythonManager*>& All() {
    static auto* all = new std::vector<PythonManager*>();
    return *all;
  }

  std::shared_ptr<swarm::Manager> Live() const {
    if (process_ != getpid()) {
      throw StatusError(swarm::FailedPrecondition(
          "the manager was opened before fork(); open one of its own in the child"));
    }
    RefuseInCallback();
    if (closing_) throw StatusError(swarm::Cancelled("the manager is closed"));
    return manager_;
  }

  // Of any time, also when it is closed.
  const std::shared_ptr<swarm::Manager>& manager() const { return manager_; }
  bool is_ours() const { return process_ == getpid(); }
  bool closing() const { return closing_; }
  const std::string& discovery() const { return discovery_; }

  void Close(double grace) {
    if (process_ != getpid()) {
      throw StatusError(swarm::FailedPrecondition(
          "the manager was opened before fork(); its parent process closes it"));
    }
    RefuseInCallback();
    closing_ = true;
    const std::shared_ptr<swarm::Manager> manager = manager_;
    Unlocked([&] { manager->Close(Seconds(grace)); });
    DropCallables();
  }

  void MarkClosing() { closing_ = true; }
  // For the collector: a program's callables may hold the manager that calls them.
  int Traverse(visitproc visit, void* arg) const {
    for (const std::shared_ptr<Callable>& callable : kept_) {
      if (const int stop = callable->Traverse(visit, arg); stop != 0) return stop;
    }
    return 0;
  }
  void DropCallables() {
    // Taken out first: what is dropped may run Python code, which may come here again.
    const Callables dropped = std::exchange(kept_, {});
    for (const std::shared_ptr<Callable>& callable : dropped) callable->Drop();
  }

 private:
  const int process_;
  std::string discovery_;
  Callables kept_;
  std::shared_ptr<swarm::Manager> manager_;
  bool closing_ = false;
};

// Closes every manager of this process that is open, on threads of their own, and waits for them
// and for the threads that wait in a call; not longer than kLongestExit.
void CloseAll() {
  struct Progress {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t left = 0;
  };
  const auto progress = std::make_shared<Progress>();
  std::vector<std::shared_ptr<swarm::Manager>> open;
  for (PythonManager* const one : PythonManager::All()) {
    if (!one->is_ours() || one->closing()) continue;
    one->MarkClosing();
    open.push_back(one->manager());
  }
  progress->left = open.size();
  for (std::shared_ptr<swarm::Manager>& manager : open) {
    StartThread([progress, manager = std::move(manager)]() mutable {
      manager->Close(kExitGrace);
      // The last owner is the Python object, which lives at least as long as this.
      manager.reset();
      const std::lock_guard<std::mutex> guard(progress->mutex);
      --progress->left;
      progress->changed.notify_all();
    });
  }
  open.clear();
  Unlocked([&] {
    const auto end = std::chrono::steady_clock::now() + kLongestExit;
    std::unique_lock<std::mutex> guard(progress->mutex);
    if (!progress->changed.wait_until(guard, end, [&] { return progress->left == 0; })) {
      std::fprintf(stderr,
                   "pyswarm: %zu managers did not close within %d s and are left as they are\n",
                   progress->left, static_cast<int>(kLongestExit.count()));
    }
    CloseReady();
    // This thread is out as well. The others have been told Cancelled.
    while (ThreadsOut() > 1 && std::chrono::steady_clock::now() < end)
      progress->changed.wait_for(guard, std::chrono::milliseconds(5));
  });
  StopCallbacks();
}

swarm::Request MakeRequest(std::string method, std::string target, const py::list& headers,
                           std::string body, bool upgrade) {
  swarm::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  for (const py::handle item : headers) {
    const auto pair = item.cast<py::tuple>();
    request.headers.emplace_back(pair[0].cast<std::string>(), pair[1].cast<std::string>());
  }
  request.body = std::move(body);
  request.wants_upgrade = upgrade;
  return request;
}

std::shared_ptr<PythonExchange> Begin(PythonManager& self, const std::string& method,
                                      const std::string& target, const py::list& headers,
                                      const std::string& body, bool streamed, bool upgrade) {
  const auto manager = self.Live();
  swarm::Request request = MakeRequest(method, target, headers, body, upgrade);
  std::shared_ptr<swarm::Exchange> exchange =
      Unlocked([&] { return manager->Begin(std::move(request), streamed); });
  return std::make_shared<PythonExchange>(std::move(exchange),
                                          method + " " + target.substr(0, target.find('?')));
}

py::dict Plan(PythonManager& self, const std::string& body, const std::string& name,
              const std::string& platform) {
  const auto manager = self.Live();
  (void)TakeSilentFailure();
  auto explanation = Unlocked([&] { return manager->PlanCreate(body, name, platform); });
  OkOrRaise(TakeSilentFailure());
  return ExplanationDict(ValueOrRaise(std::move(explanation)));
}

py::list Nodes(PythonManager& self) {
  const auto manager = self.Live();
  std::vector<std::pair<swarm::NodePointer, swarm::NodeTotals>> found;
  Unlocked([&] {
    for (swarm::NodePointer& node : manager->cluster().Nodes()) {
      swarm::NodeTotals totals = manager->cluster().TotalsOf(node->address);
      found.emplace_back(std::move(node), totals);
    }
  });
  py::list list;
  for (const auto& [node, totals] : found) {
    py::dict dict = NodeDict(*node);
    dict["reserved"] = ResourcesTuple(totals.reserved);
    dict["usable"] = ResourcesTuple(totals.total);
    dict["containers"] = totals.containers;
    dict["running"] = totals.running;
    list.append(std::move(dict));
  }
  return list;
}

void WaitReady(PythonManager& self, double timeout) {
  const auto manager = self.Live();
  std::string reason;  // of the discovery, behind what a slice says of its own length
  absl::Status ready = InSlices(Seconds(timeout), "", [&](swarm::Duration slice) {
    absl::Status status = manager->WaitReady(slice);
    const std::string message(swarm::MessageOf(status));
    const std::size_t colon = message.find(" s: ");
    if (colon != std::string::npos) reason = message.substr(colon + 2);
    return status;
  });
  if (ready.code() == absl::StatusCode::kDeadlineExceeded) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g s", timeout);
    ready = swarm::DeadlineExceeded("not every engine of " + self.discovery() +
                                    " was tried within " + seconds + reason);
  }
  OkOrRaise(std::move(ready));
}

// Null while it is made.
PythonManager* ManagerOf(PyObject* object) {
  auto* const instance = reinterpret_cast<py::detail::instance*>(object);
  // Python tracks an object before pybind11 lays it out, which may run the collector.
  if (!instance->simple_layout && instance->nonsimple.values_and_holders == nullptr) return nullptr;
  const py::detail::value_and_holder held = instance->get_value_and_holder();
  return held.holder_constructed() ? held.value_ptr<PythonManager>() : nullptr;
}

void TakePartInCollection(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(object));
    const PythonManager* const manager = ManagerOf(object);
    return manager == nullptr ? 0 : manager->Traverse(visit, arg);
  };
  type.tp_dealloc = [](PyObject* object) {
    // Its end lets others run, the collector among them, which must not find it any more.
    PyObject_GC_UnTrack(object);
    auto* const base = reinterpret_cast<PyTypeObject*>(py::detail::get_internals().instance_base);
    base->tp_dealloc(object);
  };
  type.tp_clear = [](PyObject* object) {
    if (PythonManager* const manager = ManagerOf(object)) manager->DropCallables();
    return 0;
  };
}

}  // namespace

void BindManager(py::module_& module) {
  py::class_<PythonManager, std::shared_ptr<PythonManager>>(
      module, "Manager", py::custom_type_setup(&TakePartInCollection))
      .def(py::init<const py::dict&>(), py::arg("options"))
      .def("serve",
           [](PythonManager& self) {
             const auto manager = self.Live();
             OkOrRaise(Unlocked([&] { return manager->Serve(); }));
           })
      .def("addresses",
           [](PythonManager& self) {
             const auto manager = self.Live();
             return Texts(Unlocked([&] { return manager->addresses(); }));
           })
      .def("run",
           [](PythonManager& self) {
             const auto manager = self.Live();
             OkOrRaise(Unlocked([&] { return manager->Run(); }));
           })
      .def("wait_ready", &WaitReady, py::arg("timeout"))
      .def("close", &PythonManager::Close, py::arg("grace"))
      .def_property_readonly("closed", &PythonManager::closing)
      // In this process and not closed.
      .def_property_readonly(
          "is_open", [](const PythonManager& self) { return self.is_ours() && !self.closing(); })
      .def("begin", &Begin, py::arg("method"), py::arg("target"), py::arg("headers"),
           py::arg("body"), py::arg("streamed"), py::arg("upgrade"))
      .def("plan", &Plan, py::arg("body"), py::arg("name"), py::arg("platform"))
      .def("nodes", &Nodes);
  module.def("close_all", &CloseAll);
  module.def("after_fork", &ForgetThreadsOut);
}

}  // namespace pyswarm
