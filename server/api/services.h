// The parts of the daemon that the endpoints use.
#pragma once

#include <atomic>
#include <chrono>

#include "scheduler/engine_loop.h"
#include "server/access/memory_budget.h"
#include "server/call/media_loader.h"
#include "server/catalog/model_catalog.h"
#include "server/media/fetch.h"

namespace edgegate {

// Its members outlive every request. All of them are thread-safe.
struct ApiServices {
  FetchOptions images;  // hosts from which images and videos are fetched
  VideoOptions videos;
  int request_timeout_s = 0;  // 0: none
  bool page = true;           // serve the chat page
  bool strict = false;        // refuse members of requests that are unknown
  // Longest silence of a stream. Proxies and clients end a silent stream, often after 30 or 60 s.
  std::chrono::milliseconds heartbeat{10000};
  MemoryBudget* memory = nullptr;  // of requests
  EngineLoop* engine = nullptr;
  const ModelCatalog* catalog = nullptr;
  const std::atomic<bool>* draining = nullptr;  // new requests are refused
};

}  // namespace edgegate
