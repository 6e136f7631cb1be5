// Whether the tests were built with a sanitizer: such runs do less of the same, they never check
// less.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SWARM_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SWARM_SANITIZED 1
#endif
#endif
#ifndef SWARM_SANITIZED
#define SWARM_SANITIZED 0
#endif

namespace swarm {

inline constexpr bool kSanitized = SWARM_SANITIZED != 0;

}  // namespace swarm
