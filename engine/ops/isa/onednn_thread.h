// Prevents oneDNN from starting its own threads.
#pragma once

namespace edgegate {

// From now on, calls of oneDNN compute on the calling thread. Debian builds oneDNN with OpenMP,
// which would start a team of threads for each thread that calls. Cheap: call it before each use.
void UseOneDnnOnThisThread();

}  // namespace edgegate
