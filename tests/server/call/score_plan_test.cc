// The continuations that score options, compared with the trivial way: the sum of the
// log-probabilities of an option's tokens up to the first one that no other option shares.

#include "server/call/score_plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "server/call/decision_text.h"

namespace edgegate {
namespace {

using Ids = std::vector<int32_t>;
using Options = std::vector<Ids>;

// The log-probability of a token after these tokens, from a hash.
float Logprob(const Ids& before, int32_t token) {
  uint32_t hash = 17;
  for (const int32_t id : before) hash = hash * 31 + static_cast<uint32_t>(id);
  hash = (hash * 31 + static_cast<uint32_t>(token)) * 2654435761u;
  return -static_cast<float>(hash >> 20) / 512;
}

std::vector<float> Compute(const std::vector<ScoreBranch>& branches) {
  std::vector<float> scores;
  for (const ScoreBranch& branch : branches) {
    int last = -1;
    for (const ScoreRow& row : branch.rows) {
      REQUIRE(row.offset > last);
      REQUIRE(row.offset <= std::ssize(branch.tokens));
      last = row.offset;
      const Ids before(branch.tokens.begin(), branch.tokens.begin() + row.offset);
      for (const int32_t token : row.tokens) scores.push_back(Logprob(before, token));
    }
    CHECK(branch.rows.back().offset == std::ssize(branch.tokens));
  }
  return scores;
}

// Number of first tokens that the options have in common.
size_t Common(const Ids& a, const Ids& b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// The score of an option, computed alone.
double Alone(const Ids& question, const Options& options, size_t index, const Ids& ends) {
  const Ids& own = options[index];
  size_t shared_by_all = own.size(), longest = 0;
  for (const Ids& other : options) {
    const size_t common = Common(own, other);
    shared_by_all = std::min(shared_by_all, common);
    if (other != own) longest = std::max(longest, common);
  }
  double sum = 0;
  Ids before = question;
  for (size_t i = 0; i <= longest && i < own.size(); ++i) {
    if (i >= shared_by_all) sum += double{Logprob(before, own[i])};
    before.push_back(own[i]);
  }
  if (longest < own.size() || longest == 0) return sum;
  // The beginning of another option.
  double probability = 0;
  for (const int32_t end : ends) probability += std::exp(double{Logprob(before, end)});
  return sum + (ends.size() == 1 ? double{Logprob(before, ends[0])} : std::log(probability));
}

void Check(const Options& options, const Ids& ends) {
  const EncodedQuestion question{{1, 2, 3}, options};
  ScorePlan plan;
  plan.Add(question, ends);
  const auto scores = Compute(plan.branches());
  const auto all = plan.LogProbabilities(scores);
  REQUIRE(all.size() == 1);
  for (size_t i = 0; i < options.size(); ++i) {
    CHECK(all[0][i] == doctest::Approx(Alone(question.ids, options, i, ends)).epsilon(1e-9));
  }
}

TEST_CASE("options with different first tokens take one row") {
  ScorePlan plan;
  plan.Add({{1, 2}, {{5, 6}, {7}, {8, 9, 9}}}, {0});
  REQUIRE(plan.branches().size() == 1);
  CHECK(plan.branches()[0].tokens == Ids{1, 2});
  REQUIRE(plan.branches()[0].rows.size() == 1);
  CHECK(plan.branches()[0].rows[0].offset == 2);
  CHECK(plan.branches()[0].rows[0].tokens == Ids{5, 7, 8});
}

TEST_CASE("tokens that all options begin with are computed and not scored") {
  ScorePlan plan;
  plan.Add({{1}, {{4, 5, 6, 9}, {4, 5, 7, 9}}}, {0});
  REQUIRE(plan.branches().size() == 1);
  CHECK(plan.branches()[0].tokens == Ids{1, 4, 5});
  REQUIRE(plan.branches()[0].rows.size() == 1);
  CHECK(plan.branches()[0].rows[0].tokens == Ids{6, 7});
}

TEST_CASE("an option that begins another one is scored with the end of the answer") {
  ScorePlan plan;
  plan.Add({{1}, {{4}, {4, 5}}}, {0, 3});
  REQUIRE(plan.branches().size() == 1);
  CHECK(plan.branches()[0].rows[0].tokens == Ids{5, 0, 3});
  Check({{4}, {4, 5}}, {0, 3});
}

TEST_CASE("equal options have equal probabilities and take no branch") {
  ScorePlan plan;
  plan.Add({{1}, {{4, 5}, {4, 5}}}, {0});
  CHECK(plan.branches().empty());
  CHECK(Softmax(plan.LogProbabilities({})[0], 1) == std::vector<double>{0.5, 0.5});
}

TEST_CASE("random options have the scores that each has alone") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Options options(2 + random() % 12);
    for (Ids& option : options) {
      option.resize(1 + random() % 5);
      for (int32_t& id : option) id = 4 + static_cast<int32_t>(random() % 3);
    }
    Check(options, round % 2 == 0 ? Ids{0} : Ids{0, 3});
  }
}

TEST_CASE("several questions keep their order") {
  ScorePlan plan;
  const Options first{{4, 5}, {4, 6}, {7, 5}, {7, 6}}, second{{5}, {6}};
  plan.Add({{1}, first}, {0});
  plan.Add({{2}, second}, {0});
  CHECK(plan.branches().size() == 3);
  const auto all = plan.LogProbabilities(Compute(plan.branches()));
  CHECK(all[0][3] == doctest::Approx(Alone({1}, first, 3, {0})));
  CHECK(all[1][1] == doctest::Approx(Alone({2}, second, 1, {0})));
}

TEST_CASE("the temperature flattens probabilities") {
  const auto sharp = Softmax({0, -2}, 1), flat = Softmax({0, -2}, 4);
  CHECK(sharp[0] == doctest::Approx(1 / (1 + std::exp(-2.0))));
  CHECK(flat[0] == doctest::Approx(1 / (1 + std::exp(-0.5))));
  const double none = -std::numeric_limits<double>::infinity();
  CHECK(Softmax({none, none}, 1) == std::vector<double>{0.5, 0.5});
  CHECK(Softmax({0, none}, 1) == std::vector<double>{1, 0});
}

TEST_CASE("a model that was trained on plain questions sees the instructions alone") {
  DecisionQuestion question{
      DecisionQuestion::Kind::kChoice, "Which?", {{"red", "It is red."}, {"green", ""}}, ""};
  const auto plain = FormsOf(question, true);
  REQUIRE(plain.size() == 1);
  CHECK(plain[0].text == "Which?");
  CHECK(plain[0].options == std::vector<std::string>{"It is red.", "green"});
  const auto listed = FormsOf(question, false);
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].text == "Which?\nAnswer with one of these:\n- red: It is red.\n- green");
  CHECK(listed[0].options == std::vector<std::string>{"red", "green"});
  CHECK(listed[1].options == std::vector<std::string>{"A", "B"});
  question.options.resize(27, {"more", ""});
  CHECK(FormsOf(question, false)[1].options.back() == "27");
  question.kind = DecisionQuestion::Kind::kPredicate;
  CHECK(FormsOf(question, true)[0].text == "Which?");
  CHECK(FormsOf(question, false)[0].options == std::vector<std::string>{"Yes", "No"});
}

}  // namespace
}  // namespace edgegate
