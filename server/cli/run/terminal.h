// Properties of the terminal that the program writes to.
#pragma once

#include <string>
#include <string_view>

namespace edgegate {

// True if the file descriptor is a terminal that shows colours, and the user has not set NO_COLOR.
bool HasColor(int descriptor);

// Returns the text without control characters, except for newlines and tabs. A model's text could
// otherwise change the terminal's state. `text` is UTF-8.
std::string Printable(std::string_view text);

// Returns the text in faint print, if `color` is set.
std::string Faint(std::string_view text, bool color);

}  // namespace edgegate
