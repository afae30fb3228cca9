#include "tests/fakes/kernel_paths.h"

#include <cstdio>
#include <vector>

namespace edgegate {
namespace {

std::vector<std::string>& SkippedPaths() {
  static std::vector<std::string> paths;
  return paths;
}

// Prints the skipped paths after the tests. Ignores the other events.
struct SkippedPathsListener : doctest::IReporter {
  explicit SkippedPathsListener(const doctest::ContextOptions&) {}

  void test_run_end(const doctest::TestRunStats&) override {
    const auto& paths = SkippedPaths();
    if (paths.empty()) return;
    std::string names;
    for (const std::string& path : paths) names += (names.empty() ? "" : ", ") + path;
    std::printf("skipped: %zu kernel paths (%s)\n", paths.size(), names.c_str());
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

REGISTER_LISTENER("skipped_paths", 1, SkippedPathsListener);

}  // namespace

void NoteSkippedPath(const std::string& path) {
  auto& paths = SkippedPaths();
  if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
}

}  // namespace edgegate
