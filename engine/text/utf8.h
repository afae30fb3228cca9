// UTF-8 for bytes that arrive one token at a time.
#pragma once

#include <string>
#include <string_view>

namespace edgegate {

// Returns the length of the longest prefix of `bytes` that ends at a character boundary. The rest,
// at most 3 bytes, is the beginning of a character that later bytes could complete.
size_t CompletePrefix(std::string_view bytes);

// Returns valid UTF-8, in which each maximal ill-formed subpart of `bytes` is U+FFFD (Unicode 15,
// section 3.9; Rust's from_utf8_lossy and Python's errors="replace" do the same).
std::string ReplaceInvalidUtf8(std::string_view bytes);

bool IsValidUtf8(std::string_view bytes);

}  // namespace edgegate
