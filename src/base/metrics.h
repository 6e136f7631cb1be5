// Counters, gauges and histograms that any thread may change, written out in the Prometheus text
// form 0.0.4.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarm {

// Label names and values of one series, in the order written. Values are few and known: never ids
// or names.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Only grows. Thread-safe.
class Counter {
 public:
  void Add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Goes up and down. Thread-safe.
class Gauge {
 public:
  void Set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(std::int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// How often a duration fell below each of a fixed row of bounds. Thread-safe.
class Histogram {
 public:
  // Upper bounds in nanoseconds: 0.5 ms to 60 s.
  static constexpr std::array<std::int64_t, 16> kBounds = {
      500'000,       1'000'000,      2'500'000,      5'000'000,     10'000'000,    25'000'000,
      50'000'000,    100'000'000,    250'000'000,    500'000'000,   1'000'000'000, 2'500'000'000,
      5'000'000'000, 10'000'000'000, 30'000'000'000, 60'000'000'000};

  void Observe(std::int64_t nanoseconds);
  std::uint64_t count() const;
  std::int64_t sum_nanoseconds() const { return sum_.load(std::memory_order_relaxed); }
  // Observations at or below kBounds[at], not cumulated; the last slot is everything above.
  std::uint64_t bucket(std::size_t at) const {
    return buckets_[at].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::int64_t> sum_{0};
};

// The metrics of one manager. A series is made when first asked for and lives as long as this
// object, so that the reference may be kept. Thread-safe.
class Metrics {
 public:
  // The most series of one family; what comes beyond is counted in one series whose labels all say
  // "other".
  static constexpr std::size_t kMostSeries = 2'000;

  Counter& counter(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help,
                       const MetricLabels& labels = {});

  // Every family by name, every series by labels. Seconds where the name says so.
  std::string Render() const;

 private:
  template <typename Kind>
  struct Family {
    std::string help;
    std::map<std::string, std::unique_ptr<Kind>, std::less<>> series;  // by rendered labels
  };
  template <typename Kind>
  using Families = std::map<std::string, Family<Kind>, std::less<>>;

  template <typename Kind>
  Kind& Find(Families<Kind>& families, std::string_view name, std::string_view help,
             const MetricLabels& labels);

  mutable std::mutex mutex_;
  Families<Counter> counters_;
  Families<Gauge> gauges_;
  Families<Histogram> histograms_;
};

}  // namespace swarm
