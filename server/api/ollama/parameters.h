// Reads the members that requests of Ollama's API share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/api/json/fields.h"
#include "server/api/warnings.h"
#include "server/call/call.h"

namespace edgegate {

// Returns the name of the model. Clients add the tag ":latest" to names without a tag.
std::string OllamaModelName(std::string name);

// Each function reads members into the call. Errors go to `fields`.
// Reads `options`: sampling, stop strings and the length. Options of Ollama's own engine have no
// effect. Those that would change the answer's meaning are refused.
void ParseOllamaOptions(Fields* fields, Call* call);
// Reads `format`: "json" or a schema.
void ParseOllamaFormat(Fields* fields, Call* call);
// Reads `logprobs` and `top_logprobs`. True: log-probabilities are wanted.
bool ParseOllamaLogprobs(Fields* fields, Call* call);
// Reads `think`. Returns the template's variables as a JSON object, or an empty text.
std::string ParseThink(Fields* fields);
// Reads `keep_alive`. True: the client wants the model to be unloaded.
bool ParseKeepAlive(Fields* fields, Warnings* warnings);
// Reads a list of images in base64. Returns the parts that show them.
std::vector<ChatPart> ParseOllamaImages(Fields* fields, const nlohmann::ordered_json& images,
                                        const std::string& path, std::vector<ImageSource>* sources);

}  // namespace edgegate
