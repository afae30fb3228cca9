// `edgegate bench`: measures prefill and decode in this process, and the speed of the machine.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/base/cpu_features.h"
#include "engine/base/cpu_name.h"
#include "engine/bench/machine_speed.h"
#include "engine/family/random_weights.h"
#include "engine/ops/isa/isa_cap.h"
#include "server/catalog/model_loader.h"
#include "server/catalog/progress.h"
#include "server/cli/bench_beside.h"
#include "server/cli/bench_steps.h"
#include "server/cli/commands.h"
#include "server/cli/named_models.h"
#include "server/cli/suggestion.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr int kQuestion = 12;  // tokens of the question about an image
constexpr int kPrefills = 3;

// Returns the number of bytes of weights that a decoding step reads.
int64_t StepBytes(const DecoderWeights& weights) {
  int64_t bytes = weights.lm_head.bytes();
  for (const DecoderLayerWeights& w : weights.layers) {
    for (const Linear* layer : {&w.qkv, &w.o, &w.gate_up, &w.down}) bytes += layer->bytes();
  }
  return bytes;
}

// Makes an image of the size that the model takes.
MediaItem SomeImage(const MediaConfig& media) {
  const int size = media.image_size();
  std::vector<uint8_t> pixels(static_cast<size_t>(size) * size * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 7919 >> 3);
  return SquareImage(std::make_shared<const std::vector<uint8_t>>(std::move(pixels)), size,
                     "bench");
}

Result<int> ImageRows(const MediaConfig& media) {
  EG_ASSIGN_OR_RETURN(const MediaLayout layout, media.Layout(SomeImage(media)));
  return layout.rows;
}

// Measures an image and a short question, from the prepared pixels to the first token's logits.
Result<json> Image(ModelRunner* runner) {
  const MediaConfig& media = *runner->limits().media;
  const MediaItem item = SomeImage(media);
  EG_ASSIGN_OR_RETURN(const int rows, ImageRows(media));
  EG_ASSIGN_OR_RETURN(const double rate, BenchPrefill(runner, rows + kQuestion, kPrefills));
  MediaEncoder* encoder = runner->media_encoder();
  std::vector<double> encode;
  double longest = 0;
  int slices = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    EG_RETURN_IF_ERROR(encoder->Begin(item));
    slices = 0;
    for (bool done = false; !done; ++slices) {
      const auto slice = Clock::now();
      EG_ASSIGN_OR_RETURN(done, encoder->Slice());
      if (round > 0) longest = std::max(longest, SecondsSince(slice));
    }
    EG_RETURN_IF_ERROR(encoder->End().status());
    encode.push_back(SecondsSince(start));
  }
  return json{{"rows", rows},
              {"encode_s", Median(encode)},
              {"first_token_s", Median(encode) + (rows + kQuestion) / rate},
              {"slices", slices},
              {"longest_slice_s", longest}};
}

json ToJson(const StreamLatency& latency) {
  return {{"baseline_itl_s", latency.baseline_itl_s},
          {"itl_median_s", latency.itl_median_s},
          {"itl_p99_s", latency.itl_p99_s},
          {"itl_max_s", latency.itl_max_s},
          {"first_token_s", latency.first_token_s}};
}

// Measures the inter-token latency of a stream beside a prompt and beside an image.
Result<json> Beside(std::unique_ptr<ModelRunner> runner, int prompt) {
  const RunnerLimits limits = runner->limits();
  BesideBench bench(std::move(runner));
  json report;
  EG_ASSIGN_OR_RETURN(const StreamLatency beside_prompt, bench.Prompt(prompt));
  report["prompt"] = ToJson(beside_prompt);
  if (limits.media) {
    EG_ASSIGN_OR_RETURN(const StreamLatency beside_image,
                        bench.Image(SomeImage(*limits.media), kQuestion));
    report["image"] = ToJson(beside_image);
  }
  return report;
}

struct Subject {
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<RandomWeights> random;
  std::unique_ptr<Bundle> bundle;
  std::unique_ptr<DecoderRunner> runner;
  WeightFormat format = kWeightFormat<Int8Format>;
  int64_t step_bytes = 0;
};

