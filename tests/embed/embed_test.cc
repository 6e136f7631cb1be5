// What a program that embeds managers relies on, beside requests (exchange_test): nothing is
// shared, nothing is printed, own parts are used, the clock too.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::chrono::seconds kLong(20);

Config Simulated(std::string discovery) {
  Config config;
  config.discovery = std::move(discovery);
  config.seed = 3;
  config.threads = 1;
  return config;
}

std::unique_ptr<Manager> OpenReady(Config config) {
  absl::StatusOr<std::unique_ptr<Manager>> manager = Manager::Open(std::move(config));
  EXPECT_TRUE(manager.ok()) << manager.status();
  if (!manager.ok()) return nullptr;
  EXPECT_TRUE((*manager)->WaitReady(kLong).ok());
  return *std::move(manager);
}

// The node that a new container went to, or what was answered instead.
std::string Create(Manager& manager, const std::string& name) {
  Request request;
  request.method = "POST";
  request.target = "/containers/create?name=" + name;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = R"({"Image":"busybox"})";
  const absl::StatusOr<Reply> reply = manager.Call(std::move(request), {});
  if (!reply.ok()) return reply.status().ToString();
  if (reply->status != 201) return reply->body;
  const absl::StatusOr<ContainerPointer> made = manager.cluster().FindContainer(name);
  return made.ok() ? (*made)->node->name : made.status().ToString();
}

// What is written to a descriptor meanwhile.
class Captured {
 public:
  explicit Captured(int descriptor) : descriptor_(descriptor), kept_(dup(descriptor)) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    read_ = ends[0];
    dup2(ends[1], descriptor_);
    close(ends[1]);
  }
  std::string Take() {
    dup2(kept_, descriptor_);
    close(kept_);
    std::string all;
    std::array<char, 512> piece;
    for (ssize_t got = 0; (got = read(read_, piece.data(), piece.size())) > 0;)
      all.append(piece.data(), static_cast<std::size_t>(got));
    close(read_);
    return all;
  }

 private:
  const int descriptor_;
  const int kept_;
  int read_ = -1;
};

TEST(EmbedTest, ManagersInOneProcessShareNothing) {
  std::vector<std::unique_ptr<Manager>> managers;
  for (int i = 0; i < 4; ++i) {
    Config config = Simulated("sim://" + std::to_string(i + 1));
    AddSimulation(config);
    managers.push_back(OpenReady(std::move(config)));
    ASSERT_NE(managers.back(), nullptr);
  }
  for (const auto& manager : managers) EXPECT_EQ(Create(*manager, "web"), "sim-0001");
  managers.erase(managers.begin() + 1);  // the others go on
  for (std::size_t i = 0; i < managers.size(); ++i) {
    EXPECT_EQ(managers[i]->cluster().Nodes().size(), i == 0 ? 1U : i + 2);
    EXPECT_EQ(managers[i]->cluster().Containers().size(), 1U);
  }
}

TEST(EmbedTest, LogsGoToTheSinkOfTheirManagerAlone) {
  Captured out(STDOUT_FILENO);
  Captured error(STDERR_FILENO);
  std::mutex mutex;
  std::array<std::vector<std::string>, 2> lines;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // Nobody listens there, and there is no such file: both are logged.
    Config config = Simulated(i == 0 ? "nodes://127.0.0.1:1" : "file:///nosuch/f");
    auto told = std::make_shared<std::promise<void>>();
    config.log = [&mutex, &lines, i, told](const LogRecord& record) {
      std::string line = record.message;
      for (const auto& [name, value] : record.fields) line.append(" ").append(value);
      const std::lock_guard lock(mutex);
      lines[i].push_back(std::move(line));
      if (lines[i].size() == 1) told->set_value();
    };
    absl::StatusOr<std::unique_ptr<Manager>> manager = Manager::Open(std::move(config));
    if (!manager.ok()) continue;  // its sink was told nothing
    told->get_future().wait_for(kLong);
    (*manager)->Close(std::chrono::seconds(0));
  }
  EXPECT_EQ(error.Take(), "");
  EXPECT_EQ(out.Take(), "");
  const auto tells = [&lines](std::size_t i, std::string_view what) {
    return std::any_of(lines[i].begin(), lines[i].end(), [what](const std::string& line) {
      return line.find(what) != std::string::npos;
    });
  };
  EXPECT_TRUE(tells(0, "127.0.0.1:1"));
  EXPECT_TRUE(tells(1, "/nosuch/f"));
  EXPECT_FALSE(tells(0, "/nosuch/f"));
  EXPECT_FALSE(tells(1, "127.0.0.1:1"));
}

