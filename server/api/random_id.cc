#include "server/api/random_id.h"

#include <fmt/format.h>

#include <random>

namespace edgegate {

std::string RandomId(const char* prefix) {
  std::random_device device;
  return fmt::format("{}{:08x}{:08x}{:08x}", prefix, device(), device(), device());
}

}  // namespace edgegate
