#include "bindings/c/utf8.h"

#include <algorithm>
#include <utility>

namespace swarm::c {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool IsBetween(unsigned char byte, unsigned low, unsigned high) {
  return byte >= low && byte <= high;
}

// Bytes of the character in front of `text`; 0 when there is none (RFC 3629).
std::size_t CharacterSize(std::string_view text) {
  const auto at = [&](std::size_t index) {
    return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
  };
  const auto tails = [&](std::size_t from, std::size_t to) {
    for (std::size_t index = from; index < to; ++index) {
      if (!IsBetween(static_cast<unsigned char>(at(index)), 0x80, 0xBF)) return false;
    }
    return true;
  };
  const unsigned first = at(0);
  const auto second = static_cast<unsigned char>(at(1));
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tails(1, 2) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;  // no surrogates
    return IsBetween(second, low, high) && tails(2, 3) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return IsBetween(second, low, high) && tails(2, 4) ? 4 : 0;
  }
  return 0;
}

template <typename Texts>
bool AreUtf8(const Texts& texts) {
  return std::all_of(texts.begin(), texts.end(),
                     [](const std::string& text) { return IsUtf8(text); });
}

bool AreUtf8(const Labels& labels) {
  return std::all_of(labels.begin(), labels.end(),
                     [](const auto& label) { return IsUtf8(label.first) && IsUtf8(label.second); });
}

void Mend(std::string& text) { text = ToUtf8(std::move(text)); }

void Mend(Labels& labels) {
  Labels mended;
  for (auto& [key, value] : labels) mended.emplace(ToUtf8(key), ToUtf8(std::move(value)));
  labels = std::move(mended);
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = CharacterSize(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool IsUtf8(const Node& node) {
  return IsUtf8(node.name) && IsUtf8(node.address) && IsUtf8(node.id) && IsUtf8(node.error) &&
         AreUtf8(node.labels);
}

bool IsUtf8(const Container& container) {
  return AreUtf8(container.names) && IsUtf8(container.id) && IsUtf8(container.image) &&
         AreUtf8(container.labels);
}

bool IsUtf8(const ContainerSpec& spec) {
  return IsUtf8(spec.name) && IsUtf8(spec.image) && IsUtf8(spec.platform) && AreUtf8(spec.labels);
}

std::string ToUtf8(std::string text) {
  if (IsUtf8(text)) return text;
  std::string mended;
  std::string_view left = text;
  while (!left.empty()) {
    const std::size_t size = CharacterSize(left);
    mended.append(size == 0 ? kReplacement : left.substr(0, size));
    left.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return mended;
}

Headers ToUtf8(Headers headers) {
  for (auto& field : headers) Mend(field.second);
  return headers;
}

Node ToUtf8(Node node) {
  for (std::string* const text : {&node.name, &node.address, &node.id, &node.error}) Mend(*text);
  Mend(node.labels);
  return node;
}

Container ToUtf8(Container container) {
  for (std::string& name : container.names) Mend(name);
  Mend(container.id);
  Mend(container.image);
  Mend(container.labels);
  return container;
}

ContainerSpec ToUtf8(ContainerSpec spec) {
  for (std::string* const text : {&spec.name, &spec.image, &spec.platform}) Mend(*text);
  Mend(spec.labels);
  return spec;
}

NodePointer ToUtf8(NodePointer node) {
  if (IsUtf8(*node)) return node;
  return std::make_shared<const Node>(ToUtf8(Node(*node)));
}

}  // namespace swarm::c
