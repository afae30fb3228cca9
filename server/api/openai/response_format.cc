#include "server/api/openai/response_format.h"

#include <algorithm>
#include <string>
#include <vector>

#include "server/api/json/dump.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Kind = GrammarSpec::Kind;
using Constraint = std::optional<OutputConstraint>;

void Set(Constraint* out, Kind kind, std::string text, std::string field) {
  *out = OutputConstraint{{kind, std::move(text)}, std::move(field)};
}

void ParseJsonSchema(Fields* f, const json& described, Constraint* out) {
  const std::string name = "response_format.json_schema";
  if (!described.is_object()) return f->Fail(WrongType(name, "an object", described));
  Fields inner(described, name);
  const json& schema = inner.Raw("schema");
  if (!inner.String("name")) inner.Fail(MissingField(name + ".name"));
  inner.String("description");
  inner.Bool("strict");
  if (!schema.is_object()) inner.Fail(WrongType(name + ".schema", "an object", schema));
  f->Adopt(&inner);
  Set(out, Kind::kJsonSchema, DumpJson(schema), name + ".schema");
}

void ParseOpenAi(Fields* f, const json& format, Constraint* out) {
  if (!format.is_object()) return f->Fail(WrongType("response_format", "an object", format));
  Fields inner(format, "response_format");
  const std::string type = inner.String("type").value_or("");
  const json& described = inner.Raw("json_schema");
  if (type == "json_schema") {
    ParseJsonSchema(&inner, described, out);
  } else if (type == "json_object") {
    Set(out, Kind::kJsonSchema, kAnyObjectSchema, "response_format");
  } else if (type != "text") {
    inner.Fail(BadField("response_format.type",
                        "Invalid 'response_format.type': expected 'text', 'json_object' or "
                        "'json_schema'."));
  }
  f->Adopt(&inner);
}

// True if the value is a list of non-empty strings.
bool IsChoice(const json& choices) {
  return choices.is_array() && !choices.empty() &&
         std::all_of(choices.begin(), choices.end(), [](const json& choice) {
           return choice.is_string() && !choice.get_ref<const std::string&>().empty();
         });
}

// Returns the names of the members that are set. Clients of vLLM send null for the others, and
// false for options.
std::vector<std::string> KeysOf(const json& wanted) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : wanted.items()) {
    if (!value.is_null() && (value != false || key == "json_object")) keys.push_back(key);
  }
  return keys;
}

void ParseVllm(Fields* f, const json& wanted, Constraint* out) {
  const std::string name = "structured_outputs";
  if (!wanted.is_object()) return f->Fail(WrongType(name, "an object", wanted));
  const std::vector<std::string> keys = KeysOf(wanted);
  if (keys.size() != 1) {
    return f->Fail(BadField(name,
                            "Invalid 'structured_outputs': give exactly one of 'json', "
                            "'json_object', 'regex', 'choice' and 'grammar'."));
  }
  Fields inner(wanted, name);
  for (const char* known :
       {"json", "json_object", "regex", "choice", "grammar", "structural_tag", "whitespace_pattern",
        "disable_fallback", "disable_any_whitespace", "disable_additional_properties"}) {
    inner.Raw(known);
  }
  const std::string& key = keys[0];
  if (key == "json") {
    const json& schema = inner.Raw(key);
    const bool text = schema.is_string();
    if (!text && !schema.is_object()) {
      inner.Fail(WrongType(name + ".json", "an object or a string", schema));
    }
    Set(out, Kind::kJsonSchema, text ? schema.get<std::string>() : DumpJson(schema),
        name + ".json");
  } else if (key == "json_object") {
    if (inner.Bool(key).value_or(false)) Set(out, Kind::kJsonSchema, kAnyObjectSchema, name);
  } else if (key == "regex") {
    Set(out, Kind::kRegex, inner.String(key).value_or(""), name + ".regex");
  } else if (key == "grammar") {
    Set(out, Kind::kLark, inner.String(key).value_or(""), name + ".grammar");
  } else if (key == "choice") {
    const json& choices = inner.Raw(key);
    if (!IsChoice(choices)) {
      inner.Fail(BadField(name + ".choice",
                          "Invalid 'structured_outputs.choice': expected strings, none of "
                          "them empty."));
    }
    Set(out, Kind::kChoice, DumpJson(choices), name + ".choice");
  } else {
    inner.Fail(BadField(inner.Path(key), fmt::format("'{}' is not supported.", inner.Path(key)),
                        "unsupported_parameter"));
  }
  f->Adopt(&inner);
}

}  // namespace

std::optional<OutputConstraint> ParseResponseFormat(Fields* f) {
  Constraint out;
  const json& format = f->Raw("response_format");
  const json& structured = f->Raw("structured_outputs");
  if (!format.is_null()) ParseOpenAi(f, format, &out);
  if (structured.is_null()) return out;
  if (out) {
    f->Fail(BadField("structured_outputs",
                     "'structured_outputs' and 'response_format' exclude each other."));
  }
  ParseVllm(f, structured, &out);
  return out;
}

}  // namespace edgegate
