#include "exchange.h"

#include <unistd.h>

#include <algorithm>
#include <span>
#include <utility>

#include "lock.h"
#include "ready.h"
#include "swarmlib/status.h"
#include "values.h"

namespace pyswarm {
namespace {

constexpr std::size_t kMostAtOnce = 256 * 1024;  // bytes of one Read

std::string SecondsText(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g s", seconds);
  return text;
}

}  // namespace

PythonExchange::PythonExchange(std::shared_ptr<swarm::Exchange> exchange, std::string what)
    : exchange_(std::move(exchange)), what_(std::move(what)), process_(getpid()) {}

PythonExchange::~PythonExchange() {
  if (process_ != getpid()) {
    // After fork(): its threads are not here.
    new std::shared_ptr<swarm::Exchange>(std::move(exchange_));
    return;
  }
  Unlocked([this] { exchange_.reset(); });
}

std::shared_ptr<swarm::Exchange> PythonExchange::Live() const {
  if (process_ != getpid()) {
    throw StatusError(swarm::FailedPrecondition(
        what_ + ": begun before fork(); it can go on in the parent only"));
  }
  if (InCallback()) {
    throw StatusError(swarm::FailedPrecondition(
        what_ + ": cannot go on inside of a callable that a manager calls"));
  }
  return exchange_;
}

void PythonExchange::WaitHead(double timeout) {
  const auto exchange = Live();
  OkOrRaise(InSlices(Seconds(timeout), what_ + ": no answer within " + SecondsText(timeout),
                     [&](swarm::Duration slice) { return exchange->WaitHead(slice); }));
  has_head_ = true;
}

py::bytes PythonExchange::Read(std::size_t most, double timeout) {
  const auto exchange = Live();
  if (most == 0) return {};
  if (!gathered_.empty()) {
    const std::string first = gathered_.substr(0, most);
    gathered_.erase(0, first.size());
    return first;
  }
  std::string buffer(most < kMostAtOnce ? most : kMostAtOnce, '\0');
  const std::size_t count = ValueOrRaise(
      InSlices(Seconds(timeout), what_ + ": nothing came within " + SecondsText(timeout),
               [&](swarm::Duration slice) { return exchange->Read(buffer, slice); }));
  return {buffer.data(), count};
}

py::bytes PythonExchange::ReadAll(std::size_t most, double timeout) {
  const auto exchange = Live();
  const swarm::TimePoint end = swarm::SystemClock().Now() + Seconds(timeout);
  const std::string late = what_ + ": the answer did not end within " + SecondsText(timeout);
  std::string buffer(kMostAtOnce, '\0');
  while (true) {
    const swarm::Duration left = end - swarm::SystemClock().Now();
    const std::size_t count = ValueOrRaise(
        InSlices(left, late, [&](swarm::Duration slice) { return exchange->Read(buffer, slice); }));
    if (count == 0) break;
    if (gathered_.size() + count > most) {
      Unlocked([&] { exchange->Abort(); });
      throw StatusError(
          swarm::ResourceExhausted(what_ + ": the answer is longer than " + std::to_string(most) +
                                   " bytes; allow more by max_body, or ask with stream=True and "
                                   "read it in pieces"));
    }
    gathered_.append(buffer, 0, count);
  }
  const std::string whole = std::exchange(gathered_, {});
  return whole;
}

std::size_t PythonExchange::Write(const std::string& bytes, double timeout) {
  const auto exchange = Live();
  const swarm::TimePoint end = swarm::SystemClock().Now() + Seconds(timeout);
  const std::string late = what_ + ": nothing was taken within " + SecondsText(timeout);
  std::size_t taken = 0;
  do {
    const swarm::Duration left = end - swarm::SystemClock().Now();
    absl::StatusOr<std::size_t> more = InSlices(left, late, [&](swarm::Duration slice) {
      return exchange->Write(std::string_view(bytes).substr(taken), slice);
    });
    if (!more.ok() && taken > 0 && more.status().code() == absl::StatusCode::kDeadlineExceeded)
      break;
    taken += ValueOrRaise(std::move(more));
  } while (taken < bytes.size());
  return taken;
}

void PythonExchange::CloseWrite() {
  const auto exchange = Live();
  OkOrRaise(Unlocked([&] { return exchange->CloseWrite(); }));
}

void PythonExchange::Abort() {
  if (process_ != getpid()) return;
  const auto exchange = exchange_;
  Unlocked([&] { exchange->Abort(); });
}

bool PythonExchange::WhenReady(const std::string& what, std::uint64_t number) {
  const auto exchange = Live();
  const swarm::ExchangeWait wait = what == "head"   ? swarm::ExchangeWait::kHead
                                   : what == "read" ? swarm::ExchangeWait::kRead
                                                    : swarm::ExchangeWait::kWrite;
  return Unlocked([&] { return exchange->WhenReady(wait, [number] { NoteReady(number); }); });
}

void PythonExchange::TakeHead() {
  const auto exchange = Live();
  OkOrRaise(Unlocked([&] { return exchange->WaitHead(swarm::Duration::zero()); }));
  has_head_ = true;
}

py::bytes PythonExchange::Take(std::size_t most) {
  const auto exchange = Live();
  std::string buffer(std::clamp<std::size_t>(most, 1, kMostAtOnce), '\0');
  const std::size_t count =
      ValueOrRaise(Unlocked([&] { return exchange->Read(buffer, swarm::Duration::zero()); }));
  return {buffer.data(), count};
}

std::size_t PythonExchange::StartWrite(const std::string& bytes) {
  const auto exchange = Live();
  return ValueOrRaise(Unlocked([&] { return exchange->StartWrite(bytes); }));
}

std::size_t PythonExchange::FinishWrite() {
  const auto exchange = Live();
  return ValueOrRaise(Unlocked([&] { return exchange->FinishWrite(); }));
}

swarm::Exchange& PythonExchange::exchange() {
  const auto exchange = Live();
  if (!has_head_) {
    throw StatusError(
        swarm::FailedPrecondition(what_ + ": its answer is not there yet; wait_head comes first"));
  }
  return *exchange;
}

void BindExchange(py::module_& module) {
  py::class_<PythonExchange, std::shared_ptr<PythonExchange>>(module, "Exchange")
      .def("wait_head", &PythonExchange::WaitHead, py::arg("timeout"))
      .def_property_readonly("status",
                             [](PythonExchange& self) { return self.exchange().status(); })
      .def_property_readonly("headers",
                             [](PythonExchange& self) {
                               py::list list;
                               for (const auto& [name, value] : self.exchange().headers())
                                 list.append(py::make_tuple(Text(name), Text(value)));
                               return list;
                             })
      .def_property_readonly("tunnel",
                             [](PythonExchange& self) { return self.exchange().tunnel(); })
      .def("read", &PythonExchange::Read, py::arg("most"), py::arg("timeout"))
      .def("read_all", &PythonExchange::ReadAll, py::arg("most"), py::arg("timeout"))
      .def("write", &PythonExchange::Write, py::arg("data"), py::arg("timeout"))
      .def("close_write", &PythonExchange::CloseWrite)
      .def("abort", &PythonExchange::Abort)
      .def("when_ready", &PythonExchange::WhenReady, py::arg("what"), py::arg("number"))
      .def("take_head", &PythonExchange::TakeHead)
      .def("take", &PythonExchange::Take, py::arg("most"))
      .def("start_write", &PythonExchange::StartWrite, py::arg("data"))
      .def("finish_write", &PythonExchange::FinishWrite);
  module.def(
      "error_of_reply",
      [](int status, const py::list& fields, const std::string& body) {
        swarm::Headers headers;
        for (const py::handle field : fields) {
          const auto pair = field.cast<py::tuple>();
          headers.emplace_back(pair[0].cast<std::string>(), pair[1].cast<std::string>());
        }
        const absl::Status error = swarm::StatusOfReply(status, headers, body);
        return py::make_tuple(static_cast<int>(error.code()), Text(swarm::MessageOf(error)));
      },
      py::arg("status"), py::arg("headers"), py::arg("body"));
}

}  // namespace pyswarm
