// A manager over three simulated engines, asked in process.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"

namespace swarm {

// No wait of a test comes near it.
inline constexpr std::chrono::seconds kLong(20);

inline Config ThreeEngines() {
  Config config;
  config.discovery = "sim://3?seed=5";
  config.seed = 5;
  config.threads = 2;
  AddSimulation(config);
  return config;
}

inline Request Asking(std::string method, std::string target, std::string body = {}) {
  Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  return request;
}

class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() : ExchangeTest(ThreeEngines()) {}
  explicit ExchangeTest(Config config) {
    auto opened = Manager::Open(std::move(config));
    EXPECT_TRUE(opened.ok()) << opened.status();
    manager_ = *std::move(opened);
  }
  void SetUp() override { ASSERT_TRUE(manager_->WaitReady(kLong).ok()); }

  // The body of a request that must end with `status`.
  std::string Ask(int status, std::string method, std::string target, std::string body = {}) {
    Request request = Asking(std::move(method), target, std::move(body));
    const absl::StatusOr<Reply> reply = manager_->Call(std::move(request), {});
    if (!reply.ok()) {
      ADD_FAILURE() << target << ": " << reply.status();
      return "";
    }
    EXPECT_EQ(reply->status, status) << target << ": " << reply->body;
    return reply->body;
  }
  // A container that runs `command` (a JSON array).
  void Run(const std::string& name, const std::string& command) {
    Ask(201, "POST", "/containers/create?name=" + name,
        R"({"Image":"busybox","OpenStdin":true,"StdinOnce":true,"Cmd":)" + command + "}");
    Ask(204, "POST", "/containers/" + name + "/start");
  }
  // Reads until `text` has come, bounded.
  static std::string ReadUntil(Exchange& exchange, const std::string& text) {
    std::string all;
    std::array<char, 256> piece;
    const auto end = std::chrono::steady_clock::now() + kLong;
    while (all.find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
      const auto count = exchange.Read(piece, kLong);
      if (!count.ok() || *count == 0) return all + " [" + count.status().ToString() + "]";
      all.append(piece.data(), *count);
    }
    return all;
  }

  std::unique_ptr<Manager> manager_;
};

}  // namespace swarm
