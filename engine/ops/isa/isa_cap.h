// The cap of the instruction set for all computations: the kernel tables, Highway and oneDNN.
#pragma once

#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// Sets the cap. `name` is "auto" (no cap) or a level of base/cpu_features.h. Not thread-safe: call
// it before models are loaded. kInvalidArgument: another name. kUnavailable: oneDNN refused the
// cap, which it accepts only before its first use; the cap then applies to everything else.
Status SetIsaCap(std::string_view name);

}  // namespace edgegate
