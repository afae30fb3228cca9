#include "engine/image/resize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/image/resize.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using I32 = hn::CappedTag<int32_t, 16>;
using U8 = hn::Rebind<uint8_t, I32>;

constexpr int32_t kHalf = ResizeWeights::kHalf;

void SplitChannelsImpl(const uint8_t* rgb, int width, int64_t stride, uint8_t* planes) {
  const hn::CappedTag<uint8_t, 16> bytes;
  const int lanes = static_cast<int>(hn::Lanes(bytes));
  int x = 0;
  for (; x + lanes <= width; x += lanes) {
    auto red = hn::Undefined(bytes), green = hn::Undefined(bytes), blue = hn::Undefined(bytes);
    hn::LoadInterleaved3(bytes, rgb + int64_t{x} * 3, red, green, blue);
    hn::StoreU(red, bytes, planes + x);
    hn::StoreU(green, bytes, planes + stride + x);
    hn::StoreU(blue, bytes, planes + 2 * stride + x);
  }
  for (; x < width; ++x) {
    for (int channel = 0; channel < 3; ++channel) {
      planes[channel * stride + x] = rgb[int64_t{x} * 3 + channel];
    }
  }
}

// Resizes one row. `planes`: [3][stride], one plane for each channel, with 16 readable bytes after
// its last pixel. Integer sums are exact in any order, so that vectors give the result of Pillow's
// loop.
void ResizeRowImpl(const uint8_t* planes, int64_t stride, const ResizeWeights& w, uint8_t* out) {
  const I32 i32;
  const U8 u8;
  const int lanes = static_cast<int>(hn::Lanes(i32));
  const int outputs = static_cast<int>(w.first.size());
  for (int i = 0; i < outputs; ++i) {
    const int32_t* weights = w.weights.data() + int64_t{i} * w.stride;
    const uint8_t* from = planes + w.first[i];
    auto red = hn::Zero(i32), green = hn::Zero(i32), blue = hn::Zero(i32);
    for (int j = 0; j < w.count[i]; j += lanes) {
      const auto weight = hn::LoadU(i32, weights + j);
      auto load = [&](int channel) HWY_ATTR {
        return hn::PromoteTo(i32, hn::LoadU(u8, from + channel * stride + j));
      };
      red = hn::Add(red, hn::Mul(load(0), weight));
      green = hn::Add(green, hn::Mul(load(1), weight));
      blue = hn::Add(blue, hn::Mul(load(2), weight));
    }
    const int32_t sums[3] = {hn::GetLane(hn::SumOfLanes(i32, red)),
                             hn::GetLane(hn::SumOfLanes(i32, green)),
                             hn::GetLane(hn::SumOfLanes(i32, blue))};
    for (int channel = 0; channel < 3; ++channel) {
      const int32_t value = (sums[channel] + kHalf) >> ResizeWeights::kBits;
      out[i * 3 + channel] = static_cast<uint8_t>(std::clamp(value, 0, 255));
    }
  }
}

// Computes output row `row` from input rows of `length` bytes.
void ResizeColumnsImpl(const uint8_t* rows, int64_t length, const ResizeWeights& w, int row,
                       uint8_t* out) {
  const I32 i32;
  const U8 u8;
  const int lanes = static_cast<int>(hn::Lanes(i32));
  const int32_t* weights = w.weights.data() + int64_t{row} * w.stride;
  const uint8_t* from = rows + length * w.first[row];
  int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
    auto sum = hn::Set(i32, kHalf);
    for (int j = 0; j < w.count[row]; ++j) {
      const auto value = hn::PromoteTo(i32, hn::LoadU(u8, from + j * length + i));
      sum = hn::Add(sum, hn::Mul(value, hn::Set(i32, weights[j])));
    }
    // DemoteTo saturates.
    hn::StoreU(hn::DemoteTo(u8, hn::ShiftRight<ResizeWeights::kBits>(sum)), u8, out + i);
  }
  for (; i < length; ++i) {
    int32_t sum = kHalf;
    for (int j = 0; j < w.count[row]; ++j) sum += from[j * length + i] * weights[j];
    out[i] = static_cast<uint8_t>(std::clamp(sum >> ResizeWeights::kBits, 0, 255));
  }
}

