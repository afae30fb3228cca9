#include "engine/weights/input_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace edgegate {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// A file of `size` bytes, each told by its place, that goes with this.
struct PatternFile {
  explicit PatternFile(size_t size) {
    const int fd = ::mkstemp(path.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(At(i));
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ~PatternFile() { ::unlink(path.c_str()); }
  static uint8_t At(size_t i) { return static_cast<uint8_t>(i * 2654435761u >> 13); }
  std::string path = "/tmp/edgegate-mapping-XXXXXX";
};

size_t Wrong(std::span<const uint8_t> bytes, size_t step) {
  size_t wrong = 0;
  for (size_t i = 0; i < bytes.size(); i += step) wrong += bytes[i] != PatternFile::At(i);
  return wrong;
}

TEST_CASE("a mapping is whole, and stays so while it moves to huge pages under a reader") {
  const size_t size = 5 * kHugePage + 4321;
  const PatternFile file(size);
  auto mapping = FileMapping::Map(file.path);
  REQUIRE(mapping.ok());
  const auto bytes = mapping->bytes();
  REQUIRE(bytes.size() == size);
  CHECK(reinterpret_cast<uintptr_t>(bytes.data()) % kHugePage == 0);

  std::atomic<bool> moved = false;
  std::atomic<size_t> wrong = 0;
  std::thread reader([&] {
    do wrong += Wrong(bytes, 61);
    while (!moved);
  });
  const size_t first = mapping->MoveToHugePages([calls = 0]() mutable { return ++calls > 2; });
  const size_t all = mapping->MoveToHugePages([] { return false; });
  moved = true;
  reader.join();
  // Where the system has no huge pages nothing moves; the rest of a page never does.
  CHECK((all == 0 || (first == 2 * kHugePage && all == 5 * kHugePage)));
  CHECK(wrong == 0);
  CHECK(mapping->bytes().data() == bytes.data());
  CHECK(Wrong(bytes, 1) == 0);
}

TEST_CASE("files of a few bytes and of none map; no file and a folder do not") {
  for (size_t size : {size_t{0}, size_t{5}, size_t{4096}, kHugePage}) {
    const PatternFile file(size);
    auto mapping = FileMapping::Map(file.path);
    REQUIRE(mapping.ok());
    CHECK(mapping->bytes().size() == size);
    CHECK(Wrong(mapping->bytes(), 1) == 0);
  }
  CHECK(FileMapping::Map("/tmp/edgegate-no-such-file").status().code() == StatusCode::kNotFound);
  CHECK_FALSE(FileMapping::Map("/tmp").ok());
}

}  // namespace
}  // namespace edgegate
