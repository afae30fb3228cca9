// Compiles regular expressions and Lark grammars, both any bytes and generated ones.

#include <array>
#include <cstdint>
#include <string>

#include "tests/fuzz/byte_source.h"
#include "tests/fuzz/grammar_walk.h"

namespace {

using edgegate::ByteSource;
using Words = std::string_view;

constexpr size_t kMaxBytes = 4096;
constexpr std::array<Words, 16> kAtoms{"a",    "b",       "[a-z]", ".",        "\\d",    "\\p{L}",
                                       "[^a]", "\\x41",   "\\n",   "\xC3\xA9", "(?i:k)", "$",
                                       "^",    "[ab&&b]", "(?=a)", "\\b"};
constexpr std::array<Words, 8> kRepeats{"", "*", "+", "?", "{2}", "{0,3}", "{2,}", "*?"};
constexpr std::array<Words, 5> kRules{"start", "r1", "r2", "r3", "r4"};
constexpr std::array<Words, 4> kTerminals{"T1", "T2", "T3", "NONE"};
constexpr std::array<Words, 6> kLarkRepeats{"", "*", "+", "?", "~2", "~0..3"};
constexpr std::array<Words, 6> kDirectives{"%ignore /a+/\n",
                                           "%import common.INT\n",
                                           "%llguidance {\"no_forcing\": true}\n",
                                           "%ignore T1\n",
                                           "r4: %json {\"type\": \"integer\"}\n",
                                           "r4: %regex {\"substring_chars\": \"abc\"}\n"};

std::string Regex(ByteSource& source, int depth) {
  std::string text;
  for (int i = source.Pick(4); i >= 0; --i) {
    const int kind = source.Pick(depth > 0 ? 4 : 2);
    if (kind < 2) {
      text += source.Word(kAtoms);
    } else {
      text +=
          "(" + Regex(source, depth - 1) + (kind == 3 ? "|" + Regex(source, depth - 1) : "") + ")";
    }
    text += source.Word(kRepeats);
  }
  return text;
}

// Returns the right side of a rule, or of a terminal if `terminal` is set.
std::string Expression(ByteSource& source, int depth, bool terminal) {
  std::string text;
  for (int i = source.Pick(4); i >= 0; --i) {
    switch (source.Pick(depth > 0 ? 6 : 4)) {
      case 0:
        text += source.Chance(70) ? "\"a\"" : "\"\\n\"i";
        break;
      case 1:
        text += "/" + Regex(source, 1) + "/";
        break;
      case 2:
        text += terminal ? "\"b\"" : source.Word(kRules);
        break;
      case 3:
        text += source.Word(kTerminals);
        break;
      default:
        text += "(" + Expression(source, depth - 1, terminal) + ")";
        break;
    }
    text += source.Word(kLarkRepeats);
    text += i == 0 ? "" : source.Chance(40) ? " | " : " ";
  }
  return text;
}

std::string Lark(ByteSource& source) {
  std::string text;
  for (size_t i = 0; i < 4; ++i) {
    text += std::string(kRules[i]) + ": " + Expression(source, 2, false) + "\n";
  }
  for (size_t i = 0; i < 3; ++i) {
    text += std::string(kTerminals[i]) + ": " + Expression(source, 2, true) + "\n";
  }
  return source.Chance(30) ? text + std::string(source.Word(kDirectives)) : text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgegate;
  if (size > kMaxBytes) return 0;
  ByteSource source(data, size);
  switch (source.Pick(4)) {
    case 0:
      WalkGrammar(kRegexKind, Regex(source, 3), source);
      break;
    case 1:
      WalkGrammar(kLarkKind, Lark(source), source);
      break;
    case 2:
      WalkGrammar(kRegexKind, ShortNumbers(source.Rest(), 2), source);
      break;
    default:
      WalkGrammar(kLarkKind, ShortNumbers(source.Rest(), 2), source);
      break;
  }
  return 0;
}
