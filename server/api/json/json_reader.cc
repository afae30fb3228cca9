#include "server/api/json/json_reader.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Builds the value from the parser's events. Every method returns true to continue, false to stop.
class Builder {
 public:
  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  bool null() { return AddValue(nullptr); }
  bool boolean(bool value) { return AddValue(value); }
  bool number_integer(int64_t value) { return AddValue(value); }
  bool number_unsigned(uint64_t value) { return AddValue(value); }
  // The parser also passes integers of more than 64 bits here. A double would lose digits, so they
  // are refused.
  bool number_float(double value, const std::string& text) {
    if (text.find_first_of(".eE") != std::string::npos) return AddValue(value);
    error_ = BadField(top_, "The body has an integer of more than 64 bits" +
                                (top_.empty() ? "." : fmt::format(" in '{}'.", top_)));
    return false;
  }
  bool string(std::string& value) { return CountNode() && Add(std::move(value)) != nullptr; }
  bool binary(json::binary_t&) { return false; }
  bool start_object(size_t) { return Open(json::object()); }
  bool start_array(size_t) { return Open(json::array()); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }

  bool key(std::string& name) {
    json& object = *open_.back();
    if (static_cast<int>(object.size()) >= limits_.max_members) {
      return Fail(
          fmt::format("An object of the body has more than {} members.", limits_.max_members));
    }
    if (!CountNode()) return false;
    if (open_.size() == 1) top_ = name;
    member_ = &object[name];
    return true;
  }

  bool parse_error(size_t position, const std::string&, const json::exception&) {
    return Fail(fmt::format("The body is not valid JSON: there is an error at byte {}.", position),
                "invalid_json");
  }

  std::variant<json, CallError> Take() {
    if (error_) return *std::move(error_);
    return std::move(root_);
  }

 private:
  bool Fail(const std::string& message, std::string code = "") {
    if (!error_) error_ = BadField("", message, std::move(code));
    return false;
  }

  bool CountNode() {
    if (++nodes_ <= limits_.max_nodes) return true;
    return Fail(fmt::format("The body has more than {} objects, arrays, strings and members.",
                            limits_.max_nodes));
  }

  // Returns the place of the added value.
  json* Add(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_object()) {
      *member_ = std::move(value);
      return member_;
    }
    open_.back()->push_back(std::move(value));
    return &open_.back()->back();
  }

  bool AddValue(json value) {
    if (++values_ > limits_.max_values) {
      return Fail(fmt::format("The body has more than {} numbers.", limits_.max_values));
    }
    return Add(std::move(value)) != nullptr;
  }

  bool Open(json container) {
    if (static_cast<int>(open_.size()) >= limits_.max_depth) {
      return Fail(fmt::format("The body nests deeper than {}.", limits_.max_depth));
    }
    if (!CountNode()) return false;
    open_.push_back(Add(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  const JsonLimits limits_;
  json root_;
  // Open containers. Only the innermost one grows, so the pointers stay valid.
  std::vector<json*> open_;
  json* member_ = nullptr;  // of the innermost object
  std::string top_;         // the member of the outermost object that is read
  int nodes_ = 0;
  int values_ = 0;
  std::optional<CallError> error_;
};

}  // namespace

std::variant<json, CallError> ReadJson(std::string_view text, const JsonLimits& limits) {
  // The library treats a NUL as the end of the text.
  const size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    return BadField("",
                    fmt::format("The body is not valid JSON: there is an error at byte {}.", nul),
                    "invalid_json");
  }
  Builder builder(limits);
  json::sax_parse(text.begin(), text.end(), &builder);
  return builder.Take();
}

std::variant<json, CallError> ReadObject(std::string_view body) {
  auto read = ReadJson(body, JsonLimits{});
  const auto* root = std::get_if<json>(&read);
  if (root != nullptr && !root->is_object()) {
    return BadField("", "The body must be a JSON object.", "invalid_json");
  }
  return read;
}

}  // namespace edgegate
