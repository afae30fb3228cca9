// The processes behind ModelHost and WorkerProcess. They have one thread that forks, or one that
// works, and read everything from their socket.
#pragma once

#include <cstdint>

namespace edgegate {

inline constexpr const char* kHostCommand = "model-host";
inline constexpr int kHostSocket = 3;

// The model host: loads what the first message says, then forks a worker for each descriptor that
// comes. Returns the exit code when the daemon has closed the socket.
int RunModelHost();

// The private memory that this process has mapped, in bytes.
uint64_t PrivateMemory();
// Allocations beyond so many bytes of private memory fail. No effect under sanitizers.
void LimitPrivateMemory(uint64_t bytes);

}  // namespace edgegate
