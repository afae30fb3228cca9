#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/family/decoder/hf_config.h"
#include "engine/family/model_source.h"
#include "engine/family/registry.h"
#include "engine/family/sentence_files.h"
#include "engine/weights/json.h"
#include "engine/weights/safetensors.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxTextFile = uint64_t{64} << 20;
constexpr const char* kTextFiles[] = {
    "config.json",           "generation_config.json", "tokenizer.json",    "tokenizer.model",
    "tokenizer_config.json", "chat_template.jinja",    "chat_template.json"};

// Embedding models are saved without the head of the decoder, so that their names lack the prefix
// "model.".
void AddPrefix(std::vector<TensorInfo>* tensors) {
  const auto is_bare = [](const TensorInfo& tensor) {
    return tensor.name == "embed_tokens.weight" || tensor.name == "norm.weight" ||
           tensor.name.starts_with("layers.");
  };
  for (TensorInfo& tensor : *tensors) {
    if (is_bare(tensor)) tensor.name = "model." + tensor.name;
  }
}

Status AddSafetensors(const std::string& path, TensorFiles* tensors) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  auto parsed = ParseSafetensors(mapping.bytes());
  EG_RETURN_IF_ERROR(mapping.CheckIntact());
  if (!parsed.ok()) return parsed.status().WithContext(path);
  AddPrefix(&*parsed);
  EG_ASSIGN_OR_RETURN(InputFile file, mapping.OpenFile());
  return tensors->AddFile(std::move(file), *parsed);
}

// Returns the shards that the index names. If there is no index, returns model.safetensors; if that
// is missing too, every .safetensors file. Some directories hold the same weights a second time, as
// consolidated.safetensors.
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

// Returns the file's text. Empty: there is no such file.
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

}  // namespace

Result<std::vector<std::string>> ModelSource::ListHuggingFace(const std::string& directory) {
  EG_ASSIGN_OR_RETURN(std::vector<std::string> paths, ShardPaths(directory));
  for (const char* name : kTextFiles) {
    if (FileExists(directory + "/" + name)) paths.push_back(directory + "/" + name);
  }
  for (const std::string& path : ListSentenceFiles(directory)) paths.push_back(path);
  return paths;
}

// The media family is the first one that accepts the config.
Status ModelSource::ReadHfMedia(const Json& config) {
  for (const MediaFamily* family : MediaFamilies()) {
    EG_ASSIGN_OR_RETURN(config_.media, family->FromHuggingFace(config, tensors_));
    media_family_ = family;
    if (config_.media) return {};
  }
  if (config["vision_config"].is_null()) return {};
  return Unimplemented("a vision_config is not supported for {}", config_.architecture);
}

// Reads the config of a text encoder, or else of a decoder.
Status ModelSource::ReadHfConfig(const std::string& directory, const Json& json) {
  const std::string config_path = directory + "/config.json";
  EG_ASSIGN_OR_RETURN(const auto embedding, ReadSentenceFiles(directory));
  for (const TextEncoderFamily* family : TextEncoderFamilies()) {
    auto parsed = family->FromHuggingFace(json, embedding.value_or(EmbeddingConfig()));
    if (!parsed.ok()) return parsed.status().WithContext(config_path);
    if (*parsed == nullptr) continue;
    text_encoder_family_ = family;
    text_encoder_config_ = *std::move(parsed);
    return {};
  }
  auto config = ParseHfConfig(json);
  if (!config.ok()) return config.status().WithContext(config_path);
  config_ = *std::move(config);
  if (embedding && embedding->pooling != Pooling::kLast) {
    return Unimplemented("{}: a decoder with another pooling than lasttoken is not supported",
                         directory);
  }
  config_.embedding = embedding;
  const std::string generation_path = directory + "/generation_config.json";
  EG_ASSIGN_OR_RETURN(const std::string generation_text, OptionalText(generation_path));
  if (!generation_text.empty()) {
    auto parsed = ParseGenerationConfig(generation_text, &config_);
    if (!parsed.ok()) return parsed.status().WithContext(generation_path);
    defaults_ = *parsed;
  }
  AddDefaultEos(&config_);
  return {};
}

// Binds the tensors of the text encoder, or else of the decoder and its media.
Status ModelSource::BindHf(const std::string& directory, const Json& json) {
  if (text_encoder_config_) {
    auto bound = text_encoder_family_->Bind(text_encoder_config_, &tensors_);
    if (!bound.ok()) return bound.status().WithContext(directory);
    text_encoder_ = *std::move(bound);
    return {};
  }
  Status media = ReadHfMedia(json);
  if (!media.ok()) return media.WithContext(directory + "/config.json");
  EG_ASSIGN_OR_RETURN(const DecoderFamily* family, FindHfFamily(config_.architecture));
  // Embedding models are often saved without the output matrix, which has no effect on them.
  if (config_.embedding && !tensors_.Has(family->hugging_face->tensors.lm_head)) {
    config_.tied_lm_head = true;
  }
  Status bound = Bind(family->hugging_face->tensors, MediaFamily::FileKind::kHuggingFace);
  return bound.ok() ? bound : bound.WithContext(directory);
}

Result<std::unique_ptr<ModelSource>> ModelSource::OpenHuggingFace(const std::string& directory) {
  auto source = std::make_unique<ModelSource>();
  const std::string config_path = directory + "/config.json";
  EG_ASSIGN_OR_RETURN(const std::string config_text, ReadSmallFile(config_path, kMaxTextFile));
  const auto json = Json::Parse(config_text);
  if (!json.ok()) return json.status().WithContext(config_path);
  EG_RETURN_IF_ERROR(source->ReadHfConfig(directory, *json));
  EG_ASSIGN_OR_RETURN(source->assets_, HfTokenizerAssets(directory));
  EG_ASSIGN_OR_RETURN(const std::vector<std::string> shards, ShardPaths(directory));
  for (const std::string& path : shards) {
    EG_RETURN_IF_ERROR(AddSafetensors(path, &source->tensors_));
  }
  EG_RETURN_IF_ERROR(source->BindHf(directory, *json));
  EG_ASSIGN_OR_RETURN(source->files_, ListHuggingFace(directory));
  return source;
}

}  // namespace edgegate
