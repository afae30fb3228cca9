// Texts of answers, cut at any places, give the same parts as the whole text.
//
// The first bytes choose the form of calls and where to cut. The rest is the text: pieces of the
// form and bytes of their own.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/text/tools/answer_reader.h"
#include "tests/fuzz/byte_source.h"

namespace {

using edgegate::AnswerPart;
using edgegate::AnswerReader;
using edgegate::AnswerSyntax;
using edgegate::ByteSource;
using edgegate::CallFormat;
using Parts = std::vector<AnswerPart>;

constexpr size_t kMaxBytes = 2048;

std::string Text(ByteSource& source, const CallFormat& format) {
  const std::vector<std::string> pieces = {format.mark,
                                           format.begin,
                                           format.FirstHead("get"),
                                           format.NextHead("get_all"),
                                           format.before_arguments,
                                           format.after_arguments,
                                           format.between,
                                           format.end,
                                           "<think>",
                                           "</think>",
                                           "{\"a\": \"}\"}",
                                           "a=1, b=\"x\"",
                                           "a:1,b:",
                                           format.string_mark,
                                           format.tags.before_name,
                                           format.tags.after_name,
                                           format.tags.after_value,
                                           format.tags.close,
                                           "\n",
                                           "get"};
  std::string text;
  while (!source.empty() && text.size() < kMaxBytes) {
    const auto pick = static_cast<size_t>(source.Pick(30));
    if (pick >= pieces.size()) {
      text += static_cast<char>(source.Pick(256));
      continue;
    }
    const std::string& piece = pieces[pick];
    text += source.Chance(20) ? piece.substr(0, piece.size() / 2) : piece;
  }
  return text;
}

Parts Read(const AnswerSyntax& syntax, const std::string& text, size_t step) {
  AnswerReader reader(syntax);
  Parts parts;
  for (size_t at = 0; at < text.size(); at += step) reader.Push(text.substr(at, step), &parts);
  reader.Finish(&parts);
  return parts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteSource source(data, size);
  const auto formats = edgegate::CallFormats();
  const CallFormat& format =
      formats[static_cast<size_t>(source.Pick(static_cast<int>(formats.size())))];
  AnswerSyntax syntax;
  if (source.Chance(70)) syntax.reasoning = edgegate::ReasoningMarks{"<think>", "</think>"};
  syntax.reasoning_open = source.Chance(30);
  syntax.calls = source.Chance(90) ? &format : nullptr;
  syntax.tools = {"get", "get_all"};
  syntax.plain = {{"a"}, {"get"}};
  syntax.only_calls = source.Chance(30);
  const auto step = static_cast<size_t>(1 + source.Pick(16));
  const std::string text = Text(source, format);
  const Parts whole = Read(syntax, text, text.size() + 1);
  if (Read(syntax, text, step) != whole || Read(syntax, text, 1) != whole) std::abort();
  return 0;
}
