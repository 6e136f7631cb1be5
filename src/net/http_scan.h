#pragma once

// Byte scanners under the HTTP head parser. Pure, allocation-free, any thread.

#include <array>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace swarm::net {

// What a byte may be part of; one table look-up answers all questions of RFC 9110 §5.6.
enum ByteClass : std::uint8_t {
  kTokenByte = 1,       // method and field name
  kTargetByte = 2,      // request target: visible ASCII but '#'
  kFieldValueByte = 4,  // visible ASCII, SP, HTAB, 0x80-0xFF
  kDigitByte = 8,       // 0-9
};

namespace internal {
constexpr std::array<std::uint8_t, 256> MakeByteClasses() {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    std::uint8_t bits = 0;
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (digit) bits |= kDigitByte;
    if (digit || alpha) bits |= kTokenByte;
    for (const char mark : std::string_view("!#$%&'*+-.^_`|~")) {
      if (c == mark) bits |= kTokenByte;
    }
    if (c > 0x20 && c < 0x7F && c != '#') bits |= kTargetByte;
    if ((c >= 0x20 && c != 0x7F) || c == '\t') bits |= kFieldValueByte;
    classes[static_cast<std::size_t>(c)] = bits;
  }
  return classes;
}

// ASCII lower case, and '_' as '-': CGI-like engines cannot tell those two apart.
constexpr std::array<char, 256> MakeNameFold() {
  std::array<char, 256> fold{};
  for (int c = 0; c < 256; ++c) {
    fold[static_cast<std::size_t>(c)] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  fold['_'] = '-';
  return fold;
}
inline constexpr std::array<std::uint8_t, 256> kByteClasses = MakeByteClasses();
inline constexpr std::array<char, 256> kNameFold = MakeNameFold();
}  // namespace internal

inline bool HasClass(char c, ByteClass wanted) {
  return (internal::kByteClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

// First byte in [at, end) outside `wanted`; `end` if there is none.
inline const char* SkipClass(const char* at, const char* end, ByteClass wanted) {
  while (end - at >= 4) {
    if (!HasClass(at[0], wanted)) return at;
    if (!HasClass(at[1], wanted)) return at + 1;
    if (!HasClass(at[2], wanted)) return at + 2;
    if (!HasClass(at[3], wanted)) return at + 3;
    at += 4;
  }
  while (at != end && HasClass(*at, wanted)) ++at;
  return at;
}

// SkipClass(kFieldValueByte), 16 bytes at a time.
inline const char* SkipFieldValue(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1F);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7F);
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), control),
                                     _mm_cmpeq_epi8(bytes, del));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
    at += 16;
  }
#endif
  return SkipClass(at, end, kFieldValueByte);
}

// SkipClass(kTargetByte), 16 bytes at a time.
inline const char* SkipTarget(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(0x20);
  const __m128i tilde = _mm_set1_epi8(0x7E);
  const __m128i hash = _mm_set1_epi8('#');
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Signed compare: 0x80-0xFF are negative, so "not above space" catches them too.
    const __m128i visible =
        _mm_andnot_si128(_mm_cmpgt_epi8(bytes, tilde), _mm_cmpgt_epi8(bytes, space));
    const __m128i good = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, hash), visible);
    const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(good)) ^ 0xFFFFu;
    if (mask != 0) return at + __builtin_ctz(mask);
    at += 16;
  }
#endif
  return SkipClass(at, end, kTargetByte);
}

// `name` equals `lower`, which is lower case and the same length, when case is ignored and '_'
// counts as '-'.
inline bool NameFoldsTo(std::string_view name, std::string_view lower) {
  if (name.size() != lower.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (internal::kNameFold[static_cast<unsigned char>(name[i])] != lower[i]) return false;
  }
  return true;
}

// `text` equals `lower` (lower case) when ASCII case is ignored.
inline bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
  }
  return true;
}

// `text` without leading and trailing SP and HTAB.
inline std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace swarm::net
