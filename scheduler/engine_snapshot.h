// State of the engine loop for /health, the watchdog and tests. It is read without waiting for a
// step.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace edgegate {

struct EngineSnapshot {
  // A turn of the loop that takes longer means that the engine is stuck. Turns take less than 2 s;
  // the first step on a slow machine may take longer.
  static constexpr std::chrono::seconds kStuckAfter{10};

  struct Model {
    int running = 0;  // sequences; texts of an encoder
    int waiting = 0;  // as above
    int blocks_total = 0;
    int blocks_free = 0;
    int draft_blocks_total = 0;  // KV blocks of the draft model; 0 if there is none
    int draft_blocks_free = 0;
    // Totals since the model was loaded.
    uint64_t preemptions = 0;
    uint64_t prompt_tokens = 0;  // prefilled
    uint64_t cached_tokens = 0;  // prompt tokens found in the prefix cache
    uint64_t generated_tokens = 0;
    uint64_t draft_tokens = 0;     // computed
    uint64_t accepted_tokens = 0;  // draft tokens that were accepted
    uint64_t texts_encoded = 0;    // of an encoder
    uint64_t images_encoded = 0;
    uint64_t image_cache_hits = 0;
    int64_t image_cache_bytes = 0;  // at present
    std::string failure;            // why the model refuses requests; empty while it takes them
  };
  std::vector<Model> models;  // by the index that AddModel returned
  uint64_t steps = 0;         // completed Forward() calls; grows while there is work
  uint64_t failed_steps_in_row = 0;
  // Duration of the turn that is running at the time of the call; 0 while the loop is idle.
  std::chrono::steady_clock::duration turn{0};

  bool stuck() const { return turn > kStuckAfter; }
};

}  // namespace edgegate
