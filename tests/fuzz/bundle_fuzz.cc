// Uses any bytes as a bundle's manifest, after a header with their checksum. The manifest's
// statements about the tensors must be checked before the tensors are read.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <string>

#include "engine/base/sha256.h"
#include "engine/family/bundle.h"
#include "engine/family/glm_edge_v/weights.h"
#include "engine/ops/linear/int4/pack.h"
#include "engine/weights/bundle_format.h"

namespace {

// Space for the tensors of a small model, so that some manifests describe a complete bundle.
constexpr size_t kDataBytes = 64 * edgegate::kBundleAlignment;

double TouchAll(const edgegate::DecoderWeights& w) {
  auto sum = [](const float* values, int count) {
    return values ? std::accumulate(values, values + count, 0.0) : 0.0;
  };
  const auto int8 = [&](const edgegate::Int8Linear& l) {
    return sum(l.scale, l.n_padded()) + sum(l.bias, l.bias ? l.n_padded() : 0) +
           l.packed[int64_t{l.n_padded()} * l.k_padded() - 1] + l.column_sum[l.n_padded() - 1];
  };
  const auto linear = [&](const edgegate::Linear& l) {
    if (const auto* int4 = std::get_if<edgegate::Int4Linear>(&l.layer)) {
      return sum(int4->bias, int4->bias ? l.n_padded() : 0) +
             int4->packed[edgegate::Int4PackedBytes(l.n(), l.k(), int4->group) - 1];
    }
    if (const auto* int16 = std::get_if<edgegate::Int16Linear>(&l.layer)) {
      return sum(int16->scale, l.n_padded()) + sum(int16->bias, int16->bias ? l.n_padded() : 0) +
             int16->packed[int16->levels() - 1];
    }
    return int8(std::get<edgegate::Int8Linear>(l.layer));
  };
  double total = sum(w.final_norm, w.config.hidden_size) + linear(w.lm_head);
  for (const auto& layer : w.layers) {
    total += sum(layer.attention_norm, w.config.hidden_size) + linear(layer.qkv) + linear(layer.o) +
             linear(layer.gate_up) + linear(layer.down) + sum(layer.q_norm, w.config.head_dim);
  }
  if (!w.config.media) return total;
  const auto& config = edgegate::glm_edge_v::ConfigOf(w.config);
  const auto& v = static_cast<const edgegate::glm_edge_v::Weights&>(*w.media);
  const int width = config.hidden_size, text = w.config.hidden_size;
  for (const auto& layer : v.layers) {
    total += sum(layer.norm1.bias, width) + sum(layer.norm2.weight, width) + linear(layer.q) +
             linear(layer.kv) + linear(layer.out) + linear(layer.fc1) + linear(layer.fc2);
  }
  return total + linear(v.patch) + sum(v.positions, config.patches() * width) +
         sum(v.post_norm.bias, width) + linear(v.conv) + linear(v.linear) +
         sum(v.adapter_norm.weight, text) + linear(v.gate_up) + linear(v.down) +
         sum(v.first_row, text) + sum(v.last_row, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgegate;
  BundleHeader header{};
  std::memcpy(header.magic, kBundleMagic, sizeof header.magic);
  header.version = kBundleVersion;
  header.manifest_offset = kDataBytes;
  header.manifest_size = size;
  header.manifest_sha256 = Sha256::Digest(data, size);
  std::string file(kDataBytes, '\0');
  std::memcpy(file.data(), &header, sizeof header);
  file.append(reinterpret_cast<const char*>(data), size);
  const int fd = memfd_create("bundle", MFD_CLOEXEC);
  if (fd < 0 || write(fd, file.data(), file.size()) != static_cast<ssize_t>(file.size())) {
    std::perror("memfd");
    return -1;
  }
  const auto bundle = Bundle::Open("/proc/self/fd/" + std::to_string(fd));
  volatile double total = bundle.ok() ? TouchAll((*bundle)->weights()) : 0;
  (void)total;
  close(fd);
  return 0;
}
