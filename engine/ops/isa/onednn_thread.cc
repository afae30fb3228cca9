#include "engine/ops/isa/onednn_thread.h"

// Defined by the OpenMP library that oneDNN is linked with. Null if oneDNN was built without
// OpenMP.
extern "C" __attribute__((weak)) void omp_set_num_threads(int threads);

namespace edgegate {

void UseOneDnnOnThisThread() {
  thread_local bool done = false;
  if (done) return;
  done = true;
  if (omp_set_num_threads != nullptr) omp_set_num_threads(1);
}

}  // namespace edgegate
