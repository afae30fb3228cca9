#include "engine/weights/file_mapping.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace edgegate {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// A file of `size` bytes. The value of each byte depends on its offset. The destructor removes the
// file.
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

TEST_CASE("a mapping keeps its content while it moves to huge pages under a reader") {
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
  // If the system has no huge pages, nothing moves.
  CHECK((all == 0 || (first == 2 * kHugePage && all == size)));
  CHECK(wrong == 0);
  CHECK(mapping->bytes().data() == bytes.data());
  CHECK(Wrong(bytes, 1) == 0);
}

TEST_CASE("empty and small files can be mapped; a missing file and a folder cannot") {
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

// Waits until the file system's clock has advanced. It may have steps of some milliseconds.
void LetTimePass() { std::this_thread::sleep_for(std::chrono::milliseconds(30)); }

void OverwriteAt(const std::string& path, size_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file << bytes;
}

std::string Refusal(const FileMapping& mapping) {
  const Status status = mapping.CheckIntact();
  CHECK((status.ok() || status.code() == StatusCode::kDataLoss));
  return status.message();
}

TEST_CASE("a file that is truncated while it is mapped can still be read, and is reported") {
  for (const size_t left : {size_t{0}, size_t{4096}, 2 * kHugePage + 100}) {
    const size_t size = 3 * kHugePage + 4321;
    const PatternFile file(size);
    auto mapping = FileMapping::Map(file.path);
    REQUIRE(mapping.ok());
    CHECK(Refusal(*mapping) == "");
    CHECK(::truncate(file.path.c_str(), static_cast<off_t>(left)) == 0);
    size_t sum = 0;
    for (size_t i = 0; i < size; i += 512) sum += mapping->bytes()[size - 1 - i];
    CHECK(sum <= size * 255);
    CHECK(Wrong(mapping->bytes().first(left), 1) == 0);
    CHECK(Refusal(*mapping).find("its size went from 6295777 to") != std::string::npos);
    // The file stays damaged after it has grown back, because pages were read as zeros.
    CHECK(::truncate(file.path.c_str(), static_cast<off_t>(size)) == 0);
    CHECK(Refusal(*mapping).find("while in use") != std::string::npos);
  }
}

TEST_CASE("a file that is overwritten in place is reported, before and during the move") {
  const PatternFile file(2 * kHugePage + 10);
  auto mapping = FileMapping::Map(file.path);
  REQUIRE(mapping.ok());
  LetTimePass();
  int asked = 0;
  mapping->MoveToHugePages([&] {
    if (++asked == 2) OverwriteAt(file.path, 5, "new");
    return false;
  });
  CHECK(Refusal(*mapping).find("it was written to") != std::string::npos);
  // A second move copies the new bytes. The mapping stays damaged, because the old bytes were
  // already used.
  mapping->MoveToHugePages([] { return false; });
  CHECK(Refusal(*mapping) != "");
}

TEST_CASE("a file that is renamed, replaced, unlinked or chmod-ed counts as intact") {
  const PatternFile file(10'000);
  auto mapping = FileMapping::Map(file.path);
  REQUIRE(mapping.ok());
  LetTimePass();
  CHECK(::chmod(file.path.c_str(), 0644) == 0);
  CHECK(::link(file.path.c_str(), (file.path + ".link").c_str()) == 0);
  {
    const PatternFile other(20'000);
    CHECK(::rename(other.path.c_str(), file.path.c_str()) == 0);
  }
  CHECK(::unlink((file.path + ".link").c_str()) == 0);
  CHECK(Refusal(*mapping) == "");
  CHECK(mapping->bytes().size() == 10'000);
  CHECK(Wrong(mapping->bytes(), 1) == 0);
  const auto same = mapping->OpenFile();
  REQUIRE(same.ok());
  CHECK(same->size() == 10'000);
}

TEST_CASE("after all pages have moved, changes of the file have no effect") {
  for (const size_t size : {size_t{100}, kHugePage, 2 * kHugePage + 10}) {
    const PatternFile file(size);
    auto mapping = FileMapping::Map(file.path);
    REQUIRE(mapping.ok());
    if (mapping->MoveToHugePages([] { return false; }) == 0) continue;  // no huge pages
    CHECK(::truncate(file.path.c_str(), 0) == 0);
    CHECK(Refusal(*mapping) == "");
    CHECK(Wrong(mapping->bytes(), 1) == 0);
  }
}

TEST_CASE("SIGBUS outside of mappings still ends the process") {
  for (const bool sent : {false, true}) {
    const PatternFile file(10'000), guarded(10'000);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const rlimit none = {0, 0};
      ::setrlimit(RLIMIT_CORE, &none);
      auto mapping = FileMapping::Map(guarded.path);
      if (sent) ::kill(::getpid(), SIGBUS);
      const int fd = ::open(file.path.c_str(), O_RDONLY);
      const void* data = ::mmap(nullptr, 10'000, PROT_READ, MAP_PRIVATE, fd, 0);
      if (::truncate(file.path.c_str(), 0) != 0) ::_exit(2);
      ::_exit(*static_cast<const volatile char*>(data) == 0 ? 3 : 4);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    // A sanitizer reports the signal and exits.
    const bool reported =
        WIFEXITED(status) && (WEXITSTATUS(status) == 1 || WEXITSTATUS(status) == 66);
    CHECK((reported || (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)));
  }
}

}  // namespace
}  // namespace edgegate
