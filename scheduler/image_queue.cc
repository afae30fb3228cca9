#include "scheduler/image_queue.h"

#include <algorithm>

namespace edgegate {

ImageQueue::ImageQueue(ModelRunner* runner, int64_t cache_bytes)
    : runner_(runner), limits_(runner->limits()), cache_(cache_bytes) {}

void ImageQueue::Add(Client* client) {
  clients_.push_back(client);
  ++owners_[client->owner].requests;
}

void ImageQueue::Remove(Client* client) {
  if (std::erase(clients_, client) == 0) return;
  const auto owner = owners_.find(client->owner);
  if (--owner->second.requests == 0) owners_.erase(owner);
  if (current_ == client) current_ = nullptr;
}

// The oldest request of the owner whose last turn was longest ago.
ImageQueue::Client* ImageQueue::Next() {
  if (current_ != nullptr) return current_;
  uint64_t oldest = 0;
  for (Client* client : clients_) {
    const uint64_t turn = owners_.find(client->owner)->second.last_turn;
    if (current_ == nullptr || turn < oldest) {
      current_ = client;
      oldest = turn;
    }
  }
  owners_.find(current_->owner)->second.last_turn = ++turns_;
  return current_;
}

Result<ImageQueue::Client*> ImageQueue::Work() {
  Client* client = Next();
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
  current_ = nullptr;
  image.pixels.reset();
  client->rows.push_back(std::move(rows));
  if (client->rows.size() < client->images.size()) return nullptr;
  Remove(client);
  return client;
}

}  // namespace edgegate
