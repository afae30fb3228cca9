#include "engine/weights/safetensors.h"

#include <bit>
#include <cstring>
#include <string_view>

#include "engine/weights/json.h"

namespace edgegate {
namespace {

// Real headers take about 100 bytes per tensor.
constexpr uint64_t kMaxHeaderBytes = uint64_t{16} << 20;
constexpr size_t kMaxDimensions = 8;

struct Dtype {
  std::string_view name;
  uint64_t bits;
  std::optional<TensorType> type;
};

constexpr Dtype kDtypes[] = {
    {"F32", 32, TensorType::kF32}, {"F16", 16, TensorType::kF16}, {"BF16", 16, TensorType::kBf16},
    {"F64", 64, std::nullopt},     {"I64", 64, std::nullopt},     {"U64", 64, std::nullopt},
    {"I32", 32, std::nullopt},     {"U32", 32, std::nullopt},     {"I16", 16, std::nullopt},
    {"U16", 16, std::nullopt},     {"I8", 8, std::nullopt},       {"U8", 8, std::nullopt},
    {"BOOL", 8, std::nullopt},     {"F8_E4M3", 8, std::nullopt},  {"F8_E5M2", 8, std::nullopt},
    {"F8_E8M0", 8, std::nullopt},  {"C64", 64, std::nullopt},
};

const Dtype* FindDtype(std::string_view name) {
  for (const Dtype& dtype : kDtypes) {
    if (dtype.name == name) return &dtype;
  }
  return nullptr;
}

Status ReadShape(const Json& shape, std::vector<int64_t>& out) {
  if (!shape.is_array()) return DataLoss("shape is {}: must be an array", shape.Brief());
  if (shape.size() > kMaxDimensions) {
    return DataLoss("has {} dimensions: at most {} are allowed", shape.size(), kMaxDimensions);
  }
  for (size_t i = 0; i < shape.size(); ++i) {
    std::optional<int64_t> dimension = shape.At(i).Int();
    if (!dimension || *dimension < 0) {
      return DataLoss("shape is {}: must be whole numbers", shape.Brief());
    }
    out.push_back(*dimension);
  }
  return {};
}

Result<TensorInfo> ReadEntry(const std::string& name, const Json& entry, uint64_t data_start,
                             uint64_t data_bytes) {
  TensorInfo tensor;
  tensor.name = name;
  std::optional<std::string> dtype_name = entry["dtype"].String();
  if (!dtype_name) return DataLoss("has no dtype");
  tensor.type_name = *dtype_name;
  EG_RETURN_IF_ERROR(ReadShape(entry["shape"], tensor.shape));
  EG_ASSIGN_OR_RETURN(int64_t count, ElementCount(tensor.shape));

  const Json offsets = entry["data_offsets"];
  std::optional<int64_t> begin, end;
  if (offsets.is_array() && offsets.size() == 2) {
    begin = offsets.At(0).Int();
    end = offsets.At(1).Int();
  }
  if (!begin || !end || *begin < 0 || *end < *begin) {
    return DataLoss("data_offsets is {}: must be [begin, end]", offsets.Brief());
  }
  if (static_cast<uint64_t>(*end) > data_bytes) {
    return DataLoss("data ends at offset {}, the file's data at {}", *end, data_bytes);
  }
  tensor.offset = data_start + static_cast<uint64_t>(*begin);
  tensor.bytes = static_cast<uint64_t>(*end - *begin);

  if (const Dtype* dtype = FindDtype(tensor.type_name)) {
    tensor.type = dtype->type;
    uint64_t expected = static_cast<uint64_t>(count) * (dtype->bits / 8);
    if (tensor.bytes != expected) {
      return DataLoss("{} {} takes {} bytes, but data_offsets {} give {}", tensor.type_name,
                      ShapeText(tensor.shape), expected, offsets.Brief(), tensor.bytes);
    }
  }
  return tensor;
}

}  // namespace

Result<std::vector<TensorInfo>> ParseSafetensors(std::span<const uint8_t> file) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t header_bytes = 0;
  if (file.size() < sizeof(header_bytes)) {
    return DataLoss("not a safetensors file: only {} bytes long", file.size());
  }
  std::memcpy(&header_bytes, file.data(), sizeof(header_bytes));
  if (header_bytes > file.size() - sizeof(header_bytes)) {
    return DataLoss(
        "not a whole safetensors file: its header should have {} bytes, the file has {}",
        header_bytes, file.size());
  }
  if (header_bytes > kMaxHeaderBytes) {
    return DataLoss("safetensors header has {} bytes: at most {} are allowed", header_bytes,
                    kMaxHeaderBytes);
  }
  std::string_view text(reinterpret_cast<const char*>(file.data()) + sizeof(header_bytes),
                        header_bytes);
  Result<Json> header = Json::Parse(text);
  if (!header.ok()) return header.status().WithContext("safetensors header");
  if (!header->is_object()) return DataLoss("safetensors header is not a JSON object");

  uint64_t data_start = sizeof(header_bytes) + header_bytes;
  uint64_t total = 0;
  std::vector<TensorInfo> tensors;
  for (const std::string& name : header->Keys()) {
    if (name == "__metadata__") continue;
    Result<TensorInfo> tensor =
        ReadEntry(name, (*header)[name], data_start, file.size() - data_start);
    if (!tensor.ok()) return tensor.status().WithContext("tensor " + name);
    total += tensor->bytes;
    tensors.push_back(*std::move(tensor));
  }
  EG_RETURN_IF_ERROR(CheckTensorRanges(tensors, data_start, file.size()));
  // The tensors do not overlap and are within the file. So the sum of their sizes shows holes.
  if (total != file.size() - data_start) {
    return DataLoss("the tensors take {} bytes, but the file has {} bytes of data", total,
                    file.size() - data_start);
  }
  return tensors;
}

}  // namespace edgegate
