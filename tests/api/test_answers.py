"""Answers to valid requests of the official OpenAI client."""

import concurrent.futures

ASK = [{"role": "user", "content": "Name three colours."}]


def chat(client, **options):
    arguments = {"model": "smol", "messages": ASK, "temperature": 0, "max_tokens": 24}
    return client.chat.completions.create(**{**arguments, **options})


def complete(client, prompt, **options):
    arguments = {"model": "smol", "prompt": prompt, "temperature": 0, "max_tokens": 12}
    return client.completions.create(**{**arguments, **options})


def test_models_are_listed_and_retrieved(client):
    assert [m.id for m in client.models.list()] == ["smol"]
    assert client.models.retrieve("smol").object == "model"


def test_chat_answers_and_counts(client):
    answer = chat(client)
    assert answer.choices[0].message.content.strip()
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model_extra["timings"]["prefill_ms"] > 0


def test_stream_equals_whole(client):
    whole = chat(client)
    chunks = list(chat(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason


def test_equal_seeds_give_equal_answers(client):
    first, second = (chat(client, temperature=1, seed=7) for _ in range(2))
    other = chat(client, temperature=1, seed=8)
    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.choices[0].message.content != other.choices[0].message.content


def test_n_gives_different_choices_each_its_own_seed(client):
    both = chat(client, temperature=1, seed=7, n=2)
    alone = chat(client, temperature=1, seed=8)
    assert both.choices[1].message.content == alone.choices[0].message.content
    assert both.choices[0].message.content != both.choices[1].message.content


def test_logprobs_are_those_of_the_sampled_tokens(client):
    content = chat(client, logprobs=True, top_logprobs=5).choices[0].logprobs.content
    for token in content:
        assert len(token.top_logprobs) == 5
        assert token.logprob == token.top_logprobs[0].logprob  # greedy
        assert bytes(token.bytes).decode("utf-8", "replace") == token.token
    assert "".join(t.token for t in content).startswith(chat(client).choices[0].message.content)


def test_completion_prompts_of_every_kind(client):
    ids = complete(client, "The sea is", extra_body={"return_token_ids": True})
    prompt_ids = ids.choices[0].model_extra["prompt_token_ids"]
    by_ids = complete(client, prompt_ids)
    several = complete(client, ["The sea is", "One, two,"])
    assert ids.choices[0].text == by_ids.choices[0].text == several.choices[0].text
    assert [c.index for c in several.choices] == [0, 1]
    texts = ["", ""]
    for chunk in complete(client, ["The sea is", "One, two,"], stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == [c.text for c in several.choices]
    assert len(ids.choices[0].model_extra["token_ids"]) == ids.usage.completion_tokens


def test_echo_scores_the_prompt(client):
    answer = complete(client, "The capital of France is Paris", echo=True, logprobs=2, max_tokens=0)
    logprobs = answer.choices[0].logprobs
    assert answer.choices[0].text == "The capital of France is Paris"
    assert answer.usage.completion_tokens == 0
    assert logprobs.token_logprobs[0] is None
    assert len(logprobs.tokens) == answer.usage.prompt_tokens
    assert logprobs.token_logprobs[-1] > -1.0  # " Paris"


def test_stop_strings_never_leak(client):
    whole = complete(client, "1, 2, 3, 4,", max_tokens=30).choices[0].text
    stop = whole[5:9]
    for streamed in (False, True):
        answer = complete(client, "1, 2, 3, 4,", max_tokens=30, stop=[stop], stream=streamed)
        if streamed:
            chunks = [c.choices[0] for c in answer]
            text, reason = "".join(c.text for c in chunks), chunks[-1].finish_reason
        else:
            text, reason = answer.choices[0].text, answer.choices[0].finish_reason
        assert text == whole[: whole.index(stop)]
        assert reason == "stop"


def test_logit_bias_and_token_names(client):
    extra = {"return_tokens_as_token_ids": True}
    free = complete(client, "Hello", max_tokens=1, logprobs=1, extra_body=extra)
    name = free.choices[0].logprobs.tokens[0]
    banned = complete(
        client, "Hello", max_tokens=1, logprobs=1, logit_bias={name[9:]: -100}, extra_body=extra
    )
    assert name.startswith("token_id:") and banned.choices[0].logprobs.tokens[0] != name


def test_special_tokens_in_user_text_stay_text(client):
    text = "say <|im_end|> please"
    extra = {"return_token_ids": True}
    answer = chat(client, messages=[{"role": "user", "content": text}], extra_body=extra)
    end = complete(client, "<|im_end|>", max_tokens=1, extra_body=extra)
    (end_id,) = end.choices[0].model_extra["prompt_token_ids"]
    # SmolLM2's template: a system turn and the user's, each closed by one <|im_end|>.
    assert answer.model_extra["prompt_token_ids"].count(end_id) == 2


def test_same_bytes_alone_and_in_a_crowd(daemon, client):
    """Tokens and log-probabilities are compared exactly."""

    def ask(i):
        prompt = "word " * (20 * (i % 7)) + f"Tell me about number {i}."
        answer = chat(
            client,
            messages=[{"role": "user", "content": prompt}],
            temperature=0.8,
            seed=i,
            max_tokens=16 + i % 9,
            logprobs=True,
            top_logprobs=3,
        )
        return answer.choices[0].model_dump_json()

    alone = [ask(i) for i in range(12)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(12))) == alone


def test_a_client_that_leaves_frees_its_sequence(daemon, client):
    total = daemon.health()["models"][0]["kv_blocks_total"]
    stream = chat(client, stream=True, max_tokens=2000, extra_body={"ignore_eos": True})
    chunks = iter(stream)
    for _ in range(3):  # the role, and some tokens
        next(chunks)
    assert daemon.health()["models"][0]["running"] == 1
    stream.close()
    state = daemon.idle_health()["models"][0]
    assert state["running"] == 0 and state["kv_blocks_free"] == total
