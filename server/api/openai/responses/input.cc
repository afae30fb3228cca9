#include "server/api/openai/responses/input.h"

#include <string>
#include <utility>

#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/responses/items.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Reads the items of one request.
class Input {
 public:
  Input(Fields* fields, const ResponseStore& store, ResponseOptions* options,
        std::vector<ImageSource>* images)
      : fields_(fields), store_(store), options_(options), reader_(fields, images) {}

  void ReadPrevious() {
    const auto id = fields_->String("previous_response_id");
    options_->echo["previous_response_id"] = fields_->Raw("previous_response_id");
    if (!id) return;
    const auto previous = store_.Find(options_->tenant, *id);
    if (previous == nullptr) {
      return fields_->Fail(
          {NotFound("Previous response with id '{}' not found.", id->substr(0, 100)),
           "previous_response_id", "previous_response_not_found"});
    }
    for (const std::string& item : previous->input) ReadStored(item, "previous_response_id");
    for (const auto& [item_id, item] : previous->output) ReadStored(item, "previous_response_id");
  }

  void ReadInstructions() {
    const auto instructions = fields_->String("instructions");
    options_->echo["instructions"] = fields_->Raw("instructions");
    if (instructions) reader_.Read(Message("system", *instructions), "instructions");
  }

  void ReadInput() {
    const json& input = fields_->Raw("input");
    if (input.is_string()) {
      const json message = Message("user", input.get<std::string>());
      reader_.Read(message, "input");
      return Keep(DumpJson(message));
    }
    if (input.is_null()) return fields_->Fail(MissingField("input"));
    if (!input.is_array() || input.empty()) {
      return fields_->Fail(BadField(
          "input", "Invalid 'input': expected a string or an array of at least one item."));
    }
    for (size_t i = 0; i < input.size() && !fields_->error(); ++i) {
      const std::string path = fmt::format("input[{}]", i);
      if (IsReference(input[i])) {
        ReadReference(input[i], path);
      } else {
        reader_.Read(input[i], path);
        Keep(DumpJson(input[i]));
      }
    }
  }

  std::vector<ChatMessage> Take() { return reader_.Take(); }

 private:
  static json Message(const char* role, std::string text) {
    return {{"type", "message"}, {"role", role}, {"content", std::move(text)}};
  }

  static bool IsReference(const json& item) {
    return item.is_object() && MemberOf(item, "type") == "item_reference";
  }

  void ReadReference(const json& item, const std::string& path) {
    const json& id = MemberOf(item, "id");
    if (!id.is_string()) return fields_->Fail(WrongType(path + ".id", "a string", id));
    const auto stored = store_.FindItem(options_->tenant, id.get<std::string>());
    if (!stored) {
      return fields_->Fail(
          {NotFound("Item with id '{}' not found.", id.get<std::string>().substr(0, 100)),
           path + ".id", "item_not_found"});
    }
    ReadStored(*stored, path);
  }

  void ReadStored(const std::string& text, const std::string& path) {
    const auto item = ReadJson(text, JsonLimits{});
    if (const auto* error = std::get_if<CallError>(&item)) return fields_->Fail(*error);
    reader_.Read(std::get<json>(item), path);
    Keep(text);
  }

  // Keeps an item for the store. If all items exceed a tenant's share, none is kept.
  void Keep(std::string item) {
    bytes_ += item.size();
    const bool fits = options_->store && bytes_ <= store_.limits().tenant_bytes;
    if (options_->store && !fits) {
      options_->warnings.Add("'store': the response is not stored, because its input is too long.");
    }
    if (!fits) {
      options_->store = false;
      options_->input.clear();
      return;
    }
    options_->input.push_back(std::move(item));
  }

  Fields* const fields_;
  const ResponseStore& store_;
  ResponseOptions* const options_;
  ItemReader reader_;
  size_t bytes_ = 0;
};

}  // namespace

std::vector<ChatMessage> ParseInput(Fields* fields, const ResponseStore& store,
                                    ResponseOptions* options, std::vector<ImageSource>* images) {
  Input input(fields, store, options, images);
  input.ReadInstructions();
  input.ReadPrevious();
  input.ReadInput();
  return input.Take();
}

}  // namespace edgegate
