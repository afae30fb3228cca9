// SHA-256 (FIPS 180-4) of data that arrives in pieces.
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
  // Returns the digest as 64 lower-case hex digits. Call once.
  std::string Finish();

  // Returns the digest of one piece of data, as bytes.
  static std::array<uint8_t, 32> Digest(const void* data, size_t size);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgegate
