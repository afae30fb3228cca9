// The built-in calibration text.
#pragma once

#include <string>

namespace edgegate {

// Returns about 2,500 tokens of prose, dialogue, code, numbers and several languages. They are
// mixed, so that the first few hundred tokens have some of each.
std::string CalibrationText();

}  // namespace edgegate
