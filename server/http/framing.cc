#include "server/http/framing.h"

namespace edgegate {

std::string SseEvent(std::string_view data, std::string_view name) {
  std::string event;
  event.reserve(data.size() + name.size() + 18);
  if (!name.empty()) event.append("event: ").append(name).append("\n");
  return event.append("data: ").append(data).append("\n\n");
}

std::string NdjsonLine(std::string_view json) { return std::string(json) + "\n"; }

}  // namespace edgegate
