// Threads with a small stack, whose creation may fail.
#pragma once

#include <functional>

namespace edgegate {

// Runs `body` on a detached thread. False: the system allows no further thread or has no memory for
// its stack. `body` must not throw.
bool StartSmallThread(std::function<void()> body);

}  // namespace edgegate
