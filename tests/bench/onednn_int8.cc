// Measures oneDNN's own INT8 matmul on GLM-Edge-1.5B's matrices and nothing else: tokens per second
// of a decoding step and of a prefill, as JSON. Weights are in the layout that oneDNN asks for.
// usage: onednn_int8 [ISA], one of engine.isa's. OMP_NUM_THREADS sets the number of threads.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "engine/ops/isa/isa_cap.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using dnnl::memory;

struct Matrix {
  int64_t k, n;
  int count;  // of them in the model
};
constexpr Matrix kLayers[] = {
    {2048, 3072, 28}, {2048, 2048, 28}, {2048, 12288, 28}, {6144, 2048, 28}};
constexpr Matrix kHead = {2048, 59264, 1};
constexpr int64_t kPastCaches = int64_t{256} << 20;  // bytes of weights to go round

dnnl::matmul::primitive_desc Describe(const Matrix& matrix, int rows, const dnnl::engine& engine) {
  const memory::desc input({rows, matrix.k}, memory::data_type::u8, memory::format_tag::ab);
  const memory::desc weights({matrix.k, matrix.n}, memory::data_type::s8, memory::format_tag::any);
  const memory::desc output({rows, matrix.n}, memory::data_type::s32, memory::format_tag::ab);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, input, weights, output};
#else
  return {dnnl::matmul::desc(input, weights, output), engine};
#endif
}

memory Filled(const memory::desc& desc, const dnnl::engine& engine) {
  memory filled(desc, engine);
  std::memset(filled.get_data_handle(), 3, desc.get_size());
  return filled;
}

// Returns the seconds of one product of `rows` rows with one matrix whose weights are in no cache.
// It is the best of three rounds, because other programs can only make a round slower.
double Seconds(const Matrix& matrix, int rows, const dnnl::engine& engine, std::string* name) {
  const auto description = Describe(matrix, rows, engine);
  *name = description.impl_info_str();
  const dnnl::matmul multiply(description);
  const memory input = Filled(description.src_desc(), engine);
  const memory output = Filled(description.dst_desc(), engine);
  std::vector<memory> weights;
  // With few rows, reading the weights takes most of the time. With many rows it does not.
  const int64_t copies = rows > 64 ? 2 : std::max<int64_t>(2, kPastCaches / (matrix.k * matrix.n));
  for (int64_t i = 0; i < copies; ++i) {
    weights.push_back(Filled(description.weights_desc(), engine));
  }
  dnnl::stream stream(engine);
  double best = 1e9;
  for (int round = 0; round < 4; ++round) {  // the first one warms up
    const auto start = Clock::now();
    for (const memory& w : weights) {
      multiply.execute(stream,
                       {{DNNL_ARG_SRC, input}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, output}});
      stream.wait();
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (round > 0) best = std::min(best, seconds / static_cast<double>(weights.size()));
  }
  return best;
}

int Measure(const char* isa) {
  if (const Status status = SetIsaCap(isa); !status.ok()) {
    std::fprintf(stderr, "onednn_int8: %s\n", status.message().c_str());
    return 2;
  }
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  std::string name;
  std::printf("{");
  for (const int rows : {1, 8, 16, 512}) {
    const bool prefill = rows == 512;
    double seconds = 0;
    for (const Matrix& matrix : kLayers) {
      seconds += matrix.count * Seconds(matrix, rows, engine, &name);
    }
    if (!prefill) seconds += Seconds(kHead, rows, engine, &name);
    if (prefill) {
      std::printf("\"prefill\": %.2f, ", rows / seconds);
    } else {
      std::printf("\"decode_%d\": %.2f, ", rows, rows / seconds);
    }
  }
  std::printf("\"kernels\": \"oneDNN %s\"}\n", name.c_str());
  return 0;
}

}  // namespace
}  // namespace edgegate

int main(int argc, char** argv) { return edgegate::Measure(argc > 1 ? argv[1] : "auto"); }
