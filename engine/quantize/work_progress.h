// The progress of quantizing, in proportion to the time that the steps take (work_sizes.h).
#pragma once

#include <functional>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// Adds up the work that is done, and reports it. Owned by one thread.
class WorkProgress {
 public:
  // The callback is that of QuantizeOptions::progress.
  using Report = std::function<bool(int done, int total, std::string_view what)>;
  static constexpr int kTotal = 1000;  // `total` of Report

  explicit WorkProgress(Report report) : report_(std::move(report)) {}

  // Sets the sum of all work. Call it before the first Add().
  void SetTotal(double total) { total_ = total; }

  // Adds `work` and reports the sum. kCancelled: the report returned false.
  Status Add(double work);
  // Reports the step `what` without further work. kCancelled: the report returned false.
  Status Show(std::string_view what) const;
  // Reports that everything is done.
  void Done() const;

 private:
  double total_ = 1;
  double done_ = 0;
  const Report report_;
};

}  // namespace edgegate
