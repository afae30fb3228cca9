#include "server/api/ollama/errors.h"

#include <nlohmann/json.hpp>

#include "server/api/error_text.h"
#include "server/api/json/dump.h"

namespace edgegate {

std::string OllamaErrorBody(const HttpError& error) {
  std::string message = MessageWithField(error);
  if (message.size() > kMaxErrorMessage) message.resize(kMaxErrorMessage);
  return DumpJson(nlohmann::json{{"error", message}});
}

}  // namespace edgegate
