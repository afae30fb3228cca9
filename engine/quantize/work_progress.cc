#include "engine/quantize/work_progress.h"

#include <algorithm>

namespace edgegate {
namespace {

// Nanoseconds of one processor, as measured with AVX-512.
constexpr double kFlop = 1.0 / 128;      // of a product of large matrices
constexpr double kExp = 2;               // of a softmax, with what belongs to it
constexpr double kGelu = 20;             // tanh
constexpr double kConvert = 0.5;         // to read a weight and write it in 16 bits
constexpr double kInt8 = 1.5;            // to read, scale, round, pack and write a weight
constexpr double kInt4Search = 60;       // to find a weight's group of 4 bits
constexpr double kSmallFlop = 1.0 / 90;  // of the products of GPTQ

// A linear layer, from reading it to writing it.
double LinearWork(double rows, double columns, double tokens, bool int4) {
  const double weights = rows * columns;
  const double run = 2 * tokens * weights * kFlop;
  if (!int4) return run + weights * kInt8;
  return run + weights * (kInt8 + kInt4Search) + weights * columns * kSmallFlop;
}

// What rounding to 4 bits learns of a linear layer's inputs: products of the columns, and their
// Cholesky factor.
double LearnWork(double columns, double tokens, bool int4) {
  return int4 ? (tokens + columns / 3) * columns * columns * kSmallFlop : 0;
}

}  // namespace

WorkSizes EstimateWork(const ModelConfig& c, WeightFormat format, int token_count) {
  const bool int4 = format == WeightFormat::kInt4;
  const double h = c.hidden_size, f = c.intermediate_size, q = c.q_size(), kv = c.kv_size();
  const double vocabulary = h * c.vocab_size, tokens = token_count;
  WorkSizes work;
  work.embedding = vocabulary * kConvert;
  work.head = vocabulary * (kConvert + kInt8);
  work.layer = LinearWork(q + 2 * kv, h, tokens, int4) + LinearWork(h, q, tokens, int4) +
               LinearWork(2 * f, h, tokens, int4) + LinearWork(h, f, tokens, int4) +
               2 * LearnWork(h, tokens, int4) + LearnWork(q, tokens, int4) +
               LearnWork(f, tokens, int4) +
               tokens * tokens * (q * 2 * kFlop + c.num_heads * kExp / 2) + tokens * f * kExp;
  if (!c.vision) return work;
  const VisionConfig& v = *c.vision;
  const double patches = v.patches(), width = v.hidden_size, inner = v.intermediate_size;
  work.vision_layer =
      LinearWork(4 * width, width, patches, false) + LinearWork(2 * width, inner, patches, false) +
      patches * patches * (width * 4 * kFlop + v.num_heads * kExp) + patches * inner * kGelu;
  const double rows = patches / 4, adapter = v.adapter_size;
  work.adapter = LinearWork(h, 4 * width + h + 3 * adapter, rows, false);
  return work;
}

Status WorkProgress::Add(double work) {
  done_ += work;
  return Show("quantizing");
}

Status WorkProgress::Show(std::string_view what) const {
  if (!report_) return {};
  const int done = static_cast<int>(kTotal * done_ / total_);
  if (report_(std::clamp(done, 0, kTotal - 1), kTotal, what)) return {};
  return Cancelled("stopped while quantizing");
}

void WorkProgress::Done() const {
  if (report_) (void)report_(kTotal, kTotal, "done");
}

}  // namespace edgegate
