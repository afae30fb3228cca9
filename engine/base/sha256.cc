#include "engine/base/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

namespace edgegate {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr);
}
Sha256::~Sha256() = default;

void Sha256::Update(const void* data, size_t size) {
  EVP_DigestUpdate(state_->context, data, size);
}

std::array<uint8_t, 32> Sha256::Digest(const void* data, size_t size) {
  std::array<uint8_t, 32> digest{};
  EVP_Digest(data, size, digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

std::string Sha256::Finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(state_->context, digest, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace edgegate
