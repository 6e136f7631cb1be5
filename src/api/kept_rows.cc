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

Piece KeptRows::Find(std::uint64_t list, const ContainerGroup& group, Form form, WallTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = kept_.find({&group, form});
  if (found == kept_.end()) return nullptr;
  if (found->second.until <= now) {
    bytes_ -= found->second.text->size();
    kept_.erase(found);
    return nullptr;
  }
  found->second.used = list;
  return found->second.text;
}

void KeptRows::Keep(std::uint64_t list, std::shared_ptr<const ContainerGroup> group, Form form,
                    Piece text, WallTime until) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bytes_ + text->size() > kMostBytes) return;
  const Key key{group.get(), form};
  const std::size_t size = text->size();
  Kept kept{std::move(group), std::move(text), until, list};
  if (kept_.emplace(key, std::move(kept)).second) bytes_ += size;
}

void KeptRows::End(std::uint64_t list, bool all) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto at = kept_.begin(); at != kept_.end();) {
    const auto here = at++;
    if (here->first.form.all != all || here->second.used >= list) continue;
    bytes_ -= here->second.text->size();
    kept_.erase(here);
  }
}

}  // namespace swarm
