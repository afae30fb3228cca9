#include "engine/text/tools/call_structure.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Blanks that may follow the thoughts.
constexpr int kBlanks = 2;

json Literal(const std::string& text) { return {{"literal", text}}; }
json Sequence(json parts) { return {{"sequence", std::move(parts)}}; }
json Any(json options) { return {{"any", std::move(options)}}; }

json Schema(const std::string& schema, const std::string& field, json style) {
  return {{"schema", schema}, {"name", field}, {"style", std::move(style)}};
}

json StyleOf(const CallFormat& format, const CallableTool& tool) {
  switch (format.style) {
    case ArgumentStyle::kJson:
      return "json";
    case ArgumentStyle::kKeywords:
      return "keywords";
    case ArgumentStyle::kBare:
      return {{"bare", format.string_mark}};
    case ArgumentStyle::kTagged:
      return {{"tagged",
               {{"before_name", format.tags.before_name},
                {"after_name", format.tags.after_name},
                {"after_value", format.tags.after_value},
                {"plain", PlainMembers(tool.parameters)}}}};
  }
  return {};
}

json Through(const std::string& mark, json not_first, int blanks) {
  return {
      {"text_through",
       {{"marks", json::array({mark})}, {"not_first", std::move(not_first)}, {"blanks", blanks}}}};
}

json OneCall(const CallFormat& format, const CallRules& rules) {
  json options = json::array();
  for (const CallableTool& tool : rules.tools) {
    json parts = json::array();
    parts.push_back(Literal(format.before_name + tool.name + format.before_arguments));
    parts.push_back(Schema(tool.parameters, tool.field, StyleOf(format, tool)));
    parts.push_back(Literal(format.tags.close + format.after_arguments));
    options.push_back(Sequence(std::move(parts)));
  }
  return Any(std::move(options));
}

// Returns the structure of the calls, from after the mark to their end.
json Calls(const CallFormat& format, const CallRules& rules) {
  json calls = OneCall(format, rules);
  if (rules.parallel && format.parallel) {
    calls = {{"list", std::move(calls)}, {"between", format.between}};
  }
  return Sequence(json::array({std::move(calls), Literal(format.end)}));
}

// Returns the beginnings that content may not have, because thoughts or calls begin with them.
json NotFirst(const CallFormat& format, const CallRules& rules) {
  json first = json::array();
  if (rules.reasoning) first.push_back(rules.reasoning->begin);
  for (const CallableTool& tool : rules.tools) {
    if (format.at_start) first.push_back(format.FirstHead(tool.name));
  }
  return first;
}

// Returns the structure of the text before the first call: nothing, the mark, or text and the mark.
json Opening(const CallFormat& format, const CallRules& rules) {
  json options = json::array();
  if (format.at_start) options.push_back(Literal(""));
  if (!format.mark.empty()) {
    const bool text = !rules.required && rules.content_schema.empty();
    json mark = text ? Through(format.mark, NotFirst(format, rules), 0) : Literal(format.mark);
    options.push_back(Sequence(json::array({std::move(mark), Literal(format.begin)})));
  }
  return Any(std::move(options));
}

json Body(const CallFormat& format, const CallRules& rules) {
  json calls = Sequence(json::array({Opening(format, rules), Calls(format, rules)}));
  if (rules.required) return calls;
  if (!rules.content_schema.empty()) {
    json content = Schema(rules.content_schema, rules.content_field, "json");
    return Any(json::array({std::move(content), std::move(calls)}));
  }
  json marks = json::array();
  if (!format.mark.empty()) marks.push_back(format.mark);
  json text = {{"text", {{"without", std::move(marks)}, {"not_first", NotFirst(format, rules)}}}};
  return Any(json::array({std::move(text), std::move(calls)}));
}

// Returns the structure of the thoughts up to their end mark, and blanks.
json Thoughts(const CallRules& rules) {
  const ReasoningMarks& marks = *rules.reasoning;
  json through = Through(marks.end, json::array(), kBlanks);
  if (rules.reasoning_open) return through;
  json whole = Sequence(json::array({Literal(marks.begin), std::move(through)}));
  return Any(json::array({Literal(""), std::move(whole)}));
}

}  // namespace

std::vector<std::string> PlainMembers(const std::string& parameters) {
  const json schema = json::parse(parameters, nullptr, false);
  std::vector<std::string> names;
  // In old drafts, keywords beside $ref have no effect.
  if (!schema.is_object() || schema.contains("$ref")) return names;
  const json properties = schema.value("properties", json());
  if (!properties.is_object()) return names;
  for (const auto& [name, value] : properties.items()) {
    if (!value.is_object() || value.contains("$ref")) continue;
    if (value.value("type", json()) == "string") names.push_back(name);
  }
  return names;
}

bool ContentIsDistinct(const CallFormat& format) {
  // The JSON may be a string. A call without a mark does not begin like a string.
  return !format.at_start;
}

std::string CallStructure(const CallFormat& format, const CallRules& rules) {
  json structure = Body(format, rules);
  if (rules.reasoning) {
    structure = Sequence(json::array({Thoughts(rules), std::move(structure)}));
  }
  return structure.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace edgegate
