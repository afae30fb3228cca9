// Requests whose texts are not all encoded. A batch holds texts of several requests. The owners of
// the requests take turns, a text each. Requests of one owner are served in order of arrival.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/text_encoder.h"
#include "scheduler/encode_request.h"

namespace edgegate {

// Called by the engine loop's thread only.
class EncodeQueue {
 public:
  // A text of a request.
  struct Item {
    std::shared_ptr<EncodeJob> job;
    int text = 0;

    TextTokens tokens() const { return job->request().texts[static_cast<size_t>(text)]; }
  };

  void Add(std::shared_ptr<EncodeJob> job);

  // Takes the texts of the next batch, which is within the limits and has at most `max_tokens`
  // tokens, but at least one text. Precondition: not empty.
  std::vector<Item> TakeBatch(const TextEncoderLimits& limits, int max_tokens);

  // Calls `visit` for each request. Drops those that have ended then.
  void Visit(const std::function<void(EncodeJob*)>& visit);

  // True if no text is left to take.
  bool empty() const { return owners_.empty(); }
  int num_texts() const;  // that are left to take

 private:
  struct Owner {
    std::string name;
    std::deque<std::shared_ptr<EncodeJob>> jobs;  // each has a text to take; never empty
  };

  std::deque<Owner> owners_;  // the next one first
};

}  // namespace edgegate
