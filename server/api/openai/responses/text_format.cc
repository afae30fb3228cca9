#include "server/api/openai/responses/text_format.h"

#include <string>

#include "server/api/json/dump.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Kind = GrammarSpec::Kind;

void ParseFormat(Fields* fields, const json& value, std::optional<OutputConstraint>* constraint) {
  if (!value.is_object()) return fields->Fail(WrongType("text.format", "an object", value));
  Fields format(value, "text.format");
  const std::string type = format.String("type").value_or("");
  for (const char* known : {"name", "schema"}) format.Raw(known);
  format.String("description");
  format.Bool("strict");
  if (type == "json_schema") {
    if (!format.String("name")) format.Fail(MissingField("text.format.name"));
    const json& schema = format.Raw("schema");
    if (!schema.is_object()) {
      format.Fail(WrongType("text.format.schema", "an object", schema));
    } else {
      *constraint = OutputConstraint{{Kind::kJsonSchema, DumpJson(schema)}, "text.format.schema"};
    }
  } else if (type == "json_object") {
    *constraint = OutputConstraint{{Kind::kJsonSchema, kAnyObjectSchema}, "text.format"};
  } else if (type != "text") {
    format.Fail(BadField("text.format.type",
                         "Invalid 'text.format.type': expected 'text', 'json_object' or "
                         "'json_schema'."));
  }
  fields->Adopt(&format);
}

}  // namespace

json ParseTextFormat(Fields* fields, std::optional<OutputConstraint>* constraint) {
  json echo = {{"format", {{"type", "text"}}}};
  const json& value = fields->Raw("text");
  if (value.is_null()) return echo;
  if (!value.is_object()) {
    fields->Fail(WrongType("text", "an object", value));
    return echo;
  }
  Fields text(value, "text");
  if (const json& format = text.Raw("format"); !format.is_null()) {
    ParseFormat(&text, format, constraint);
    echo["format"] = format;
  }
  const json& verbosity = text.Raw("verbosity");
  if (!verbosity.is_null() && verbosity != "medium") text.warnings().NoEffect("text.verbosity");
  fields->Adopt(&text);
  return echo;
}

}  // namespace edgegate
