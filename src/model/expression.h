// Expressions and their patterns; the language itself is in swarmlib/expression.h.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "swarmlib/expression.h"

namespace re2 {
class RE2;
}

namespace swarm {

inline constexpr std::size_t kMaxExpressionMemory =
    1024UL * 1024;  // bytes of a compiled regular expression

// True when `value` matches the expression's pattern, whatever the operator.
bool MatchesPattern(const Expression& expression, std::string_view value);

// True when the pattern is one text, compared byte by byte.
bool IsExact(const Expression& expression);

// The pattern of an expression, compiled once for many values. Thread-safe.
class PatternMatcher {
 public:
  explicit PatternMatcher(const Expression& expression);
  ~PatternMatcher();
  PatternMatcher(PatternMatcher&&) noexcept;
  PatternMatcher& operator=(PatternMatcher&&) noexcept;

  // As MatchesPattern.
  bool Matches(std::string_view value) const;

 private:
  bool is_exact_;
  bool ignore_case_;
  std::string glob_;
  std::unique_ptr<re2::RE2> regex_;  // null for a glob
};

}  // namespace swarm
