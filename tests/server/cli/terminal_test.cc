#include "server/cli/run/terminal.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

TEST_CASE("control characters are replaced") {
  CHECK(Printable("one\ttwo\nthree") == "one\ttwo\nthree");
  CHECK(Printable("\x1b[31mred") == "\xef\xbf\xbd[31mred");
  CHECK(Printable("\x7f\r") == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(Printable("\xc2\x9b"
                  "31m") ==
        "\xef\xbf\xbd"
        "31m");  // CSI as one character
  CHECK(Printable("\xc2\xa9 \xc3\xa9 \xe4\xbd\xa0") == "\xc2\xa9 \xc3\xa9 \xe4\xbd\xa0");
}

TEST_CASE("faint print needs colour") {
  CHECK(Faint("text", false) == "text");
  CHECK(Faint("text", true) == "\x1b[2mtext\x1b[0m");
}

}  // namespace
}  // namespace edgegate