// Takes the nodes with the most containers, three at most each.
class Crowd final : public Strategy {
 public:
  std::string_view name() const override { return "crowd"; }
  std::optional<std::int64_t> Rank(const NodeUsage& usage, const Resources&) const override {
    if (usage.containers >= 3) return std::nullopt;
    return -usage.containers;
  }
};

class LastOnly final : public Filter {
 public:
  std::string_view name() const override { return "lastonly"; }
  absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const override {
    if (spec.name == "unreadable") return InvalidArgument("a name that this filter cannot read");
    if (!spec.name.starts_with("last")) return std::vector<Rule>{};
    Rule rule;
    rule.text = "the last node";
    rule.term = term::NodeIn{{"sim-0003"}};
    return std::vector<Rule>{rule};
  }
};

TEST(EmbedTest, OwnFilterAndStrategyArePartOfThePlacement) {
  Config config = Simulated("sim://3");
  ASSERT_TRUE(config.strategy_registry.Add("crowd", [] { return std::make_unique<Crowd>(); }).ok());
  ASSERT_TRUE(
      config.filter_registry.Add("lastonly", [] { return std::make_unique<LastOnly>(); }).ok());
  EXPECT_EQ(config.filter_registry.Add("lastonly", nullptr).code(),
            absl::StatusCode::kAlreadyExists);
  config.strategy = "crowd";
  AddSimulation(config);
  const std::unique_ptr<Manager> manager = OpenReady(std::move(config));
  ASSERT_NE(manager, nullptr);
  EXPECT_EQ(manager->cluster().strategy(), "crowd");
  EXPECT_EQ(manager->cluster().filters().back(), "lastonly");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Create(*manager, "a" + std::to_string(i)), "sim-0001");
  EXPECT_EQ(Create(*manager, "a3"), "sim-0002");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Create(*manager, "last" + std::to_string(i)), "sim-0003");
  EXPECT_NE(Create(*manager, "last3").find("crowd"), std::string::npos);
  EXPECT_NE(Create(*manager, "unreadable").find("cannot read"), std::string::npos);
}

// Five times the pace of the machine's.
class HurriedClock final : public Clock {
 public:
  TimePoint Now() const override { return begin_ + 5 * (SystemClock().Now() - begin_); }
  WallTime Wall() const override { return WallTime(Now().time_since_epoch()); }

 private:
  const TimePoint begin_ = SystemClock().Now();
};

TEST(EmbedTest, TimeIsThatOfTheOwnClock) {
  HurriedClock clock;
  Config config = Simulated("sim://2");
  config.clock = &clock;
  AddSimulation(config);
  const std::unique_ptr<Manager> manager = OpenReady(std::move(config));
  ASSERT_NE(manager, nullptr);
  EXPECT_EQ(Create(*manager, "web"), "sim-0001");
  manager->Close(std::chrono::seconds(0));
}

TEST(EmbedTest, OpensAndClosesOverAndOver) {
  for (int i = 0; i < 20; ++i) {
    Config config = Simulated("sim://2");
    config.caller_threads = i % 2 == 1;
    AddSimulation(config);
    absl::StatusOr<std::unique_ptr<Manager>> manager = Manager::Open(std::move(config));
    ASSERT_TRUE(manager.ok()) << manager.status();
    std::thread caller;
    if (i % 2 == 1) caller = std::thread([&manager] { EXPECT_TRUE((*manager)->Run().ok()); });
    EXPECT_TRUE((*manager)->WaitReady(kLong).ok());
    EXPECT_EQ(Create(**manager, "web"), "sim-0001");
    (*manager)->Close(std::chrono::seconds(0));
    if (caller.joinable()) caller.join();
  }
}

}  // namespace
}  // namespace swarm
