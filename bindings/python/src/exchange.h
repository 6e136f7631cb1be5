// One request under way, for pyswarm._response.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>

#include "swarmlib/exchange.h"

namespace pyswarm {

namespace py = pybind11;

// Keeps what was read when a wait ends early, so that nothing is lost. Any thread; one reads and
// one writes at a time.
class PythonExchange {
 public:
  // `what`: "GET /events".
  PythonExchange(std::shared_ptr<swarm::Exchange> exchange, std::string what);
  ~PythonExchange();
  PythonExchange(const PythonExchange&) = delete;
  PythonExchange& operator=(const PythonExchange&) = delete;

  void WaitHead(double timeout);
  py::bytes Read(std::size_t most, double timeout);
  py::bytes ReadAll(std::size_t most, double timeout);
  // How many were taken within `timeout`, at least one.
  std::size_t Write(const std::string& bytes, double timeout);
  void CloseWrite();
  void Abort();
  swarm::Exchange& exchange();

  // For asyncio; none of them waits. True: ready now; else take_ready will give `number`.
  bool WhenReady(const std::string& what, std::uint64_t number);
  void TakeHead();
  py::bytes Take(std::size_t most);
  std::size_t StartWrite(const std::string& bytes);
  std::size_t FinishWrite();

 private:
  std::shared_ptr<swarm::Exchange> Live() const;

  std::shared_ptr<swarm::Exchange> exchange_;
  const std::string what_;
  const int process_;
  std::string gathered_;  // of a ReadAll that was late
  bool has_head_ = false;
};

void BindExchange(py::module_& module);

}  // namespace pyswarm
