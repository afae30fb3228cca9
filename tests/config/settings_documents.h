// The documents that are written from the table of settings.
#pragma once

#include <string>

namespace edgegate {

// The sample settings file: every key with its description and default, and a commented-out model.
std::string SampleSettings();

// The Markdown table of docs/settings.md: key, meaning, values, default.
std::string SettingsTable();

}  // namespace edgegate
