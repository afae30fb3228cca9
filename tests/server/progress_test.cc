#include "server/catalog/progress.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the remaining time is proportional to the remaining work") {
  CHECK(EstimateTimeLeft(60s, 500, 1000) == 60s);
  CHECK(EstimateTimeLeft(30s, 250, 1000) == 90s);
  CHECK(EstimateTimeLeft(90s, 900, 1000) == 10s);
  CHECK(EstimateTimeLeft(24h, 1'000'000, 2'000'000'000 / 1'000) == 24h);
  CHECK(EstimateTimeLeft(10'000ms, 999, 1000) == 1s);  // rounded up
}

TEST_CASE("no remaining time is shown at the start and at the end") {
  CHECK_FALSE(EstimateTimeLeft(60s, 0, 1000));
  CHECK_FALSE(EstimateTimeLeft(60s, 19, 1000));
  CHECK(EstimateTimeLeft(60s, 20, 1000));
  CHECK_FALSE(EstimateTimeLeft(1999ms, 500, 1000));
  CHECK_FALSE(EstimateTimeLeft(60s, 1000, 1000));
  CHECK_FALSE(EstimateTimeLeft(60s, 0, 0));
}

TEST_CASE("the remaining time is formatted as text") {
  CHECK(TimeLeftText(0s) == "about 5 s left");
  CHECK(TimeLeftText(41s) == "about 45 s left");
  CHECK(TimeLeftText(58s) == "about 1 min left");
  CHECK(TimeLeftText(125s) == "about 2 min 10 s left");
  CHECK(TimeLeftText(180s) == "about 3 min left");
  CHECK(TimeLeftText(3595s) == "about 1 h 0 min left");
  CHECK(TimeLeftText(2h + 4min + 1s) == "about 2 h 5 min left");
}

TEST_CASE("progress lines come at 10 % steps, at 1 % steps after 10 s, and at the end") {
  LineSchedule lines;
  const LineSchedule::Time start{};
  CHECK(lines.IsDue(0, start));
  CHECK_FALSE(lines.IsDue(0, start + 20s));
  CHECK_FALSE(lines.IsDue(9, start + 9s));
  CHECK(lines.IsDue(10, start + 9s));
  CHECK_FALSE(lines.IsDue(11, start + 18s));
  CHECK(lines.IsDue(11, start + 19s));
  CHECK(lines.IsDue(95, start + 20s));
  CHECK(lines.IsDue(100, start + 20s));
  CHECK_FALSE(lines.IsDue(100, start + 40s));
}

}  // namespace
}  // namespace edgegate
