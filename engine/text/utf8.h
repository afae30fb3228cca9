// UTF-8 by hand, where bytes come one token at a time.
#pragma once

#include <string>
#include <string_view>

namespace edgegate {

// Length of the longest prefix of `bytes` that ends where a character may end: what is left is the
// beginning of a character that later bytes could complete (at most 3 bytes).
size_t CompletePrefix(std::string_view bytes);

// Valid UTF-8: each maximal ill-formed subpart becomes U+FFFD (Unicode 15, section 3.9, as Rust's
// from_utf8_lossy and Python's errors="replace" do).
std::string ReplaceInvalidUtf8(std::string_view bytes);

bool IsValidUtf8(std::string_view bytes);

}  // namespace edgegate
