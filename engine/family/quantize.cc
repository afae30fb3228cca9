#include "engine/family/quantize.h"

#include <algorithm>
#include <filesystem>

#include "engine/base/sha256.h"
#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_work.h"
#include "engine/family/decoder/float_layer.h"
#include "engine/family/decoder/layer_quantizer.h"
#include "engine/family/decoder/vocabulary.h"
#include "engine/quantize/calibration_text.h"
#include "engine/quantize/source_hash.h"
#include "engine/quantize/work_progress.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/input_file.h"
#include "engine/weights/part_file.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;

std::string TextOf(const QuantizeOptions& options) {
  return options.calibration_text.empty() ? std::string(CalibrationText())
                                          : options.calibration_text;
}

// The inputs of the layers during calibration.
struct Calibration {
  std::vector<float> hidden;  // [tokens][hidden_size]
  int sequence = 0;           // maximum number of tokens of a sequence
  int sequences = 0;          // maximum number of sequences
};

Result<Calibration> BeginCalibration(const ModelSource& source, const QuantizeOptions& options) {
  const std::string text = TextOf(options);
  EG_ASSIGN_OR_RETURN(auto tokenizer, Tokenizer::Make(source.tokenizer_assets()));
  EG_ASSIGN_OR_RETURN(auto tokens, tokenizer->Encode(text, Tokenizer::Specials::kPlain, true));
  std::erase_if(tokens, [&](int32_t t) { return t < 0 || t >= source.config().vocab_size; });
  Calibration calibration;
  calibration.sequence =
      std::min(options.max_calibration_tokens, source.config().max_position_embeddings);
  calibration.sequences = QuantizerOf(options.format).sequences;
  const auto most = size_t{1} * calibration.sequence * calibration.sequences;
  if (tokens.size() > most) tokens.resize(most);
  if (tokens.empty()) return DataLoss("the tokenizer gives no token that the model has");
  EG_ASSIGN_OR_RETURN(calibration.hidden, EmbedFloat(source, tokens));
  return calibration;
}

// Inserts the rows of a media item before the calibration text. Lengthens the sequences by them, up
// to the context length.
void PrependRows(const std::vector<float>& rows, const ModelConfig& c, Calibration* calibration) {
  calibration->sequence =
      std::min(calibration->sequence + static_cast<int>(rows.size()) / c.hidden_size,
               c.max_position_embeddings);
  std::vector<float>& hidden = calibration->hidden;
  hidden.insert(hidden.begin(), rows.begin(), rows.end());
  const auto most = size_t{1} * calibration->sequence * calibration->sequences * c.hidden_size;
  if (hidden.size() > most) hidden.resize(most);
}

BundleInfo DescribeSource(const ModelSource& source, const QuantizeOptions& options) {
  BundleInfo info;
  info.config = source.config();
  info.generation = source.generation_defaults();
  info.tokenizer_kind = source.tokenizer_assets().kind;
  info.embedding_type = source.decoder().embedding_type();
  info.format = options.format;
  Sha256 calibration;
  const std::string text = TextOf(options);
  calibration.Update(text.data(), text.size());
  info.calibration_sha256 = calibration.Finish();
  return info;
}

void WriteTokenizer(const TokenizerAssets& assets, BundleWriter* writer) {
  writer->Write("tokenizer.model", assets.model.data(), assets.model.size());
  writer->Write("tokenizer.config", assets.tokenizer_config.data(), assets.tokenizer_config.size());
  writer->Write("tokenizer.template", assets.chat_template.data(), assets.chat_template.size());
}

