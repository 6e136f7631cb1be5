// Placements per second and the memory of the scheduler's index, beside the plain oracle in the
// same run.
//
//   place_bench [--smoke] [--json] [--only spread|binpack|random|index|state]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "core/cluster_state.h"
#include "model/expression.h"
#include "sched/builtin.h"
#include "sched/indexed_scheduler.h"
#include "sched/oracle.h"
#include "sched/plain_inventory.h"
#include "swarmlib/random.h"

namespace swarm {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr int kRegions = 8;
constexpr int kEventEvery = 10;  // one change of the cluster in so many placements

using BenchClock = std::chrono::steady_clock;

std::int64_t NanosSince(BenchClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(BenchClock::now() - start).count();
}

FilterList DefaultFilters() {
  FilterList filters;
  filters.push_back(MakeHealthFilter());
  filters.push_back(MakePortFilter());
  filters.push_back(MakeContainerSlotsFilter());
  filters.push_back(MakeDependencyFilter());
  filters.push_back(MakeAffinityFilter());
  filters.push_back(MakeConstraintFilter());
  filters.push_back(MakeWhitelistFilter());
  return filters;
}

std::unique_ptr<Strategy> StrategyNamed(const std::string& name) {
  const StrategyRegistry strategies = BuiltinStrategies();
  return (*strategies.Find(name))();
}

Node MakeNode(int number) {
  Node node;
  char text[32];
  std::snprintf(text, sizeof(text), "host%06d", number);
  node.name = text;
  node.address = std::string(text) + ":2375";
  node.id = std::string("ID:") + text;
  node.state = NodeState::kHealthy;
  node.total = {64'000'000'000, 262'144 * kMiB};
  node.os = "linux";
  node.architecture = "x86_64";
  node.labels = {{"region", "r" + std::to_string(number % kRegions)},
                 {"storage", number / kRegions % 2 == 0 ? "ssd" : "hdd"},
                 {"zone", "z" + std::to_string(number / (2 * kRegions) % 4)}};
  return node;
}

// Three constraints each; every second one asks for memory.
std::vector<ContainerSpec> MakeSpecs() {
  std::vector<ContainerSpec> specs;
  for (int i = 0; i < kRegions; ++i) {
    ContainerSpec spec;
    spec.image = "nginx";
    for (const std::string& text :
         {"region==r" + std::to_string(i), std::string("storage==ssd"), std::string("zone!=z3")}) {
      spec.constraints.push_back(*ParseExpression(text));
    }
    if (i % 2 == 1) spec.request.memory = 128 * kMiB;
    specs.push_back(std::move(spec));
  }
  return specs;
}

Container ContainerOf(const ContainerSpec& spec, int number) {
  Container container;
  container.names = {"c" + std::to_string(number)};
  container.request = spec.request;
  return container;
}

struct Figures {
  std::string strategy;
  int nodes = 0;
  std::int64_t p50 = 0, p99 = 0, p999 = 0;    // ns of a placement: choose and hold
  double rate = 0;                            // placements a second, events not counted
  std::int64_t event_p50 = 0, event_p99 = 0;  // ns
  double oracle = 0;                          // ns of a choice of the oracle
  int agreed = 0;
};

std::int64_t Percentile(std::vector<std::int64_t>& values, double share) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// A cluster that is told to the index and, unmeasured, to the plain inventory.
class Placing {
 public:
  Placing(const std::string& strategy, int nodes)
      : strategy_(StrategyNamed(strategy)),
        index_(plain_, filters_, *strategy_, options_, index_random_),
        oracle_(plain_, filters_, *strategy_, options_, oracle_random_) {
    for (int i = 0; i < nodes; ++i) Join(MakeNode(i));
    figures_.strategy = strategy;
    figures_.nodes = nodes;
  }

  Figures Run(int placements, int oracle_choices) {
    times_.reserve(static_cast<std::size_t>(placements));
    for (int i = 0; i < placements; ++i) {
      Place(i);
      if (i % kEventEvery == 0) Event();
    }
    std::int64_t sum = 0;
    for (const std::int64_t time : times_) sum += time;
    figures_.rate = 1e9 * static_cast<double>(placements) / static_cast<double>(sum);
    figures_.p50 = Percentile(times_, 0.5);
    figures_.p99 = Percentile(times_, 0.99);
    figures_.p999 = Percentile(times_, 0.999);
    figures_.event_p50 = Percentile(events_, 0.5);
    figures_.event_p99 = Percentile(events_, 0.99);
    AskOracle(oracle_choices);
    return figures_;
  }

