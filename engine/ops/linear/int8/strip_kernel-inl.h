// The functions of strip_kernel.h. strip_kernel_avx2.cc and strip_kernel_sse4.cc include it.
// Before, they define EG_ISA, the attributes of a function for the instruction set, and these
// operations on vectors of kLanes s32 lanes or of four times as many bytes:
//   AddDots(sums, x, w)   sums plus four products of u8 and s8 bytes. The sum of two products
//                   saturates to s16. The compiler must not separate the instructions: then it
//                   holds one product at a time, and all sums stay in registers.
//   WideMask(w)     a bit for each byte, set if its pair of s8 is wide
//   TakePairs(x, half)   two u8 bytes of each quad, widened to s16
//   Excess(pairs, weights)   what saturation cuts off from the sums of two products of s16
//   and Load, Store, Broadcast (a quad) and Add (s32).
// The file has no include guard, because each of its users is a source file.

// Slices of k stay in the first-level cache: 8 KiB of weights and 2 KiB of activations.
constexpr int kSlice = 32;
constexpr int kTileRows = 4, kTileVecs = 2;
static_assert(kStripRows % kTileRows == 0 && kInt8Block % (kLanes * kTileVecs) == 0);

EG_ISA_NOINLINE bool Find(const int8_t* block, int quads, std::vector<WidePair>* pairs) {
  pairs->clear();
  const size_t most = size_t{kInt8Block} * 2 * quads / 16;
  for (int quad = 0; quad < quads; ++quad, block += 4 * kInt8Block) {
    for (int column = 0; column < kInt8Block; column += kLanes) {
      const int8_t* from = block + 4 * column;
      for (uint32_t mask = WideMask(Load(from)); mask != 0;) {
        const int byte = __builtin_ctz(mask);
        mask &= ~(3u << byte);  // the two bits of the pair
        pairs->push_back({quad,
                          static_cast<int16_t>(column + byte / 4),
                          static_cast<int16_t>(byte / 2 % 2),
                          {from[byte], from[byte + 1]}});
      }
    }
    if (pairs->size() > most) return false;
  }
  return true;
}

// Adds the products of `quads` quads of kTileRows rows and kTileVecs vectors of columns to `acc`.
EG_ISA void AddTile(const uint8_t* x, const int8_t* weights, int quads, int32_t* acc) {
  Vec sums[kTileRows][kTileVecs];
#pragma GCC unroll 16
  for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kTileVecs; ++v) sums[r][v] = Load(acc + r * kInt8Block + v * kLanes);
  }
#pragma GCC unroll 1
  for (int quad = 0; quad < quads; ++quad, weights += 4 * kInt8Block, x += 4 * kStripRows) {
    Vec w[kTileVecs];
#pragma GCC unroll 16
    for (int v = 0; v < kTileVecs; ++v) w[v] = Load(weights + 4 * kLanes * v);
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) {
      const Vec activations = Broadcast(x + 4 * r);
#pragma GCC unroll 16
      for (int v = 0; v < kTileVecs; ++v) sums[r][v] = AddDots(sums[r][v], activations, w[v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kTileVecs; ++v) Store(sums[r][v], acc + r * kInt8Block + v * kLanes);
  }
}

// Adds to `acc` what saturation cut off. The sums of a column are adjacent, so that a pair needs
// few instructions.
EG_ISA_NOINLINE void AddExcess(const uint8_t* strip, std::span<const WidePair> pairs,
                               int32_t* acc) {
  alignas(64) int32_t sums[kInt8Block][kStripRows] = {};
  for (const WidePair& pair : pairs) {
    const uint8_t* x = strip + size_t{4 * kStripRows} * pair.quad;
    const Vec weights = Broadcast(pair.weights);
#pragma GCC unroll 16
    for (int r = 0; r < kStripRows; r += kLanes) {
      int32_t* to = sums[pair.column] + r;
      Store(Add(Load(to), Excess(TakePairs(Load(x + 4 * r), pair.half), weights)), to);
    }
  }
  for (int r = 0; r < kStripRows; ++r) {
    int32_t* to = acc + r * kInt8Block;
    for (int column = 0; column < kInt8Block; ++column) to[column] += sums[column][r];
  }
}

EG_ISA_NOINLINE void Run(const uint8_t* strip, int count, const int8_t* block, int quads,
                         std::span<const WidePair> pairs, int32_t* acc) {
  std::memset(acc, 0, sizeof(int32_t) * kStripRows * kInt8Block);
  for (int quad = 0; quad < quads; quad += kSlice) {
    const uint8_t* x = strip + size_t{4 * kStripRows} * quad;
    const int8_t* weights = block + size_t{4 * kInt8Block} * quad;
    for (int column = 0; column < kInt8Block; column += kLanes * kTileVecs) {
      for (int row = 0; row < count; row += kTileRows) {
        AddTile(x + 4 * row, weights + 4 * column, std::min(kSlice, quads - quad),
                acc + row * kInt8Block + column);
      }
    }
  }
  AddExcess(strip, pairs, acc);
}
