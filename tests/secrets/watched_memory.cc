#include "secrets/watched_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include <openssl/crypto.h>

namespace swarm {
namespace {

// Stands before each block; all of them are one ring.
struct alignas(std::max_align_t) Block {
  Block* before = this;
  Block* behind = this;
  std::size_t size = 0;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  bool Holds(std::string_view secret) {
    return memmem(bytes(), size, secret.data(), secret.size()) != nullptr;
  }
};

constinit std::mutex ring_mutex;
Block& Ring() {
  static Block ring;
  return ring;
}
constinit std::string_view sought;
constinit std::size_t found = 0;

}  // namespace

void SearchFreed(std::string_view secret) {
  const std::lock_guard lock(ring_mutex);
  sought = secret;
  found = 0;
}

std::size_t FreedWithSecret() {
  const std::lock_guard lock(ring_mutex);
  return found;
}

std::size_t BlocksWith(std::string_view secret) {
  const std::lock_guard lock(ring_mutex);
  std::size_t count = 0;
  for (Block* at = Ring().behind; at != &Ring(); at = at->behind)
    count += at->Holds(secret) ? 1 : 0;
  return count;
}

namespace {

void* TakeBlock(std::size_t size) {
  void* const memory = std::malloc(sizeof(Block) + size);
  if (memory == nullptr) throw std::bad_alloc();
  auto* const block = new (memory) Block;
  block->size = size;
  const std::lock_guard lock(ring_mutex);
  block->before = &Ring();
  block->behind = Ring().behind;
  block->behind->before = block->before->behind = block;
  return block->bytes();
}

void FreeBlock(void* bytes) {
  if (bytes == nullptr) return;
  Block* const block = static_cast<Block*>(bytes) - 1;
  {
    const std::lock_guard lock(ring_mutex);
    if (!sought.empty() && block->Holds(sought)) ++found;
    block->before->behind = block->behind;
    block->behind->before = block->before;
  }
  std::memset(block->bytes(), 0, block->size);  // so that nobody finds it in a later block's rest
  std::free(block);
}

void* TakeForOpenssl(std::size_t size, const char*, int) { return TakeBlock(size); }
void FreeForOpenssl(void* bytes, const char*, int) { FreeBlock(bytes); }
void* MoveForOpenssl(void* bytes, std::size_t size, const char*, int) {
  void* const moved = TakeBlock(size);
  if (bytes == nullptr) return moved;
  std::memcpy(moved, bytes, std::min(size, (static_cast<Block*>(bytes) - 1)->size));
  FreeBlock(bytes);
  return moved;
}

// Before OpenSSL has taken any.
const bool watches_openssl =
    CRYPTO_set_mem_functions(TakeForOpenssl, MoveForOpenssl, FreeForOpenssl) == 1;

}  // namespace

bool WatchesOpenssl() { return watches_openssl; }

}  // namespace swarm

void* operator new(std::size_t size) { return swarm::TakeBlock(size); }
void* operator new[](std::size_t size) { return swarm::TakeBlock(size); }
void operator delete(void* bytes) noexcept { swarm::FreeBlock(bytes); }
void operator delete[](void* bytes) noexcept { swarm::FreeBlock(bytes); }
void operator delete(void* bytes, std::size_t) noexcept { swarm::FreeBlock(bytes); }
void operator delete[](void* bytes, std::size_t) noexcept { swarm::FreeBlock(bytes); }
