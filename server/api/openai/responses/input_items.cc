#include "server/api/openai/responses/input_items.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "server/api/json/fields.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr int kMostItems = 100;
constexpr int kDefaultItems = 20;

// Decodes the percent-encoding of a value. Other bytes are kept.
std::string Decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    const bool encoded = text[i] == '%' && i + 2 < text.size() &&
                         std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    out += encoded ? static_cast<char>(byte) : text[i];
    if (encoded) i += 2;
  }
  return out;
}

// Returns a parameter of a query. nullopt: it is absent.
std::optional<std::string> Parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), one.size() + 1));
    if (one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=') {
      return Decoded(one.substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

const char* PrefixOf(const std::string& type) {
  if (type == "function_call") return "fc_";
  if (type == "function_call_output") return "fco_";
  return type == "reasoning" ? "rs_" : "msg_";
}

// Returns the content of a message as a list of parts.
json PartsOf(const json& content, bool of_assistant) {
  if (!content.is_string()) return content;
  if (of_assistant) {
    return {{{"type", "output_text"}, {"text", content}, {"annotations", json::array()}}};
  }
  return {{{"type", "input_text"}, {"text", content}}};
}

// Returns an item as OpenAI's API lists it.
json ItemOf(const StoredResponse& response, size_t index) {
  const json item = json::parse(response.input[index], nullptr, false);
  const std::string type = TypeOf(item).empty() ? "message" : TypeOf(item);
  const json& id = MemberOf(item, "id");
  json out = {{"id", id}, {"type", type}};
  if (!id.is_string()) {
    const size_t name = response.id.find('_') + 1;
    out["id"] = fmt::format("{}{}_{}", PrefixOf(type), response.id.substr(name), index);
  }
  if (type != "reasoning") out["status"] = "completed";
  for (const auto& [member, value] : item.items()) {
    if (member != "id" && member != "type" && !value.is_null()) out[member] = value;
  }
  if (type == "message") {
    out["content"] = PartsOf(MemberOf(item, "content"), MemberOf(item, "role") == "assistant");
  }
  return out;
}

// Returns the parameter `limit`. nullopt: it is wrong.
std::optional<size_t> LimitOf(std::string_view query) {
  const auto text = Parameter(query, "limit");
  if (!text) return kDefaultItems;
  int limit = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), limit);
  const bool whole = read.ec == std::errc() && read.ptr == text->data() + text->size();
  if (!whole || limit < 1 || limit > kMostItems) return std::nullopt;
  return static_cast<size_t>(limit);
}

}  // namespace

std::variant<json, CallError> ListInputItems(const StoredResponse& response,
                                             std::string_view query) {
  const auto limit = LimitOf(query);
  if (!limit) {
    return BadField("limit",
                    fmt::format("Invalid 'limit': expected an integer from 1 to {}.", kMostItems));
  }
  const std::string order = Parameter(query, "order").value_or("desc");
  if (order != "asc" && order != "desc") {
    return BadField("order", "Invalid 'order': expected 'asc' or 'desc'.");
  }
  const size_t count = response.input.size();
  const auto at = [&](size_t place) { return order == "asc" ? place : count - 1 - place; };
  size_t first = 0;
  if (const auto after = Parameter(query, "after")) {
    while (first < count && ItemOf(response, at(first))["id"] != *after) ++first;
    if (first++ == count) {
      return BadField(
          "after", fmt::format("Invalid 'after': no item has the id '{}'.", after->substr(0, 100)));
    }
  }
  const size_t end = std::min(count, first + *limit);
  json data = json::array();
  for (size_t i = first; i < end; ++i) data.push_back(ItemOf(response, at(i)));
  const json first_id = data.empty() ? json() : data.front()["id"];
  const json last_id = data.empty() ? json() : data.back()["id"];
  return json{{"object", "list"},
              {"data", std::move(data)},
              {"first_id", first_id},
              {"last_id", last_id},
              {"has_more", end < count}};
}

}  // namespace edgegate
