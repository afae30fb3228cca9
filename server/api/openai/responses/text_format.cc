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
  if (type == "json_schema") {
    if (!format.String("name")) format.Fail(MissingField("text.format.name"));
    format.String("description");
    format.Bool("strict");
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
  if (const auto unread = format.AllUnread(); !unread.empty()) {
    format.Fail(BadField(unread[0],
                         "Unrecognized request argument supplied: " + unread[0].substr(0, 200),
                         "unknown_parameter"));
  }
  fields->Fail(format.error());
}

}  // namespace

json ParseTextFormat(Fields* fields, std::optional<OutputConstraint>* constraint,
                     Warnings* warnings) {
  json echo = {{"format", {{"type", "text"}}}};
  const json& value = fields->Raw("text");
  if (value.is_null()) return echo;
  if (!value.is_object()) {
    fields->Fail(WrongType("text", "an object", value));
    return echo;
  }
  Fields text(value, "text");
  if (const json& format = text.Raw("format"); !format.is_null()) {
    ParseFormat(fields, format, constraint);
    echo["format"] = format;
  }
  for (const std::string& name : text.AllUnread()) warnings->NoEffect(name);
  return echo;
}

}  // namespace edgegate
