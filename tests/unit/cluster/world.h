// A cluster of fake engines on a clock that the test moves.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cluster/engine_cluster.h"
#include "swarmlib/filter.h"
#include "swarmlib/strategy.h"
#include "unit/cluster/fake_engine.h"
#include "wire/create.h"

namespace swarm {

inline EngineClusterOptions OptionsFor(std::vector<Loop*> loops) {
  EngineClusterOptions options;
  options.loops = std::move(loops);
  const FilterRegistry filters = BuiltinFilters();
  for (const char* const name :
       {"health", "port", "containerslots", "dependency", "affinity", "constraint"}) {
    options.filters.push_back((*filters.Find(name))());
  }
  options.strategy = (*BuiltinStrategies().Find("spread"))();
  return options;
}

// What a client of `docker create` would send.
inline CreateRequest CreateOf(const std::string& name, const std::string& image,
                              const std::string& port = {}, const std::string& env = {}) {
  static int number = 0;
  std::string swarm_id = std::to_string(++number);
  swarm_id.insert(0, 64 - swarm_id.size(), 'f');
  const std::string ports =
      port.empty() ? "{}" : "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"" + port + "\"}]}";
  const std::string body = "{\"Image\":\"" + image + "\",\"Env\":[" +
                           (env.empty() ? "" : "\"" + env + "\"") + "],\"HostConfig\":{" +
                           (port.empty() ? "" : "\"PortBindings\":" + ports) + "}}";
  const auto parsed = ParseCreate(body, name, "", swarm_id, {});
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  CreateRequest request;
  if (!parsed.ok()) return request;
  request.spec = parsed->spec;
  request.body = parsed->body;
  request.api_version = "1.41";
  return request;
}

class World {
 public:
  explicit World(int engines, std::function<void(EngineClusterOptions&)> change = {}) {
    for (int i = 1; i <= engines; ++i) Add(i);
    Start(std::move(change));
  }
  ~World() {
    cluster_.reset();
    Settle();
  }

  static std::string AddressOf(int number) { return "10.0.0." + std::to_string(number) + ":2375"; }

  FakeEngine& Add(int number) {
    const std::string address = AddressOf(number);
    auto& engine = engines_[address];
    engine = std::make_unique<FakeEngine>(clock_, address, "ID" + std::to_string(number),
                                          "n" + std::to_string(number));
    return *engine;
  }

  void Start(std::function<void(EngineClusterOptions&)> change = {}) {
    cluster_.reset();
    Settle();
    EngineClusterOptions options = OptionsFor({&loop_});
    options.backend = [this](const std::string& address) {
      return engines_.at(address)->MakeClient();
    };
    if (change) change(options);
    cluster_ = std::make_unique<EngineCluster>(std::move(options));
  }

  void Announce() {
    std::vector<std::string> addresses;
    for (const auto& [address, engine] : engines_) addresses.push_back(address);
    cluster_->SetAddresses(addresses);
  }

  bool Connect() {
    Announce();
    return Until([this] { return cluster_->Ready(); }, std::chrono::seconds(60));
  }

  // Runs what is ready, without time passing.
  void Settle() {
    while (loop_.RunReady() > 0) {
    }
  }

  // Lets virtual time pass until the condition holds; false after `most`.
  bool Until(const std::function<bool()>& holds, Duration most) {
    const TimePoint end = clock_.Now() + most;
    for (;;) {
      Settle();
      if (holds()) return true;
      if (clock_.Now() >= end || !loop_.StepTime(clock_)) return false;
    }
  }

  void Pass(Duration time) {
    const TimePoint end = clock_.Now() + time;
    Until([this, end] { return clock_.Now() >= end; }, time);
    Settle();
  }

  // The result, once there is one; nothing within `most`.
  std::optional<absl::StatusOr<CreateResult>> Create(CreateRequest request,
                                                     Duration most = std::chrono::minutes(5)) {
    auto result = std::make_shared<std::optional<absl::StatusOr<CreateResult>>>();
    OnLoop([this, request = std::move(request), result]() mutable {
      cluster_->CreateContainer(std::move(request), [result](absl::StatusOr<CreateResult> got) {
        result->emplace(std::move(got));
      });
    });
    Until([result] { return result->has_value(); }, most);
    return std::move(*result);
  }

  std::optional<absl::StatusOr<Reply>> Operate(ContainerOperation operation,
                                               Duration most = std::chrono::minutes(5)) {
    auto result = std::make_shared<std::optional<absl::StatusOr<Reply>>>();
    OnLoop([this, operation = std::move(operation), result]() mutable {
      cluster_->Operate(std::move(operation),
                        [result](absl::StatusOr<Reply> got) { result->emplace(std::move(got)); });
    });
    Until([result] { return result->has_value(); }, most);
    return std::move(*result);
  }

  ContainerOperation OperationOf(ContainerOperation::Verb verb, const std::string& name) {
    ContainerOperation operation;
    operation.verb = verb;
    operation.api_version = "1.41";
    const auto entry = cluster_->FindContainer(name);
    EXPECT_TRUE(entry.ok()) << entry.status();
    if (entry.ok()) operation.entry = *entry;
    return operation;
  }

  void OnLoop(Callback<> work) { loop_.Post(std::move(work)); }

  NodeState StateOf(int number) const { return cluster_->FindNode(AddressOf(number))->state; }
  std::string ErrorOf(int number) const { return cluster_->FindNode(AddressOf(number))->error; }
  FakeEngine& engine(int number) { return *engines_.at(AddressOf(number)); }
  EngineCluster& cluster() { return *cluster_; }
  ManualClock& clock() { return clock_; }
  Loop& loop() { return loop_; }

 private:
  ManualClock clock_;
  Loop loop_{clock_, {}};
  std::map<std::string, std::unique_ptr<FakeEngine>> engines_;
  std::unique_ptr<EngineCluster> cluster_;
};

}  // namespace swarm