 private:
  void Join(const Node& node) {
    plain_.SetNode(node);
    addresses_.push_back(node.address);
    slots_.emplace(node.address, index_.AddNode(std::make_shared<const Node>(node)));
  }

  void Place(int number) {
    const ContainerSpec& spec = specs_[static_cast<std::size_t>(number) % specs_.size()];
    Container container = ContainerOf(spec, number);
    const BenchClock::time_point start = BenchClock::now();
    const absl::StatusOr<Placement> placement = index_.Choose(spec);
    SWARM_CHECK(placement.ok(), "the benchmark's cluster has room");
    index_.AddContainer(index_.last_choice(), container);
    times_.push_back(NanosSince(start));
    plain_.Find(placement->node)->held.push_back(std::move(container));
  }

  void Change(const Node& node) {
    plain_.SetNode(node);
    auto pointer = std::make_shared<const Node>(node);
    const Slot slot = slots_.find(node.address)->second;
    const BenchClock::time_point start = BenchClock::now();
    index_.ChangeNode(slot, std::move(pointer));
    events_.push_back(NanosSince(start));
  }

  // A health flip, another label, a container that ends, or a node that leaves and comes back.
  void Event() {
    const std::string& address = addresses_[random_.Below(addresses_.size())];
    PlainNode& plain = *plain_.Find(address);
    Node node = plain.description;
    const std::uint64_t kind = random_.Below(10);
    if (kind < 3) {
      node.state = node.state == NodeState::kHealthy ? NodeState::kUnhealthy : NodeState::kHealthy;
      Change(node);
    } else if (kind < 6) {
      node.labels["zone"] = "z" + std::to_string(random_.Below(4));
      Change(node);
    } else if (kind < 9) {
      if (plain.held.empty()) return;
      const Container ended = plain.held.back();
      plain.held.pop_back();
      const Slot slot = slots_.find(address)->second;
      const BenchClock::time_point start = BenchClock::now();
      index_.RemoveContainer(slot, ended);
      events_.push_back(NanosSince(start));
    } else {
      plain_.DropNode(address);
      plain_.SetNode(node);
      auto pointer = std::make_shared<const Node>(node);
      Slot& slot = slots_.find(address)->second;
      const BenchClock::time_point start = BenchClock::now();
      index_.RemoveNode(slot);
      slot = index_.AddNode(std::move(pointer));
      events_.push_back(NanosSince(start));
    }
  }

  void AskOracle(int choices) {
    if (strategy_->draws()) oracle_random_ = index_random_;
    std::int64_t nanos = 0;
    for (int i = 0; i < choices; ++i) {
      const ContainerSpec& spec = specs_[static_cast<std::size_t>(i) % specs_.size()];
      const absl::StatusOr<Placement> found = index_.Choose(spec);
      const BenchClock::time_point start = BenchClock::now();
      const absl::StatusOr<Placement> expected = oracle_.Choose(spec);
      nanos += NanosSince(start);
      SWARM_CHECK(expected.ok() && found.ok() && expected->node == found->node,
                  "index and oracle name the same node");
      ++figures_.agreed;
    }
    figures_.oracle = static_cast<double>(nanos) / choices;
  }

