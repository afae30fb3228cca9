// Suggests a known word for an unknown one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace edgegate {

// Returns the known word that is closest to `word`. Empty: none is close. A word is close if it
// begins with `word` (three characters or more), or if at most a third of the longer word's
// characters are changed, added, left out or swapped with their neighbour. Case does not count.
// Takes time in proportion to the product of the lengths; only the first 64 characters are read.
std::string ClosestWord(std::string_view word, const std::vector<std::string>& known);

// Returns " Did you mean WORD?" for ClosestWord(). Empty: no word is close.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

}  // namespace edgegate
