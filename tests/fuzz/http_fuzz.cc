// Uses any bytes as requests on a connection. The first byte chooses the sizes of the pieces in
// which the bytes arrive. The result must not depend on them.

#include <cstdint>
#include <cstdlib>

#include "tests/server/read_requests.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const edgegate::BodyLimits limits{.body_bytes = 4096};
  const std::string whole = edgegate::ReadRequests(bytes, {size}, limits);
  const std::vector<size_t> pieces = {1 + data[0] % 16u, 1 + data[0] / 16u};
  if (edgegate::ReadRequests(bytes, pieces, limits) != whole) std::abort();
  return 0;
}
