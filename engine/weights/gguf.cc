#include "engine/weights/gguf.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>

#include "engine/weights/dequantize.h"

namespace edgegate {
namespace {

enum ValueType : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64
};

// A tensor type of ggml: its number and name, and the type that it is read as. Types that cannot be
// read have a name only.
struct TypeName {
  uint32_t number;
  const char* name;
  std::optional<TensorType> type;
};
const TypeName kTypes[] = {
    {0, "F32", TensorType::kF32},   {1, "F16", TensorType::kF16},    {2, "Q4_0", TensorType::kQ4_0},
    {3, "Q4_1", TensorType::kQ4_1}, {6, "Q5_0", TensorType::kQ5_0},  {7, "Q5_1", TensorType::kQ5_1},
    {8, "Q8_0", TensorType::kQ8_0}, {12, "Q4_K", TensorType::kQ4K},  {13, "Q5_K", TensorType::kQ5K},
    {14, "Q6_K", TensorType::kQ6K}, {30, "BF16", TensorType::kBf16}, {10, "Q2_K", std::nullopt},
    {11, "Q3_K", std::nullopt},     {16, "IQ2_XXS", std::nullopt},   {17, "IQ2_XS", std::nullopt},
    {18, "IQ3_XXS", std::nullopt},  {19, "IQ1_S", std::nullopt},     {20, "IQ4_NL", std::nullopt},
    {21, "IQ3_S", std::nullopt},    {22, "IQ2_S", std::nullopt},     {23, "IQ4_XS", std::nullopt},
    {29, "IQ1_M", std::nullopt},    {9, "Q8_1", std::nullopt},       {15, "Q8_K", std::nullopt},
    {24, "I8", std::nullopt},       {25, "I16", std::nullopt},       {26, "I32", std::nullopt},
    {27, "I64", std::nullopt},      {28, "F64", std::nullopt},       {34, "TQ1_0", std::nullopt},
    {35, "TQ2_0", std::nullopt},    {39, "MXFP4", std::nullopt},
};

constexpr uint64_t kMaxCount = uint64_t{1} << 24;  // maximum of entries, tensors and array elements

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> file) : file_(file) {}

  uint64_t offset() const { return offset_; }

  template <typename T>
  Status Read(T* out) {
    if (file_.size() - offset_ < sizeof(T)) return Short(sizeof(T));
    std::memcpy(out, file_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    return {};
  }

  Status Read(std::string* out) {
    uint64_t size;
    EG_RETURN_IF_ERROR(Read(&size));
    if (size > file_.size() - offset_) return Short(size);
    out->assign(reinterpret_cast<const char*>(file_.data() + offset_), size);
    offset_ += size;
    return {};
  }

 private:
  Status Short(uint64_t size) const {
    return DataLoss("GGUF ends at offset {}: {} bytes were to follow at {}", file_.size(), size,
                    offset_);
  }
  std::span<const uint8_t> file_;
  uint64_t offset_ = 0;
};

template <typename T, typename Wide>
Status ReadNumber(Reader& reader, Wide* out) {
  T value;
  EG_RETURN_IF_ERROR(reader.Read(&value));
  *out = static_cast<Wide>(value);
  return {};
}

Status ReadInt(Reader& reader, uint32_t type, int64_t* out) {
  switch (type) {
    case kU8:
      return ReadNumber<uint8_t>(reader, out);
    case kI8:
      return ReadNumber<int8_t>(reader, out);
    case kU16:
      return ReadNumber<uint16_t>(reader, out);
    case kI16:
      return ReadNumber<int16_t>(reader, out);
    case kU32:
      return ReadNumber<uint32_t>(reader, out);
    case kI32:
      return ReadNumber<int32_t>(reader, out);
    case kU64: {
      uint64_t value;
      EG_RETURN_IF_ERROR(reader.Read(&value));
      *out = static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX));
      return {};
    }
    default:
      return ReadNumber<int64_t>(reader, out);
  }
}

