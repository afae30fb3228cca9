#include "engine/family/sentence_files.h"

#include "engine/weights/input_file.h"
#include "engine/weights/json.h"
#include "engine/weights/json_keys.h"

namespace edgegate {
namespace {

constexpr uint64_t kMaxFile = uint64_t{1} << 20;

// Returns the last part of a module's type: "Pooling" of "sentence_transformers.models.Pooling".
std::string KindOf(const Json& module) {
  const std::string type = module["type"].String().value_or("");
  const size_t dot = type.rfind('.');
  return dot == std::string::npos ? type : type.substr(dot + 1);
}

// Returns the path of a module's folder, relative to the model's. kDataLoss: it leaves that folder.
Result<std::string> FolderOf(const Json& module) {
  const std::string path = module["path"].String().value_or("");
  if (path.starts_with("/") || path.find("..") != std::string::npos) {
    return DataLoss("path {} leaves the model's folder", module["path"].Brief());
  }
  return path.empty() ? path : path + "/";
}

Result<Json> ReadJson(const std::string& path) {
  EG_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path, kMaxFile));
  auto json = Json::Parse(text);
  if (!json.ok()) return json.status().WithContext(path);
  return json;
}

Result<Pooling> ReadPooling(const std::string& path) {
  EG_ASSIGN_OR_RETURN(const Json json, ReadJson(path));
  std::optional<Pooling> pooling;
  const std::string mode = json["pooling_mode"].String().value_or("");
  const auto take = [&](const char* key, const char* short_name, Pooling value) {
    if (mode.empty() ? json[key].Bool().value_or(false) : mode == short_name) {
      if (pooling) return false;
      pooling = value;
    }
    return true;
  };
  const bool one = take("pooling_mode_mean_tokens", "mean", Pooling::kMean) &&
                   take("pooling_mode_cls_token", "cls", Pooling::kFirst) &&
                   take("pooling_mode_lasttoken", "lasttoken", Pooling::kLast);
  for (const std::string& key : json.Keys()) {
    const bool known = key == "pooling_mode_mean_tokens" || key == "pooling_mode_cls_token" ||
                       key == "pooling_mode_lasttoken" || key == "pooling_mode";
    if (key.starts_with("pooling_mode") && !known && json[key].Bool().value_or(false)) {
      return Unimplemented("{}: {} is not supported", path, key);
    }
  }
  if (!one || !pooling) {
    return Unimplemented("{}: exactly one of mean, cls and lasttoken is supported", path);
  }
  return *pooling;
}

// Returns max_seq_length. 0: no file has it.
Result<int> ReadMaxTokens(const std::string& directory) {
  const std::string path = directory + "/sentence_bert_config.json";
  if (!FileExists(path)) return 0;
  EG_ASSIGN_OR_RETURN(const Json json, ReadJson(path));
  JsonKeys keys(json);
  const int most = keys.Int("max_seq_length", 0);
  EG_RETURN_IF_ERROR(keys.status().WithContext(path));
  if (most < 0) return DataLoss("{}: max_seq_length is {}", path, most);
  return most;
}

// A prompt that is put before every text would have to be put there by the server.
Status RefuseDefaultPrompt(const std::string& directory) {
  const std::string path = directory + "/config_sentence_transformers.json";
  if (!FileExists(path)) return {};
  EG_ASSIGN_OR_RETURN(const Json json, ReadJson(path));
  if (json["default_prompt_name"].is_null()) return {};
  return Unimplemented("{}: default_prompt_name is not supported", path);
}

}  // namespace

Result<std::optional<EmbeddingConfig>> ReadSentenceFiles(const std::string& directory) {
  const std::string path = directory + "/modules.json";
  if (!FileExists(path)) return std::optional<EmbeddingConfig>();
  EG_ASSIGN_OR_RETURN(const Json modules, ReadJson(path));
  if (!modules.is_array()) return DataLoss("{}: must be an array", path);
  EmbeddingConfig config;
  config.normalize = false;
  bool pools = false;
  for (size_t i = 0; i < modules.size(); ++i) {
    const Json module = modules.At(i);
    const std::string kind = KindOf(module);
    auto folder = FolderOf(module);
    if (!folder.ok()) return folder.status().WithContext(path);
    if (kind == "Pooling") {
      EG_ASSIGN_OR_RETURN(config.pooling, ReadPooling(directory + "/" + *folder + "config.json"));
      pools = true;
    } else if (kind == "Normalize") {
      config.normalize = true;
    } else if (kind != "Transformer") {
      return Unimplemented("{}: module \"{}\" is not supported", path, kind);
    }
  }
  if (!pools) return Unimplemented("{}: a model without pooling is not supported", path);
  EG_ASSIGN_OR_RETURN(config.max_tokens, ReadMaxTokens(directory));
  EG_RETURN_IF_ERROR(RefuseDefaultPrompt(directory));
  return std::optional(config);
}

std::vector<std::string> ListSentenceFiles(const std::string& directory) {
  std::vector<std::string> names = {"modules.json"};
  if (FileExists(directory + "/modules.json")) {
    const auto modules = ReadJson(directory + "/modules.json");
    for (size_t i = 0; modules.ok() && modules->is_array() && i < modules->size(); ++i) {
      const auto folder = FolderOf(modules->At(i));
      if (KindOf(modules->At(i)) == "Pooling" && folder.ok()) {
        names.push_back(*folder + "config.json");
      }
    }
  }
  names.insert(names.end(), {"sentence_bert_config.json", "config_sentence_transformers.json"});
  std::vector<std::string> paths;
  for (const std::string& name : names) {
    if (FileExists(directory + "/" + name)) paths.push_back(directory + "/" + name);
  }
  return paths;
}

}  // namespace edgegate
