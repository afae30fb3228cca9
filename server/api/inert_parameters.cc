#include "server/api/inert_parameters.h"

#include <algorithm>
#include <string>

namespace edgegate {
namespace {

using enum RequestKind::Bit;
using json = nlohmann::ordered_json;

constexpr unsigned kAllText = kChat | kText | kResponses | kMessages;
constexpr const char* kAny = nullptr;

struct Parameter {
  const char* name;
  unsigned kinds;
  const char* silent;
  const char* neutral;  // null: any value
  const char* hint;
};

constexpr Parameter kParameters[] = {
#define PARAMETER(name, kinds, silent, neutral, hint) {name, kinds, silent, neutral, hint},
#include "server/api/inert_parameters.inc"
};

// True if the value is one of the items of a JSON array.
bool IsOneOf(const json& value, const char* list) {
  const json items = json::parse(list);
  return std::find(items.begin(), items.end(), value) != items.end();
}

CallError Refusal(const Parameter& parameter, const std::string& path) {
  const std::string hint = *parameter.hint != '\0' ? std::string(": ") + parameter.hint : "";
  const bool only_null =
      std::string(parameter.neutral) == "[]" && std::string(parameter.silent) == "[]";
  return BadField(path,
                  only_null ? fmt::format("'{}' is not supported{}.", path, hint)
                            : fmt::format("This value of '{}' is not supported{}.", path, hint),
                  "unsupported_parameter");
}

}  // namespace

void ReadInertParameters(RequestKind::Bit kind, Fields* fields) {
  for (const Parameter& parameter : kParameters) {
    if ((parameter.kinds & kind) == 0) continue;
    const json& value = fields->Raw(parameter.name);
    if (value.is_null() || IsOneOf(value, parameter.silent)) continue;
    const std::string path = fields->Path(parameter.name);
    if (parameter.neutral == kAny || IsOneOf(value, parameter.neutral)) {
      fields->warnings().NoEffect(path);
    } else {
      fields->Fail(Refusal(parameter, path));
    }
  }
}

}  // namespace edgegate
