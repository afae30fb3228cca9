// Requests whose pictures are not all encoded yet, in order of arrival. One picture is encoded at a
// time, a unit at a time, so that steps may come in between; a picture that was seen lately costs
// nothing.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/image_cache.h"
#include "scheduler/request.h"

namespace edgegate {

// Called by the engine loop's thread only.
class ImageQueue {
 public:
  using Clock = std::chrono::steady_clock;

  // A request as this queue sees it. Owned by whoever adds it; must outlive its stay.
  struct Client {
    std::vector<PromptImage> images;
    std::vector<ImageEmbedding> rows;  // of images[0], images[1] ... as far as they are there
    int encoded = 0;                   // of them, those that the cache did not have
    Clock::time_point encode_begin, encode_end;
  };

  // `runner` must outlive this.
  ImageQueue(ModelRunner* runner, int64_t cache_bytes);

  void Add(Client* client) { clients_.push_back(client); }
  // Takes a request out, if it is there. Its picture goes on only if the next one wants it too.
  void Remove(Client* client);

  bool empty() const { return clients_.empty(); }
  const std::deque<Client*>& clients() const { return clients_; }

  // Does one unit for the oldest request, or takes its picture from the cache. Gives the request
  // when that was all it waited for, which is then out of the queue; else null. On an error the
  // oldest request is at fault, and stays. Precondition: not empty.
  Result<Client*> Work();

  uint64_t encoded() const { return encoded_; }
  uint64_t cache_hits() const { return cache_hits_; }
  int64_t cache_bytes() const { return cache_.bytes(); }

 private:
  ModelRunner* const runner_;
  const RunnerLimits limits_;
  ImageCache cache_;
  std::deque<Client*> clients_;
  std::string under_way_;  // key of the picture that the runner has begun; empty: none
  std::shared_ptr<std::vector<float>> rows_;
  uint64_t encoded_ = 0;
  uint64_t cache_hits_ = 0;
};

}  // namespace edgegate