  const SchedulerOptions options_;
  const FilterList filters_ = DefaultFilters();
  const std::unique_ptr<Strategy> strategy_;
  const std::vector<ContainerSpec> specs_ = MakeSpecs();
  Random random_{1};
  Random index_random_{2};
  Random oracle_random_{2};
  PlainInventory plain_;
  IndexedScheduler index_;
  Oracle oracle_;
  std::vector<std::string> addresses_;
  StringMap<Slot> slots_;
  std::vector<std::int64_t> times_;
  std::vector<std::int64_t> events_;
  Figures figures_;
};

// Shows nothing: what is measured is the index alone.
class EmptyInventory final : public Inventory {
 public:
  std::vector<const NodeView*> Views() const override { return {}; }
  const NodeView* ViewOf(std::string_view /*address*/) const override { return nullptr; }
  void HoldersOf(std::string_view /*reference*/,
                 std::vector<std::string_view>& /*addresses*/) const override {}
  void HoldersNamed(std::string_view /*text*/,
                    std::vector<std::string_view>& /*addresses*/) const override {}
  std::uint64_t RevisionOf(const NodeView& /*view*/) const override { return 0; }
  std::shared_ptr<const NodeView> Keep(const NodeView& /*view*/) const override { return nullptr; }
};

struct FillFigures {
  double join_seconds = 0,
         join_cpu = 0;  // wall, and of the processor: a busy machine lengthens only the first
  double place_seconds = 0, place_cpu = 0;
  double peak_mib = 0;   // of the process, libraries and allocator included
  double start_mib = 0;  // of it before the first node
};

double ResidentPeakMib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Of this process until now.
double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

FillFigures FillIndex(int nodes, int containers) {
  FillFigures figures;
  figures.start_mib = ResidentPeakMib();
  const EmptyInventory inventory;
  const FilterList filters = DefaultFilters();
  const std::unique_ptr<Strategy> strategy = MakeSpreadStrategy();
  const SchedulerOptions options;
  const std::vector<ContainerSpec> specs = MakeSpecs();
  Random random(3);
  BenchClock::time_point start = BenchClock::now();
  IndexedScheduler index(inventory, filters, *strategy, options, random);
  for (int i = 0; i < nodes; ++i) index.AddNode(std::make_shared<const Node>(MakeNode(i)));
  figures.join_seconds = static_cast<double>(NanosSince(start)) / 1e9;
  figures.join_cpu = CpuSeconds();
  Container container = ContainerOf(specs[0], 0);
  start = BenchClock::now();
  for (int i = 0; i < containers; ++i) {
    const ContainerSpec& spec = specs[static_cast<std::size_t>(i) % specs.size()];
    const absl::StatusOr<Placement> placement = index.Choose(spec);
    SWARM_CHECK(placement.ok(), "the benchmark's cluster has room");
    container.names[0] = "c" + std::to_string(i);
    container.request = spec.request;
    index.AddContainer(index.last_choice(), container);
  }
  figures.place_seconds = static_cast<double>(NanosSince(start)) / 1e9;
  figures.place_cpu = CpuSeconds() - figures.join_cpu;
  figures.peak_mib = ResidentPeakMib();
  return figures;
}

// The whole state: names, ids, entries and index; containers without list rows.
FillFigures FillState(int nodes, int containers) {
  FillFigures figures;
  figures.start_mib = ResidentPeakMib();
  Random random(4);
  BenchClock::time_point start = BenchClock::now();
  ClusterState state(StateOptions(), DefaultFilters(), MakeSpreadStrategy(), random);
  for (int i = 0; i < nodes; ++i) state.SetNode(MakeNode(i));
  figures.join_seconds = static_cast<double>(NanosSince(start)) / 1e9;
  figures.join_cpu = CpuSeconds();
  std::vector<ContainerSpec> specs = MakeSpecs();
  start = BenchClock::now();
  for (int i = 0; i < containers; ++i) {
    ContainerSpec& spec = specs[static_cast<std::size_t>(i) % specs.size()];
    spec.name = "c" + std::to_string(i);
    const absl::StatusOr<Reservation> place = state.Place(spec);
    SWARM_CHECK(place.ok(), "the benchmark's cluster has room");
    ContainerRecord record{ContainerOf(spec, i), {}};
    record.container.id = random.Hex(64);
    record.container.swarm_id = place->swarm_id;
    record.container.image = spec.image;
    state.Settle(place->ticket, &record);
  }
  figures.place_seconds = static_cast<double>(NanosSince(start)) / 1e9;
  figures.place_cpu = CpuSeconds() - figures.join_cpu;
  figures.peak_mib = ResidentPeakMib();
  return figures;
}

// In a process of its own, so that the peak is nobody else's.
template <typename Function>
FillFigures InOwnProcess(const Function& fill) {
  int ends[2];
  SWARM_CHECK(pipe(ends) == 0, "a pipe can be made");
  const pid_t child = fork();
  SWARM_CHECK(child >= 0, "a process can be made");
  FillFigures figures;
  if (child == 0) {
    figures = fill();
    const ssize_t written = write(ends[1], &figures, sizeof(figures));
    _exit(written == sizeof(figures) ? 0 : 1);
  }
  close(ends[1]);
  SWARM_CHECK(read(ends[0], &figures, sizeof(figures)) == sizeof(figures), "the child reports");
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return figures;
}

void PrintJson(const std::vector<Figures>& all, const FillFigures& index, const FillFigures& state,
               int nodes, int containers, int state_nodes, int state_containers) {
  std::printf("{\"bench\":\"place\",\"placing\":[");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Figures& row = all[i];
    std::printf(
        "%s{\"strategy\":\"%s\",\"nodes\":%d,\"p50_ns\":%lld,\"p99_ns\":%lld,\"p999_ns\":%lld,"
        "\"per_second\":%.0f,\"event_p50_ns\":%lld,\"event_p99_ns\":%lld,\"oracle_ns\":%.0f,"
        "\"oracle_ratio\":%.0f,\"agreed\":%d}",
        i == 0 ? "" : ",", row.strategy.c_str(), row.nodes, static_cast<long long>(row.p50),
        static_cast<long long>(row.p99), static_cast<long long>(row.p999), row.rate,
        static_cast<long long>(row.event_p50), static_cast<long long>(row.event_p99), row.oracle,
        row.oracle * row.rate / 1e9, row.agreed);
  }
  const auto fill = [](const char* name, const FillFigures& row, int row_nodes,
                       int row_containers) {
    std::printf(
        "\"%s\":{\"nodes\":%d,\"containers\":%d,\"join_s\":%.3f,\"join_cpu_s\":%.3f,\"place_s\":%."
        "3f,\"place_cpu_s\":%.3f,\"peak_mib\":%.1f,"
        "\"start_mib\":%.1f}",
        name, row_nodes, row_containers, row.join_seconds, row.join_cpu, row.place_seconds,
        row.place_cpu, row.peak_mib, row.start_mib);
  };
  std::printf("],");
  fill("index", index, nodes, containers);
  std::printf(",");
  fill("state", state, state_nodes, state_containers);
  std::printf("}\n");
}

