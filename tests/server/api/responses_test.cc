// Answers of /v1/responses: the order of events, stored responses, and functions.
#include "tests/server/api/events.h"

namespace edgegate {
namespace {

json Ask(const json& change = json::object()) {
  json body = {{"model", "fake"}, {"input", "hello"}, {"seed", 2}, {"max_output_tokens", 16}};
  body.update(change);
  return body;
}

const json kWeather = {{"type", "function"},
                       {"name", "f"},
                       {"parameters",
                        {{"type", "object"},
                         {"properties", {{"unit", {{"enum", {"c", "f"}}}}}},
                         {"required", {"unit"}}}}};

// Removes what differs between two answers to one request.
json Comparable(json response) {
  for (const char* name : {"id", "created_at"}) response.erase(name);
  for (json& item : response["output"]) {
    item.erase("id");
    item.erase("call_id");
  }
  response["usage"].erase("input_tokens_details");
  return response;
}

void CheckOrder(const std::vector<Event>& events) {
  CHECK(events[0].name == "response.created");
  CHECK(events[1].name == "response.in_progress");
  std::string open;  // the id of the open item
  int items = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const json& data = events[i].data;
    CHECK(data["type"] == events[i].name);
    CHECK(data["sequence_number"] == i);
    if (events[i].name == "response.output_item.added") {
      CHECK(open.empty());
      CHECK(data["output_index"] == items++);
      open = data["item"]["id"];
    } else if (events[i].name == "response.output_item.done") {
      CHECK(data["item"]["id"] == open);
      open.clear();
    } else if (data.contains("item_id")) {
      CHECK(data["item_id"] == open);
    }
  }
  CHECK(open.empty());
  CHECK(events.back().data["response"]["output"].size() == static_cast<size_t>(items));
}

TEST_CASE("events are in order, and the last one has the whole answer") {
  Site site;
  for (const json& change :
       {json::object(), json{{"include", {"message.output_text.logprobs"}}, {"top_logprobs", 2}},
        json{{"tools", {kWeather}}, {"tool_choice", "required"}, {"max_output_tokens", 60}}}) {
    json body = Ask(change);
    const json whole = PostJson(site, "/v1/responses", body);
    body["stream"] = true;
    const auto events = Events(PostText(site, "/v1/responses", body));
    CheckOrder(events);
    const json last = events.back().data["response"];
    CHECK(events.back().name == "response." + last["status"].get<std::string>());
    CHECK(Comparable(whole) == Comparable(last));
  }
}

TEST_CASE("a required function is called with valid arguments") {
  Site site;
  const json answer = PostJson(
      site, "/v1/responses",
      Ask({{"tools", {kWeather}}, {"tool_choice", "required"}, {"max_output_tokens", 100}}));
  REQUIRE(answer["status"] == "completed");
  const json& call = answer["output"][0];
  CHECK(call["type"] == "function_call");
  CHECK(call["name"] == "f");
  const json arguments = json::parse(call["arguments"].get<std::string>());
  CHECK((arguments["unit"] == "c" || arguments["unit"] == "f"));
}

TEST_CASE("previous_response_id gives the tokens of the same items") {
  Site site;
  const json first = PostJson(site, "/v1/responses", Ask());
  const json next = PostJson(site, "/v1/responses",
                             Ask({{"previous_response_id", first["id"]}, {"input", "and?"}}));
  json items = {{{"role", "user"}, {"content", "hello"}}};
  for (const json& item : first["output"]) items.push_back(item);
  items.push_back({{"role", "user"}, {"content", "and?"}});
  const json same = PostJson(site, "/v1/responses", Ask({{"input", items}}));
  CHECK(next["usage"]["input_tokens"] == same["usage"]["input_tokens"]);
  CHECK(next["output"][0]["content"] == same["output"][0]["content"]);
  const json third = PostJson(site, "/v1/responses",
                              Ask({{"previous_response_id", next["id"]}, {"input", "so?"}}));
  CHECK(third["usage"]["input_tokens"] > next["usage"]["input_tokens"]);
}

TEST_CASE("a stored response is returned and deleted") {
  Site site;
  auto client = site.Client();
  const json made = PostJson(site, "/v1/responses", Ask());
  const std::string path = "/v1/responses/" + made["id"].get<std::string>();
  const auto got = client.Get(path);
  REQUIRE(got);
  CHECK(json::parse(got->body) == made);
  const auto deleted = client.Delete(path);
  REQUIRE(deleted);
  CHECK(json::parse(deleted->body)["deleted"] == true);
  CHECK(client.Get(path)->status == 404);
  CHECK(client.Delete(path)->status == 404);
  const json kept = PostJson(site, "/v1/responses", Ask({{"store", false}}));
  CHECK(kept["store"] == false);
  CHECK(client.Get("/v1/responses/" + kept["id"].get<std::string>())->status == 404);
}

TEST_CASE("an answer that is cut is incomplete") {
  Site site;
  const json answer = PostJson(site, "/v1/responses", Ask({{"max_output_tokens", 1}}));
  CHECK(answer["status"] == "incomplete");
  CHECK(answer["incomplete_details"]["reason"] == "max_output_tokens");
  CHECK(answer["output"][0]["status"] == "incomplete");
}

}  // namespace
}  // namespace edgegate
