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

// Bytes of a compiled regular expression, which are some 4,000 instructions. Each may be a step at
// each byte of what it is held against.
inline constexpr std::size_t kMaxExpressionMemory = 256UL * 1024;

// As ParseExpression, without the work of compiling a regular expression, and that work alone.
absl::StatusOr<Expression> ReadExpression(std::string_view text);
absl::Status CheckCompiles(const Expression& expression);

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
  // Instructions of the compiled regular expression; 1 of anything else.
  std::size_t size() const;

 private:
  bool is_exact_;
  bool ignore_case_;
  std::string glob_;
  std::unique_ptr<re2::RE2> regex_;  // null for a glob
};

}  // namespace swarm
