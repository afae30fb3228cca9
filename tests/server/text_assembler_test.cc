#include "server/call/text_assembler.h"

#include <doctest/doctest.h>

#include <random>

namespace edgegate {
namespace {

// A tokenizer whose tokens are single bytes.
class Bytes : public Vocabulary {
 public:
  std::string TokenBytes(int32_t id) const override {
    return std::string(1, static_cast<char>(id));
  }
  bool IsSpecial(int32_t) const override { return false; }
  bool IsValid(int32_t) const override { return true; }
  bool StripsLeadingSpace() const override { return false; }
  int vocab_size() const override { return 256; }
};

std::string Joined(const std::vector<AnswerPart>& parts) {
  std::string text;
  for (const AnswerPart& part : parts) text += part.text;
  return text;
}

std::string Push(TextAssembler& assembler, int32_t id) {
  std::vector<AnswerPart> parts;
  assembler.Push(id, &parts);
  return Joined(parts);
}

std::string Finish(TextAssembler& assembler) {
  std::vector<AnswerPart> parts;
  assembler.Finish(&parts);
  return Joined(parts);
}

TEST_CASE("stop strings cut the text at the first match") {
  std::mt19937 random(1);
  const Bytes bytes;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += static_cast<char>('a' + random() % 2);
    std::vector<std::string> stops;
    for (int i = 0; i < 2; ++i) {
      std::string stop;
      for (auto n = 1 + random() % 5; n > 0; --n) stop += static_cast<char>('a' + random() % 2);
      stops.push_back(stop);
    }
    // The stop string that is complete first ends the text.
    size_t end = std::string::npos, cut = text.size();
    for (const std::string& stop : stops) {
      const size_t at = text.find(stop);
      if (at == std::string::npos) continue;
      if (at + stop.size() < end || (at + stop.size() == end && at < cut)) {
        end = at + stop.size();
        cut = at;
      }
    }
    TextAssembler assembler(bytes, true, stops, false);
    std::string out;
    for (char c : text) {
      if (!assembler.matched()) out += Push(assembler, c);
    }
    out += Finish(assembler);
    CHECK(out == text.substr(0, cut));
    CHECK(assembler.matched().has_value() == (end != std::string::npos));
  }
}

TEST_CASE("the text of the first tokens is not searched for stop strings") {
  const Bytes bytes;
  const std::string text = "ab ab ab";
  for (int skipped = 0; skipped <= 9; ++skipped) {
    CAPTURE(skipped);
    TextAssembler assembler(bytes, true, {"ab"}, false);
    assembler.SkipStops(skipped);
    std::string out;
    for (const char c : text) {
      if (!assembler.matched()) out += Push(assembler, c);
    }
    out += Finish(assembler);
    const size_t at = text.find("ab", static_cast<size_t>(skipped));
    CHECK(out == text.substr(0, at));
    CHECK(assembler.matched().has_value() == (at != std::string::npos));
  }
}

TEST_CASE("a stream has whole characters and adds up to the text") {
  const Bytes bytes;
  for (const std::string text :
       {"a\u00e9\u4f60\U0001f600z", "\xf0\x9f\x98", "\xe4\xbdx\xff\xfe ok"}) {
    TextAssembler assembler(bytes, true, {}, false);
    std::string out;
    for (char c : text) {
      const std::string piece = Push(assembler, c);
      // A piece never begins with a continuation byte.
      CHECK((piece.empty() || (static_cast<unsigned char>(piece[0]) & 0xC0) != 0x80));
      out += piece;
    }
    out += Finish(assembler);
    CHECK(out == bytes.Decode(std::vector<int32_t>(text.begin(), text.end()), true));
  }
}

}  // namespace
}  // namespace edgegate
