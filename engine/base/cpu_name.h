// The name of this machine's processor, for reports.
#pragma once

#include <string>

namespace edgegate {

// Returns the processor's name, or "unknown". x86: the model name, "AMD EPYC 7B13". ARM: the
// board's model, if the device tree has one, and the types of the cores: "Raspberry Pi 5 Model B
// Rev 1.0 (Cortex-A76)".
std::string CpuName();

// Returns the name for the texts of /proc/cpuinfo and /proc/device-tree/model. An empty text is a
// file that does not exist.
std::string CpuNameOf(const std::string& cpuinfo, const std::string& device_tree_model);

}  // namespace edgegate
