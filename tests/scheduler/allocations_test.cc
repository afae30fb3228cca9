// Allocations while decoding: none in the forward pass, and in the loop around it only those that
// deliver a token to its reader.

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_runner.h"
#include "engine/family/quantize.h"
#include "scheduler/model_loop.h"
#include "tests/fakes/add_request.h"
#include "tests/fakes/allocation_counter.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kWarmUp = 8;
constexpr int kSteps = 200;
constexpr int kSequences = 4;  // in the loop
constexpr int kBlock = 16;

// A golden checkpoint, packed.
std::unique_ptr<Bundle> Pack(const std::string& name, WeightFormat format) {
  auto source = ModelSource::Open(EDGEGATE_SOURCE_DIR "/tests/golden/models/" + name);
  REQUIRE(source.ok());
  QuantizeOptions options;
  options.format = format;
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("edgegate-{}-{}", name, getpid());
  const Status packed = Quantize(**source, path, options);
  CAPTURE(packed.message());
  REQUIRE(packed.ok());
  auto bundle = Bundle::Open(path);
  std::filesystem::remove(path);
  REQUIRE(bundle.ok());
  return *std::move(bundle);
}

// Counts allocations of steps in which `sequences` sequences, each with its own blocks, grow by a
// token.
int CountForward(ModelRunner* runner, int sequences) {
  const int blocks = runner->limits().num_blocks / sequences;
  std::vector<std::vector<int32_t>> tables(static_cast<size_t>(sequences));
  ForwardBatch batch;
  for (int s = 0; s < sequences; ++s) {
    for (int b = 0; b < blocks; ++b) tables[s].push_back(s * blocks + b);
    batch.tokens.push_back(s);
    batch.logits_rows.push_back(s);
    batch.spans.push_back({s, 1, 0, tables[s]});
  }
  std::optional<AllocationCounter> counter;
  for (int step = 0; step < kWarmUp + kSteps; ++step) {
    if (step == kWarmUp) counter.emplace();
    const auto output = runner->Forward(batch);
    const UncountedScope uncounted;
    REQUIRE(output.ok());
    for (SequenceSpan& span : batch.spans) ++span.context_len;
  }
  return counter->allocations();
}

TEST_CASE("the forward pass of a decoding step allocates nothing") {
  for (const auto& model :
       {std::pair{"glm-edge", kWeightFormat<Int8Format>}, {"qwen3", kWeightFormat<Int4Format>}}) {
    const char* name = model.first;
    const auto bundle = Pack(name, model.second);
    for (const int sequences : {1, 3, 40}) {
      CAPTURE(name);
      CAPTURE(sequences);
      RunnerOptions options;
      options.max_batched_tokens = 64;
      options.kv_cache_bytes = int64_t{64} << 20;
      // oneDNN, which computes large batches, allocates a few arrays in each call.
      options.backend = Int8MatMul::Backend::kOwn;
      auto runner = DecoderRunner::Make(bundle->weights(), options);
      REQUIRE(runner.ok());
      CHECK(CountForward(runner->get(), sequences) == 0);
    }
  }
}

// The fake model, without counting its own allocations.
class UncountedRunner : public ModelRunner {
 public:
  explicit UncountedRunner(const RunnerLimits& limits) : fake_(limits) {}
  const RunnerLimits& limits() const override { return fake_.limits(); }
  Result<ForwardOutput> Forward(const ForwardBatch& batch) override {
    const UncountedScope uncounted;
    return fake_.Forward(batch);
  }
  void CopyBlock(int32_t from, int32_t to) override { fake_.CopyBlock(from, to); }

 private:
  FakeModelRunner fake_;
};

struct Counted {
  int allocations = 0;
  int tokens = 0;
};

// Takes the events, as a reader's thread does.
int Read(const std::vector<std::shared_ptr<GenerationStream>>& streams) {
  const UncountedScope uncounted;
  int tokens = 0;
  for (const auto& stream : streams) {
    while (auto event = stream->Next(Clock::time_point())) {
      REQUIRE(event->finish == FinishReason::kNone);
      tokens += static_cast<int>(event->tokens.size());
    }
  }
  return tokens;
}

Counted CountLoop(const SamplingParams& sampling, const SchedulerSettings& settings, bool draft) {
  constexpr int kVocab = 50, kMaxDraft = 16;
  const RunnerLimits limits{.vocab_size = kVocab,
                            .max_model_len = 8192,
                            .block_size = kBlock,
                            .num_blocks = 2048,
                            .max_batched_tokens = 64,
                            .max_logits_rows = 64};
  ModelLoop loop(std::make_unique<UncountedRunner>(limits), settings,
                 std::vector<bool>(kVocab, true),
                 draft ? std::make_unique<UncountedRunner>(limits) : nullptr);
  std::vector<std::shared_ptr<GenerationStream>> streams;
  for (int i = 0; i < kSequences; ++i) {
    GenerationRequest request;
    request.prompt = {i, 1, 2};
    request.max_tokens = (kWarmUp + kSteps) * (kMaxDraft + 1);
    request.sampling = sampling;
    request.stop_token_ids = {-1};
    streams.push_back(std::make_shared<GenerationStream>(1));
    AddRequest(&loop, request, streams.back());
  }
  Counted counted;
  std::optional<AllocationCounter> counter;
  for (int step = 0; step < kWarmUp + kSteps; ++step) {
    if (step == kWarmUp) counter.emplace();
    const bool good = loop.Step(false);
    const UncountedScope uncounted;
    REQUIRE(good);
    const int tokens = Read(streams);
    if (step >= kWarmUp) counted.tokens += tokens;
  }
  counted.allocations = counter->allocations();
  return counted;
}

// Most allocations that deliver tokens: the array of each event, and nodes of the event queue.
int ToDeliver(int tokens) {
  constexpr int kEventsPerNode = 512 / sizeof(TokenEvent);  // of libstdc++'s deque
  return tokens + tokens / kEventsPerNode + kSequences;
}

SamplingParams Greedy() {
  SamplingParams sampling;
  sampling.temperature = 0;
  return sampling;
}

SamplingParams Drawn() {
  SamplingParams sampling;
  sampling.top_k = 40;
  sampling.top_p = 0.9f;
  return sampling;
}

TEST_CASE("a decoding step around the forward pass allocates what delivers its tokens") {
  SchedulerSettings settings;
  settings.prefix_caching = false;
  for (const SamplingParams& sampling : {Greedy(), Drawn()}) {
    for (const bool speculation : {false, true}) {
      settings.speculation = speculation;
      const Counted counted = CountLoop(sampling, settings, false);
      CHECK(counted.tokens >= kSteps * kSequences);
      CHECK(counted.allocations <= ToDeliver(counted.tokens));
    }
  }
}

TEST_CASE("drafting with a draft model allocates only as its tables grow") {
  SchedulerSettings settings;
  settings.prefix_caching = false;
  const Counted counted = CountLoop(Greedy(), settings, true);
  constexpr int kDoublings = 12;  // to more tokens than are generated
  CHECK(counted.allocations <= ToDeliver(counted.tokens) + 2 * kDoublings * kSequences);
}

TEST_CASE("registering a full block in the prefix cache allocates its key and entry only") {
  SchedulerSettings settings;
  settings.speculation = false;
  const Counted counted = CountLoop(Greedy(), settings, false);
  constexpr int kToRegister = 5;  // hashed content, cache entry, the sequence's list of keys
  const int blocks = counted.tokens / kBlock + kSequences;
  CHECK(counted.allocations <= ToDeliver(counted.tokens) + kToRegister * blocks);
}

}  // namespace
}  // namespace edgegate
