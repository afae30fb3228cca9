// Writes answers and stream chunks of both endpoints as JSON.
#pragma once

#include <string>
#include <vector>

#include "server/generation.h"

namespace edgegate {

// Owned by one thread; what it is made with must outlive it.
class ResponseWriter {
 public:
  ResponseWriter(const ApiRequest& request, const ServedModel& model, const Generation& generation);

  // Takes a choice's news. Returns the chunk to stream, or nothing when there is none to send.
  std::string Chunk(const ChoiceEvent& event);
  // The first chunks of a stream, before any news: roles, or the echoed prompts.
  std::vector<std::string> FirstChunks();
  // The last chunk, when usage was asked for.
  std::string UsageChunk() const;

  // Collects a choice's news for Answer().
  void Collect(const ChoiceEvent& event);
  // The whole answer, once every choice has finished.
  std::string Answer() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// {"object": "list", "data": [...]} of /v1/models, and one of its entries.
std::string ModelListJson(const std::vector<const ServedModel*>& models);
std::string ModelJson(const ServedModel& model);

}  // namespace edgegate
