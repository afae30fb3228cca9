// The progress of quantizing, in proportion to the time that its steps take.
#pragma once

#include <functional>
#include <string_view>

#include "engine/base/status.h"
#include "engine/model/model_config.h"
#include "engine/model/weight_format.h"

namespace edgegate {

// The expected time of a step of each kind. The unit is a nanosecond of one processor; only the
// ratios matter.
struct WorkSizes {
  double embedding = 0, vision_layer = 0, adapter = 0, layer = 0, head = 0;
};

// For a model that is calibrated with `tokens` tokens, those of an image included.
WorkSizes EstimateWork(const ModelConfig& config, WeightFormat format, int tokens);

// Owned by one thread.
class WorkProgress {
 public:
  // The callback is that of QuantizeOptions::progress.
  using Report = std::function<bool(int done, int total, std::string_view what)>;
  static constexpr int kTotal = 1000;  // of Report

  WorkProgress(double total, Report report) : total_(total), report_(std::move(report)) {}

  // More work is done. All of these report, and give kCancelled where the report asks to stop.
  Status Add(double work);
  // Nothing is done yet, or something else than that work is waited for.
  Status Show(std::string_view what) const;
  // Everything is done.
  void Done() const;

 private:
  const double total_;
  double done_ = 0;
  const Report report_;
};

}  // namespace edgegate
