// Compiles a grammar over a vocabulary of bytes and walks through it.
#pragma once

#include <string_view>

#include "tests/fuzz/byte_source.h"

namespace edgegate {

// The values of the parameter `kind` of tk_matcher_new.
constexpr int kSchemaKind = 0, kRegexKind = 1, kLarkKind = 2;

// Compiles `text`. If that succeeds, accepts some tokens that the masks allow, chosen by `source`.
// Aborts if an allowed token is not accepted, if a mask is empty, or if a clone has another mask
// than its original.
void WalkGrammar(int kind, std::string_view text, ByteSource& source);

// Returns `text` with each run of digits cut to `digits`. Otherwise an input of a few bytes could
// describe an automaton of any size, which only the limits of worker processes would bound.
std::string ShortNumbers(std::string_view text, int digits);

}  // namespace edgegate
