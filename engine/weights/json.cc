#include "engine/weights/json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace edgegate {
namespace {

using nlohmann::json;

const json& Node(const void* node) { return *static_cast<const json*>(node); }

const json kNull;

// Checks the parser's events for input that the library accepts but Parse() refuses: deep nesting
// and duplicate keys.
class ParseGuard {
 public:
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (!error_.empty()) return false;
    switch (event) {
      case json::parse_event_t::object_start:
        keys_.emplace_back();
        [[fallthrough]];
      case json::parse_event_t::array_start:
        if (depth >= Json::kMaxDepth) {
          error_ = fmt::format("nested deeper than {} levels", Json::kMaxDepth);
        }
        break;
      case json::parse_event_t::key:
        if (!keys_.back().insert(parsed.get<std::string>()).second) {
          error_ = fmt::format("the key \"{}\" is there twice", parsed.get<std::string>());
        }
        break;
      case json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      default:
        break;
    }
    return error_.empty();
  }

  const std::string& error() const { return error_; }

 private:
  std::vector<std::set<std::string>> keys_;  // keys of the objects that are open
  std::string error_;
};

}  // namespace

Result<Json> Json::Parse(std::string_view text) {
  ParseGuard guard;
  auto document = std::make_shared<json>();
  try {
    auto callback = [&guard](int depth, json::parse_event_t event, json& parsed) {
      return guard(depth, event, parsed);
    };
    *document = json::parse(text.begin(), text.end(), callback);
  } catch (const json::parse_error& error) {
    return DataLoss("not valid JSON at byte {}", error.byte);
  } catch (const json::exception& error) {
    return DataLoss("not valid JSON: {}", error.what());
  }
  if (!guard.error().empty()) return DataLoss("JSON refused: {}", guard.error());
  const void* node = document.get();
  return Json(std::move(document), node);
}

bool Json::is_null() const { return Node(node_).is_null(); }
bool Json::is_object() const { return Node(node_).is_object(); }
bool Json::is_array() const { return Node(node_).is_array(); }
bool Json::is_string() const { return Node(node_).is_string(); }

Json Json::operator[](std::string_view key) const {
  const json& node = Node(node_);
  if (node.is_object()) {
    auto found = node.find(std::string(key));
    if (found != node.end()) return Json(root_, &*found);
  }
  return Json(root_, &kNull);
}

bool Json::Has(std::string_view key) const {
  const json& node = Node(node_);
  return node.is_object() && node.contains(std::string(key));
}

std::vector<std::string> Json::Keys() const {
  std::vector<std::string> keys;
  const json& node = Node(node_);
  if (!node.is_object()) return keys;
  for (auto item = node.begin(); item != node.end(); ++item) keys.push_back(item.key());
  return keys;
}

size_t Json::size() const {
  const json& node = Node(node_);
  return node.is_structured() ? node.size() : 0;
}

Json Json::At(size_t index) const { return Json(root_, &Node(node_)[index]); }

std::optional<int64_t> Json::Int() const {
  const json& node = Node(node_);
  if (node.is_number_unsigned()) {
    uint64_t value = node.get<uint64_t>();
    if (value > INT64_MAX) return std::nullopt;
    return static_cast<int64_t>(value);
  }
  if (node.is_number_integer()) return node.get<int64_t>();
  if (node.is_number_float()) {
    double value = node.get<double>();
    if (std::abs(value) < 0x1p53 && value == std::floor(value)) return static_cast<int64_t>(value);
  }
  return std::nullopt;
}

std::optional<double> Json::Number() const {
  const json& node = Node(node_);
  if (!node.is_number()) return std::nullopt;
  return node.get<double>();
}

std::optional<bool> Json::Bool() const {
  const json& node = Node(node_);
  if (!node.is_boolean()) return std::nullopt;
  return node.get<bool>();
}

std::optional<std::string> Json::String() const {
  const json& node = Node(node_);
  if (!node.is_string()) return std::nullopt;
  return node.get<std::string>();
}

std::string Json::Brief() const {
  constexpr size_t kLongest = 60;
  std::string text = Node(node_).dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

}  // namespace edgegate