Result<Subject> MakeSubject(const Settings& settings, const BenchArguments& a) {
  Subject subject;
  subject.pool = MakeThreadPool(settings);
  const ThreadPool::Use use(subject.pool.get());
  const DecoderWeights* weights = nullptr;
  EG_ASSIGN_OR_RETURN(const WeightFormat format, ParseWeightFormat(settings.weight_format));
  EG_ASSIGN_OR_RETURN(const WeightFormat head_format, ParseWeightFormat(settings.head_format));
  if (!a.shape.empty()) {
    EG_ASSIGN_OR_RETURN(subject.random, RandomWeights::Make(a.shape, format, head_format));
    weights = &subject.random->weights();
  } else {
    EG_ASSIGN_OR_RETURN(const ModelSetting model, ResolveModel(a.model, settings));
    QuantizeOptions options;
    options.format = format;
    options.head_format = head_format;
    options.progress = ProgressPrinter("quantizing", [] { return false; });
    EG_ASSIGN_OR_RETURN(const std::string path,
                        EnsureBundle(model.path, model.mmproj, CacheDirectory(settings), options));
    EG_ASSIGN_OR_RETURN(subject.bundle, Bundle::Open(path));
    if (subject.bundle->text_encoder() != nullptr) {
      return InvalidArgument("{} computes embeddings only", model.path);
    }
    weights = &subject.bundle->weights();
  }
  subject.format = weights->format;
  subject.step_bytes = StepBytes(*weights);
  RunnerOptions options;
  options.pool = subject.pool.get();
  const int most = *std::max_element(a.batch.begin(), a.batch.end());
  options.max_batched_tokens = std::max(settings.max_num_batched_tokens, most);
  options.max_logits_rows = std::max(most, 2);  // two requests beside each other
  int image = 0;
  if (weights->config.media) {
    EG_ASSIGN_OR_RETURN(image, ImageRows(*weights->config.media));
    image += kQuestion;
  }
  const int longest = std::max(a.prompt, image);
  const int64_t tokens = std::max<int64_t>({longest + BesideTokens(longest) + 64,
                                            a.context.empty() ? 0 : a.context.back() + 16,
                                            int64_t{most} * (a.gen + 48)});
  EG_ASSIGN_OR_RETURN(options.kv_cache_type, ParseKvType(settings.kv_cache_type));
  options.kv_cache_bytes =
      tokens * DecoderRunner::KvBytesPerToken(weights->config, options.kv_cache_type);
  EG_ASSIGN_OR_RETURN(subject.runner, DecoderRunner::Make(*weights, options));
  return subject;
}

Result<json> Measure(const Settings& settings, const BenchArguments& a) {
  const auto start = Clock::now();
  EG_ASSIGN_OR_RETURN(Subject subject, MakeSubject(settings, a));
  json report = {{"load_s", SecondsSince(start)},
                 {"cpu", CpuName()},
                 {"isa", CurrentIsa().name},
                 {"threads", subject.pool->active()},
                 {"model", a.shape.empty() ? a.model : "random " + a.shape},
                 {"format", WeightFormatName(subject.format)},
                 {"kv_cache_type", settings.kv_cache_type},
                 {"kernels", subject.runner->kernels()},
                 {"prompt", a.prompt}};
  // The daemon moves its weights to huge pages while it answers its first requests.
  if (subject.bundle && settings.huge_pages) subject.bundle->MoveToHugePages([] { return false; });
  MachineSpeed before;
  if (!a.brief) before = MeasureMachine(subject.pool->active());
  EG_ASSIGN_OR_RETURN(const double prefill,
                      BenchPrefill(subject.runner.get(), a.prompt, a.brief ? 1 : kPrefills));
  report["prefill_tok_s"] = prefill;
  report["decode"] = json::array();
  for (int batch : a.batch) {
    EG_ASSIGN_OR_RETURN(const DecodeSpeed speed, BenchDecode(subject.runner.get(), batch, a.gen));
    report["decode"].push_back({{"batch", batch},
                                {"tok_s", speed.tok_s},
                                {"mean_tok_s", speed.mean_tok_s},
                                {"step_p99_s", speed.step_p99_s}});
  }
  if (!a.brief) {
    EG_ASSIGN_OR_RETURN(
        const ReadSpeed speed,
        BenchDecodeRead(subject.runner.get(), subject.pool.get(), subject.step_bytes, a.gen));
    report["decode_read"] = {{"gb_s", speed.gb_s}, {"share", speed.share}};
  }
  if (!a.context.empty()) {
    EG_ASSIGN_OR_RETURN(const std::vector<ContextSpeed> speeds,
                        BenchGrowth(subject.runner.get(), a.context, a.gen));
    for (const ContextSpeed& speed : speeds) {
      report["context"].push_back({{"context", speed.context},
                                   {"prefill_tok_s", speed.prefill_tok_s},
                                   {"decode_tok_s", speed.decode_tok_s}});
    }
  }
  if (subject.runner->limits().media) {
    EG_ASSIGN_OR_RETURN(report["image"], Image(subject.runner.get()));
  }
  if (!a.brief) {
    EG_ASSIGN_OR_RETURN(report["stream_beside"], Beside(std::move(subject.runner), a.prompt));
    // The speed of a shared machine changes. It is measured before and after, and the better value
    // is reported.
    const MachineSpeed after = MeasureMachine(subject.pool->active());
    report["machine"] = {{"read_gb_s", std::max(before.read_gb_s, after.read_gb_s)},
                         {"int8_gops", std::max(before.int8_gops, after.int8_gops)}};
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  report["peak_rss_mb"] = usage.ru_maxrss / 1024;
  return report;
}

bool IsSane(const BenchArguments& a) {
  int length = 0;
  for (const int next : a.context) {
    if (next <= length + a.gen) return false;
    length = next;
  }
  return a.prompt > 0 && a.gen > 0 && !a.batch.empty() &&
         std::all_of(a.batch.begin(), a.batch.end(), [](int b) { return b > 0 && b <= 1024; });
}

}  // namespace

