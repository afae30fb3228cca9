#include "server/call/media_loader.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "server/call/generation.h"
#include "server/media/data_url.h"

namespace edgegate {
namespace {

using Images = std::vector<PromptMedia>;

constexpr int kFewFrames = 4;       // fewer are shown on a contact sheet
constexpr int kMaxJpegs = 4096;     // of a video that is a list of JPEG files
constexpr int kAnswerTokens = 256;  // kept free for the answer where the call does not tell
constexpr int kAnswerPart = 4;  // at most this part of the context is kept free, if it may be cut
constexpr int64_t kLongTimeUs = int64_t{10} * 3600 * 1'000'000 - 1;  // has the longest label

// Returns the text before a contact sheet.
std::string SheetLabel(const VideoImage& sheet) {
  std::string text = fmt::format("Frames of a video, {} in a row:", sheet.columns);
  for (const int64_t time_us : sheet.times_us) text += " " + FrameLabel(time_us);
  return text;
}

// The media of a call while they are loaded. All vectors have one entry for each source.
class Loader {
 public:
  Loader(Call* call, const ServedModel& model, MemoryBudget* memory, const JobContext& context)
      : call_(call),
        model_(model),
        memory_(memory),
        context_(context),
        sources_(std::move(call->images)),
        images_(sources_.size()),
        labels_(sources_.size()) {
    call->images.clear();
  }

  std::variant<Images, CallError> Load(const FetchOptions& fetch, const VideoOptions& options) {
    if (auto error = LoadStills(fetch)) return *std::move(error);
    const auto videos = std::count_if(sources_.begin(), sources_.end(),
                                      [](const ImageSource& source) { return source.video; });
    if (auto error = Measure(static_cast<int>(videos))) return *std::move(error);
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (!sources_[i].video) continue;
      const Status status = LoadVideo(i, fetch, options);
      if (!status.ok()) return AtField(sources_[i].field, status, "invalid_video");
    }
    call_->input = Shown();
    return AllImages();
  }

