#include "scheduler/media_queue.h"

#include <algorithm>

namespace edgegate {

MediaQueue::MediaQueue(MediaEncoder* encoder, int64_t cache_bytes)
    : encoder_(encoder), cache_(cache_bytes) {}

void MediaQueue::Add(Client* client) {
  clients_.push_back(client);
  ++owners_[client->owner].requests;
}

void MediaQueue::Remove(Client* client) {
  if (std::erase(clients_, client) == 0) return;
  const auto owner = owners_.find(client->owner);
  if (--owner->second.requests == 0) owners_.erase(owner);
  if (current_ == client) current_ = nullptr;
}

// Returns the oldest request of the owner whose last turn was longest ago.
MediaQueue::Client* MediaQueue::Next() {
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

Result<SharedEmbedding> MediaQueue::EncodeSlice(const MediaItem& item, Client* client) {
  if (under_way_ != item.key) {
    under_way_.clear();
    EG_RETURN_IF_ERROR(encoder_->Begin(item));
    under_way_ = item.key;
  }
  if (client->encode_begin == Clock::time_point()) client->encode_begin = Clock::now();
  const auto done = encoder_->Slice();
  if (done.ok() && !*done) return SharedEmbedding();
  under_way_.clear();
  if (!done.ok()) return done.status();
  EG_ASSIGN_OR_RETURN(MediaEmbedding embedding, encoder_->End());
  client->encode_end = Clock::now();
  ++client->encoded;
  ++encoded_;
  return SharedEmbedding(std::make_shared<MediaEmbedding>(std::move(embedding)));
}

Result<MediaQueue::Client*> MediaQueue::Work() {
  Client* client = Next();
  MediaItem& item = client->items[client->embeddings.size()].item;
  SharedEmbedding embedding = cache_.Find(item.key);
  if (embedding) {
    ++cache_hits_;
  } else {
    EG_ASSIGN_OR_RETURN(embedding, EncodeSlice(item, client));
    if (!embedding) return nullptr;
    cache_.Insert(item.key, embedding);
  }
  current_ = nullptr;
  item.pixels.reset();
  item.samples.reset();
  client->embeddings.push_back(std::move(embedding));
  if (client->embeddings.size() < client->items.size()) return nullptr;
  Remove(client);
  return client;
}

}  // namespace edgegate
