#include "server/api/ollama/errors.h"

#include <nlohmann/json.hpp>

#include "server/api/json/dump.h"

namespace edgegate {
namespace {

// Longest message in bytes. A message may quote a request, which may be long.
constexpr size_t kMaxMessage = 1000;
constexpr size_t kMaxField = 200;

}  // namespace

std::string OllamaErrorBody(const HttpError& error) {
  std::string message = error.message;
  const std::string field = error.field.substr(0, kMaxField);
  if (!field.empty() && message.find(field) == std::string::npos) message = field + ": " + message;
  if (message.size() > kMaxMessage) message.resize(kMaxMessage);
  return DumpJson(nlohmann::json{{"error", message}});
}

}  // namespace edgegate
