#include "engine/family/decoder/decoder_work.h"

#include "engine/family/decoder/layer_quantizer.h"
#include "engine/quantize/work_sizes.h"

namespace edgegate {

WorkSizes EstimateWork(const ModelConfig& c, WeightFormat format, WeightFormat head_format,
                       int token_count) {
  const LayerQuantizer &by = QuantizerOf(format), &head_by = QuantizerOf(head_format);
  const double h = c.hidden_size, f = c.intermediate_size, q = c.q_size(), kv = c.kv_size();
  const double vocabulary = h * c.vocab_size, tokens = token_count;
  WorkSizes work;
  work.embedding = vocabulary * kConvertWork;
  work.head = vocabulary * kConvertWork + head_by.linear_work(c.vocab_size, h, 0) +
              head_by.statistics_work(h, tokens);
  work.layer = by.linear_work(q + 2 * kv, h, tokens) + by.linear_work(h, q, tokens) +
               by.linear_work(2 * f, h, tokens) + by.linear_work(h, f, tokens) +
               2 * by.statistics_work(h, tokens) + by.statistics_work(q, tokens) +
               by.statistics_work(f, tokens) +
               tokens * tokens * (q * 2 * kFlopWork + c.num_heads * kExpWork / 2) +
               tokens * f * kExpWork;
  return work;
}

}  // namespace edgegate
