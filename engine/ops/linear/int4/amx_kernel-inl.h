// The 4-bit kernel for AMX: tiles of 16 rows and 16 columns. kernel.cc includes the file once for
// each of Highway's targets. Levels are expanded to bytes in the first-level cache. The instruction
// tdpbsud multiplies them by the activations of a whole group, exactly. The float sums are those of
// the other kernels. Inline assembly is used, because the intrinsics need a target that Highway
// does not have.
//
// Instructions: Intel SDM volume 2, TDPBSUD, TILELOADD. Layout of a right operand: row i of a tile
// holds the weights 4i .. 4i + 3 of each of 16 columns.

// The operand of ldtilecfg.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  void Set(int tile, int row_count, int bytes) {
    rows[tile] = static_cast<uint8_t>(row_count);
    row_bytes[tile] = static_cast<uint16_t>(bytes);
  }
};

// Multiplies 16 rows of activations by the levels in tile 4: tile 2 is the activations, tile 0 the
// sums. kTile 1 has the other 16 rows, in the tiles 3 and 1. Stores the sums, s32, with rows of 64
// columns at `sums`.
template <int kTile>
HWY_INLINE void MultiplyTile(int32_t* sums) {
  constexpr int64_t kStride = kInt8Block * sizeof(int32_t);
  asm volatile(
      "tilezero %%tmm%c2\n\t"
      "tdpbsud %%tmm4, %%tmm%c3, %%tmm%c2\n\t"
      "tilestored %%tmm%c2, (%0,%1,1)" ::"r"(sums),
      "r"(kStride), "i"(kTile), "i"(kTile + 2)
      : "memory");
}

// Expands the levels of a group to right operands of tiles: [4 tiles of 16 columns][group / 4][16
// columns][4].
HWY_INLINE void ExpandLevels(const uint8_t* levels, int parts, uint8_t* out) {
  constexpr int kTileBytes = 16 * 4;
  const U8 u8;
  const auto mask = hn::Set(u8, 15);
  const int tile_size = parts * kInt4Group / 4 * kTileBytes,
            lanes = static_cast<int>(hn::Lanes(u8));
  for (int p = 0; p < parts; ++p) {
    for (int q = 0; q < kInt4Group / 8; ++q, levels += 4 * kInt8Block) {
      for (int i = 0; i < 4 * kInt8Block; i += lanes) {
        const auto bytes = hn::LoadU(u8, levels + i);
        const auto high = hn::ShiftRight<4>(hn::BitCast(U16(), bytes));
        uint8_t* to = out + i / kTileBytes * tile_size + i % kTileBytes;
        to += (p * (kInt4Group / 4) + q) * kTileBytes;
        hn::StoreU(hn::And(bytes, mask), u8, to);
        hn::StoreU(hn::And(hn::BitCast(u8, high), mask), u8, to + kInt4Group / 8 * kTileBytes);
      }
    }
  }
}

inline constexpr int kAmxRows = 32;
static_assert(kAmxRows <= Int4Kernel::kMaxRows);

// Computes a tile of up to kAmxRows rows, as described by Int4Kernel::tile.
HWY_NOINLINE void AmxRows(const Int4Rows& rows, int first, int count, const uint8_t* block,
                          int groups, float* sums) {
  constexpr int kAmxTile = 16;  // rows and columns
  const F32 f;
  const I32 i32;
  const int lanes = static_cast<int>(hn::Lanes(f));
  const size_t stride = rows.stride;
  const int group = rows.group, parts = group / kInt4Group, bytes = Int4GroupBytes(group);
  const int low = std::min(count, kAmxTile), high = count - low;
  const int8_t* x = rows.s8 + first * stride;
  const Int4Rows::Terms* const terms = rows.row_terms(first);
  const size_t terms_stride = stride / group;
  alignas(64) uint8_t levels[kInt8Block * kInt4WideGroup];
  alignas(64) int32_t products[kAmxRows * kInt8Block];
  TileConfig config;
  config.Set(0, low, 4 * kAmxTile);
  config.Set(2, low, group);
  config.Set(4, group / 4, 4 * kAmxTile);
  if (high > 0) {
    config.Set(1, high, 4 * kAmxTile);
    config.Set(3, high, group);
  }
  asm volatile("ldtilecfg %0" ::"m"(config));
  std::fill_n(sums, count * kInt8Block, 0.0f);
  for (int g = 0; g < groups; ++g, block += bytes, x += group) {
    if (first == 0) {
      for (int i = 0; i < bytes; i += 64) hwy::Prefetch(block + kFetchAhead512 + i);
    }
    ExpandLevels(block, parts, levels);
    asm volatile("tileloadd (%0,%1,1), %%tmm2" ::"r"(x), "r"(stride) : "memory");
    if (high > 0) {
      asm volatile("tileloadd (%0,%1,1), %%tmm3" ::"r"(x + kAmxTile * stride), "r"(stride)
                   : "memory");
    }
    for (int column = 0; column < kInt8Block; column += kAmxTile) {
      asm volatile("tileloadd (%0,%1,1), %%tmm4" ::"r"(levels + column * group),
                   "r"(int64_t{4 * kAmxTile})
                   : "memory");
      MultiplyTile<0>(products + column);
      if (high > 0) MultiplyTile<1>(products + kAmxTile * kInt8Block + column);
    }
    const uint8_t* scales = block + parts * kInt4LevelBytes;
    for (int column = 0; column < kInt8Block; column += lanes) {
      const VF scale = LoadHalves(scales + 2 * column);
      const VF minimum = LoadHalves(scales + 2 * (column + kInt8Block));
      for (int r = 0; r < count; ++r) {
        const Int4Rows::Terms of = terms[r * terms_stride + g];
        const int at = r * kInt8Block + column;
        const VF dot = hn::ConvertTo(f, hn::LoadU(i32, products + at));
        const VF sum =
            hn::MulAdd(hn::Mul(scale, hn::Set(f, of.scale)), dot, hn::LoadU(f, sums + at));
        hn::StoreU(hn::MulAdd(minimum, hn::Set(f, of.sum), sum), f, sums + at);
      }
    }
  }
  // So the operating system does not save the tiles when it switches threads.
  asm volatile("tilerelease" ::: "memory");
}

void AmxTile(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
             float* sums) {
  // Few rows do not fill a tile of AMX.
  if (count <= kTileRows) return Tile<VnniDot>(rows, first, count, block, groups, sums);
  AmxRows(rows, first, count, block, groups, sums);
}
