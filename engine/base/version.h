// The version of edgegate, from the project() line of CMakeLists.txt.
#pragma once

namespace edgegate {

// "0.2.0". Lives as long as the program.
const char* Version();

}  // namespace edgegate
