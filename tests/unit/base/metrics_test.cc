#include "base/metrics.h"

#include <thread>

#include <gtest/gtest.h>

namespace swarm {
namespace {

TEST(Metrics, RendersPrometheusText) {
  Metrics metrics;
  metrics.counter("b_total", "How many b.", {{"kind", "x\"y\\z\n"}}).Add(3);
  metrics.gauge("a_now", "Level of a.").Set(-7);
  Histogram& histogram = metrics.histogram("c_seconds", "Time of c.", {{"route", "GET /"}});
  histogram.Observe(400'000);
  histogram.Observe(500'000);
  histogram.Observe(2'000'000'000);
  histogram.Observe(120'000'000'000);
  const std::string text = metrics.Render();
  EXPECT_TRUE(
      text.starts_with("# HELP a_now Level of a.\n# TYPE a_now gauge\na_now -7\n"
                       "# HELP b_total How many b.\n# TYPE b_total counter\n"
                       "b_total{kind=\"x\\\"y\\\\z\\n\"} 3\n"
                       "# HELP c_seconds Time of c.\n# TYPE c_seconds histogram\n"
                       "c_seconds_bucket{route=\"GET /\",le=\"0.0005\"} 2\n"))
      << text;
  EXPECT_NE(text.find("c_seconds_bucket{route=\"GET /\",le=\"2.5\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("c_seconds_bucket{route=\"GET /\",le=\"60\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("c_seconds_bucket{route=\"GET /\",le=\"+Inf\"} 4\n"), std::string::npos);
  EXPECT_NE(text.find("c_seconds_sum{route=\"GET /\"} 122.0009\n"), std::string::npos);
  EXPECT_NE(text.find("c_seconds_count{route=\"GET /\"} 4\n"), std::string::npos);
}

TEST(Metrics, ASeriesIsMadeOnce) {
  Metrics metrics;
  Counter& first = metrics.counter("x_total", "x", {{"a", "1"}});
  EXPECT_EQ(&first, &metrics.counter("x_total", "x", {{"a", "1"}}));
  EXPECT_NE(&first, &metrics.counter("x_total", "x", {{"a", "2"}}));
}

TEST(Metrics, SeriesAreBounded) {
  Metrics metrics;
  for (std::size_t at = 0; at < Metrics::kMostSeries + 100; ++at) {
    metrics.counter("x_total", "x", {{"a", std::to_string(at)}}).Add();
  }
  EXPECT_EQ(metrics.counter("x_total", "x", {{"a", "other"}}).value(), 100U);
}

TEST(Metrics, ThreadsMayCountTogether) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int at = 0; at < 4; ++at) {
    threads.emplace_back([&metrics] {
      for (int count = 0; count < 1'000; ++count) {
        metrics.counter("x_total", "x").Add();
        metrics.gauge("x_now", "x").Add(1);
        metrics.histogram("x_seconds", "x").Observe(count);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.counter("x_total", "x").value(), 4'000U);
  EXPECT_EQ(metrics.gauge("x_now", "x").value(), 4'000);
  EXPECT_EQ(metrics.histogram("x_seconds", "x").count(), 4'000U);
}

}  // namespace
}  // namespace swarm
