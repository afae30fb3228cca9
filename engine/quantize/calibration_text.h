// The built-in calibration text.
#pragma once

#include <string>

namespace edgegate {

// About 2,500 tokens of prose, dialogue, code, numbers and several languages, mixed, so that the
// first few hundred of them have some of everything.
std::string CalibrationText();

}  // namespace edgegate
