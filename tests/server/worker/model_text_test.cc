// Jobs of a golden model in real worker processes. Results equal those of this process. A failed
// job is an error of that job only.

#include "server/worker/model_text.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <fstream>
#include <thread>

#include "engine/family/model_source.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = GrammarSpec::Kind;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Conversation SomeConversation() {
  Conversation conversation;
  const ChatPart image{ChatPart::Kind::kImage, ""};
  conversation.messages = {{"system", {{ChatPart::Kind::kText, "Be brief."}}},
                           {"user", {image, {ChatPart::Kind::kText, "Hello <|user|> there"}}}};
  return conversation;
}

struct Site {
  Site() {
    ModelHost::SetProgram(EDGEGATE_PROGRAM);
    auto opened =
        ModelSource::Open(std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/vision/glm-edge-v");
    REQUIRE(opened.ok());
    source = *std::move(opened);
    limits.memory = int64_t{64} << 20;
    if (kSanitized) limits.wall = std::chrono::seconds(60);
  }

  TextModelSource Text() const {
    TextModelSource text;
    text.assets = &source->tokenizer_assets();
    text.vocab_size = source->config().vocab_size;
    text.eos_token_ids = source->config().eos_token_ids;
    text.takes_images = true;
    return text;
  }

  std::unique_ptr<ModelText> Load() {
    auto loaded = ModelText::Load(Text(), limits, &jobs, &memory);
    REQUIRE_MESSAGE(loaded.ok(), loaded.status().message());
    return *std::move(loaded);
  }

  std::unique_ptr<ModelSource> source;
  JobLimits limits;
  JobSlots jobs{2, 16};
  MemoryBudget memory{int64_t{256} << 20};
};

TEST_CASE(
    "a worker encodes many texts, and cuts long ones before the special tokens at their end") {
  Site site;
  auto bert = ModelSource::Open(std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/embeddings/bert");
  REQUIRE(bert.ok());
  TextModelSource source;
  source.assets = &(*bert)->tokenizer_assets();
  source.vocab_size = (*bert)->text_encoder()->config().vocab_size();
  const auto text = ModelText::Load(source, site.limits, &site.jobs, &site.memory);
  REQUIRE_MESSAGE(text.ok(), text.status().message());
  const auto tokenizer = Tokenizer::Make(*source.assets);
  REQUIRE(tokenizer.ok());
  std::vector<std::string> many;
  for (int i = 0; i < 700; ++i) many.push_back(std::string(static_cast<size_t>(i), 'a') + " door");
  const std::vector<std::string_view> views(many.begin(), many.end());
  const auto all = (*text)->EncodeTexts(views, 20, false, {});
  const auto cut = (*text)->EncodeTexts(views, 6, true, {});
  REQUIRE(all.ok());
  REQUIRE(cut.ok());
  REQUIRE(all->size() == many.size());
  for (size_t i = 0; i < many.size(); ++i) {
    const auto ids = *(*tokenizer)->Encode(many[i], Tokenizer::Specials::kParse, true);
    CHECK((*all)[i].has_value() == (ids.size() <= 20));
    if ((*all)[i]) CHECK(*(*all)[i] == ids);
    std::vector<int32_t> expected = ids;
    if (ids.size() > 6) {
      expected.resize(5);
      expected.push_back(ids.back());
    }
    REQUIRE((*cut)[i].has_value());
    CHECK(*(*cut)[i] == expected);
  }
}

TEST_CASE("a worker encodes text and messages as this process does") {
  Site site;
  const auto text = site.Load();
  const auto tokenizer = Tokenizer::Make(site.source->tokenizer_assets());
  REQUIRE(tokenizer.ok());
  for (const char* one : {"", "Hello", "a <|user|> b", "\xc3\xa9\xc3\xa9 \n\n 12345"}) {
    const auto ids = text->EncodeText(one, 1000, {});
    REQUIRE(ids.ok());
    CHECK(*ids == *(*tokenizer)->Encode(one, Tokenizer::Specials::kParse, true));
    CHECK(text->vocabulary().Decode(*ids, false) == (*tokenizer)->Decode(*ids, false));
    const auto plain = text->EncodeText(one, 1000, {}, {.parse_special = false});
    CHECK(*plain == *(*tokenizer)->Encode(one, Tokenizer::Specials::kPlain, true));
    const auto bare = text->EncodeText(one, 1000, {}, {.add_special = false});
    CHECK(*bare == *(*tokenizer)->Encode(one, Tokenizer::Specials::kParse, false));
  }
  const auto chat =
      ChatTemplate::Make(site.source->tokenizer_assets(), **tokenizer, "<|begin_of_image|>");
  REQUIRE(chat.ok());
  CHECK(text->has_chat_template());
  CHECK(text->template_facts().source == (*chat)->facts().source);
  CHECK(text->template_facts().source.find("message") != std::string::npos);
  CHECK(text->template_facts().eos_token == (*chat)->facts().eos_token);
  const Conversation conversation = SomeConversation();
  size_t without_image = 0;
  for (const int rows : {1, 3, 7}) {  // the number of rows is a property of the image
    const std::vector<int> image_rows = {rows};
    const auto prompt = text->EncodeChat(conversation, 1000, image_rows, {});
    REQUIRE(prompt.ok());
    const auto local = (*chat)->Encode(conversation, 1000, image_rows);
    REQUIRE(local.ok());
    CHECK(prompt->ids == local->ids);
    CHECK(prompt->image_positions == local->image_positions);
    CHECK(prompt->image_positions.size() == 1);
    if (rows == 1) without_image = prompt->ids.size() - 1;
    CHECK(prompt->ids.size() == without_image + static_cast<size_t>(rows));
  }
  CHECK_FALSE(text->EncodeChat(conversation, 1000, {}, {}).ok());
}

TEST_CASE("each image of a conversation has its own number of rows") {
  Site site;
  const auto text = site.Load();
  Conversation conversation;
  conversation.messages = {{"user",
                            {{ChatPart::Kind::kImage, ""},
                             {ChatPart::Kind::kText, "and"},
                             {ChatPart::Kind::kImage, ""}}}};
  const auto small = text->EncodeChat(conversation, 1000, {1, 1}, {});
  const auto large = text->EncodeChat(conversation, 1000, {5, 2}, {});
  REQUIRE(small.ok());
  REQUIRE(large.ok());
  CHECK(large->ids.size() == small->ids.size() + 5);
  CHECK(large->image_positions[0] == small->image_positions[0]);
  CHECK(large->image_positions[1] == small->image_positions[1] + 4);
}

TEST_CASE("a text with too many tokens is refused") {
  Site site;
  const auto text = site.Load();
  const auto ids = text->EncodeText("one two three four five six", 3, {});
  CHECK(ids.status().code() == StatusCode::kResourceExhausted);
}

TEST_CASE("a grammar's masks come from a worker of its own") {
  Site site;
  const auto text = site.Load();
  auto started = text->StartGrammar({Kind::kRegex, "(ab|c)*"}, {});
  REQUIRE_MESSAGE(started.ok(), started.status().message());
  CHECK(site.memory.used() > 0);
  const auto tokenizer = Tokenizer::Make(site.source->tokenizer_assets());
  REQUIRE(tokenizer.ok());
  const Grammars grammars(**tokenizer, site.source->config().vocab_size,
                          site.source->config().eos_token_ids);
  const auto local = grammars.Start({Kind::kRegex, "(ab|c)*"});
  REQUIRE(local.ok());
  auto one = (*started)->Clone(), other = (*started)->Clone();
  const auto masks_equal = [](const TokenConstraint& a, const TokenConstraint& b) {
    return std::equal(a.Allowed().begin(), a.Allowed().end(), b.Allowed().begin(),
                      b.Allowed().end());
  };
  const auto soon = [] { return Clock::now() + std::chrono::seconds(60); };
  std::vector<int32_t> word = *(*tokenizer)->Encode("ab", Tokenizer::Specials::kPlain, false);
  for (int i = 0; i < 3; ++i) {
    for (int32_t token : word) {
      one->Accept(token);
      (*local)->Accept(token);
      REQUIRE((*local)->Poll() == TokenConstraint::State::kReady);
      REQUIRE(one->Wait(soon()) == TokenConstraint::State::kReady);
      CHECK(masks_equal(*one, **local));
    }
  }
  CHECK(other->Poll() == TokenConstraint::State::kReady);
  CHECK(masks_equal(*other, **started));
  // A token that the grammar forbids ends this sequence alone.
  one->Accept((*tokenizer)->Encode("z", Tokenizer::Specials::kPlain, false)->at(0));
  CHECK(one->Wait(soon()) == TokenConstraint::State::kFailed);
  CHECK(one->error().code() == StatusCode::kInvalidArgument);
  other->Accept(word[0]);
  CHECK(other->Wait(soon()) == TokenConstraint::State::kReady);
  one.reset();
  other.reset();
  started = Internal("dropped");
  CHECK(site.memory.used() == 0);
}

TEST_CASE("a job over its limit is stopped, and the next job is served") {
  Site site;
  site.limits.cpu = std::chrono::milliseconds(200);
  const auto text = site.Load();
  const auto endless = text->StartGrammar({Kind::kRegex, "(a|b)*a(a|b){40}c(a|b)*c(a|b){40}d"}, {});
  const auto json =
      text->StartGrammar({Kind::kJsonSchema, R"({"type": "integer", "multipleOf": 62615533})"}, {});
  for (const auto* job : {&endless, &json}) {
    if (!job->ok()) CHECK(job->status().code() == StatusCode::kInvalidArgument);
  }
  CHECK_FALSE(json.ok());
  CHECK(text->EncodeText("Hello", 100, {}).ok());
}

TEST_CASE("a client that leaves ends its job") {
  Site site;
  site.limits.cpu = std::chrono::seconds(60);
  site.limits.wall = std::chrono::seconds(60);
  const auto text = site.Load();
  int asked = 0;
  const auto job = text->EncodeText("Hello", 100, {"a", [&] { return ++asked > 0; }});
  if (!job.ok()) CHECK(job.status().code() == StatusCode::kCancelled);
  site.jobs.Close();
  CHECK(text->EncodeText("Hello", 100, {}).status().code() == StatusCode::kUnavailable);
}

TEST_CASE("a deeply nested template is refused at load") {
  Site site;
  for (const char* piece : {"not ", "-", "("}) {
    CAPTURE(piece);
    TokenizerAssets assets = site.source->tokenizer_assets();
    assets.chat_template = "{{ ";
    for (int i = 0; i < 300000; ++i) assets.chat_template += piece;
    assets.chat_template += "x }}";
    TextModelSource source = site.Text();
    source.assets = &assets;
    const auto loaded = ModelText::Load(source, site.limits, &site.jobs, &site.memory);
    CHECK_FALSE(loaded.ok());
  }
}

TEST_CASE("a template that exceeds its memory limit fails its request alone") {
  if (kSanitized) return;  // memory is not limited under sanitizers
  Site site;
  TokenizerAssets assets = site.source->tokenizer_assets();
  assets.chat_template =
      "{% set ns = namespace(s='x') %}{% if messages[0].content == 'grow' %}"
      "{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{% endif %}"
      "{{ messages[0].content }}{{ ns.s | length }}";
  TextModelSource source = site.Text();
  source.assets = &assets;
  auto loaded = ModelText::Load(source, site.limits, &site.jobs, &site.memory);
  REQUIRE_MESSAGE(loaded.ok(), loaded.status().message());
  const auto ask = [&](const char* content) {
    Conversation conversation;
    conversation.messages = {{"user", {{ChatPart::Kind::kText, content}}}};
    return (*loaded)->EncodeChat(conversation, 1000, {}, {});
  };
  const auto grown = ask("grow");
  CHECK(grown.status().code() == StatusCode::kInvalidArgument);
  CHECK(grown.status().message().find("MiB of memory") != std::string::npos);
  CHECK(ask("stay").ok());
}

}  // namespace
}  // namespace edgegate
