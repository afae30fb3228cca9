#include "server/api/conversation/video_parts.h"

#include <utility>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr int64_t kMostFrames = int64_t{1} << 20;
constexpr double kLeastRate = 0.001, kMostRate = 1000;

// Reads num_frames and fps. -1 stands for absent, as in vLLM.
void ReadRate(Fields* video, VideoWish* wish) {
  if (const auto frames = video->Int("num_frames", -1, kMostFrames)) {
    if (*frames == 0) {
      const std::string path = video->Path("num_frames");
      video->Fail(BadField(path, fmt::format("Invalid '{}': must be at least 1.", path)));
    }
    if (*frames > 0) wish->num_frames = static_cast<int>(*frames);
  }
  if (video->Raw("fps") == -1) return;
  if (const auto fps = video->Number("fps", kLeastRate, kMostRate)) {
    wish->fps = *fps;
  }
}

// Reads an object that is a member of `fields`. False: it is absent or no object.
bool IsObject(Fields* fields, const std::string& name, const json& value) {
  if (value.is_null()) return false;
  if (!value.is_object()) fields->Fail(WrongType(name, "an object", value));
  return value.is_object();
}

}  // namespace

bool IsVideoPart(const std::string& type) { return type == "video_url" || type == "input_video"; }

void ReadVideoPart(Fields* fields, const json& part, const std::string& path, bool is_user,
                   std::vector<ImageSource>* sources) {
  if (!is_user) {
    return fields->Fail(BadField(
        path, fmt::format("Invalid '{}': only a message of the role user can show videos.", path)));
  }
  std::string name = path;
  const json* value = nullptr;
  for (const char* member : {"input_video", "video_url"}) {
    if (MemberOf(part, member).is_null()) continue;
    value = &MemberOf(part, member);
    name = path + "." + member;
    break;
  }
  if (value == nullptr) return fields->Fail(MissingField(path + "." + TypeOf(part)));
  if (value->is_object()) {
    const char* member = MemberOf(*value, "data").is_null() ? "url" : "data";
    name += std::string(".") + member;
    value = &MemberOf(*value, member);
  }
  if (!value->is_string()) return fields->Fail(WrongType(name, "a string", *value));
  sources->push_back({std::move(name), value->get<std::string>(), true});
}

VideoWish ParseVideoWish(Fields* fields) {
  VideoWish wish;
  const json& processor = fields->Raw("mm_processor_kwargs");
  if (IsObject(fields, "mm_processor_kwargs", processor)) {
    Fields inner(processor, "mm_processor_kwargs");
    ReadRate(&inner, &wish);
    fields->Adopt(&inner);
  }
  const json& media = fields->Raw("media_io_kwargs");
  if (!IsObject(fields, "media_io_kwargs", media)) return wish;
  Fields kinds(media, "media_io_kwargs");
  const json& video = kinds.Raw("video");
  if (IsObject(fields, "media_io_kwargs.video", video)) {
    Fields inner(video, "media_io_kwargs.video");
    ReadRate(&inner, &wish);
    wish.contact_sheet = inner.Bool("contact_sheet");
    fields->Adopt(&inner);
  }
  fields->Adopt(&kinds);
  return wish;
}

}  // namespace edgegate