bool IsFloat(uint32_t type) { return type == kF32 || type == kF64; }
bool IsInt(uint32_t type) { return type <= kI32 || type == kU64 || type == kI64; }

Status ReadFloat(Reader& reader, uint32_t type, double* out) {
  return type == kF32 ? ReadNumber<float>(reader, out) : ReadNumber<double>(reader, out);
}

Result<GgufValue> ReadArray(Reader& reader) {
  uint32_t type;
  uint64_t count;
  const uint64_t start = reader.offset();
  EG_RETURN_IF_ERROR(reader.Read(&type));
  EG_RETURN_IF_ERROR(reader.Read(&count));
  if (count > kMaxCount) return DataLoss("GGUF array at offset {} has {} elements", start, count);
  // Elements are read one by one. So a wrong count reaches the end of the file before it takes
  // memory.
  if (type == kString) {
    std::vector<std::string> values;
    for (uint64_t i = 0; i < count; ++i) EG_RETURN_IF_ERROR(reader.Read(&values.emplace_back()));
    return GgufValue(std::move(values));
  }
  if (IsFloat(type)) {
    std::vector<double> values;
    for (uint64_t i = 0; i < count; ++i) {
      EG_RETURN_IF_ERROR(ReadFloat(reader, type, &values.emplace_back()));
    }
    return GgufValue(std::move(values));
  }
  if (IsInt(type) || type == kBool) {
    std::vector<int64_t> values;
    for (uint64_t i = 0; i < count; ++i) {
      EG_RETURN_IF_ERROR(
          ReadInt(reader, type == kBool ? uint32_t{kU8} : type, &values.emplace_back()));
    }
    return GgufValue(std::move(values));
  }
  return DataLoss("GGUF array at offset {} has elements of type {}: not supported", start, type);
}

Result<GgufValue> ReadValue(Reader& reader) {
  uint32_t type;
  const uint64_t start = reader.offset();
  EG_RETURN_IF_ERROR(reader.Read(&type));
  if (type == kArray) return ReadArray(reader);
  if (type == kString) {
    std::string value;
    EG_RETURN_IF_ERROR(reader.Read(&value));
    return GgufValue(std::move(value));
  }
  if (type == kBool) {
    uint8_t value;
    EG_RETURN_IF_ERROR(reader.Read(&value));
    return GgufValue(value != 0);
  }
  if (IsFloat(type)) {
    double value;
    EG_RETURN_IF_ERROR(ReadFloat(reader, type, &value));
    return GgufValue(value);
  }
  if (IsInt(type)) {
    int64_t value;
    EG_RETURN_IF_ERROR(ReadInt(reader, type, &value));
    return GgufValue(value);
  }
  return DataLoss("GGUF value at offset {} has type {}, which does not exist", start, type);
}

Result<TensorInfo> ReadTensorInfo(Reader& reader) {
  TensorInfo info;
  const uint64_t start = reader.offset();
  EG_RETURN_IF_ERROR(reader.Read(&info.name));
  uint32_t dimensions;
  EG_RETURN_IF_ERROR(reader.Read(&dimensions));
  if (dimensions > 4) {
    return DataLoss("GGUF tensor at offset {} has {} dimensions: at most 4", start, dimensions);
  }
  info.shape.resize(dimensions);
  for (uint32_t i = 0; i < dimensions; ++i) {
    EG_RETURN_IF_ERROR(reader.Read(&info.shape[dimensions - 1 - i]));
  }
  uint32_t number;
  EG_RETURN_IF_ERROR(reader.Read(&number));
  EG_RETURN_IF_ERROR(reader.Read(&info.offset));
  info.type_name = fmt::format("type {}", number);
  for (const TypeName& type : kTypes) {
    if (type.number != number) continue;
    info.type_name = type.name;
    info.type = type.type;
  }
  EG_ASSIGN_OR_RETURN(const int64_t count, ElementCount(info.shape));
  if (info.type) {
    const BlockShape block = BlockOf(*info.type);
    const int64_t row = info.shape.empty() ? 1 : info.shape.back();
    if (row % block.elements != 0) {
      return DataLoss("tensor {}: rows of {} elements are no multiple of {}'s block of {}",
                      info.name, row, info.type_name, block.elements);
    }
    info.bytes = static_cast<uint64_t>(count / block.elements) * static_cast<uint64_t>(block.bytes);
  }
  return info;
}

