// The members of tokenizer_config.json that chat templates need.
#pragma once

#include <string>

#include "engine/base/status.h"
#include "engine/text/tokenizer_assets.h"

namespace edgegate {

struct TemplateConfig {
  std::string source;  // the template; empty: there is none
  std::string bos_token, eos_token;
  std::string globals;  // JSON: the names of special tokens, such as bos_token, and their texts
};

// Reads the template and the special tokens of a model. kDataLoss: the file is not a JSON object.
// Thread-safe.
Result<TemplateConfig> ReadTemplateConfig(const TokenizerAssets& assets);

}  // namespace edgegate
