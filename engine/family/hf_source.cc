#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/family/decoder/hf_config.h"
#include "engine/family/model_source.h"
#include "engine/family/registry.h"
#include "engine/weights/json.h"
#include "engine/weights/safetensors.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxTextFile = uint64_t{64} << 20;
constexpr const char* kTextFiles[] = {
    "config.json",           "generation_config.json", "tokenizer.json",    "tokenizer.model",
    "tokenizer_config.json", "chat_template.jinja",    "chat_template.json"};

Status AddSafetensors(const std::string& path, TensorFiles* tensors) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  auto parsed = ParseSafetensors(mapping.bytes());
  EG_RETURN_IF_ERROR(mapping.CheckIntact());
  if (!parsed.ok()) return parsed.status().WithContext(path);
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

Result<std::unique_ptr<ModelSource>> ModelSource::OpenHuggingFace(const std::string& directory) {
  auto source = std::make_unique<ModelSource>();
  const std::string config_path = directory + "/config.json";
  EG_ASSIGN_OR_RETURN(const std::string config_text, ReadSmallFile(config_path, kMaxTextFile));
  const auto json = Json::Parse(config_text);
  if (!json.ok()) return json.status().WithContext(config_path);
  auto config = ParseHfConfig(*json);
  if (!config.ok()) return config.status().WithContext(config_path);
  source->config_ = *std::move(config);
  const std::string generation_path = directory + "/generation_config.json";
  EG_ASSIGN_OR_RETURN(const std::string generation_text, OptionalText(generation_path));
  if (!generation_text.empty()) {
    auto parsed = ParseGenerationConfig(generation_text, &source->config_);
    if (!parsed.ok()) return parsed.status().WithContext(generation_path);
    source->defaults_ = *parsed;
  }
  AddDefaultEos(&source->config_);
  EG_ASSIGN_OR_RETURN(source->assets_, HfTokenizerAssets(directory));
  EG_ASSIGN_OR_RETURN(const std::vector<std::string> shards, ShardPaths(directory));
  for (const std::string& path : shards) {
    EG_RETURN_IF_ERROR(AddSafetensors(path, &source->tensors_));
  }
  Status media = source->ReadHfMedia(*json);
  if (!media.ok()) return media.WithContext(config_path);
  EG_ASSIGN_OR_RETURN(const DecoderFamily* family, FindHfFamily(source->config_.architecture));
  Status bound = source->Bind(family->hugging_face->tensors, MediaFamily::FileKind::kHuggingFace);
  if (!bound.ok()) return bound.WithContext(directory);
  EG_ASSIGN_OR_RETURN(source->files_, ListHuggingFace(directory));
  return source;
}

}  // namespace edgegate
