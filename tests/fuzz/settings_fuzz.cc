// Uses any bytes as a settings file.

#include <cstdint>
#include <string_view>

#include "config/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  edgegate::Settings settings;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)edgegate::LoadSettingsText(text, "fuzz", &settings).ok();
  return 0;
}
