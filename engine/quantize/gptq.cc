#include "engine/quantize/gptq.h"

#include <algorithm>

#include "engine/base/half.h"
#include "engine/base/thread_pool.h"
#include "engine/quantize/float_gemm.h"
#include "engine/quantize/group_search.h"

namespace edgegate {
namespace {

constexpr int kStripe = 128;  // rows that one thread rounds at a time
constexpr int kBlock = 128;   // columns whose errors are carried over together

// Rounds a stripe of rows, group by group. Errors of earlier blocks are carried to a block in one
// product. Errors within a block are carried group by group. The search carries errors within a
// group.
class Stripe {
 public:
  Stripe(const float* rows, int count, const OutputError& error, int group, Int4Group* out)
      : rows_(rows),
        count_(count),
        error_(error),
        k_(error.k),
        group_(group),
        out_(out),
        errors_(size_t{1} * count * k_),
        carried_(size_t{1} * count * k_) {}

  void Run() {
    for (int block = 0; block < k_; block += kBlock) {
      const int end = std::min(block + kBlock, k_);
      Carry(0, block, block, end);
      for (int first = block; first < end; first += group_) {
        const int next = std::min(first + group_, end);
        Carry(block, first, first, next);
        Search(first, next);
      }
    }
  }

 private:
  // Carries the errors of columns [from, from_end) over to columns [to, to_end).
  void Carry(int from, int from_end, int to, int to_end) {
    if (error_.carry.empty() || from == from_end) return;
    GemmOnThisThread(count_, to_end - to, from_end - from, 1.0f, {errors_.data() + from, k_},
                     {error_.carry.data() + int64_t{from} * k_ + to, k_}, 1.0f,
                     carried_.data() + to, k_);
  }

  // Rounds the group of columns [first, end). Unused lanes repeat the last row.
  void Search(int first, int end) {
    const float* carry =
        error_.carry.empty() ? nullptr : error_.carry.data() + int64_t{first} * k_ + first;
    const GroupSearch search(carry, k_, &error_.cost[first], end - first);
    for (int row = 0; row < count_; row += kSearchRows) {
      GroupColumns w, carried;
      GroupLevels levels;
      for (int r = 0; r < kSearchRows; ++r) {
        const int64_t from = int64_t{std::min(row + r, count_ - 1)} * k_ + first;
        for (int j = 0; j < end - first; ++j) {
          w[j][r] = rows_[from + j];
          carried[j][r] = carried_[from + j];
        }
      }
      search.Search(w, carried, &levels);
      for (int r = 0; r < std::min(kSearchRows, count_ - row); ++r) {
        float* errors = errors_.data() + int64_t{row + r} * k_ + first;
        for (int j = 0; j < end - first; ++j) {
          errors[j] = w[j][r] - (levels.scale[r] * levels.q[j][r] + levels.minimum[r]);
        }
        Write(levels, r, first, end, out_ + int64_t{row + r} * Int4Groups(k_));
      }
    }
  }

  static void Write(const GroupLevels& levels, int r, int first, int end, Int4Group* row) {
    constexpr int kHalf = kInt4Group / 2;
    const uint16_t scale = FloatToF16(levels.scale[r]), minimum = FloatToF16(levels.minimum[r]);
    for (int start = first; start < end; start += kInt4Group) {
      Int4Group& group = row[start / kInt4Group];
      group.scale = scale;
      group.minimum = minimum;
      for (int i = 0; i < std::min(kInt4Group, end - start); ++i) {
        const int level = static_cast<int>(levels.q[start - first + i][r]);
        group.q[i % kHalf] |= static_cast<uint8_t>(i < kHalf ? level : level << 4);
      }
    }
  }

  const float* rows_;
  const int count_;
  const OutputError& error_;
  const int k_;
  const int group_;
  Int4Group* out_;
  std::vector<float> errors_;   // [count][k]: weights minus their rounded values
  std::vector<float> carried_;  // [count][k]: errors that were carried over from other groups
};

}  // namespace

std::vector<Int4Group> RoundRows(const std::vector<float>& rows, int k, const OutputError& error,
                                 int group) {
  const int n = static_cast<int>(rows.size()) / k;
  std::vector<Int4Group> out(size_t{1} * n * Int4Groups(k));
  ParallelFor((n + kStripe - 1) / kStripe, [&](int stripe) {
    const int row = stripe * kStripe;
    Stripe(rows.data() + int64_t{row} * k, std::min(kStripe, n - row), error, group,
           out.data() + int64_t{row} * Int4Groups(k))
        .Run();
  });
  return out;
}

}  // namespace edgegate