 private:
  // Loads the images that are not videos.
  std::optional<CallError> LoadStills(const FetchOptions& fetch) {
    std::vector<ImageSource> stills;
    for (const ImageSource& source : sources_) {
      if (!source.video) stills.push_back(source);
    }
    auto loaded = LoadImages(stills, model_, fetch, memory_, context_);
    if (const auto* error = std::get_if<CallError>(&loaded)) return *error;
    auto next = std::get<Images>(loaded).begin();
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].video) continue;
      images_[i] = {std::move(*next++)};
      labels_[i] = {""};
    }
    return std::nullopt;
  }

  // Returns the conversation with the loaded images. Videos that are not loaded are left out.
  Conversation Shown() const {
    Conversation conversation = *call_->conversation();
    size_t source = 0;
    for (ChatMessage& message : conversation.messages) {
      std::vector<ChatPart> parts;
      for (ChatPart& part : message.parts) {
        if (part.kind != ChatPart::Kind::kImage) {
          parts.push_back(std::move(part));
          continue;
        }
        for (const std::string& label : labels_[source]) {
          if (!label.empty()) parts.push_back({ChatPart::Kind::kText, label});
          parts.push_back({ChatPart::Kind::kImage, ""});
        }
        ++source;
      }
      message.parts = std::move(parts);
    }
    return conversation;
  }

  Images AllImages() const {
    Images all;
    for (const Images& images : images_) all.insert(all.end(), images.begin(), images.end());
    return all;
  }

  PromptMedia ToMedia(std::vector<uint8_t> pixels, std::string key) const {
    return {0, SquareImage(std::make_shared<const std::vector<uint8_t>>(std::move(pixels)), Size(),
                           std::move(key))};
  }
  int Size() const { return model_.limits.media->image_size(); }

  std::variant<int, CallError> CountTokens() const {
    Call shown = *call_;
    shown.input = Shown();
    const auto ids = Generation::EncodePrompt(shown, model_, AllImages(), context_);
    if (const auto* error = std::get_if<CallError>(&ids)) return *error;
    return static_cast<int>(std::get<std::vector<int32_t>>(ids).size());
  }

  // Computes how many frames of each video fit.
  std::optional<CallError> Measure(int videos) {
    const auto text = CountTokens();
    if (const auto* error = std::get_if<CallError>(&text)) return *error;
    size_t first = 0;
    while (!sources_[first].video) ++first;
    const auto size = static_cast<size_t>(Size());
    images_[first].push_back(ToMedia(std::vector<uint8_t>(size * size * 3), ""));
    labels_[first] = {FrameLabel(kLongTimeUs)};
    const auto layout = model_.limits.media->Layout(images_[first][0].item);
    const auto one = CountTokens();
    images_[first].clear();
    labels_[first].clear();
    if (const auto* error = std::get_if<CallError>(&one)) return *error;
    if (!layout.ok()) return CallError{layout.status()};
    image_tokens_ = layout->rows;
    frame_tokens_ = std::max(std::get<int>(one) - std::get<int>(text), image_tokens_ + 1);
    const int context = model_.limits.max_model_len;
    int answer = call_->max_tokens.value_or(call_->default_max_tokens.value_or(kAnswerTokens));
    if (!call_->max_tokens || call_->fit_max_tokens)
      answer = std::min(answer, context / kAnswerPart);
    const int64_t free = int64_t{context} - std::get<int>(text) - answer;
    free_tokens_ = static_cast<int>(std::max<int64_t>(free / videos, 0));
    if (free_tokens_ < frame_tokens_) {
      return BadField(
          sources_[first].field,
          fmt::format(
              "This model's maximum context length is {} tokens. However, the {} without "
              "videos have {} tokens, {} are kept for the answer, and a frame of each of {} "
              "videos takes {}.",
              context, call_->input_field, std::get<int>(text), answer, videos, frame_tokens_),
          "context_length_exceeded");
    }
    const int shown = static_cast<int>(sources_.size()) - videos;
    fitting_ = std::min((model_.max_images - shown) / videos, free_tokens_ / frame_tokens_);
    return std::nullopt;
  }

  // Decides between frames and a contact sheet.
  VideoSampling SamplingFor(const VideoOptions& options) const {
    VideoSampling sampling;
    sampling.size = Size();
    sampling.fps = call_->video.fps.value_or(0);
    const int wanted = std::min(options.max_frames, call_->video.num_frames.value_or(INT_MAX));
    VideoOptions::Form form = options.form;
    if (call_->video.contact_sheet) {
      form = *call_->video.contact_sheet ? VideoOptions::Form::kSheet : VideoOptions::Form::kFrames;
    }
    sampling.max_images = std::min(wanted, fitting_);
    sampling.always_sheet = form == VideoOptions::Form::kSheet;
    const bool few = fitting_ < std::min(wanted, kFewFrames);
    if (sampling.always_sheet || (form == VideoOptions::Form::kAuto && few)) {
      const int label = frame_tokens_ - image_tokens_;
      // A token has at least one byte.
      const auto intro = static_cast<int>(SheetLabel({{}, kFewFrames, {}}).size());
      const int labels = (free_tokens_ - image_tokens_ - intro) / (label + 1);
      sampling.sheet_frames = labels > 1 ? std::min(wanted, labels) : 0;
    }
    return sampling;
  }

  Status LoadVideo(size_t index, const FetchOptions& fetch, const VideoOptions& options) {
    if (options.decoder == nullptr) return Unimplemented("videos are not decoded here");
    const std::string& url = sources_[index].url;
    VideoInput video;
    if (url.starts_with("http://") || url.starts_with("https://")) {
      EG_ASSIGN_OR_RETURN(std::string file, FetchVideo(url, fetch, context_.cancelled));
      video.files.push_back(std::move(file));
    } else {
      EG_ASSIGN_OR_RETURN(VideoUrlData data, DecodeVideoDataUrl(url, kMaxJpegs));
      video.files = std::move(data.files);
      video.jpegs = data.jpegs;
    }
    EG_ASSIGN_OR_RETURN(auto decoded,
                        options.decoder->Decode(video, SamplingFor(options), context_));
    for (PreparedVideoImage& one : decoded) {
      const bool sheet = one.image.times_us.size() > 1;
      labels_[index].push_back(sheet ? SheetLabel(one.image) : FrameLabel(one.image.times_us[0]));
      PromptMedia media = ToMedia(std::move(one.image.pixels), std::move(one.sha256));
      EG_RETURN_IF_ERROR(ChargeImage(image_tokens_, model_, memory_, &media.item));
      images_[index].push_back(std::move(media));
    }
    return {};
  }

  Call* const call_;
  const ServedModel& model_;
  MemoryBudget* const memory_;
  const JobContext& context_;
  const std::vector<ImageSource> sources_;
  std::vector<Images> images_;
  std::vector<std::vector<std::string>> labels_;  // texts before the images; empty: none
  int image_tokens_ = 0;
  int frame_tokens_ = 0;  // of an image and its label
  int free_tokens_ = 0;   // for each video
  int fitting_ = 0;       // frames of each video
};

}  // namespace

std::string FrameLabel(int64_t time_us) {
  const int64_t tenths = time_us / 100'000;
  const int64_t seconds = tenths / 10 % 60, minutes = tenths / 600 % 60, hours = tenths / 36'000;
  if (hours > 0) return fmt::format("[{}:{:02}:{:02}.{}]", hours, minutes, seconds, tenths % 10);
  return fmt::format("[{}:{:02}.{}]", minutes, seconds, tenths % 10);
}

std::variant<std::vector<PromptMedia>, CallError> LoadMedia(Call* call, const ServedModel& model,
                                                            const FetchOptions& fetch,
                                                            const VideoOptions& videos,
                                                            MemoryBudget* memory,
                                                            const JobContext& context) {
  const bool any_video = std::any_of(call->images.begin(), call->images.end(),
                                     [](const ImageSource& source) { return source.video; });
  if (!any_video) {
    const std::vector<ImageSource> sources = std::move(call->images);
    call->images.clear();
    return LoadImages(sources, model, fetch, memory, context);
  }
  return Loader(call, model, memory, context).Load(fetch, videos);
}

}  // namespace edgegate
