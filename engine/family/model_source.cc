#include "engine/family/model_source.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/family/decoder/gguf_config.h"
#include "engine/family/decoder/hf_config.h"
#include "engine/family/source_builder.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/dequantize.h"
#include "engine/weights/file_mapping.h"
#include "engine/weights/gguf.h"
#include "engine/weights/json.h"
#include "engine/weights/safetensors.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxTextFile = uint64_t{64} << 20;
constexpr const char* kTextFiles[] = {
    "config.json",           "generation_config.json", "tokenizer.json",    "tokenizer.model",
    "tokenizer_config.json", "chat_template.jinja",    "chat_template.json"};

Status AddSafetensors(const std::string& path, SourceBuilder* builder) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  auto tensors = ParseSafetensors(mapping.bytes());
  EG_RETURN_IF_ERROR(mapping.CheckIntact());
  if (!tensors.ok()) return tensors.status().WithContext(path);
  EG_ASSIGN_OR_RETURN(InputFile file, mapping.OpenFile());
  return builder->AddFile(std::move(file), *tensors);
}

// The shards that the index names; else model.safetensors; else every .safetensors file there is.
// Some directories hold the same weights a second time, as consolidated.safetensors.
Result<std::vector<std::string>> ShardPaths(const std::string& directory) {
  std::set<std::string> names;
  const std::string index_path = directory + "/model.safetensors.index.json";
  if (FileExists(index_path)) {
    EG_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(index_path, kMaxTextFile));
    auto index = Json::Parse(text);
    if (!index.ok()) return index.status().WithContext(index_path);
    const Json map = (*index)["weight_map"];
    if (!map.is_object()) return DataLoss("{}: weight_map is missing", index_path);
    for (const std::string& key : map.Keys()) {
      const auto name = map[key].String();
      if (!name || name->empty() || name->find('/') != std::string::npos || *name == "..") {
        return DataLoss("{}: weight_map[\"{}\"] is no file name", index_path, key);
      }
      names.insert(*name);
    }
  } else if (FileExists(directory + "/model.safetensors")) {
    names.insert("model.safetensors");
  } else {
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".safetensors") names.insert(entry->path().filename());
    }
    if (error) return InvalidArgument("{}: {}", directory, error.message());
  }
  if (names.empty()) return NotFound("{}: no .safetensors file", directory);
  std::vector<std::string> paths;
  for (const std::string& name : names) paths.push_back(directory + "/" + name);
  return paths;
}

Result<std::vector<std::string>> ListHuggingFace(const std::string& directory) {
  EG_ASSIGN_OR_RETURN(std::vector<std::string> paths, ShardPaths(directory));
  for (const char* name : kTextFiles) {
    if (FileExists(directory + "/" + name)) paths.push_back(directory + "/" + name);
  }
  return paths;
}

// The file's text, or nothing where there is none.
Result<std::string> OptionalText(const std::string& path) {
  if (!FileExists(path)) return std::string();
  return ReadSmallFile(path, kMaxTextFile);
}

Result<TokenizerAssets> HfTokenizerAssets(const std::string& directory) {
  TokenizerAssets assets;
  EG_ASSIGN_OR_RETURN(assets.model, OptionalText(directory + "/tokenizer.json"));
  if (assets.model.empty()) {
    assets.kind = TokenizerAssets::Kind::kSentencePiece;
    EG_ASSIGN_OR_RETURN(assets.model, OptionalText(directory + "/tokenizer.model"));
  }
  if (assets.model.empty()) {
    return NotFound("{}: neither tokenizer.json nor tokenizer.model is there", directory);
  }
  EG_ASSIGN_OR_RETURN(assets.tokenizer_config, OptionalText(directory + "/tokenizer_config.json"));
  EG_ASSIGN_OR_RETURN(assets.chat_template, OptionalText(directory + "/chat_template.jinja"));
  if (assets.chat_template.empty()) {
    const std::string path = directory + "/chat_template.json";
    EG_ASSIGN_OR_RETURN(const std::string text, OptionalText(path));
    if (!text.empty()) {
      auto json = Json::Parse(text);
      if (!json.ok()) return json.status().WithContext(path);
      assets.chat_template = (*json)["chat_template"].String().value_or("");
    }
  }
  return assets;
}

// The width of the adapter's gated layer, which no config tells; 0: the tensor is not there.
int AdapterSize(const SourceBuilder& builder, const char* tensor) {
  return static_cast<int>(std::min<int64_t>(builder.RowsOf(tensor), 1 << 17));
}