Status WriteLayers(const ModelSource& source, const QuantizeOptions& options, double work,
                   Calibration* calibration, WorkProgress* progress, BundleWriter* writer) {
  const ModelConfig& c = source.config();
  const WeightFormatInfo& format = InfoOf(options.format);
  MakeLinearPacker* const packer =
      c.hidden_size <= options.narrow_width ? format.narrow_packer : format.packer;
  const LayerQuantizer& quantizer = QuantizerOf(options.format);
  FloatLayer weights;
  for (int layer = 0; layer < c.num_layers; ++layer) {
    EG_RETURN_IF_ERROR(writer->status());
    EG_RETURN_IF_ERROR(ReadFloatLayer(source, layer, &weights));
    const LayerInputs inputs =
        RunFloatLayer(c, weights, &calibration->hidden, calibration->sequence);
    EG_RETURN_IF_ERROR(quantizer.write({source, layer, inputs, packer}, &weights, writer));
    writer->StartWriteback();
    EG_RETURN_IF_ERROR(progress->Add(work));
  }
  return {};
}

// Returns the number of tokens that the decoder is calibrated with.
int TokensOf(const ModelSource& source, const Calibration& calibration) {
  const int rows = source.media() ? source.media()->calibration_rows() : 0;
  return static_cast<int>(calibration.hidden.size()) / source.config().hidden_size + rows;
}

Status WriteBundle(const ModelSource& source, const PartFile& part, const QuantizeOptions& options,
                   WorkProgress* progress, const WorkSizes& work, Calibration calibration) {
  const ModelConfig& c = source.config();
  SourceHasher hasher(source.files());
  BundleWriter writer(part.fd(), part.path());
  EG_RETURN_IF_ERROR(progress->Show("quantizing"));
  EG_RETURN_IF_ERROR(WriteEmbedding(source, &writer));
  EG_RETURN_IF_ERROR(progress->Add(work.embedding));
  if (source.media()) {
    const auto next = [&](double done) { return progress->Add(done); };
    EG_ASSIGN_OR_RETURN(
        const std::vector<float> rows,
        source.media()->Quantize(source.tensors(), options.narrow_width, &writer, next));
    PrependRows(rows, c, &calibration);
  }
  EG_RETURN_IF_ERROR(WriteLayers(source, options, work.layer, &calibration, progress, &writer));
  const bool narrow = c.hidden_size <= options.narrow_width;
  EG_RETURN_IF_ERROR(WriteHead(source, calibration.hidden, options.head_format, narrow, &writer));
  EG_RETURN_IF_ERROR(progress->Add(work.head));
  WriteTokenizer(source.tokenizer_assets(), &writer);
  BundleInfo info = DescribeSource(source, options);
  EG_ASSIGN_OR_RETURN(info.source_files, hasher.Wait([&] { return progress->Show("reading"); }));
  EG_RETURN_IF_ERROR(progress->Show("writing"));
  return writer.Finish(info);
}

BundleInfo DescribeEncoder(const ModelSource& source) {
  BundleInfo info;
  info.tokenizer_kind = source.tokenizer_assets().kind;
  info.encoder_text = source.text_encoder()->config().ToJson();
  return info;
}

Status WriteTextEncoder(const ModelSource& source, const PartFile& part, WorkProgress* progress) {
  const TextEncoderSource& encoder = *source.text_encoder();
  progress->SetTotal(encoder.Work());
  SourceHasher hasher(source.files());
  BundleWriter writer(part.fd(), part.path());
  EG_RETURN_IF_ERROR(progress->Show("quantizing"));
  const auto next = [&](double done) { return progress->Add(done); };
  EG_RETURN_IF_ERROR(encoder.Quantize(source.tensors(), &writer, next));
  WriteTokenizer(source.tokenizer_assets(), &writer);
  BundleInfo info = DescribeEncoder(source);
  EG_ASSIGN_OR_RETURN(info.source_files, hasher.Wait([&] { return progress->Show("reading"); }));
  EG_RETURN_IF_ERROR(progress->Show("writing"));
  return writer.Finish(info);
}

Status WriteDecoder(const ModelSource& source, const PartFile& part, const QuantizeOptions& options,
                    WorkProgress* progress) {
  EG_ASSIGN_OR_RETURN(Calibration calibration, BeginCalibration(source, options));
  const ModelConfig& c = source.config();
  const WorkSizes work =
      EstimateWork(c, options.format, options.head_format, TokensOf(source, calibration));
  const double media = source.media() ? source.media()->Work() : 0;
  progress->SetTotal(work.embedding + media + c.num_layers * work.layer + work.head);
  return WriteBundle(source, part, options, progress, work, std::move(calibration));
}

