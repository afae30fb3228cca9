// Pages of the input items of a stored response.

#include "server/api/openai/responses/input_items.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

StoredResponse Sample() {
  StoredResponse response;
  response.id = "resp_1";
  response.input = {
      R"({"type":"message","role":"user","content":"a"})",
      R"({"role":"assistant","content":"b","id":null})",
      R"({"type":"function_call","id":"fc_x","call_id":"c","name":"f","arguments":"{}"})",
      R"({"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"d"}]})",
      R"({"type":"reasoning","id":"a&b=%","summary":[]})"};
  return response;
}

json Page(const std::string& query) {
  const auto page = ListInputItems(Sample(), query);
  if (const auto* error = std::get_if<CallError>(&page)) {
    FAIL(error->field << ": " << error->status.message());
  }
  return std::get<json>(page);
}

std::string IdsOf(const json& page) {
  std::string out;
  for (const json& item : page["data"]) out += item["id"].get<std::string>() + " ";
  return out;
}

std::string FieldOf(const std::string& query) {
  const auto page = ListInputItems(Sample(), query);
  const auto* error = std::get_if<CallError>(&page);
  return error == nullptr ? "none" : error->field;
}

TEST_CASE("items have ids and the shapes of OpenAI") {
  const json page = Page("order=asc");
  CHECK(page["object"] == "list");
  CHECK(IdsOf(page) == "msg_1_0 msg_1_1 fc_x fco_1_3 a&b=% ");
  CHECK(page["data"][0] == json::parse(R"({"id": "msg_1_0", "type": "message",
    "status": "completed", "role": "user", "content": [{"type": "input_text", "text": "a"}]})"));
  CHECK(page["data"][1]["content"][0]["type"] == "output_text");
  CHECK(page["data"][3]["output"][0]["text"] == "d");
  CHECK(page["data"][4].contains("status") == false);
  CHECK(page["first_id"] == "msg_1_0");
  CHECK(page["last_id"] == "a&b=%");
  CHECK(page["has_more"] == false);
}

TEST_CASE("pages") {
  CHECK(IdsOf(Page("")) == "a&b=% fco_1_3 fc_x msg_1_1 msg_1_0 ");
  const json first = Page("limit=2&order=desc");
  CHECK(IdsOf(first) == "a&b=% fco_1_3 ");
  CHECK(first["has_more"] == true);
  CHECK(IdsOf(Page("after=fco_1_3&limit=2")) == "fc_x msg_1_1 ");
  CHECK(IdsOf(Page("after=a%26b%3D%25&limit=1")) == "fco_1_3 ");
  CHECK(IdsOf(Page("order=asc&after=fc_x&include=x&unknown")) == "fco_1_3 a&b=% ");
  const json last = Page("after=msg_1_0");
  CHECK(last["data"].empty());
  CHECK(last["first_id"].is_null());
  CHECK(last["has_more"] == false);
}

TEST_CASE("errors name the parameter") {
  for (const char* limit : {"limit=0", "limit=101", "limit=x", "limit=", "limit=1.5",
                            "limit=99999999999", "limit=5%"}) {
    CHECK(FieldOf(limit) == "limit");
  }
  CHECK(FieldOf("order=up") == "order");
  CHECK(FieldOf("after=msg_9") == "after");
  CHECK(FieldOf("limit=100&order=asc") == "none");
}

}  // namespace
}  // namespace edgegate
