#include "server/catalog/model_loader.h"

#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <new>
#include <thread>

#include "engine/base/cpu_features.h"
#include "engine/base/sha256.h"
#include "engine/base/version.h"
#include "engine/family/decoder/decoder_text_encoder.h"
#include "engine/model/parameter_count.h"
#include "engine/ops/attention/kv_cache.h"
#include "server/catalog/draft_loader.h"
#include "server/catalog/progress.h"

namespace edgegate {
namespace {

constexpr int kQuantizePriority = 10;  // as of nice(1)

// Waits for `time`, or until the thread is asked to stop.
void WaitOrStop(const std::stop_token& stopped, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_for(lock, stopped, time, [] { return false; });
}

// Moves weights to huge pages while the processors are idle. If they are never idle, moves one page
// per second. A page may take some milliseconds, and may delay a thread that computes a chunk of a
// loop.
void MoveWhileIdle(const std::vector<Bundle*>& bundles, const std::stop_token& stopped) {
  constexpr std::chrono::milliseconds kInterval{1}, kLate{3}, kPause{1000};
  const sched_param none = {};
  ::sched_setscheduler(0, SCHED_IDLE, &none);
  const auto stop = [&] {
    const auto started = std::chrono::steady_clock::now();
    WaitOrStop(stopped, kInterval);
    // This thread has the lowest priority. If it wakes late, other threads want the processor.
    if (std::chrono::steady_clock::now() - started > kLate) WaitOrStop(stopped, kPause);
    return stopped.stop_requested();
  };
  for (Bundle* bundle : bundles) bundle->MoveToHugePages(stop);
}

namespace fs = std::filesystem;

void WarnOfContext(const std::string& path, const ModelConfig& config, int max_model_len) {
  const int own = config.max_position_embeddings;
  if (max_model_len > own) {
    spdlog::warn("{}: engine.max_model_len {} is more than the file's own {}", path, max_model_len,
                 own);
  } else if (max_model_len == 0 && config.architecture == "gguf:chatglm" &&
             own == config.hidden_size) {
    // Some versions of llama.cpp's converter wrote the hidden size here.
    spdlog::warn(
        "{}: context_length {} equals the hidden size, which may be the converter's slip; "
        "engine.max_model_len overrides it",
        path, own);
  }
}

// Returns the size of the KV cache: `engine.kv_cache_mb`, but at most what all sequences need at
// their longest.
int64_t KvCacheBytes(const ModelConfig& config, const Settings& settings, KvType type) {
  const int longest =
      settings.max_model_len > 0 ? settings.max_model_len : config.max_position_embeddings;
  const int64_t tokens = int64_t{settings.max_num_seqs} * (longest + kKvBlock);
  return std::min(int64_t{settings.kv_cache_mb} << 20,
                  tokens * DecoderRunner::KvBytesPerToken(config, type));
}

TextModelSource TextSource(const Bundle& bundle, const ModelSetting& model) {
  TextModelSource source;
  source.assets = &bundle.tokenizer_assets();
  if (const TextEncoderWeights* encoder = bundle.text_encoder()) {
    source.vocab_size = encoder->config().vocab_size();
    return source;
  }
  const ModelConfig& config = bundle.weights().config;
  source.vocab_size = config.vocab_size;
  source.eos_token_ids = config.eos_token_ids;
  source.call_format = model.tool_format;
  if (config.media) {
    source.image_token_id = config.media->token_id();
    source.takes_images = true;
  }
  return source;
}

JobLimits LimitsOfJobs(const Settings& settings) {
  JobLimits limits;
  limits.cpu = std::chrono::milliseconds(settings.job_cpu_ms);
  limits.wall = std::max(limits.wall, 2 * limits.cpu);
  limits.memory = int64_t{settings.job_memory_mb} << 20;
  return limits;
}

}  // namespace

std::string NameOf(const ModelSetting& model) {
  if (!model.name.empty()) return model.name;
  std::error_code error;
  const fs::path path = fs::weakly_canonical(model.path, error);
  return fs::is_directory(path, error) ? path.filename() : path.stem();
}

std::string OwnFolder(const char* systemd, const char* xdg, const char* below_home,
                      const char* without_home) {
  if (const char* folder = std::getenv(systemd)) return folder;
  if (const char* folder = std::getenv(xdg)) return std::string(folder) + "/edgegate";
  const char* home = std::getenv("HOME");
  return std::string(home ? home : without_home) + "/" + below_home + "/edgegate";
}

std::string CacheDirectory(const Settings& settings) {
  if (!settings.cache_dir.empty()) return settings.cache_dir;
  return OwnFolder("CACHE_DIRECTORY", "XDG_CACHE_HOME", ".cache", "/var/tmp");
}

Result<std::unique_ptr<Bundle>> OpenBundle(const ModelSetting& model, const Settings& settings,
                                           const std::function<bool()>& stop,
                                           SharedResources* resources) {
  QuantizeOptions options;
  EG_ASSIGN_OR_RETURN(options.format, ParseWeightFormat(settings.weight_format));
  EG_ASSIGN_OR_RETURN(options.head_format, ParseWeightFormat(settings.head_format));
  options.progress = ProgressPrinter("quantizing " + NameOf(model), stop);
  const std::string cache = CacheDirectory(settings);
  EG_ASSIGN_OR_RETURN(const auto found, FindBundle(model.path, model.mmproj, cache, options));
  if (found) return Bundle::Open(*found);
  Result<std::string> path = Internal("not quantized");
  {
    MutexLock one_at_a_time(resources->quantizing);
    std::thread([&] {
      // Other models may answer requests at the same time. The threads of the pool inherit the low
      // priority.
      setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kQuantizePriority);
      const auto pool = MakeThreadPool(settings);
      const ThreadPool::Use use(pool.get());
      path = EnsureBundle(model.path, model.mmproj, cache, options);
    }).join();
  }
  if (!path.ok()) return path.status();
  return Bundle::Open(*path);
}

