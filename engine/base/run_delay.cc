#include "engine/base/run_delay.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <string>

namespace edgegate {
namespace {

using std::chrono::nanoseconds;

// Returns the second number of the file. nullopt: there is none.
std::optional<nanoseconds> SecondNumber(int file) {
  char text[96];
  const ssize_t size = pread(file, text, sizeof text, 0);
  if (size <= 0) return std::nullopt;
  int64_t ran = 0, waited = 0;
  const char* const end = text + size;
  const auto [after, bad] = std::from_chars(text, end, ran);
  if (bad != std::errc() || after == end) return std::nullopt;
  if (std::from_chars(after + 1, end, waited).ec != std::errc()) return std::nullopt;
  return nanoseconds(waited);
}

int OpenOf(const std::string& thread) {
  return open(("/proc/self/task/" + thread + "/schedstat").c_str(), O_RDONLY | O_CLOEXEC);
}

}  // namespace

RunDelay::~RunDelay() {
  for (const int file : files_) {
    if (file >= 0) close(file);
  }
}

void RunDelay::Add(pid_t thread) {
  files_.push_back(OpenOf(std::to_string(thread)));
  sum_.reset();
}

std::optional<nanoseconds> RunDelay::Sum() const {
  const int own = OpenOf(std::to_string(gettid()));
  if (own < 0) return std::nullopt;
  std::optional<nanoseconds> sum = SecondNumber(own);
  close(own);
  for (const int file : files_) {
    const auto waited = SecondNumber(file);
    if (!sum || !waited) return std::nullopt;
    *sum += *waited;
  }
  return sum;
}

std::optional<nanoseconds> RunDelay::Waited() {
  const pid_t caller = gettid();
  if (caller != caller_) sum_.reset();
  caller_ = caller;
  const auto before = sum_;
  sum_ = Sum();
  if (!before || !sum_) return std::nullopt;
  return *sum_ - *before;
}

}  // namespace edgegate
