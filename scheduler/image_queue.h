// Requests whose images are not all encoded yet. One image is encoded at a time, a unit at a time,
// so that steps may come in between; an image that was seen lately costs nothing. The owners of the
// requests take turns, an image each; the requests of one owner are served in order of arrival.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/image_cache.h"
#include "scheduler/request.h"

namespace edgegate {

struct SequenceGroup;

// Called by the engine loop's thread only.
class ImageQueue {
 public:
  using Clock = std::chrono::steady_clock;

  // A request as this queue sees it. Owned by whoever adds it; must outlive its stay.
  struct Client {
    SequenceGroup* group = nullptr;  // the request itself, for the caller
    std::string owner;               // GenerationRequest::client
    std::vector<PromptImage> images;
    std::vector<ImageEmbedding> rows;  // of images[0], images[1] ... as far as they are there
    int encoded = 0;                   // of them, those that the cache did not have
    Clock::time_point encode_begin, encode_end;
  };

  // `runner` must outlive this.
  ImageQueue(ModelRunner* runner, int64_t cache_bytes);

  void Add(Client* client);
  // Takes a request out, if it is there. Its image goes on only if the next one wants it too.
  void Remove(Client* client);

  bool empty() const { return clients_.empty(); }
  const std::deque<Client*>& clients() const { return clients_; }

  // The request that Work() serves. Precondition: not empty.
  Client* Next();

  // Does one unit for the next request, or takes its image from the cache. Gives the request when
  // that was all it waited for, which is then out of the queue; else null. On an error this request
  // is at fault, and stays. Precondition: not empty.
  Result<Client*> Work();

  uint64_t encoded() const { return encoded_; }
  uint64_t cache_hits() const { return cache_hits_; }
  int64_t cache_bytes() const { return cache_.bytes(); }

 private:
  ModelRunner* const runner_;
  const RunnerLimits limits_;
  ImageCache cache_;
  std::deque<Client*> clients_;  // in order of arrival
  // When an owner with a request here had its last turn, as a count of turns.
  struct Owner {
    int requests = 0;
    uint64_t last_turn = 0;
  };
  std::map<std::string, Owner> owners_;
  uint64_t turns_ = 0;
  Client* current_ = nullptr;  // whose turn it is; null: nobody's yet
  std::string under_way_;      // key of the picture that the runner has begun; empty: none
  std::shared_ptr<std::vector<float>> rows_;
  uint64_t encoded_ = 0;
  uint64_t cache_hits_ = 0;
};

}  // namespace edgegate
