#include "engine/text/utf8.h"

namespace edgegate {
namespace {

// Length of the sequence that a lead byte begins, and the range of its second byte (Unicode 15,
// table 3-7). Length 0: not a lead byte.
struct Lead {
  int length;
  unsigned char low, high;
};

Lead LeadOf(unsigned char c) {
  if (c < 0x80) return {1, 0, 0};
  if (c >= 0xC2 && c <= 0xDF) return {2, 0x80, 0xBF};
  if (c == 0xE0) return {3, 0xA0, 0xBF};
  if (c == 0xED) return {3, 0x80, 0x9F};
  if (c >= 0xE1 && c <= 0xEF) return {3, 0x80, 0xBF};
  if (c == 0xF0) return {4, 0x90, 0xBF};
  if (c >= 0xF1 && c <= 0xF3) return {4, 0x80, 0xBF};
  if (c == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Number of well-formed bytes at `i`, and whether the character is complete.
struct Piece {
  size_t size;
  bool whole;
};

Piece PieceAt(std::string_view bytes, size_t i) {
  const Lead lead = LeadOf(static_cast<unsigned char>(bytes[i]));
  if (lead.length == 0) return {1, false};
  size_t size = 1;
  while (size < static_cast<size_t>(lead.length) && i + size < bytes.size()) {
    const auto c = static_cast<unsigned char>(bytes[i + size]);
    const bool second = size == 1;
    if (c < (second ? lead.low : 0x80) || c > (second ? lead.high : 0xBF)) return {size, false};
    ++size;
  }
  return {size, size == static_cast<size_t>(lead.length)};
}

}  // namespace

size_t CompletePrefix(std::string_view bytes) {
  // A character has at most 4 bytes, so an unfinished one begins in the last 3 bytes.
  for (size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const size_t i = bytes.size() - back;
    const Lead lead = LeadOf(static_cast<unsigned char>(bytes[i]));
    if (lead.length < 2) continue;
    const Piece piece = PieceAt(bytes, i);
    if (!piece.whole && piece.size == back) return i;
    break;
  }
  return bytes.size();
}

std::string ReplaceInvalidUtf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    const Piece piece = PieceAt(bytes, i);
    if (piece.whole) {
      out.append(bytes.substr(i, piece.size));
    } else {
      out.append("\xEF\xBF\xBD");
    }
    i += piece.size;
  }
  return out;
}

bool IsValidUtf8(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const Piece piece = PieceAt(bytes, i);
    if (!piece.whole) return false;
    i += piece.size;
  }
  return true;
}

}  // namespace edgegate