// The size and modification time of a file.
using Stamp = std::pair<uintmax_t, int64_t>;

Result<std::vector<Stamp>> StampsOf(const std::vector<std::string>& files) {
  std::vector<Stamp> stamps;
  for (const std::string& path : files) {
    std::error_code error;
    const auto size = fs::file_size(path, error);
    const auto time = fs::last_write_time(path, error).time_since_epoch().count();
    if (error) return NotFound("{}: {}", path, error.message());
    stamps.emplace_back(size, time);
  }
  return stamps;
}

// Returns the path of the cached bundle. Its name depends on the names, sizes and times of the
// source files, and on the options.
Result<std::string> CachePath(const std::string& model_path, const std::string& mmproj,
                              const std::string& cache_dir, const QuantizeOptions& options) {
  EG_ASSIGN_OR_RETURN(const auto files, ModelSource::ListFiles(model_path, mmproj));
  std::string text =
      fmt::format("{} {} {} {} {} {}\n", kBundleVersion, WeightFormatName(options.format),
                  WeightFormatName(options.head_format), options.max_calibration_tokens,
                  options.narrow_width, TextOf(options));
  EG_ASSIGN_OR_RETURN(const auto stamps, StampsOf(files));
  for (size_t i = 0; i < files.size(); ++i) {
    text += fmt::format("{} {} {}\n", files[i], stamps[i].first, stamps[i].second);
  }
  Sha256 hash;
  hash.Update(text.data(), text.size());
  std::error_code error;
  std::string stem = fs::weakly_canonical(model_path, error).stem();
  if (stem.empty()) stem = "model";
  return fmt::format("{}/{}-{}.edgegate", cache_dir, stem, hash.Finish().substr(0, 16));
}

// True if a complete bundle is at this path.
bool IsCached(const std::string& path) { return FileExists(path) && Bundle::Open(path).ok(); }

}  // namespace

Status Quantize(const ModelSource& source, const std::string& destination,
                const QuantizeOptions& options) {
  PartFile::RemoveStale(destination);
  EG_ASSIGN_OR_RETURN(const auto before, StampsOf(source.files()));
  EG_ASSIGN_OR_RETURN(PartFile part, PartFile::Create(destination));
  WorkProgress progress(options.progress);
  EG_RETURN_IF_ERROR(source.text_encoder() ? WriteTextEncoder(source, part, &progress)
                                           : WriteDecoder(source, part, options, &progress));
  EG_ASSIGN_OR_RETURN(const auto after, StampsOf(source.files()));
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    return DataLoss("{}: the file was changed while it was being read", source.files()[i]);
  }
  EG_RETURN_IF_ERROR(part.Commit());
  progress.Done();
  return {};
}

Result<std::optional<std::string>> FindBundle(const std::string& model_path,
                                              const std::string& mmproj,
                                              const std::string& cache_dir,
                                              const QuantizeOptions& options) {
  if (IsBundle(model_path)) return std::optional(model_path);
  EG_ASSIGN_OR_RETURN(const std::string path, CachePath(model_path, mmproj, cache_dir, options));
  return IsCached(path) ? std::optional(path) : std::nullopt;
}

Result<std::string> EnsureBundle(const std::string& model_path, const std::string& mmproj,
                                 const std::string& cache_dir, const QuantizeOptions& options) {
  if (IsBundle(model_path)) return model_path;
  // The path is computed before the files are read. If they change later, the next start has
  // another path.
  EG_ASSIGN_OR_RETURN(const std::string path, CachePath(model_path, mmproj, cache_dir, options));
  if (IsCached(path)) return path;
  std::error_code error;
  fs::create_directories(cache_dir, error);
  if (error) return ResourceExhausted("cannot create the cache {}: {}", cache_dir, error.message());
  EG_ASSIGN_OR_RETURN(const auto source, ModelSource::Open(model_path, mmproj));
  EG_RETURN_IF_ERROR(Quantize(*source, path, options));
  return path;
}

}  // namespace edgegate