Status PlaceTensors(GgufFile& gguf, uint64_t header_end, uint64_t file_size) {
  const int64_t alignment = gguf.Int("general.alignment").value_or(32);
  if (alignment < 1 || alignment > 65536 || (alignment & (alignment - 1)) != 0) {
    return DataLoss("general.alignment is {}: must be a power of two up to 65536", alignment);
  }
  const auto step = static_cast<uint64_t>(alignment);
  const uint64_t data = (header_end + step - 1) / step * step;
  for (TensorInfo& tensor : gguf.tensors) {
    if (tensor.offset % step != 0 || tensor.offset > file_size) {
      return DataLoss("tensor {}: offset {} is not aligned to {} or passes the end", tensor.name,
                      tensor.offset, alignment);
    }
    tensor.offset += data;
  }
  return CheckTensorRanges(gguf.tensors, data, file_size);
}

}  // namespace

std::optional<int64_t> GgufFile::Int(const std::string& key) const {
  auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  const auto* value = std::get_if<int64_t>(&found->second);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<double> GgufFile::Number(const std::string& key) const {
  auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  if (const auto* value = std::get_if<double>(&found->second)) return *value;
  if (auto value = Int(key)) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<bool> GgufFile::Bool(const std::string& key) const {
  auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  const auto* value = std::get_if<bool>(&found->second);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<std::string> GgufFile::String(const std::string& key) const {
  auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  const auto* value = std::get_if<std::string>(&found->second);
  return value ? std::optional(*value) : std::nullopt;
}

Result<GgufFile> ParseGguf(std::span<const uint8_t> file) {
  Reader reader(file);
  char magic[4];
  EG_RETURN_IF_ERROR(reader.Read(&magic));
  if (std::memcmp(magic, "GGUF", 4) != 0) return DataLoss("no GGUF file: wrong magic at offset 0");
  uint32_t version;
  uint64_t num_tensors, num_values;
  EG_RETURN_IF_ERROR(reader.Read(&version));
  if (version != 2 && version != 3) {
    return Unimplemented("GGUF version {}: only 2 and 3 are supported", version);
  }
  EG_RETURN_IF_ERROR(reader.Read(&num_tensors));
  EG_RETURN_IF_ERROR(reader.Read(&num_values));
  if (num_tensors > kMaxCount || num_values > kMaxCount) {
    return DataLoss("GGUF claims {} tensors and {} values", num_tensors, num_values);
  }
  GgufFile gguf;
  for (uint64_t i = 0; i < num_values; ++i) {
    std::string key;
    EG_RETURN_IF_ERROR(reader.Read(&key));
    EG_ASSIGN_OR_RETURN(GgufValue value, ReadValue(reader));
    if (!gguf.metadata.emplace(key, std::move(value)).second) {
      return DataLoss("GGUF key {} is given twice", key);
    }
  }
  std::set<std::string> names;
  for (uint64_t i = 0; i < num_tensors; ++i) {
    EG_ASSIGN_OR_RETURN(TensorInfo info, ReadTensorInfo(reader));
    if (!names.insert(info.name).second) return DataLoss("tensor {} is given twice", info.name);
    gguf.tensors.push_back(std::move(info));
  }
  EG_RETURN_IF_ERROR(PlaceTensors(gguf, reader.offset(), file.size()));
  return gguf;
}

}  // namespace edgegate
