#include "engine/base/random_hex.h"

#include <fmt/format.h>

#include <random>

namespace edgegate {

std::string RandomHex(int words) {
  std::random_device device;
  std::string digits;
  for (int i = 0; i < words; ++i) digits += fmt::format("{:08x}", device());
  return digits;
}

}  // namespace edgegate
