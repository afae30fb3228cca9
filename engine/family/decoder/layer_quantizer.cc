#include "engine/family/decoder/layer_quantizer.h"

#include <algorithm>

#include "engine/family/decoder/int4_quantize.h"
#include "engine/family/decoder/int8_quantize.h"
#include "engine/quantize/work_sizes.h"

namespace edgegate {
namespace {

constexpr LayerQuantizer kQuantizers[] = {
    {.format = WeightFormat::kInt8,
     .sequences = 1,
     .write = WriteInt8Layer,
     .linear_work = Int8LinearWork,
     .statistics_work = [](double, double) { return 0.0; }},
    // 4-bit rounding estimates the product of each pair of columns. This takes more samples.
    {.format = WeightFormat::kInt4,
     .sequences = 4,
     .write = WriteInt4Layer,
     .linear_work = Int4LinearWork,
     .statistics_work = Int4StatisticsWork},
};

}  // namespace

const LayerQuantizer& QuantizerOf(WeightFormat format) {
  return *std::find_if(std::begin(kQuantizers), std::end(kQuantizers),
                       [&](const LayerQuantizer& row) { return row.format == format; });
}

void WriteNorms(const FloatLayer& w, int index, BundleWriter* writer) {
  const auto vector = [&](const char* name, const std::vector<float>& v) {
    if (!v.empty()) writer->Write(fmt::format("layers.{}.{}", index, name), v.data(), v.size() * 4);
  };
  vector("attention_norm", w.attention_norm);
  vector("mlp_norm", w.mlp_norm);
  vector("q_norm", w.q_norm);
  vector("k_norm", w.k_norm);
}

}  // namespace edgegate