int Bench(const Settings& settings, const BenchArguments& arguments) {
  auto fail = [](const std::string& message, int code) {
    std::fprintf(stderr, "edgegate: %s\n", message.c_str());
    return code;
  };
  if (arguments.model.empty() == arguments.shape.empty() || !IsSane(arguments)) {
    return fail(
        "bench needs --model or --shape, positive --prompt, --gen and --batch, and a --context "
        "that rises by more than --gen",
        kExitUsage);
  }
  const std::vector<std::string> shapes = RandomWeights::Shapes();
  if (arguments.model.empty() &&
      std::find(shapes.begin(), shapes.end(), arguments.shape) == shapes.end()) {
    return fail(fmt::format("no shape is called {}.{} Shapes: {}", arguments.shape,
                            DidYouMean(arguments.shape, shapes), fmt::join(shapes, ", ")),
                kExitUsage);
  }
  if (Status status = SetIsaCap(settings.isa); !status.ok()) {
    return fail(status.message(), kExitUsage);
  }
  const auto report = Measure(settings, arguments);
  if (!report.ok()) return fail(report.status().message(), kExitModel);
  if (arguments.json) {
    std::printf("%s\n", report->dump(2).c_str());
    return kExitOk;
  }
  const json& r = *report;
  std::printf("%s, %s, on %s, %d threads (%s)\n", r["model"].get<std::string>().c_str(),
              r["format"].get<std::string>().c_str(), r["cpu"].get<std::string>().c_str(),
              r["threads"].get<int>(), r["kernels"].get<std::string>().c_str());
  if (r.contains("machine")) {
    std::printf("machine     %8.1f GB/s read, %.0f INT8 GOPS\n",
                r["machine"]["read_gb_s"].get<double>(), r["machine"]["int8_gops"].get<double>());
  }
  std::printf("prefill %-4d%8.1f tok/s\n", arguments.prompt, r["prefill_tok_s"].get<double>());
  for (const json& d : r["decode"]) {
    std::printf("decode x%-3d%9.1f tok/s\n", d["batch"].get<int>(), d["tok_s"].get<double>());
  }
  if (r.contains("decode_read")) {
    std::printf("decode x1 reads %.1f GB/s, %.0f %% of the speed of the memory at that time\n",
                r["decode_read"]["gb_s"].get<double>(),
                100 * r["decode_read"]["share"].get<double>());
  }
  for (const json& c : r.value("context", json::array())) {
    std::printf("context %-5d%8.1f tok/s, prefilled at %.1f tok/s\n", c["context"].get<int>(),
                c["decode_tok_s"].get<double>(), c["prefill_tok_s"].get<double>());
  }
  if (r.contains("image")) {
    const json& image = r["image"];
    std::printf(
        "image       %8.2f s to encode (longest slice %.0f ms), %.2f s to the first token\n",
        image["encode_s"].get<double>(), image["longest_slice_s"].get<double>() * 1e3,
        image["first_token_s"].get<double>());
  }
  const json beside = r.value("stream_beside", json::object());
  for (const auto& [what, latency] : beside.items()) {
    std::printf(
        "inter-token latency of a stream %.0f ms; beside one %-6s %.0f ms, p99 %.0f ms, max %.0f "
        "ms\n",
        latency["baseline_itl_s"].get<double>() * 1e3, what.c_str(),
        latency["itl_median_s"].get<double>() * 1e3, latency["itl_p99_s"].get<double>() * 1e3,
        latency["itl_max_s"].get<double>() * 1e3);
  }
  std::printf("load %.2f s, peak memory %ld MB\n", r["load_s"].get<double>(),
              r["peak_rss_mb"].get<long>());
  return kExitOk;
}

}  // namespace edgegate
