// SHA-256 (FIPS 180-4) of data that comes in pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace edgegate {

// Owned by one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Update(const void* data, size_t size);
  // 64 lower-case hex digits. Call once.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgegate
