// Requests whose media are not all encoded. One item is encoded at a time, in slices, so that
// decoder steps may run between two slices. A cached item costs nothing. The owners of the requests
// take turns, an item each. Requests of one owner are served in order of arrival. The queue does
// not depend on the kind or shape of items.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/media_cache.h"
#include "scheduler/request.h"

namespace edgegate {

struct SequenceGroup;

// Called by the engine loop's thread only.
class MediaQueue {
 public:
  using Clock = std::chrono::steady_clock;

  // A request in this queue. Not owned. It must not be destroyed while it is in the queue.
  struct Client {
    SequenceGroup* group = nullptr;  // the request itself, for the caller
    std::string owner;               // GenerationRequest::client
    std::vector<PromptMedia> items;
    std::vector<SharedEmbedding> embeddings;  // of the items that are encoded so far
    int encoded = 0;                          // embeddings that were not in the cache
    Clock::time_point encode_begin, encode_end;
  };

  // `encoder` must outlive this. Null: no client is ever added.
  MediaQueue(MediaEncoder* encoder, int64_t cache_bytes);

  void Add(Client* client);
  // Removes a request. No effect if it is not in the queue. The encoding of the current item
  // continues only if the next request has the same item.
  void Remove(Client* client);

  bool empty() const { return clients_.empty(); }
  const std::deque<Client*>& clients() const { return clients_; }

  // The request that Work() serves. Precondition: not empty.
  Client* Next();

  // Computes one slice for the next request, or takes its item from the cache. If this was its last
  // item, removes the request from the queue and returns it. Otherwise returns null. After an error
  // the request is still in the queue, and the caller must end it. Precondition: not empty.
  Result<Client*> Work();

  uint64_t encoded() const { return encoded_; }
  uint64_t cache_hits() const { return cache_hits_; }
  int64_t cache_bytes() const { return cache_.bytes(); }

 private:
  struct Owner {
    int requests = 0;
    uint64_t last_turn = 0;
  };

  // Returns the item's embedding after its last slice, else null.
  Result<SharedEmbedding> EncodeSlice(const MediaItem& item, Client* client);

  MediaEncoder* const encoder_;
  MediaCache cache_;
  std::deque<Client*> clients_;          // in order of arrival
  std::map<std::string, Owner> owners_;  // of requests in the queue
  uint64_t turns_ = 0;
  Client* current_ = nullptr;  // the request that Work() serves; null: not chosen yet
  std::string under_way_;      // key of the item that the encoder has begun; empty: none
  uint64_t encoded_ = 0;
  uint64_t cache_hits_ = 0;
};

}  // namespace edgegate
