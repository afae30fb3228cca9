// Videos in requests of chats and responses, and the wishes for their frames.
#include "server/api/openai/chat_completions.h"
#include "server/api/openai/responses/request.h"
#include "tests/server/api/parsing.h"

namespace edgegate {
namespace {

Parsed Chat(const json& part, const json& more = json::object(), const char* role = "user") {
  json body = {{"model", "m"}, {"messages", {{{"role", role}, {"content", json::array({part})}}}}};
  body.update(more);
  return ParseChatCompletion(body.dump());
}

Parsed Respond(const json& part) {
  static ResponseStore store;
  const json body = {{"model", "m"},
                     {"input", {{{"role", "user"}, {"content", json::array({part})}}}}};
  return ParseResponse(body.dump(), Caller{"key", "key"}, &store);
}

const json kPart = {{"type", "video_url"}, {"video_url", {{"url", "data:video/mp4;base64,AAAA"}}}};

TEST_CASE("each form of a video is a source with the path of its field") {
  const std::pair<json, const char*> cases[] = {
      {kPart, "video_url.url"},
      {{{"type", "video_url"}, {"video_url", "data:video/mp4;base64,AAAA"}}, "video_url"},
      {{{"type", "input_video"}, {"video_url", "data:video/mp4;base64,AAAA"}}, "video_url"},
      {{{"type", "input_video"},
        {"input_video", {{"data", "data:video/mp4;base64,AAAA"}, {"format", "mp4"}}}},
       "input_video.data"},
      {{{"type", "input_video"}, {"input_video", {{"url", "data:video/mp4;base64,AAAA"}}}},
       "input_video.url"},
  };
  for (const auto& [part, field] : cases) {
    const std::string text = part.dump();
    CAPTURE(text);
    const Call chat = Good(Chat(part)).call, response = Good(Respond(part)).call;
    CHECK(Shown(chat) == "user:<image>\n");
    CHECK(Shown(response) == Shown(chat));
    for (const Call* call : {&chat, &response}) {
      REQUIRE(call->images.size() == 1);
      CHECK(call->images[0].video);
      CHECK(call->images[0].url == "data:video/mp4;base64,AAAA");
    }
    CHECK(chat.images[0].field == std::string("messages[0].content[0].") + field);
    CHECK(response.images[0].field == std::string("input[0].content[0].") + field);
  }
}

TEST_CASE("other videos are refused with the field") {
  CHECK(FieldOf(Chat({{"type", "video_url"}})) == "messages[0].content[0].video_url");
  CHECK(FieldOf(Chat({{"type", "video_url"}, {"video_url", 3}})) ==
        "messages[0].content[0].video_url");
  CHECK(FieldOf(Chat({{"type", "input_video"}, {"input_video", {{"data", 3}}}})) ==
        "messages[0].content[0].input_video.data");
  CHECK(FieldOf(Chat({{"type", "input_video"}, {"input_video", json::object()}})) ==
        "messages[0].content[0].input_video.url");
  CHECK(FieldOf(Chat(kPart, json::object(), "system")) == "messages[0].content[0]");
}

TEST_CASE("wishes for the frames are read; other members are named") {
  const auto wish = [](const json& video) {
    return Good(Chat(kPart, {{"media_io_kwargs", {{"video", video}}}})).call.video;
  };
  const VideoWish all = wish({{"num_frames", 7}, {"fps", 0.5}, {"contact_sheet", true}});
  CHECK(all.num_frames == 7);
  CHECK(all.fps == 0.5);
  CHECK(all.contact_sheet == true);
  const VideoWish none = wish({{"num_frames", -1}, {"fps", -1}});
  CHECK_FALSE(none.num_frames.has_value());
  CHECK_FALSE(none.fps.has_value());
  CHECK_FALSE(none.contact_sheet.has_value());
  const ParsedCall parsed =
      Good(Chat(kPart, {{"mm_processor_kwargs", {{"fps", 2}, {"size", 3}}},
                        {"media_io_kwargs", {{"image", json::object()}, {"video", {{"x", 1}}}}}}));
  CHECK(parsed.call.video.fps == 2.0);
  const auto& warnings = parsed.warnings.list();
  REQUIRE(warnings.size() == 3);
  CHECK(warnings[0] == "'mm_processor_kwargs.size' is unknown and has no effect.");
  CHECK(warnings[1] == "'media_io_kwargs.video.x' is unknown and has no effect.");
  CHECK(warnings[2] == "'media_io_kwargs.image' is unknown and has no effect.");
  for (const auto& [video, field] :
       {std::pair<json, const char*>{{{"num_frames", 0}}, "num_frames"},
        {{{"num_frames", "x"}}, "num_frames"},
        {{{"fps", 0}}, "fps"},
        {{{"fps", 1e9}}, "fps"},
        {{{"contact_sheet", 1}}, "contact_sheet"}}) {
    CHECK(FieldOf(Chat(kPart, {{"media_io_kwargs", {{"video", video}}}})) ==
          std::string("media_io_kwargs.video.") + field);
  }
  CHECK(FieldOf(Chat(kPart, {{"media_io_kwargs", json::array()}})) == "media_io_kwargs");
  CHECK(FieldOf(Chat(kPart, {{"media_io_kwargs", {{"video", 3}}}})) == "media_io_kwargs.video");
  CHECK(FieldOf(Chat(kPart, {{"mm_processor_kwargs", "x"}})) == "mm_processor_kwargs");
}

}  // namespace
}  // namespace edgegate
