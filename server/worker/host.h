// The main functions of the processes of ModelHost and WorkerProcess. A model host has one thread
// that forks. A worker has one thread that works. Both read all input from their socket.
#pragma once

namespace edgegate {

inline constexpr const char* kHostCommand = "model-host";
inline constexpr int kHostSocket = 3;

// Runs the model host. Loads the model of the first message, then forks a worker for each
// descriptor that it receives. Returns the exit code when the daemon closes the socket.
int RunModelHost();

}  // namespace edgegate