Result<std::unique_ptr<ModelSource>> OpenHuggingFace(const std::string& directory) {
  const std::string config_path = directory + "/config.json";
  EG_ASSIGN_OR_RETURN(const std::string config_text, ReadSmallFile(config_path, kMaxTextFile));
  auto config = ParseHfConfig(config_text);
  if (!config.ok()) return config.status().WithContext(config_path);
  const std::string generation_path = directory + "/generation_config.json";
  EG_ASSIGN_OR_RETURN(const std::string generation_text, OptionalText(generation_path));
  GenerationDefaults defaults;
  if (!generation_text.empty()) {
    auto parsed = ParseGenerationConfig(generation_text, &*config);
    if (!parsed.ok()) return parsed.status().WithContext(generation_path);
    defaults = *parsed;
  }
  AddDefaultEos(&*config);
  EG_ASSIGN_OR_RETURN(TokenizerAssets assets, HfTokenizerAssets(directory));
  EG_ASSIGN_OR_RETURN(const std::vector<std::string> shards, ShardPaths(directory));
  SourceBuilder builder;
  for (const std::string& path : shards) EG_RETURN_IF_ERROR(AddSafetensors(path, &builder));
  if (config->vision) {
    config->vision->adapter_size =
        AdapterSize(builder, "model.vision.adapter.linear_proj.dense_h_to_4h.weight");
    Status valid = ValidateModelConfig(*config);
    if (!valid.ok()) return valid.WithContext(directory);
  }
  Status bound = builder.Bind(*config, HfTensorNames(*config));
  if (!bound.ok()) return bound.WithContext(directory);
  EG_ASSIGN_OR_RETURN(std::vector<std::string> paths, ListHuggingFace(directory));
  return builder.Build(*config, std::move(assets), defaults, std::move(paths));
}

// The content of rope_freqs.weight, or empty where the file has none.
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

// Adds the file of the vision part.
Status AddMmproj(const std::string& path, ModelConfig* config, SourceBuilder* builder) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  EG_ASSIGN_OR_RETURN(const GgufFile gguf, ParseGguf(mapping.bytes()));
  EG_ASSIGN_OR_RETURN(VisionConfig vision, VisionFromGguf(gguf));
  EG_RETURN_IF_ERROR(mapping.CheckIntact());
  EG_ASSIGN_OR_RETURN(InputFile file, mapping.OpenFile());
  EG_RETURN_IF_ERROR(builder->AddFile(std::move(file), gguf.tensors));
  vision.adapter_size = AdapterSize(*builder, "adapter.linear.dense_h_to_4h.weight");
  config->vision = vision;
  return ValidateModelConfig(*config);
}

Result<std::unique_ptr<ModelSource>> BuildGguf(const std::string& path, const std::string& mmproj) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  EG_ASSIGN_OR_RETURN(const GgufFile gguf, ParseGguf(mapping.bytes()));
  EG_ASSIGN_OR_RETURN(const std::vector<float> factors, RopeFactors(gguf, mapping.bytes()));
  EG_ASSIGN_OR_RETURN(ModelConfig config, ConfigFromGguf(gguf, factors));
  EG_ASSIGN_OR_RETURN(const GgufVocab vocab, VocabFromGguf(gguf));
  EG_ASSIGN_OR_RETURN(TokenizerAssets assets, AssetsFromGguf(vocab));
  EG_RETURN_IF_ERROR(mapping.CheckIntact());
  EG_ASSIGN_OR_RETURN(InputFile file, mapping.OpenFile());
  SourceBuilder builder;
  EG_RETURN_IF_ERROR(builder.AddFile(std::move(file), gguf.tensors));
  std::vector<std::string> paths = {path};
  if (!mmproj.empty()) {
    Status added = AddMmproj(mmproj, &config, &builder);
    if (!added.ok()) return added.WithContext(mmproj);
    paths.push_back(mmproj);
  }
  EG_RETURN_IF_ERROR(
      builder.Bind(config, GgufTensorNames(config), SourceBuilder::VisionKind::kGguf));
  return builder.Build(config, std::move(assets), {}, std::move(paths));
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  return fs::absolute(path, error);
}

// Which of the two kinds the model is.
Result<bool> IsDirectory(const std::string& path, const std::string& mmproj) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (FileExists(path)) return false;
    return NotFound("{}: no such model file or directory", path);
  }
  if (!mmproj.empty()) return InvalidArgument("{}: a directory takes no mmproj file", path);
  return true;
}

}  // namespace

Result<std::vector<std::string>> ModelSource::ListFiles(const std::string& path,
                                                        const std::string& mmproj) {
  EG_ASSIGN_OR_RETURN(const bool directory, IsDirectory(path, mmproj));
  if (directory) return ListHuggingFace(Absolute(path));
  std::vector<std::string> paths = {Absolute(path)};
  if (!mmproj.empty()) paths.push_back(Absolute(mmproj));
  return paths;
}

Result<std::unique_ptr<ModelSource>> ModelSource::Open(const std::string& path,
                                                       const std::string& mmproj) {
  EG_ASSIGN_OR_RETURN(const bool directory, IsDirectory(path, mmproj));
  if (directory) return OpenHuggingFace(Absolute(path));
  auto source = BuildGguf(Absolute(path), mmproj.empty() ? "" : Absolute(mmproj));
  if (!source.ok()) return source.status().WithContext(path);
  return source;
}

}  // namespace edgegate
