#include "server/api/openai/decisions/input.h"

#include <set>
#include <utility>

#include "server/api/json/dump.h"
#include "server/api/openai/responses/items.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Limits of OpenAI's API for a part of JSON.
constexpr size_t kMostJsonBytes = 256 << 10;
constexpr int kMostJsonValues = 10'000;

// Number of values, where `value` itself is one. Precondition: its depth is bounded.
int CountValues(const json& value) {
  int count = 1;
  if (!value.is_structured()) return count;
  for (const json& item : value) count += CountValues(item);
  return count;
}

bool IsObjects(const json& data) {
  if (data.is_object()) return true;
  if (!data.is_array()) return false;
  for (const json& item : data) {
    if (!item.is_object()) return false;
  }
  return true;
}

// Returns the text of a part of type input_json.
std::string JsonText(Fields* fields, const json& part, const std::string& path) {
  const json& data = MemberOf(part, "data");
  if (!IsObjects(data)) {
    fields->Fail(WrongType(path + ".data", "an object or an array of objects", data));
    return {};
  }
  std::string text = DumpJson(data);
  const int values = CountValues(data);
  if (text.size() > kMostJsonBytes || values > kMostJsonValues) {
    fields->Fail(BadField(
        path + ".data",
        fmt::format("Invalid '{}.data': it has {} bytes and {} values; at most {} and {} are read.",
                    path, text.size(), values, kMostJsonBytes, kMostJsonValues)));
  }
  return text;
}

// Replaces the parts of JSON by parts of text.
void WriteJsonAsText(Fields* fields, const std::string& path, json* parts) {
  if (!parts->is_array()) return;
  for (size_t i = 0; i < parts->size() && !fields->error(); ++i) {
    json& part = (*parts)[i];
    if (TypeOf(part) != "input_json") continue;
    part = {{"type", "input_text"},
            {"text", JsonText(fields, part, fmt::format("{}[{}]", path, i))}};
  }
}

// Reads the items of the input. The reader of responses reads them, once parts of JSON and custom
// tools have been written as text and as functions.
class Items {
 public:
  Items(Fields* fields, std::vector<ImageSource>* images)
      : fields_(fields), reader_(fields, images) {}

  void Read(json item, const std::string& path) {
    const std::string type = TypeOf(item);
    if (type == "custom_tool_call") {
      item["type"] = "function_call";
      item["arguments"] = DumpJson(json{{"input", TextMember(fields_, item, "input", path)}});
      item.erase("input");
    } else if (type == "custom_tool_call_output") {
      item["type"] = "function_call_output";
    } else if (!type.empty() && type != "message" && type != "function_call" &&
               type != "function_call_output") {
      return fields_->Fail(BadField(
          path + ".type",
          fmt::format("Invalid '{}.type': '{}' is not supported. Supported items are message, "
                      "function_call, function_call_output, custom_tool_call and "
                      "custom_tool_call_output.",
                      path, type.substr(0, 100))));
    }
    CheckCall(item, path);
    if (item.is_object() && item.contains("content")) {
      WriteJsonAsText(fields_, path + ".content", &item["content"]);
    }
    if (!fields_->error()) reader_.Read(item, path);
  }

  std::vector<ChatMessage> Take() { return reader_.Take(); }

 private:
  // Each output belongs to a call before it.
  void CheckCall(const json& item, const std::string& path) {
    const std::string type = TypeOf(item);
    const json& id = MemberOf(item, "call_id");
    if (!id.is_string()) return;  // the reader checks it
    if (type == "function_call") calls_.insert(id.get<std::string>());
    if (type == "function_call_output" && !calls_.contains(id.get<std::string>())) {
      fields_->Fail(
          BadField(path + ".call_id",
                   fmt::format("Invalid '{}.call_id': no call before it has this id.", path)));
    }
  }

  Fields* const fields_;
  ItemReader reader_;
  std::set<std::string> calls_;
};

}  // namespace

std::vector<ChatMessage> ParseDecisionInput(Fields* fields, std::vector<ImageSource>* images) {
  const json& input = fields->Raw("input");
  Items items(fields, images);
  if (input.is_string()) {
    items.Read({{"role", "user"}, {"content", input}}, "input");
  } else if (input.is_null()) {
    fields->Fail(MissingField("input"));
  } else if (!input.is_array() || input.empty()) {
    fields->Fail(
        BadField("input", "Invalid 'input': expected a string or an array of at least one item."));
  }
  for (size_t i = 0; input.is_array() && i < input.size() && !fields->error(); ++i) {
    items.Read(input[i], fmt::format("input[{}]", i));
  }
  return items.Take();
}

std::string ParseInstructions(Fields* fields, const json& value, const std::string& path) {
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) {
    return value.get<std::string>();
  }
  if (value.is_null()) fields->Fail(MissingField(path));
  if (!value.is_array() || value.empty()) {
    fields->Fail(BadField(
        path,
        fmt::format("Invalid '{}': expected a text or an array of at least one part.", path)));
    return {};
  }
  std::string text;
  for (size_t i = 0; i < value.size() && !fields->error(); ++i) {
    const std::string name = fmt::format("{}[{}]", path, i);
    const std::string type = TypeOf(value[i]);
    if (i > 0) text += "\n";
    if (type == "input_text") {
      text += TextMember(fields, value[i], "text", name);
    } else if (type == "input_json") {
      text += JsonText(fields, value[i], name);
    } else if (type == "input_image") {
      fields->Fail(BadField(
          name,
          fmt::format("'{}': images of questions are not supported. Place them in 'input'.", name),
          "unsupported_parameter"));
    } else {
      fields->Fail(BadField(name, fmt::format("Invalid '{}': the type '{}' is not supported. "
                                              "Supported parts are input_text and input_json.",
                                              name, type.substr(0, 100))));
    }
  }
  return text;
}

}  // namespace edgegate
