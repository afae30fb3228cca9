// Caps the instruction set of everything that computes: our own kernels (through Highway) and
// oneDNN's.
#pragma once

#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// "auto" (no cap) or a name that base/cpu_features.h knows. Not thread-safe: call it before models
// are loaded. oneDNN takes a cap only before its first use; a later one that it refuses is
// kUnavailable.
Status SetIsaCap(std::string_view name);

}  // namespace edgegate
