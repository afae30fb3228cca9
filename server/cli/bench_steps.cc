#include "server/cli/bench_steps.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "engine/bench/machine_speed.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

// The sequences of one runner. Each sequence has its own KV blocks.
class Batch {
 public:
  Batch(ModelRunner* runner, int sequences, int length)
      : runner_(runner),
        blocks_((length + runner->limits().block_size - 1) / runner->limits().block_size),
        table_(static_cast<size_t>(sequences) * blocks_),
        lengths_(sequences) {
    std::iota(table_.begin(), table_.end(), 0);
  }

  // Prefills `tokens` tokens of each sequence, in the largest steps that the runner takes. Returns
  // the time in seconds.
  Result<double> Prefill(int tokens) {
    const int sequences = static_cast<int>(lengths_.size());
    const int most = std::max(1, runner_->limits().max_batched_tokens / sequences);
    double seconds = 0;
    for (int done = 0; done < tokens; done += most) {
      EG_ASSIGN_OR_RETURN(const double step, Step(std::min(most, tokens - done)));
      seconds += step;
    }
    return seconds;
  }

  // Computes `count` tokens of each sequence, and the logits of the last ones. Returns the time in
  // seconds.
  Result<double> Step(int count) {
    ForwardBatch batch;
    for (size_t s = 0; s < lengths_.size(); ++s) {
      batch.spans.push_back({static_cast<int>(batch.tokens.size()), count, lengths_[s],
                             std::span(table_).subspan(s * blocks_, blocks_)});
      for (int i = 0; i < count; ++i) {
        batch.tokens.push_back(
            static_cast<int32_t>(random_() % static_cast<uint32_t>(runner_->limits().vocab_size)));
      }
      batch.logits_rows.push_back(static_cast<int32_t>(batch.tokens.size()) - 1);
      lengths_[s] += count;
    }
    const auto start = Clock::now();
    const auto output = runner_->Forward(batch);
    if (!output.ok()) return output.status();
    return SecondsSince(start);
  }

 private:
  ModelRunner* runner_;
  const size_t blocks_;  // of each sequence
  std::vector<int32_t> table_;
  std::vector<int> lengths_;
  std::mt19937 random_{1};
};

}  // namespace

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

Result<double> BenchPrefill(ModelRunner* runner, int prompt, int rounds) {
  std::vector<double> rates;
  for (int round = 0; round <= rounds; ++round) {
    Batch batch(runner, 1, prompt);
    EG_ASSIGN_OR_RETURN(const double seconds, batch.Prefill(prompt));
    if (round > 0) rates.push_back(prompt / seconds);
  }
  return Median(rates);
}

Result<DecodeSpeed> BenchDecode(ModelRunner* runner, int sequences, int gen) {
  constexpr int kPrompt = 16;
  Batch batch(runner, sequences, kPrompt + gen);
  EG_RETURN_IF_ERROR(batch.Prefill(kPrompt).status());
  std::vector<double> seconds;
  for (int i = 0; i < gen; ++i) {
    EG_ASSIGN_OR_RETURN(const double step, batch.Step(1));
    seconds.push_back(step);
  }
  const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  std::sort(seconds.begin(), seconds.end());
  return DecodeSpeed{sequences / Median(seconds), sequences * gen / sum,
                     seconds[static_cast<size_t>((gen - 1) * 99 / 100)]};
}

Result<ReadSpeed> BenchDecodeRead(ModelRunner* runner, ThreadPool* pool, int64_t bytes, int steps) {
  Batch batch(runner, 1, steps);
  MemoryReader reader;
  std::vector<double> speeds, shares;
  for (int i = 0; i < steps; ++i) {
    EG_ASSIGN_OR_RETURN(const double step, batch.Step(1));
    const ThreadPool::Use use(pool);
    speeds.push_back(static_cast<double>(bytes) / step / 1e9);
    shares.push_back(speeds.back() / reader.Read());
  }
  return ReadSpeed{Median(speeds), Median(shares)};
}

Result<std::vector<ContextSpeed>> BenchGrowth(ModelRunner* runner, const std::vector<int>& lengths,
                                              int gen) {
  Batch batch(runner, 1, lengths.back());
  std::vector<ContextSpeed> report;
  int length = 0, prefilled = 0;
  double prefill_seconds = 0;
  for (const int end : lengths) {
    const int tokens = end - gen - length;
    EG_ASSIGN_OR_RETURN(const double prefill, batch.Prefill(tokens));
    prefill_seconds += prefill;
    prefilled += tokens;
    length = end;
    std::vector<double> seconds;
    for (int i = 0; i < gen; ++i) {
      EG_ASSIGN_OR_RETURN(const double step, batch.Step(1));
      seconds.push_back(step);
    }
    report.push_back({end, prefilled / prefill_seconds, 1 / Median(seconds)});
  }
  return report;
}

}  // namespace edgegate
