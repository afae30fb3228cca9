// Uses any bytes as a safetensors file.

#include <cstdint>
#include <span>

#include "engine/weights/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)edgegate::ParseSafetensors(std::span(data, size)).ok();
  return 0;
}
