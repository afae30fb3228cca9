// Renders chat templates, both any bytes and generated ones, with a conversation.

#include <array>
#include <cstdint>
#include <string>

#include "tests/fuzz/byte_source.h"
#include "textkit/textkit.h"

namespace {

using edgegate::ByteSource;
using Words = std::string_view;

constexpr size_t kMaxBytes = 4096;
constexpr Words kKwargs = R"({"deep":{"a":[1,2,{"b":null}]},"n":3,"s":"text"})";
constexpr std::array<Words, 12> kValues{"messages",  "message",     "message.content", "n",
                                        "s",         "deep.a[2].b", "loop.index",      "'x'",
                                        "bos_token", "[1, 2]",      "{'a': 1}",        "tools"};
constexpr std::array<Words, 16> kFilters{"|string",  "|tojson", "|length",     "|upper",
                                         "|trim",    "|list",   "|first",      "|join(',')",
                                         "|items",   "|int",    "|sort",       "|unique",
                                         "|reverse", "|safe",   "|default(1)", "|tojson(indent=2)"};
constexpr std::array<Words, 10> kOperators{" + ",  " ~ ", " == ", " in ", " and ",
                                           " or ", " % ", " - ",  " // ", " is not "};
constexpr std::array<Words, 8> kMethods{".split('a')", ".strip()", ".items()", ".get('role')",
                                        "[0]",         "[-1]",     "[:2]",     ".startswith('x')"};

std::string Expression(ByteSource& source, int depth) {
  std::string text(source.Word(kValues));
  for (int i = source.Pick(3); i > 0; --i) {
    switch (source.Pick(depth > 0 ? 5 : 2)) {
      case 0:
        text += source.Word(kFilters);
        break;
      case 1:
        text += source.Word(kMethods);
        break;
      case 2:
        text += std::string(source.Word(kOperators)) + Expression(source, depth - 1);
        break;
      case 3:
        text = "not (" + text + ")";
        break;
      default:
        text = "(" + text + " if " + Expression(source, depth - 1) + " else none)";
        break;
    }
  }
  return text;
}

std::string Template(ByteSource& source, int depth) {
  std::string text;
  for (int i = source.Pick(4); i >= 0; --i) {
    const std::string value = Expression(source, 2);
    const auto inner = [&] { return depth > 0 ? Template(source, depth - 1) : std::string("x"); };
    switch (source.Pick(8)) {
      case 0:
        text += "{{ " + value + " }}";
        break;
      case 1:
        text += "{% for message in messages %}" + inner() + "{% endfor %}";
        break;
      case 2:
        text += "{% if " + value + " %}" + inner() + "{% else %}y{% endif %}";
        break;
      case 3:
        text += "{% set v = " + value + " %}{{ v }}";
        break;
      case 4:
        text += "{%- macro m(s) -%}" + inner() + "{%- endmacro -%}{{ m(1) }}";
        break;
      case 5:
        text += "{% set ns = namespace(n=1) %}{% set ns.n = " + value + " %}";
        break;
      case 6:
        text += "{{ raise_exception(" + value + ") }}";
        break;
      default:
        text += "<|u|>{# c #}{% for n in range(5) %}" + inner() + "{% endfor %}";
        break;
    }
  }
  return text;
}

tk_str Str(Words text) { return {text.data(), text.size()}; }

tk_message Message(Words role, const tk_part* parts, size_t count, bool as_list) {
  tk_message message{};
  message.role = Str(role);
  message.parts = parts;
  message.num_parts = count;
  message.as_list = as_list;
  return message;
}

int RenderConversation(const tk_template* made, tk_bytes* out, tk_bytes* error) {
  const tk_part system{0, Str("s")}, text{0, Str("<|u|> \u00e9")};
  const tk_part with_image[] = {{0, Str("x")}, {1, {}}};
  tk_message messages[] = {Message("system", &system, 1, false), Message("user", &text, 1, false),
                           Message("user", with_image, 2, true),
                           Message("assistant", &text, 1, false)};
  const tk_call call{Str("c"), Str("f"), Str(kKwargs)};
  messages[3].calls = &call;
  messages[3].num_calls = 1;
  const tk_tool tool{Str("f"), Str("what it does"), Str("{}")};
  const tk_conversation conversation{messages, 4, &tool, 1, Str(kKwargs), 1, 0};
  return tk_template_render(made, &conversation, out, error);
}

void Render(Words source) {
  tk_template* made = nullptr;
  tk_bytes error{}, out{};
  if (tk_template_new(Str(source), Str(R"(["<|u|>"])"), Str(R"({"bos_token":"<s>"})"), &made,
                      &error) != 0) {
    tk_free_bytes(error);
    return;
  }
  if (RenderConversation(made, &out, &error) == 0) {
    tk_free_bytes(out);
  } else {
    tk_free_bytes(error);
  }
  tk_template_free(made);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMaxBytes) return 0;
  ByteSource source(data, size);
  if (source.Chance(50)) {
    Render(Template(source, 2));
  } else {
    Render(source.Rest());
  }
  return 0;
}
