#include "engine/quantize/work_progress.h"

#include <algorithm>

namespace edgegate {

Status WorkProgress::Add(double work) {
  done_ += work;
  return Show("quantizing");
}

Status WorkProgress::Show(std::string_view what) const {
  if (!report_) return {};
  const int done = static_cast<int>(kTotal * done_ / total_);
  if (report_(std::clamp(done, 0, kTotal - 1), kTotal, what)) return {};
  return Cancelled("stopped while quantizing");
}

void WorkProgress::Done() const {
  if (report_) (void)report_(kTotal, kTotal, "done");
}

}  // namespace edgegate
