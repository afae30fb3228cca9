// Prevents oneDNN from starting its own threads.
#pragma once

namespace edgegate {

// Makes all later calls of oneDNN by the calling thread compute on that thread. Debian builds
// oneDNN with OpenMP, which would start a team of threads for each calling thread. Cheap: call it
// before each use. Thread-safe.
void UseOneDnnOnThisThread();

}  // namespace edgegate
