// Compares the engine with float32 on a fixed text: mean KL divergence, top-1 agreement and
// perplexity. OTHER is a model file of another quantizer, whose weights are used in float32
// instead. usage: quality MODEL [TOKENS [int8|int4|OTHER [bf16|int8 [int8|int4]]]], the last two
// for the KV cache and for lm_head

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_runner.h"
#include "engine/family/decoder/float_layer.h"
#include "engine/family/quantize.h"
#include "engine/text/tokenizer.h"

namespace edgegate {
namespace {

// Returns the log-softmax of a row.
std::vector<double> LogSoftmax(const float* row, int size) {
  double largest = row[0], total = 0;
  for (int i = 0; i < size; ++i) largest = std::max(largest, double{row[i]});
  for (int i = 0; i < size; ++i) total += std::exp(row[i] - largest);
  std::vector<double> out(static_cast<size_t>(size));
  for (int i = 0; i < size; ++i) out[i] = row[i] - largest - std::log(total);
  return out;
}

int Argmax(const std::vector<double>& row) {
  return static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
}

Result<std::vector<float>> EngineLogits(const Bundle& bundle, KvType kv_cache_type,
                                        const std::vector<int32_t>& tokens) {
  ThreadPool pool(2);
  RunnerOptions options;
  options.kv_cache_type = kv_cache_type;
  options.pool = &pool;
  options.max_batched_tokens = options.max_logits_rows = 64;
  EG_ASSIGN_OR_RETURN(auto runner, DecoderRunner::Make(bundle.weights(), options));
  const int vocab = runner->limits().vocab_size;
  std::vector<int32_t> table;
  for (size_t i = 0; i <= tokens.size() / 16; ++i) table.push_back(static_cast<int32_t>(i));
  std::vector<float> all;
  for (int done = 0; done < static_cast<int>(tokens.size());) {
    const int count = std::min(64, static_cast<int>(tokens.size()) - done);
    ForwardBatch batch;
    batch.tokens.assign(tokens.begin() + done, tokens.begin() + done + count);
    batch.spans.push_back({0, count, done, table});
    for (int i = 0; i < count; ++i) batch.logits_rows.push_back(i);
    EG_ASSIGN_OR_RETURN(const ForwardOutput output, runner->Forward(batch));
    all.insert(all.end(), output.logits, output.logits + int64_t{count} * vocab);
    done += count;
  }
  return all;
}

// Returns the logits of the model at `path`. `what`: the weight format, or another file whose
// weights are used.
Result<std::vector<float>> LogitsOf(const std::string& path, const std::string& what,
                                    const std::string& kv_cache_type,
                                    const std::string& head_format,
                                    const std::vector<int32_t>& tokens) {
  EG_ASSIGN_OR_RETURN(const KvType kv, ParseKvType(kv_cache_type));
  if (std::filesystem::exists(what)) {
    EG_ASSIGN_OR_RETURN(const auto other, ModelSource::Open(what));
    return FloatLogits(*other, tokens);
  }
  QuantizeOptions options;
  EG_ASSIGN_OR_RETURN(options.format, ParseWeightFormat(what));
  EG_ASSIGN_OR_RETURN(options.head_format, ParseWeightFormat(head_format));
  const std::string cache = std::filesystem::temp_directory_path() / "edgegate-quality";
  EG_ASSIGN_OR_RETURN(const std::string bundle_path, EnsureBundle(path, "", cache, options));
  EG_ASSIGN_OR_RETURN(const auto bundle, Bundle::Open(bundle_path));
  return EngineLogits(*bundle, kv, tokens);
}

Status Compare(const std::string& path, const std::string& text, int most, const std::string& what,
               const std::string& kv_cache_type, const std::string& head_format) {
  EG_ASSIGN_OR_RETURN(auto source, ModelSource::Open(path));
  EG_ASSIGN_OR_RETURN(auto tokenizer, Tokenizer::Make(source->tokenizer_assets()));
  EG_ASSIGN_OR_RETURN(auto tokens, tokenizer->Encode(text, Tokenizer::Specials::kPlain, true));
  if (static_cast<int>(tokens.size()) > most) tokens.resize(static_cast<size_t>(most));
  EG_ASSIGN_OR_RETURN(const auto exact, FloatLogits(*source, tokens));
  EG_ASSIGN_OR_RETURN(const auto ours, LogitsOf(path, what, kv_cache_type, head_format, tokens));
  const int vocab = source->config().vocab_size;
  double kl = 0, same = 0, loss = 0, our_loss = 0;
  const size_t count = tokens.size() - 1;
  for (size_t t = 0; t < count; ++t) {
    const auto p = LogSoftmax(exact.data() + t * vocab, vocab);
    const auto q = LogSoftmax(ours.data() + t * vocab, vocab);
    for (int i = 0; i < vocab; ++i) kl += std::exp(p[i]) * (p[i] - q[i]);
    same += Argmax(p) == Argmax(q);
    loss -= p[tokens[t + 1]];
    our_loss -= q[tokens[t + 1]];
  }
  const double n = static_cast<double>(count);
  std::printf(
      "%zu tokens: mean KL %.4f, top-1 agreement %.1f %%, perplexity %.3f -> %.3f (%+.2f %%)\n",
      count, kl / n, 100 * same / n, std::exp(loss / n), std::exp(our_loss / n),
      100 * (std::exp((our_loss - loss) / n) - 1));
  return {};
}

}  // namespace
}  // namespace edgegate

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: quality MODEL [TOKENS [int8|int4|OTHER [bf16|int8 [int8|int4]]]]\n");
    return 2;
  }
  std::stringstream text;
  text << std::ifstream(EDGEGATE_SOURCE_DIR "/tests/bench/quality.txt").rdbuf();
  const auto status = edgegate::Compare(argv[1], text.str(), argc > 2 ? std::atoi(argv[2]) : 700,
                                        argc > 3 ? argv[3] : "int8", argc > 4 ? argv[4] : "bf16",
                                        argc > 5 ? argv[5] : "int8");
  if (!status.ok()) std::fprintf(stderr, "quality: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
