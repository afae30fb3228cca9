#include "tests/fuzz/grammar_walk.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "textkit/textkit.h"

namespace edgegate {
namespace {

constexpr uint32_t kEnd = 256;
constexpr int kSteps = 48;

tk_grammars* ByteVocabulary() {
  std::string bytes(256, '\0');
  std::vector<tk_str> words;
  for (int i = 0; i < 256; ++i) {
    bytes[static_cast<size_t>(i)] = static_cast<char>(i);
    words.push_back({bytes.data() + i, 1});
  }
  words.push_back({nullptr, 0});
  tk_grammars* grammars = nullptr;
  tk_bytes error{};
  if (tk_grammars_new(words.data(), words.size(), kEnd, &grammars, &error) != 0) std::abort();
  return grammars;
}

[[noreturn]] void Fail(const char* what, std::string_view text) {
  std::fprintf(stderr, "%s in the grammar:\n%.*s\n", what, static_cast<int>(text.size()),
               text.data());
  std::abort();
}

// Returns the ids that a mask allows. Empty: the mask cannot be computed.
std::vector<uint32_t> Allowed(tk_matcher* matcher) {
  tk_ids bits{};
  tk_bytes error{};
  std::vector<uint32_t> ids;
  if (tk_matcher_allowed(matcher, &bits, &error) != 0) {
    tk_free_bytes(error);
    return ids;
  }
  for (uint32_t id = 0; id <= kEnd && id / 32 < bits.size; ++id) {
    if (bits.data[id / 32] >> (id % 32) & 1) ids.push_back(id);
  }
  tk_free_ids(bits);
  return ids;
}

void Walk(tk_matcher* matcher, std::string_view text, ByteSource& source) {
  for (int step = 0; step < kSteps; ++step) {
    const std::vector<uint32_t> ids = Allowed(matcher);
    if (ids.empty()) return;
    if (step % 16 == 15) {
      tk_matcher* clone = tk_matcher_clone(matcher);
      if (Allowed(clone) != ids) Fail("a clone has another mask", text);
      tk_matcher_free(clone);
    }
    const int choice = source.Pick(256);
    const uint32_t id = ids[static_cast<size_t>(choice) % ids.size()];
    if (id == kEnd) return;
    tk_bytes error{};
    if (tk_matcher_accept(matcher, id, &error) != 0) Fail("an allowed token is refused", text);
  }
}

}  // namespace

void WalkGrammar(int kind, std::string_view text, ByteSource& source) {
  static const tk_grammars* const grammars = ByteVocabulary();
  tk_matcher* matcher = nullptr;
  tk_bytes error{};
  if (tk_matcher_new(grammars, kind, {text.data(), text.size()}, &matcher, &error) != 0) {
    tk_free_bytes(error);
    return;
  }
  Walk(matcher, text, source);
  tk_matcher_free(matcher);
}

std::string ShortNumbers(std::string_view text, int digits) {
  std::string out;
  int run = 0;
  for (char c : text) {
    run = std::isdigit(static_cast<unsigned char>(c)) ? run + 1 : 0;
    if (run <= digits) out += c;
  }
  return out;
}

}  // namespace edgegate
