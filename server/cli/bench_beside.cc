#include "server/cli/bench_beside.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#include "scheduler/engine_loop.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kStreamPrompt = 32;
constexpr auto kTokenTimeout = std::chrono::minutes(1);
constexpr int kBaselineTokens = 24;  // of the stream, before the other request comes

double Percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
}

}  // namespace

struct BesideBench::Impl {
  std::vector<int32_t> RandomTokens(int count) {
    std::vector<int32_t> tokens(static_cast<size_t>(count));
    for (int32_t& token : tokens) {
      token = static_cast<int32_t>(random() % static_cast<uint32_t>(limits.vocab_size));
    }
    return tokens;
  }

  Result<StreamLatency> Run(const GenerationRequest& other);

  RunnerLimits limits;
  EngineLoop engine;
  std::mt19937 random{1};
};

Result<StreamLatency> BesideBench::Impl::Run(const GenerationRequest& other) {
  GenerationRequest stream;
  stream.prompt = RandomTokens(kStreamPrompt);
  const int most = BesideTokens(static_cast<int>(other.prompt.size()));
  stream.max_tokens = std::min(most, limits.max_model_len) - kStreamPrompt;
  EG_ASSIGN_OR_RETURN(const auto running, engine.Submit(0, std::move(stream)));
  std::vector<double> alone, beside;
  std::unique_ptr<GenerationHandle> rival;
  Clock::time_point last, submitted;
  StreamLatency latency;
  while (latency.first_token_s == 0) {
    const auto event = running->Next(Clock::now() + kTokenTimeout);
    if (!event) return Internal("no token of the stream within a minute");
    if (!event->status.ok()) return event->status;
    if (event->finish != FinishReason::kNone) {
      return Internal("the stream ended after {} tokens, before the other request's first",
                      alone.size() + beside.size());
    }
    const auto now = Clock::now();
    if (last != Clock::time_point()) {
      (rival ? beside : alone).push_back(std::chrono::duration<double>(now - last).count());
    }
    last = now;
    if (rival) {
      const auto first = rival->Next(now);
      if (first && !first->status.ok()) return first->status;
      if (first) latency.first_token_s = std::chrono::duration<double>(now - submitted).count();
    } else if (alone.size() == kBaselineTokens) {
      submitted = Clock::now();
      EG_ASSIGN_OR_RETURN(rival, engine.Submit(0, other));
    }
  }
  latency.baseline_itl_s = Percentile(alone, 0.5);
  latency.itl_median_s = Percentile(beside, 0.5);
  latency.itl_p99_s = Percentile(beside, 0.99);
  latency.itl_max_s = Percentile(beside, 1);
  return latency;
}

BesideBench::BesideBench(std::unique_ptr<ModelRunner> runner) : impl_(std::make_unique<Impl>()) {
  impl_->limits = runner->limits();
  const std::vector<bool> all(static_cast<size_t>(impl_->limits.vocab_size), true);
  // A random model often repeats itself. Nearly all draft tokens would be accepted, unlike those of
  // a real model.
  impl_->engine.AddModel(std::move(runner), {.speculation = false}, all);
  impl_->engine.Start();
}
BesideBench::~BesideBench() = default;

Result<StreamLatency> BesideBench::Prompt(int prompt) {
  GenerationRequest request;
  request.prompt = impl_->RandomTokens(prompt);
  request.max_tokens = 1;
  return impl_->Run(request);
}

Result<StreamLatency> BesideBench::Image(MediaItem item, int question) {
  EG_ASSIGN_OR_RETURN(const MediaLayout layout, impl_->limits.media->Layout(item));
  GenerationRequest request;
  request.prompt = impl_->RandomTokens(layout.rows + question);
  request.media = {{0, std::move(item)}};
  request.max_tokens = 1;
  return impl_->Run(request);
}

}  // namespace edgegate