void PrintTable(const std::vector<Figures>& all, const FillFigures& index, const FillFigures& state,
                int nodes, int containers, int state_nodes, int state_containers) {
  std::printf("%-8s %8s %8s %8s %9s %12s %10s %10s %12s %10s\n", "strategy", "nodes", "p50 ns",
              "p99 ns", "p99.9 ns", "placements/s", "event p50", "event p99", "oracle us", "ratio");
  for (const Figures& row : all) {
    std::printf("%-8s %8d %8lld %8lld %9lld %12.0f %10lld %10lld %12.1f %10.0f\n",
                row.strategy.c_str(), row.nodes, static_cast<long long>(row.p50),
                static_cast<long long>(row.p99), static_cast<long long>(row.p999), row.rate,
                static_cast<long long>(row.event_p50), static_cast<long long>(row.event_p99),
                row.oracle / 1000, row.oracle * row.rate / 1e9);
  }
  const auto fill = [](const char* name, const FillFigures& row, int row_nodes,
                       int row_containers) {
    std::printf(
        "%s: %d containers on %d nodes: join %.3f s (cpu %.3f), place %.3f s (cpu %.3f), peak %.1f "
        "MiB (%.1f at start)\n",
        name, row_containers, row_nodes, row.join_seconds, row.join_cpu, row.place_seconds,
        row.place_cpu, row.peak_mib, row.start_mib);
  };
  fill("index alone", index, nodes, containers);
  fill("whole state", state, state_nodes, state_containers);
}

int Main(int argc, char** argv) {
  bool smoke = false;
  bool json = false;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--smoke") == 0) {
      smoke = true;
    } else if (std::strcmp(argv[i], "--json") == 0) {
      json = true;
    } else if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
      only = argv[++i];
    } else {
      std::fprintf(
          stderr,
          "usage: place_bench [--smoke] [--json] [--only spread|binpack|random|index|state]\n");
      return 2;
    }
  }
  const int large = smoke ? 5'000 : 100'000;
  const int containers = smoke ? 50'000 : 1'000'000;
  const int state_nodes = smoke ? 1'000 : 10'000;
  const int state_containers = smoke ? 5'000 : 200'000;
  // First, while this process is small: a child's peak begins with what it inherits.
  const auto wanted = [&only](const char* part) { return only.empty() || only == part; };
  FillFigures index;
  FillFigures state;
  if (wanted("index")) index = InOwnProcess([&] { return FillIndex(large, containers); });
  if (wanted("state"))
    state = InOwnProcess([&] { return FillState(state_nodes, state_containers); });
  std::vector<Figures> all;
  for (const char* strategy : {"spread", "binpack", "random"}) {
    if (!wanted(strategy)) continue;
    for (const int nodes : {1'000, large}) {
      all.push_back(Placing(strategy, nodes).Run(smoke ? 5'000 : 200'000, smoke ? 8 : 16));
    }
  }
  (json ? PrintJson : PrintTable)(all, index, state, large, containers, state_nodes,
                                  state_containers);
  return 0;
}

}  // namespace
}  // namespace swarm

int main(int argc, char** argv) { return swarm::Main(argc, argv); }
