#include "engine/weights/dequantize.h"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace edgegate {
namespace {

std::string ReadFile(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/dequantize/" + name,
                        std::ios::binary)
              .rdbuf();
  return text.str();
}

TEST_CASE("every block type gives the gguf package's values, to the bit") {
  const std::pair<const char*, TensorType> types[] = {
      {"Q4_0", TensorType::kQ4_0}, {"Q4_1", TensorType::kQ4_1}, {"Q5_0", TensorType::kQ5_0},
      {"Q5_1", TensorType::kQ5_1}, {"Q8_0", TensorType::kQ8_0}, {"Q4_K", TensorType::kQ4K},
      {"Q5_K", TensorType::kQ5K},  {"Q6_K", TensorType::kQ6K}};
  for (const auto& entry : types) {
    const char* const name = entry.first;
    const TensorType type = entry.second;
    CAPTURE(name);
    const std::string blocks = ReadFile(std::string(name) + ".block");
    const std::string bytes = ReadFile(std::string(name) + ".f32");
    std::vector<float> want(bytes.size() / 4), got(want.size());
    std::memcpy(want.data(), bytes.data(), bytes.size());
    REQUIRE(want.size() == size_t(8) * BlockOf(type).elements);
    REQUIRE(blocks.size() == size_t(8) * BlockOf(type).bytes);
    Dequantize(type, reinterpret_cast<const uint8_t*>(blocks.data()),
               static_cast<int64_t>(got.size()), got.data());
    int wrong = 0;
    for (size_t i = 0; i < got.size(); ++i) wrong += got[i] != want[i];
    CHECK(wrong == 0);
  }
}

}  // namespace
}  // namespace edgegate
