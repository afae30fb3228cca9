// Uses any bytes as a GGUF file. Reads the header, the config, the tokenizer, and every tensor's
// values.

#include <cstdint>
#include <span>

#include "engine/family/decoder/gguf_config.h"
#include "engine/family/registry.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/dequantize.h"
#include "engine/weights/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgegate;
  const auto gguf = ParseGguf(std::span(data, size));
  if (!gguf.ok()) return 0;
  (void)ConfigFromGguf(*gguf, {}).ok();
  for (const MediaFamily* family : MediaFamilies()) (void)family->FromGguf(*gguf, {}).ok();
  if (auto vocab = VocabFromGguf(*gguf); vocab.ok()) (void)AssetsFromGguf(*vocab).ok();
  for (const TensorInfo& tensor : gguf->tensors) {
    if (!tensor.type) continue;
    const BlockShape block = BlockOf(*tensor.type);
    const auto blocks = static_cast<int64_t>(tensor.bytes) / block.bytes;
    std::vector<float> values(static_cast<size_t>(blocks * block.elements));
    Dequantize(*tensor.type, data + tensor.offset, blocks * block.elements, values.data());
  }
  return 0;
}
