// The sampler against NumPy in double precision (tests/golden/sampling/make.py), and its generator
// against the known-answer vectors of Random123.

#include "engine/sampling/sampler.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

namespace edgegate {
namespace {

using nlohmann::json;
using Words = std::array<uint32_t, 4>;

std::vector<float> Floats(const json& list) { return list.get<std::vector<float>>(); }

SamplingParams ParamsOf(const json& c) {
  SamplingParams p;
  p.temperature = c["temperature"];
  p.top_p = c["top_p"];
  p.top_k = c["top_k"];
  p.min_p = c["min_p"];
  p.presence_penalty = c["presence_penalty"];
  p.frequency_penalty = c["frequency_penalty"];
  p.repetition_penalty = c["repetition_penalty"];
  for (const json& bias : c["logit_bias"]) p.logit_bias.emplace_back(bias[0], bias[1]);
  p.seed = c["seed"];
  p.num_top_logprobs = 3;
  return p;
}

json Cases() {
  std::ifstream file(EDGEGATE_SOURCE_DIR "/tests/golden/sampling/cases.json");
  REQUIRE(file);
  return json::parse(file);
}

TEST_CASE("any parameters together choose what NumPy chooses") {
  Sampler sampler;
  int number = 0;
  for (const json& c : Cases()) {
    CAPTURE(number);
    const std::vector<float> logits = Floats(c["logits"]);
    std::vector<bool> valid(logits.size(), true);
    for (const size_t id : c["forbidden"]) valid[id] = false;
    const std::vector<int32_t> prompt = c["prompt"];
    TokenCounts counts;
    counts.prompt = prompt;
    for (const json& output : c["output"]) counts.output[output[0]] = output[1];
    const auto sampled = sampler.Sample(logits, {valid, {}}, ParamsOf(c), counts, c["position"]);
    REQUIRE(sampled.ok());
    CHECK(sampled->token == c["token"]);
    CHECK(sampled->logprob == doctest::Approx(c["logprob"].get<double>()).epsilon(1e-5));
    ++number;
  }
  CHECK(number == 300);
}

TEST_CASE("log-probabilities are a softmax of the raw row, whatever the parameters change") {
  const json c = Cases()[0];
  const std::vector<float> logits = Floats(c["logits"]);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit});
  SamplingParams params;
  params.temperature = 0;
  params.logit_bias = {{7, 100.0f}};
  params.num_top_logprobs = static_cast<int>(logits.size());
  const std::vector<bool> valid(logits.size(), true);
  const auto sampled = Sampler().Sample(logits, {valid, {}}, params, {}, 0);
  REQUIRE(sampled.ok());
  CHECK(sampled->token == 7);
  REQUIRE(sampled->top.size() == logits.size());
  double together = 0;
  for (size_t i = 0; i < sampled->top.size(); ++i) {
    const auto& [token, logprob] = sampled->top[i];
    const double expected = double{logits[static_cast<size_t>(token)]} - std::log(sum);
    CHECK(std::abs(logprob - expected) < 1e-5);
    CHECK((i == 0 || logprob <= sampled->top[i - 1].logprob));
    if (token == 7) CHECK(sampled->rank == static_cast<int>(i) + 1);
    together += std::exp(double{logprob});
  }
  CHECK(together == doctest::Approx(1.0).epsilon(1e-5));
}

TEST_CASE("draws have the frequencies of the softmax") {
  const std::vector<float> logits = {0.0f, 1.0f, 2.0f, -1.0f};
  const std::vector<bool> valid(logits.size(), true);
  SamplingParams params;
  params.seed = 11;
  std::vector<int> drawn(logits.size());
  constexpr int kDraws = 40000;
  Sampler sampler;
  for (int i = 0; i < kDraws; ++i) {
    const auto sampled = sampler.Sample(logits, {valid, {}}, params, {}, static_cast<uint64_t>(i));
    REQUIRE(sampled.ok());
    ++drawn[static_cast<size_t>(sampled->token)];
  }
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit});
  for (size_t i = 0; i < logits.size(); ++i) {
    const double p = std::exp(double{logits[i]}) / sum;
    const double sigma = std::sqrt(kDraws * p * (1 - p));
    CHECK(std::abs(drawn[i] - kDraws * p) < 5 * sigma);
  }
}

TEST_CASE("the generator gives the known answers of Random123") {
  CHECK(Philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8});
  const uint32_t ones = ~0u;
  CHECK(Philox({ones, ones, ones, ones}, {ones, ones}) ==
        Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD});
  CHECK(Philox({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}) ==
        Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1});
}

TEST_CASE("the random number depends on seed, offset and position alone") {
  CHECK(CounterUniform(1, 2) == CounterUniform(1, 2));
  CHECK(CounterUniform(1, 2) != CounterUniform(2, 2));
  CHECK(CounterUniform(1, 2) != CounterUniform(1, 3));
  CHECK(CounterUniform(uint64_t{1} << 40, 2) != CounterUniform(0, 2));
  CHECK(CounterUniform(1, uint64_t{1} << 40) != CounterUniform(1, 0));
}

TEST_CASE("rows that cannot be sampled are errors") {
  const std::vector<bool> all(3, true), none(3, false);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  Sampler sampler;
  const auto code = [&](std::vector<float> logits, const std::vector<bool>& valid) {
    return sampler.Sample(logits, {valid, {}}, {}, {}, 0).status().code();
  };
  CHECK(code({0, nan, 0}, all) == StatusCode::kInternal);
  CHECK(code({0, 1, 2}, none) == StatusCode::kInternal);
  CHECK(code({-infinity, -infinity, -infinity}, all) == StatusCode::kInternal);
  CHECK(code({-infinity, 1, -infinity}, all) == StatusCode::kOk);
}

TEST_CASE("a mask allows only its ids, by bit and word") {
  const std::vector<float> logits(70, 0.0f);
  const std::vector<bool> valid(70, true);
  const std::vector<uint32_t> only_65 = {0, 0, 2};
  const auto sampled = Sampler().Sample(logits, {valid, only_65}, {}, {}, 0);
  REQUIRE(sampled.ok());
  CHECK(sampled->token == 65);
}

}  // namespace
}  // namespace edgegate
