// The HTTP side: listener, limits, API keys, routes. The only folder that includes httplib.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "scheduler/engine_loop.h"
#include "server/access/memory_budget.h"
#include "server/access/site_rules.h"
#include "server/catalog/model_catalog.h"
#include "server/media/fetch.h"

namespace edgegate {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8089;                    // 0: any free one
  std::vector<std::string> api_keys;  // empty: no key is asked for
  SiteRules sites;                    // names it answers to, pages that may use it
  size_t max_body_bytes = size_t{16} << 20;
  int max_connections = 512;
  int max_connections_per_address = 0;  // 0: half of max_connections
  int body_timeout_s = 120;
  int read_timeout_s = 15;
  int write_timeout_s = 15;
  int request_timeout_s = 0;  // 0: none
  FetchOptions images;        // whose URLs are fetched
  // All of these outlive the server.
  MemoryBudget* memory = nullptr;  // of requests
  EngineLoop* engine = nullptr;
  const ModelCatalog* catalog = nullptr;
};

// Provides its own synchronization.
class HttpServer {
 public:
  explicit HttpServer(ServerOptions options);
  ~HttpServer();

  // Takes the address. kUnavailable when that fails.
  Status Bind();
  int port() const;

  // Serves until Stop(), in the calling thread. While no model is loaded, every request but /health
  // is answered by 503.
  void Run();

  // New requests are answered by 503; running ones go on.
  void StartDraining();
  // Ends Run(), which some thread is in or about to enter. Connections that wait for a request end
  // at once; the others get some seconds for their answers.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
