#include "server/media/image_loader.h"

#include "engine/base/sha256.h"
#include "engine/image/prepare_image.h"
#include "server/media/data_url.h"
#include "server/media/decode_image.h"

namespace edgegate {
namespace {

constexpr int kDecodingAtOnce = 2;

bool IsHttp(const std::string& url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

ApiError FromLoading(const std::string& param, const Status& status) {
  if (status.code() == StatusCode::kInternal) return FromStatus(status);
  return BadParam(param, fmt::format("Invalid '{}': {}.", param, status.message()),
                  "invalid_image");
}

}  // namespace

// Holds one of the places for decoding, also when memory runs out in it.
class ImageLoader::Turn {
 public:
  explicit Turn(ImageLoader* loader) : loader_(*loader) {
    MutexLock lock(loader_.mutex_);
    while (loader_.decoding_ >= kDecodingAtOnce) loader_.changed_.Wait(loader_.mutex_);
    ++loader_.decoding_;
  }
  ~Turn() {
    MutexLock lock(loader_.mutex_);
    --loader_.decoding_;
    loader_.changed_.NotifyAll();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  ImageLoader& loader_;
};

Result<PromptImage> ImageLoader::LoadOne(const std::string& url, int size) {
  EG_ASSIGN_OR_RETURN(const std::string file,
                      IsHttp(url) ? FetchImage(url, fetch_) : DecodeDataUrl(url));
  return Prepare(file, size);
}

Result<PromptImage> ImageLoader::Prepare(std::string_view file, int size) {
  const Turn turn(this);
  EG_ASSIGN_OR_RETURN(const Image image, DecodeImage(file, DecodeLimits{}));
  auto pixels = PrepareImage(image.rgb.data(), image.width, image.height, size);
  // What the model sees names the picture: two files that come to the same pixels are the same.
  Sha256 hash;
  hash.Update(pixels.data(), pixels.size());
  return PromptImage{0, std::make_shared<const std::vector<uint8_t>>(std::move(pixels)),
                     hash.Finish()};
}

std::variant<std::vector<PromptImage>, ApiError> ImageLoader::Load(
    const std::vector<ImageUrl>& urls, const ServedModel& model) {
  std::vector<PromptImage> images;
  if (urls.empty()) return images;
  if (model.limits.image_rows == 0) {
    return BadParam(urls[0].param,
                    fmt::format("'{}' is a picture, but the model '{}' takes text only.",
                                urls[0].param, model.name));
  }
  if (static_cast<int>(urls.size()) > model.max_images) {
    return BadParam(urls[static_cast<size_t>(model.max_images)].param,
                    fmt::format("The request shows {} pictures; at most {} may be shown.",
                                urls.size(), model.max_images),
                    "too_many_images");
  }
  for (const ImageUrl& image : urls) {
    auto loaded = LoadOne(image.url, model.limits.image_size);
    if (!loaded.ok()) return FromLoading(image.param, loaded.status());
    images.push_back(*std::move(loaded));
  }
  return images;
}

}  // namespace edgegate
