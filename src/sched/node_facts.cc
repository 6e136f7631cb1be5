#include "sched/node_facts.h"

#include <algorithm>

#include "sched/inventory.h"

namespace swarm {
namespace {

// So many exact values are looked for container by container, before all that are there are read.
constexpr std::size_t kFewValues = 8;

constexpr std::string_view kContainerKey = "container";

// The repository of "host:5000/repo:tag" is "host:5000/repo".
std::string_view Repository(std::string_view tag) {
  const std::size_t colon = tag.rfind(':');
  if (colon == std::string_view::npos || tag.find('/', colon) != std::string_view::npos) return tag;
  return tag.substr(0, colon);
}

bool HasValue(const Container& container, std::string_view key, std::string_view value) {
  if (key != kContainerKey) return LabelOf(container, key) == value;
  const std::string_view id = container.id;
  return id == value || id.substr(0, kShortId) == value ||
         (!container.names.empty() && container.names[0] == value);
}

}  // namespace

std::vector<std::string> ImageTexts(const Image& image) {
  std::vector<std::string> texts;
  constexpr std::string_view kAlgorithm = "sha256:";
  if (!image.id.empty()) texts.push_back(image.id);
  if (image.id.starts_with(kAlgorithm)) {
    texts.push_back(image.id.substr(kAlgorithm.size()));
    texts.push_back(image.id.substr(kAlgorithm.size(), kShortId));
  }
  for (const std::string& tag : image.repo_tags) {
    texts.push_back(tag);
    texts.emplace_back(Repository(tag));
  }
  for (const std::string& digest : image.repo_digests) texts.push_back(digest);
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

std::string_view LabelOf(const Container& container, std::string_view key) {
  const auto label = container.labels.find(key);
  return label == container.labels.end() ? std::string_view() : std::string_view(label->second);
}

std::size_t NodeFacts::PairHash::operator()(const Pair& pair) const {
  constexpr std::size_t kOdd = 0x9e3779b97f4a7c15;
  const StringHash hash;
  return hash(pair.first) * kOdd ^ hash(pair.second);
}

const std::vector<const Container*>& NodeFacts::containers() {
  if (!has_containers_) containers_ = view_.containers();
  has_containers_ = true;
  return containers_;
}

const std::vector<std::string>& NodeFacts::image_texts() {
  if (has_images_) return image_texts_;
  has_images_ = true;
  for (const Image* image : view_.images()) {
    for (std::string& text : ImageTexts(*image)) image_texts_.push_back(std::move(text));
  }
  std::sort(image_texts_.begin(), image_texts_.end());
  image_texts_.erase(std::unique(image_texts_.begin(), image_texts_.end()), image_texts_.end());
  return image_texts_;
}

bool NodeFacts::HoldsExactly(std::string_view key, std::string_view value) {
  if (asked_ < kFewValues) {
    ++asked_;
    const auto& all = containers();
    return std::any_of(all.begin(), all.end(), [&](const Container* container) {
      return HasValue(*container, key, value);
    });
  }
  if (asked_ == kFewValues) {
    ++asked_;
    ReadValues();
  }
  return values_.contains({key, value});
}

void NodeFacts::ReadValues() {
  for (const Container* container : containers()) {
    for (const auto& [key, value] : container->labels) {
      if (key != kContainerKey) values_.emplace(key, value);
    }
    values_.emplace(kContainerKey, container->id);
    values_.emplace(kContainerKey, std::string_view(container->id).substr(0, kShortId));
    if (!container->names.empty()) values_.emplace(kContainerKey, container->names[0]);
  }
}

}  // namespace swarm
