#include "engine/family/decoder/layer_quantizer.h"

#include <algorithm>

#include "engine/family/decoder/int4_quantize.h"
#include "engine/family/decoder/pack_layer.h"
#include "engine/family/decoder/vocabulary.h"
#include "engine/quantize/work_sizes.h"

namespace edgegate {
namespace {

// The quantizer of the formats that have a packer.
constexpr LayerQuantizer kPack = {.sequences = 1,
                                  .write = PackLayer,
                                  .write_head = PackHead,
                                  .linear_work = Int8LinearWork,
                                  .statistics_work = [](double, double) { return 0.0; }};

struct Row {
  WeightFormat format;
  LayerQuantizer quantizer;
};
constexpr Row kRows[] = {
    // 4-bit rounding estimates the product of each pair of columns, which takes more samples.
    {kWeightFormat<Int4Format>,
     {.sequences = 4,
      .write = WriteInt4Layer,
      .write_head = WriteInt4Head,
      .linear_work = Int4LinearWork,
      .statistics_work = Int4StatisticsWork}},
};

}  // namespace

const LayerQuantizer& QuantizerOf(WeightFormat format) {
  const auto* row = std::ranges::find(kRows, format, &Row::format);
  return row == std::end(kRows) ? kPack : row->quantizer;
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