void AddWeightedRowImpl(const uint8_t* row, int64_t length, int32_t weight, int32_t* sums) {
  const I32 i32;
  const U8 u8;
  const int lanes = static_cast<int>(hn::Lanes(i32));
  const auto factor = hn::Set(i32, weight);
  int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
    const auto value = hn::PromoteTo(i32, hn::LoadU(u8, row + i));
    hn::StoreU(hn::Add(hn::LoadU(i32, sums + i), hn::Mul(value, factor)), i32, sums + i);
  }
  for (; i < length; ++i) sums[i] += row[i] * weight;
}

void FinishSumsImpl(const int32_t* sums, int64_t length, uint8_t* out) {
  const I32 i32;
  const U8 u8;
  const int lanes = static_cast<int>(hn::Lanes(i32));
  int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
    const auto sum = hn::ShiftRight<ResizeWeights::kBits>(hn::LoadU(i32, sums + i));
    hn::StoreU(hn::DemoteTo(u8, sum), u8, out + i);  // DemoteTo saturates
  }
  for (; i < length; ++i) {
    out[i] = static_cast<uint8_t>(std::clamp(sums[i] >> ResizeWeights::kBits, 0, 255));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

HWY_EXPORT(ResizeRowImpl);
HWY_EXPORT(ResizeColumnsImpl);
HWY_EXPORT(SplitChannelsImpl);
HWY_EXPORT(AddWeightedRowImpl);
HWY_EXPORT(FinishSumsImpl);

std::vector<uint8_t> ResizeRows(const uint8_t* rgb, int width, int height, int new_width) {
  const ResizeWeights w = MakeResizeWeights(width, new_width);
  std::vector<uint8_t> out(static_cast<size_t>(height) * new_width * 3);
  const int64_t stride = width + 16;  // vectors read past the last pixel
  std::vector<uint8_t> planes(static_cast<size_t>(stride) * 3);
  for (int y = 0; y < height; ++y) {
    SplitChannels(rgb + int64_t{y} * width * 3, width, stride, planes.data());
    ResizeRow(planes.data(), stride, w, out.data() + int64_t{y} * new_width * 3);
  }
  return out;
}

std::vector<uint8_t> ResizeColumns(const uint8_t* rgb, int width, int height, int new_height) {
  const ResizeWeights w = MakeResizeWeights(height, new_height);
  const int64_t row = int64_t{width} * 3;
  std::vector<uint8_t> out(static_cast<size_t>(row) * new_height);
  for (int y = 0; y < new_height; ++y) {
    HWY_DYNAMIC_DISPATCH(ResizeColumnsImpl)(rgb, row, w, y, out.data() + y * row);
  }
  return out;
}

}  // namespace

void SplitChannels(const uint8_t* rgb, int width, int64_t stride, uint8_t* planes) {
  HWY_DYNAMIC_DISPATCH(SplitChannelsImpl)(rgb, width, stride, planes);
}

void ResizeRow(const uint8_t* planes, int64_t stride, const ResizeWeights& w, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(ResizeRowImpl)(planes, stride, w, out);
}

void AddWeightedRow(const uint8_t* row, int64_t length, int32_t weight, int32_t* sums) {
  HWY_DYNAMIC_DISPATCH(AddWeightedRowImpl)(row, length, weight, sums);
}

void FinishSums(const int32_t* sums, int64_t length, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(FinishSumsImpl)(sums, length, out);
}

std::vector<uint8_t> ResizeBicubic(const uint8_t* rgb, int width, int height, int new_width,
                                   int new_height) {
  std::vector<uint8_t> out;
  if (ColumnsFirst(width, height, new_width, new_height)) {
    out = ResizeColumns(rgb, width, height, new_height);
    return new_width == width ? out : ResizeRows(out.data(), width, new_height, new_width);
  }
  if (new_width != width) {
    out = ResizeRows(rgb, width, height, new_width);
    rgb = out.data();
  }
  if (new_height != height) return ResizeColumns(rgb, new_width, height, new_height);
  if (out.empty()) out.assign(rgb, rgb + int64_t{width} * height * 3);
  return out;
}

}  // namespace edgegate
#endif
