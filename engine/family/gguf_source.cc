#include <algorithm>

#include "engine/family/decoder/gguf_config.h"
#include "engine/family/model_source.h"
#include "engine/family/registry.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/dequantize.h"
#include "engine/weights/file_mapping.h"
#include "engine/weights/gguf.h"

namespace edgegate {
namespace {

// Returns the content of rope_freqs.weight. Empty: the file has no such tensor.
Result<std::vector<float>> RopeFactors(const GgufFile& gguf, std::span<const uint8_t> bytes) {
  for (const TensorInfo& tensor : gguf.tensors) {
    if (tensor.name != "rope_freqs.weight") continue;
    if (tensor.type != TensorType::kF32 || tensor.shape.size() != 1 || tensor.shape[0] > 65536) {
      return DataLoss("tensor rope_freqs.weight is {} {}: must be a short F32 vector",
                      tensor.type_name, ShapeText(tensor.shape));
    }
    std::vector<float> factors(static_cast<size_t>(tensor.shape[0]));
    Dequantize(TensorType::kF32, bytes.data() + tensor.offset, tensor.shape[0], factors.data());
    return factors;
  }
  return std::vector<float>();
}

}  // namespace

// Adds the file of the media encoder. Its family is the first one that accepts the config.
Status ModelSource::AddMmproj(const std::string& path) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  EG_ASSIGN_OR_RETURN(const GgufFile gguf, ParseGguf(mapping.bytes()));
  EG_RETURN_IF_ERROR(mapping.CheckIntact());
  EG_ASSIGN_OR_RETURN(InputFile file, mapping.OpenFile());
  EG_RETURN_IF_ERROR(tensors_.AddFile(std::move(file), gguf.tensors));
  for (const MediaFamily* family : MediaFamilies()) {
    EG_ASSIGN_OR_RETURN(config_.media, family->FromGguf(gguf, tensors_));
    media_family_ = family;
    if (config_.media) return {};
  }
  const std::string architecture = gguf.String("general.architecture").value_or("");
  if (architecture != "clip") {
    return Unimplemented("no mmproj file: its architecture is \"{}\"", architecture);
  }
  return Unimplemented("clip.projector_type \"{}\" is not supported",
                       gguf.String("clip.projector_type")
                           .value_or(gguf.String("clip.vision.projector_type").value_or("")));
}

Result<std::unique_ptr<ModelSource>> ModelSource::OpenGguf(const std::string& path,
                                                           const std::string& mmproj) {
  auto source = std::make_unique<ModelSource>();
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  EG_ASSIGN_OR_RETURN(const GgufFile gguf, ParseGguf(mapping.bytes()));
  EG_ASSIGN_OR_RETURN(const std::vector<float> factors, RopeFactors(gguf, mapping.bytes()));
  EG_ASSIGN_OR_RETURN(source->config_, ConfigFromGguf(gguf, factors));
  EG_ASSIGN_OR_RETURN(const GgufVocab vocab, VocabFromGguf(gguf));
  EG_ASSIGN_OR_RETURN(source->assets_, AssetsFromGguf(vocab));
  EG_RETURN_IF_ERROR(mapping.CheckIntact());
  EG_ASSIGN_OR_RETURN(InputFile file, mapping.OpenFile());
  EG_RETURN_IF_ERROR(source->tensors_.AddFile(std::move(file), gguf.tensors));
  source->files_ = {path};
  if (!mmproj.empty()) {
    Status added = source->AddMmproj(mmproj);
    if (!added.ok()) return added.WithContext(mmproj);
    source->files_.push_back(mmproj);
  }
  EG_ASSIGN_OR_RETURN(const DecoderFamily* family,
                      FindGgufFamily(gguf.String("general.architecture").value_or("")));
  EG_RETURN_IF_ERROR(source->Bind(family->gguf->tensors, MediaFamily::FileKind::kGguf));
  return source;
}

}  // namespace edgegate
