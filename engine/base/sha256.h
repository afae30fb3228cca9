// SHA-256 (FIPS 180-4) of data that comes in pieces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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

  // Of data in one piece, as bytes.
  static std::array<uint8_t, 32> Digest(const void* data, size_t size);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgegate
