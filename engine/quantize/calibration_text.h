// The built-in text that shows the quantizer what a model's activations look like.
#pragma once

#include <string>

namespace edgegate {

// About 500 tokens of prose, dialogue, code, numbers and several languages.
std::string CalibrationText();

}  // namespace edgegate
