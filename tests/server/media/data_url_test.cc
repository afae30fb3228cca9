#include "server/media/data_url.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

TEST_CASE("base64 decodes to what was encoded") {
  const std::pair<const char*, std::string> cases[] = {
      {"Zg==", "f"},        {"Zm8=", "fo"},           {"Zm9v", "foo"},
      {"Zm9vYg==", "foob"}, {"+/+/", "\xfb\xff\xbf"}, {"AAAA", std::string(3, '\0')}};
  for (const auto& [text, want] : cases) {
    for (const char* head : {"data:image/png;base64,", "DATA:Image/JPEG;BASE64,",
                             "data:image/webp;charset=utf-8;base64,"}) {
      const auto got = DecodeDataUrl(std::string(head) + text);
      REQUIRE_MESSAGE(got.ok(), got.status().message());
      CHECK(*got == want);
    }
  }
}

TEST_CASE("invalid base64 is refused with the reason") {
  const std::pair<std::string, const char*> cases[] = {
      {"", "neither"},
      {"data", "neither"},
      {"data:", "neither"},
      {"file:///etc/passwd", "neither"},
      {"data:image/png,xx", "not in base64"},
      {"data:image/png;base64", "neither"},
      {"data:image/png;base64,", "no data"},
      {"data:;base64,AAAA", "of type \"\""},
      {"data:text/html;base64,AAAA", "of type \"text/html\""},
      {"data:image/svg+xml;base64,AAAA", "of type"},
      {"data:image/png;base64,AAA", "multiple of 4"},
      {"data:image/png;base64,AA=A", "character at 24"},
      {"data:image/png;base64,AAA=AAAA", "character at 25"},
      {"data:image/png;base64,A===", "character at 23"},
      {"data:image/png;base64,====", "character at 22"},
      {"data:image/png;base64,AAAB====", "character at"},
      {"data:image/png;base64,AB==", "belong to no byte"},
      {"data:image/png;base64,AAB=", "belong to no byte"},
      {"data:image/png;base64,AA-_", "character at 24"},
      {"data:image/png;base64,AAAA\nAAA", "character at 26"},
      {"data:image/png;base64, AAA", "character at 22"},
      {"data:image/png;base64,AA%3D", "multiple of 4"},
      {"data:image/png;base64,\xff\xff\xff\xff", "character at 22"},
      {"data:" + std::string(300, 'x') + ";base64,AAAA", "neither"}};
  for (const auto& c : cases) {
    const std::string& url = c.first;
    CAPTURE(url);
    const auto got = DecodeDataUrl(url);
    REQUIRE_FALSE(got.ok());
    CAPTURE(got.status().message());
    CHECK(got.status().message().find(c.second) != std::string::npos);
  }
}

TEST_CASE("videos are data URLs of any video type, base64 alone, or lists of JPEG files") {
  for (const char* url : {"data:video/mp4;base64,Zm9v", "data:video/x-matroska;base64,Zm9v",
                          "data:image/gif;base64,Zm9v", "DATA:VIDEO/MP4;BASE64,Zm9v", "Zm9v"}) {
    const auto video = DecodeVideoDataUrl(url, 2);
    REQUIRE_MESSAGE(video.ok(), video.status().message());
    CHECK(video->files == std::vector<std::string>{"foo"});
    CHECK_FALSE(video->jpegs);
  }
  const auto list = DecodeVideoDataUrl("data:video/jpeg;base64,Zm9v,Zg==", 2);
  REQUIRE(list.ok());
  CHECK(list->jpegs);
  CHECK(list->files == std::vector<std::string>{"foo", "f"});
  for (const char* url :
       {"", "file:///etc/passwd", "data:text/plain;base64,Zm9v", "data:video/mp4,Zm9v",
        "data:video/mp4;base64,Zm9v,Zm9v", "data:video/jpeg;base64,Zm9v,",
        "data:video/jpeg;base64,Zm9v,Zm9v,Zm9v", "Zm9"}) {
    CAPTURE(url);
    const auto video = DecodeVideoDataUrl(url, 2);
    CHECK_FALSE(video.ok());
    CHECK(video.status().code() == StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace edgegate
