#include "engine/base/cpu_features.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

namespace edgegate {
namespace {

const IsaLevel* LevelNamed(std::string_view name) {
  const auto levels = IsaLevels();
  const auto found = std::find_if(levels.begin(), levels.end(),
                                  [&](const IsaLevel& level) { return level.name == name; });
  return found == levels.end() ? nullptr : &*found;
}

bool Includes(const IsaLevel& level, std::string_view name) {
  return std::find(level.includes.begin(), level.includes.end(), name) != level.includes.end();
}

TEST_CASE("a set of features has what was added, and nothing else") {
  CpuFeatures set{CpuFeature::kAvx2, CpuFeature::kAvx512};
  CHECK(set.Has(CpuFeature::kAvx2));
  CHECK_FALSE(set.Has(CpuFeature::kAvxVnni));
  CHECK(set.HasAll({CpuFeature::kAvx512}));
  CHECK(set.HasAll({}));
  CHECK_FALSE(set.HasAll({CpuFeature::kAvx2, CpuFeature::kAmxInt8}));
  CHECK((set & CpuFeatures{CpuFeature::kAvx2, CpuFeature::kAmxInt8}) ==
        CpuFeatures{CpuFeature::kAvx2});
  CHECK((set | CpuFeatures{CpuFeature::kAmxInt8}).HasAll(set));
}

TEST_CASE("a level includes only levels of the table that come before it") {
  std::set<std::string> names;
  for (const IsaLevel& level : IsaLevels()) {
    CAPTURE(std::string(level.name));
    for (const std::string_view included : level.includes) {
      if (!included.empty()) CHECK(names.contains(std::string(included)));
    }
    CHECK(names.insert(std::string(level.name)).second);
  }
}

TEST_CASE("a cap gives the level itself or one that it includes, with that level's features") {
  const Isa best = CurrentIsa();
  for (const IsaLevel& level : IsaLevels()) {
    CAPTURE(std::string(level.name));
    REQUIRE(CapIsa(level.name).ok());
    const Isa now = CurrentIsa();
    CHECK((now.name == level.name || Includes(level, now.name)));
    const IsaLevel* current = LevelNamed(now.name);
    REQUIRE(current != nullptr);
    CHECK(now.features.HasAll(current->features));
    CHECK((current->features | current->optional).HasAll(now.features));
  }
  REQUIRE(CapIsa("scalar").ok());
  CHECK(CurrentIsa().features == CpuFeatures());
  REQUIRE(CapIsa("auto").ok());
  CHECK(CurrentIsa().name == best.name);
}

TEST_CASE("an unknown cap is refused and changes nothing") {
  REQUIRE(CapIsa("scalar").ok());
  const Status status = CapIsa("sse9");
#if defined(__aarch64__)
  CHECK(status.message() == "isa is \"sse9\": must be auto, scalar, neon, dotprod or i8mm");
#else
  CHECK(status.message() ==
        "isa is \"sse9\": must be auto, scalar, sse4, avx2, avx-vnni, avx512, avx512-vnni or amx");
#endif
  CHECK(CurrentIsa().name == "scalar");
  REQUIRE(CapIsa("auto").ok());
}

}  // namespace
}  // namespace edgegate
