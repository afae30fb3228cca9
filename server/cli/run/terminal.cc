#include "server/cli/run/terminal.h"

#include <unistd.h>

#include <cstdlib>

namespace edgegate {

bool HasColor(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(descriptor) == 1;
}

std::string Printable(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are the bytes C2 80 to C2 9F.
    const bool c1 =
        c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) ++i;
    const bool control = c1 || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t');
    control ? out += "\xef\xbf\xbd" : out += static_cast<char>(c);
  }
  return out;
}

std::string Faint(std::string_view text, bool color) {
  return color ? "\x1b[2m" + std::string(text) + "\x1b[0m" : std::string(text);
}

}  // namespace edgegate
