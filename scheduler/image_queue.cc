#include "scheduler/image_queue.h"

#include <algorithm>

namespace edgegate {

ImageQueue::ImageQueue(ModelRunner* runner, int64_t cache_bytes)
    : runner_(runner), limits_(runner->limits()), cache_(cache_bytes) {}

void ImageQueue::Remove(Client* client) { std::erase(clients_, client); }

Result<ImageQueue::Client*> ImageQueue::Work() {
  Client* client = clients_.front();
  PromptImage& image = client->images[client->rows.size()];
  ImageEmbedding rows = cache_.Find(image.key);
  if (rows) {
    ++cache_hits_;
  } else {
    if (under_way_ != image.key) {
      under_way_.clear();
      EG_RETURN_IF_ERROR(runner_->BeginImage(image.pixels));
      rows_ = std::make_shared<std::vector<float>>(static_cast<size_t>(limits_.image_rows) *
                                                   limits_.hidden_size);
      under_way_ = image.key;
    }
    if (client->encode_begin == Clock::time_point()) client->encode_begin = Clock::now();
    const auto done = runner_->EncodeUnit(rows_->data());
    if (!done.ok()) {
      under_way_.clear();
      return done.status();
    }
    if (!*done) return nullptr;
    under_way_.clear();
    rows = std::move(rows_);
    cache_.Insert(image.key, rows);
    client->encode_end = Clock::now();
    ++client->encoded;
    ++encoded_;
  }
  image.pixels.reset();
  client->rows.push_back(std::move(rows));
  if (client->rows.size() < client->images.size()) return nullptr;
  clients_.pop_front();
  return client;
}

}  // namespace edgegate
