// Caps the instruction set of everything that computes: the kernel tables, Highway and oneDNN.
#pragma once

#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// `name`: "auto" (no cap) or a level of base/cpu_features.h. kInvalidArgument for another name. Not
// thread-safe: call it before models are loaded. oneDNN accepts a cap only before its first use.
// kUnavailable if it refuses the cap; the cap then applies to everything else.
Status SetIsaCap(std::string_view name);

}  // namespace edgegate
