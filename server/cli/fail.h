// Reports the error that ends a command.
#pragma once

#include <cstdio>

#include "engine/base/status.h"
#include "server/cli/commands.h"

namespace edgegate {

// Prints the error. Returns `code`, or kExitInterrupted if the user has stopped the work.
inline int Fail(const Status& status, int code) {
  std::fprintf(stderr, "edgegate: %s\n", status.message().c_str());
  return status.code() == StatusCode::kCancelled ? kExitInterrupted : code;
}

}  // namespace edgegate
