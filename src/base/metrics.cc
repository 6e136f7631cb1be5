#include "base/metrics.h"

#include <algorithm>
#include <cstdio>

namespace swarm {
namespace {

void AppendEscaped(std::string& to, std::string_view text, bool quotes) {
  for (const char letter : text) {
    if (letter == '\\') {
      to += "\\\\";
    } else if (letter == '\n') {
      to += "\\n";
    } else if (letter == '"' && quotes) {
      to += "\\\"";
    } else {
      to += letter;
    }
  }
}

std::string RenderLabels(const MetricLabels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name;
    text += "=\"";
    AppendEscaped(text, value, true);
    text += '"';
  }
  return text;
}

std::string Seconds(std::int64_t nanoseconds) {
  char text[32];
  const int length = std::snprintf(text, sizeof text, "%lld.%09lld",
                                   static_cast<long long>(nanoseconds / 1'000'000'000),
                                   static_cast<long long>(nanoseconds % 1'000'000'000));
  std::string_view view(text, static_cast<std::size_t>(length));
  while (view.back() == '0') view.remove_suffix(1);
  if (view.back() == '.') view.remove_suffix(1);
  return std::string(view);
}

void AppendHead(std::string& to, std::string_view name, std::string_view help,
                std::string_view type) {
  to += "# HELP ";
  to += name;
  to += ' ';
  AppendEscaped(to, help, false);
  to += "\n# TYPE ";
  to += name;
  to += ' ';
  to += type;
  to += '\n';
}

void AppendSample(std::string& to, std::string_view name, std::string_view suffix,
                  std::string_view labels, std::string_view more, std::string_view value) {
  to += name;
  to += suffix;
  if (!labels.empty() || !more.empty()) {
    to += '{';
    to += labels;
    if (!labels.empty() && !more.empty()) to += ',';
    to += more;
    to += '}';
  }
  to += ' ';
  to += value;
  to += '\n';
}

void AppendHistogram(std::string& to, std::string_view name, std::string_view labels,
                     const Histogram& histogram) {
  std::uint64_t total = 0;
  for (std::size_t at = 0; at < Histogram::kBounds.size(); ++at) {
    total += histogram.bucket(at);
    AppendSample(to, name, "_bucket", labels, "le=\"" + Seconds(Histogram::kBounds[at]) + "\"",
                 std::to_string(total));
  }
  total += histogram.bucket(Histogram::kBounds.size());
  AppendSample(to, name, "_bucket", labels, "le=\"+Inf\"", std::to_string(total));
  AppendSample(to, name, "_sum", labels, "", Seconds(histogram.sum_nanoseconds()));
  AppendSample(to, name, "_count", labels, "", std::to_string(total));
}

}  // namespace

void Histogram::Observe(std::int64_t nanoseconds) {
  const std::int64_t value = std::max<std::int64_t>(nanoseconds, 0);
  const auto* const bound = std::lower_bound(kBounds.begin(), kBounds.end(), value);
  buckets_[static_cast<std::size_t>(bound - kBounds.begin())].fetch_add(1,
                                                                        std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (const std::atomic<std::uint64_t>& bucket : buckets_)
    total += bucket.load(std::memory_order_relaxed);
  return total;
}

template <typename Kind>
Kind& Metrics::Find(Families<Kind>& families, std::string_view name, std::string_view help,
                    const MetricLabels& labels) {
  std::string key = RenderLabels(labels);
  const std::lock_guard<std::mutex> lock(mutex_);
  auto family = families.find(name);
  if (family == families.end()) family = families.try_emplace(std::string(name)).first;
  if (family->second.help.empty()) family->second.help = help;
  auto& series = family->second.series;
  auto found = series.find(key);
  if (found == series.end()) {
    if (series.size() >= kMostSeries) {
      MetricLabels other = labels;
      for (auto& [label, value] : other) value = "other";
      key = RenderLabels(other);
    }
    found = series.try_emplace(key, nullptr).first;
    if (!found->second) found->second = std::make_unique<Kind>();
  }
  return *found->second;
}

Counter& Metrics::counter(std::string_view name, std::string_view help,
                          const MetricLabels& labels) {
  return Find(counters_, name, help, labels);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const MetricLabels& labels) {
  return Find(gauges_, name, help, labels);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              const MetricLabels& labels) {
  return Find(histograms_, name, help, labels);
}

std::string Metrics::Render() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::map<std::string_view, std::string> by_name;
  for (const auto& [name, family] : counters_) {
    std::string& text = by_name[name];
    AppendHead(text, name, family.help, "counter");
    for (const auto& [labels, counter] : family.series) {
      AppendSample(text, name, "", labels, "", std::to_string(counter->value()));
    }
  }
  for (const auto& [name, family] : gauges_) {
    std::string& text = by_name[name];
    AppendHead(text, name, family.help, "gauge");
    for (const auto& [labels, gauge] : family.series) {
      AppendSample(text, name, "", labels, "", std::to_string(gauge->value()));
    }
  }
  for (const auto& [name, family] : histograms_) {
    std::string& text = by_name[name];
    AppendHead(text, name, family.help, "histogram");
    for (const auto& [labels, histogram] : family.series)
      AppendHistogram(text, name, labels, *histogram);
  }
  std::string all;
  for (const auto& [name, text] : by_name) all += text;
  return all;
}

}  // namespace swarm