namespace {

// Makes the runner of a decoder.
Result<std::unique_ptr<DecoderRunner>> MakeRunner(const ModelSetting& model,
                                                  const Settings& settings, bool embeds,
                                                  SharedResources* resources, LoadedModel* loaded) {
  const ModelConfig& config = loaded->bundle->weights().config;
  RunnerOptions options;
  options.pool = resources->pool.get();
  options.max_batched_tokens = settings.max_num_batched_tokens;
  // A row for each sequence, and for each draft token of a step.
  options.max_logits_rows =
      settings.max_num_seqs + (settings.speculation ? RunnerLimits{}.cheap_rows : 0);
  options.max_model_len = settings.max_model_len;
  EG_ASSIGN_OR_RETURN(options.kv_cache_type, ParseKvType(settings.kv_cache_type));
  options.kv_cache_bytes = KvCacheBytes(config, settings, options.kv_cache_type);
  if (embeds) options = DecoderTextEncoder::OptionsFor(options);
  EG_ASSIGN_OR_RETURN(auto runner, DecoderRunner::Make(loaded->bundle->weights(), options));
  WarnOfContext(model.path, config, options.max_model_len);
  loaded->memory.kv_cache += options.kv_cache_bytes;
  if (config.media) loaded->memory.kv_cache += int64_t{settings.image_cache_mb} << 20;
  loaded->kernels = runner->kernels();
  return runner;
}

void SetFacts(const ModelConfig& config, ModelFacts* facts) {
  // The parameters of a media encoder are not counted, so that the whole number is not known.
  if (!config.media) facts->parameters = CountParameters(config);
  facts->trained_context = config.max_position_embeddings;
  facts->width = config.hidden_size;
}

Status LoadGenerator(const ModelSetting& model, const Settings& settings,
                     const std::function<bool()>& stop, SharedResources* resources,
                     LoadedModel* loaded) {
  ServedModel& served = loaded->served;
  EG_ASSIGN_OR_RETURN(loaded->runner, MakeRunner(model, settings, false, resources, loaded));
  const ModelConfig& config = loaded->bundle->weights().config;
  for (int id = 0; id < config.vocab_size; ++id) {
    loaded->valid_tokens.push_back(served.text->vocabulary().IsValid(id));
  }
  served.limits = loaded->runner->limits();
  served.valid_tokens = ValidTokens(served.text->vocabulary(), served.limits.vocab_size);
  served.max_images = settings.max_images;
  served.defaults = loaded->bundle->generation_defaults();
  if (model.decision_temperature) {
    served.defaults.decision_temperature = model.decision_temperature;
  }
  served.eos_token_ids = config.eos_token_ids;
  SetFacts(config, &served.facts);
  served.facts.max_sequences = settings.max_num_seqs;
  if (!model.draft.empty() && settings.speculation) {
    return LoadDraft(model, settings, stop, resources, loaded);
  }
  return {};
}

// Makes the encoder of a model that computes embeddings.
Status LoadEncoder(const ModelSetting& model, const Settings& settings, SharedResources* resources,
                   LoadedModel* loaded) {
  if (!model.draft.empty()) {
    return InvalidArgument("{}: an embedding model takes no draft model", model.path);
  }
  if (const TextEncoderWeights* weights = loaded->bundle->text_encoder()) {
    TextEncoderOptions options;
    options.pool = resources->pool.get();
    options.max_batched_tokens = settings.max_num_batched_tokens;
    try {
      loaded->encoder = weights->MakeEncoder(options);
    } catch (const std::bad_alloc&) {
      return ResourceExhausted("{}: not enough memory for the buffers of its encoder", model.path);
    }
    loaded->kernels = weights->config().family();
  } else {
    const EmbeddingConfig marked{.pooling = Pooling::kLast};
    const EmbeddingConfig config = loaded->bundle->weights().config.embedding.value_or(marked);
    SetFacts(loaded->bundle->weights().config, &loaded->served.facts);
    EG_ASSIGN_OR_RETURN(auto runner, MakeRunner(model, settings, true, resources, loaded));
    loaded->encoder = std::make_unique<DecoderTextEncoder>(std::move(runner), config);
  }
  const TextEncoderLimits& limits = loaded->encoder->limits();
  ServedModel& served = loaded->served;
  served.embedding_width = limits.width;
  served.limits.vocab_size = limits.vocab_size;
  served.limits.max_model_len = limits.max_text_tokens;
  served.facts.width = limits.width;
  return {};
}

// True if the model computes embeddings and generates no text.
bool IsEncoder(const ModelSetting& model, const Bundle& bundle) {
  return bundle.text_encoder() != nullptr || model.embedding ||
         bundle.weights().config.embedding.has_value();
}

std::string Fingerprint(const LoadedModel& loaded) {
  Sha256 hash;
  // The manifest has the hashes of the source files and the format of the weights.
  const std::string& manifest = loaded.bundle->manifest_json();
  const std::string rest =
      fmt::format("\n{}\n{}\n{}", loaded.kernels, CurrentIsa().name, Version());
  hash.Update(manifest.data(), manifest.size());
  hash.Update(rest.data(), rest.size());
  return "fp_" + hash.Finish().substr(0, 12);
}

void MoveInBackground(LoadedModel* loaded) {
  std::vector<Bundle*> bundles = {loaded->bundle.get()};
  if (loaded->draft_bundle) bundles.push_back(loaded->draft_bundle.get());
  for (const Bundle* bundle : bundles) {
    loaded->memory.weights += static_cast<int64_t>(bundle->weights_bytes());
  }
  loaded->mover =
      std::jthread([bundles](const std::stop_token& stopped) { MoveWhileIdle(bundles, stopped); });
}

}  // namespace

Result<LoadedModel> LoadModel(const ModelSetting& model, const Settings& settings,
                              const std::function<bool()>& stop, SharedResources* resources) {
  LoadedModel loaded;
  EG_ASSIGN_OR_RETURN(loaded.bundle, OpenBundle(model, settings, stop, resources));
  ServedModel& served = loaded.served;
  auto text = ModelText::Load(TextSource(*loaded.bundle, model), LimitsOfJobs(settings),
                              &resources->jobs, &resources->memory);
  if (!text.ok()) return text.status().WithContext(model.path);
  served.text = *std::move(text);
  served.name = NameOf(model);
  served.facts.weight_bytes = static_cast<int64_t>(loaded.bundle->weights_bytes());
  served.created = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  EG_RETURN_IF_ERROR(IsEncoder(model, *loaded.bundle)
                         ? LoadEncoder(model, settings, resources, &loaded)
                         : LoadGenerator(model, settings, stop, resources, &loaded));
  served.fingerprint = Fingerprint(loaded);
  if (settings.huge_pages) MoveInBackground(&loaded);
  return loaded;
}

}  // namespace edgegate
