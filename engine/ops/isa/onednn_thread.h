// Keeps oneDNN from starting threads of its own.
#pragma once

namespace edgegate {

// From here on, calls of oneDNN compute on the calling thread. Debian builds oneDNN with OpenMP,
// which would start a team for each thread that calls. Cheap: to be called before each use.
void UseOneDnnOnThisThread();

}  // namespace edgegate
