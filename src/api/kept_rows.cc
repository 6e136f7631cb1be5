#include "api/kept_rows.h"

#include <functional>
#include <utility>

namespace swarm {

std::size_t KeptRows::HashOfKey::operator()(const Key& key) const {
  const std::size_t form = (key.form.all ? 1U : 0U) + (key.form.is_first ? 2U : 0U);
  return std::hash<const ContainerGroup*>()(key.group) + form;
}

std::uint64_t KeptRows::Begin() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ++lists_;
}

Piece KeptRows::PieceOf(const std::shared_ptr<Text>& text) { return Piece(text, text->text.get()); }

// A reply that still holds the text pins it from now on.
void KeptRows::Drop(Texts::iterator at) {
  const std::shared_ptr<Text>& text = at->second.text;
  bytes_ -= text->text->size();
  if (text.use_count() > 1) text->memory.Set(text->text->size());
  kept_.erase(at);
}

Piece KeptRows::Find(std::uint64_t list, const ContainerGroup& group, Form form, WallTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = kept_.find({&group, form});
  if (found == kept_.end()) return nullptr;
  if (found->second.until <= now) {
    Drop(found);
    return nullptr;
  }
  found->second.used = list;
  return PieceOf(found->second.text);
}

Piece KeptRows::Keep(std::uint64_t list, std::shared_ptr<const ContainerGroup> group, Form form,
                     Piece text, WallTime until) {
  const std::size_t size = text->size();
  auto counted = std::make_shared<Text>(Text{std::move(text), MemoryShare(budget_)});
  Piece piece = PieceOf(counted);
  const std::lock_guard<std::mutex> lock(mutex_);
  const Key key{group.get(), form};
  const bool room = bytes_ + size <= kMostBytes;
  if (room && kept_.emplace(key, Kept{std::move(group), counted, until, list}).second) {
    bytes_ += size;
  } else {
    counted->memory.Set(size);
  }
  return piece;
}

void KeptRows::End(std::uint64_t list, bool all) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto at = kept_.begin(); at != kept_.end();) {
    const auto here = at++;
    if (here->first.form.all != all || here->second.used >= list) continue;
    Drop(here);
  }
}

}  // namespace swarm
