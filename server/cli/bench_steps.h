// Measures steps of a model, for `edgegate bench`. The sequences have random tokens. The functions
// return the errors of ModelRunner::Forward().
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/model/model_runner.h"

namespace edgegate {

double SecondsSince(std::chrono::steady_clock::time_point start);
// Returns the median, the larger one of two. `values` must not be empty.
double Median(std::vector<double> values);

// Returns the median tokens per second of `rounds` prefills. One more prefill before them is not
// counted: it warms up.
Result<double> BenchPrefill(ModelRunner* runner, int prompt, int rounds);

struct DecodeSpeed {
  double tok_s = 0;       // of all sequences, in the median step
  double mean_tok_s = 0;  // over all steps. Other programs on the machine lower it
  double step_p99_s = 0;  // 99th percentile of a step's time
};

// Measures `gen` decode steps.
Result<DecodeSpeed> BenchDecode(ModelRunner* runner, int sequences, int gen);

struct ReadSpeed {
  double gb_s = 0;   // of weights, in the median step
  double share = 0;  // of the speed of the memory: the median of the ratios
};

// Compares the speed with which `steps` decoding steps of one sequence read `bytes` bytes of
// weights with the speed of the memory. The threads of `pool` read memory after each step, because
// the speed of a shared machine changes within seconds. Takes 512 MiB. Throws std::bad_alloc.
Result<ReadSpeed> BenchDecodeRead(ModelRunner* runner, ThreadPool* pool, int64_t bytes, int steps);

struct ContextSpeed {
  int context = 0;           // tokens
  double prefill_tok_s = 0;  // of all prefilled tokens up to it
  double decode_tok_s = 0;   // of the last tokens
};

// Measures one sequence that grows to each of `lengths` in turn. The last `gen` tokens of each are
// decoded.
Result<std::vector<ContextSpeed>> BenchGrowth(ModelRunner* runner, const std::vector<int>& lengths,
                                              int gen);

}  // namespace edgegate
