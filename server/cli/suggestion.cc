#include "server/cli/suggestion.h"

#include <algorithm>
#include <cctype>

namespace edgegate {
namespace {

constexpr size_t kMaxRead = 64;
constexpr size_t kMinPrefix = 3;

std::string Lower(std::string_view text) {
  std::string lower(text.substr(0, kMaxRead));
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// Returns the number of changes that make `b` of `a`: a character changed, added or left out, or
// two neighbours swapped (optimal string alignment).
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string ClosestWord(std::string_view word, const std::vector<std::string>& known) {
  const std::string wanted = Lower(word);
  std::string closest;
  size_t least = kMaxRead;
  for (const std::string& one : known) {
    const std::string other = Lower(one);
    const size_t longer = std::max(wanted.size(), other.size());
    size_t distance = Distance(wanted, other);
    if (distance > std::max<size_t>(1, longer / 3)) {
      if (wanted.size() < kMinPrefix || !other.starts_with(wanted)) continue;
      distance = longer;  // words with few changes come first
    }
    if (distance >= least) continue;
    least = distance;
    closest = one;
  }
  return closest;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string closest = ClosestWord(word, known);
  return closest.empty() ? "" : " Did you mean " + closest + "?";
}

}  // namespace edgegate
