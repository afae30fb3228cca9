#include "server/api/stop_strings.h"

namespace edgegate {

void ReadStopStrings(Fields* fields, const nlohmann::ordered_json& list, const std::string& path,
                     Call* call) {
  if (!list.is_array()) return fields->Fail(WrongType(path, "an array of strings", list));
  if (list.size() > kMaxStops) {
    return fields->Fail(BadField(path, fmt::format("Invalid '{}': at most {}.", path, kMaxStops)));
  }
  for (const auto& stop : list) {
    if (!stop.is_string()) return fields->Fail(WrongType(path, "an array of strings", list));
    const std::string& text = stop.get_ref<const std::string&>();
    if (text.empty() || text.size() > kMaxStopBytes) {
      return fields->Fail(BadField(
          path, fmt::format("Invalid '{}': each must have 1 to {} bytes.", path, kMaxStopBytes)));
    }
    call->stop_strings.push_back(text);
  }
}

}  // namespace edgegate
