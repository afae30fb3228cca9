"""The same request gives the same bytes, on real weights. A daemon with one thread, small chunks and a
KV pool that forces preemption gives the same answers as a daemon with room for all."""

import concurrent.futures

import pytest
from conftest import MODEL, Daemon


def ask(client, i):
    answer = client.chat.completions.create(
        model="smol",
        messages=[{"role": "user", "content": "again " * (5 * i) + f"Count from {i} to 99."}],
        temperature=0.5 * (i % 2),
        seed=i,
        max_tokens=60,
        logprobs=True,
        top_logprobs=4,
    )
    return answer.choices[0].model_dump_json()


def answer_of(server, content, temperature, seed, max_tokens):
    """The timings and the whole choice, as text."""
    answer = server.client().chat.completions.create(
        model="smol",
        messages=[{"role": "user", "content": content}],
        temperature=temperature,
        seed=seed,
        max_tokens=max_tokens,
        logprobs=True,
        top_logprobs=3,
    )
    return answer.timings, answer.choices[0].model_dump_json()


def check_tight_daemon(expected, options, log, kv_cache_mb=6):
    """Sends all requests at once to a daemon with one thread, chunks of 24 tokens and a KV pool that is too small."""
    tight = Daemon(
        *("--model", "smol=" + MODEL, "--threads", "1", *options),
        *("--engine.kv_cache_mb", str(kv_cache_mb), "--engine.max_num_batched_tokens", "24"),
        log=str(log),
    )
    try:
        client, count = tight.client(), len(expected)
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            assert list(pool.map(lambda i: ask(client, i), range(count))) == expected
        state = tight.idle_health()["models"][0]
        assert state["preemptions"] > 0
        assert state["kv_blocks_free"] == state["kv_blocks_total"]
    finally:
        assert tight.stop() == 0


def test_preemption_chunks_and_threads_change_no_byte(daemon, cache, tmp_path):
    alone = [ask(daemon.client(), i) for i in range(8)]
    check_tight_daemon(alone, ["--engine.cache_dir", cache], tmp_path / "log")


@pytest.mark.parametrize(
    ("weights", "isa", "head"),
    [
        ("int4", "auto", "int8"),
        ("int4", "auto", "int4"),
        ("int8", "avx512", "int8"),
        ("int8", "avx-vnni", "int8"),
        ("int8", "avx2", "int8"),
        ("int4", "avx2", "int8"),
    ],
)
def test_every_kernel_gives_the_same_bytes_in_any_batch(cache, tmp_path, weights, isa, head):
    options = ["--engine.cache_dir", cache, "--engine.isa", isa, "--engine.weight_format", weights]
    options += ["--engine.head_format", head]
    roomy = Daemon(
        *("--model", "smol=" + MODEL, *options, "--engine.kv_cache_mb", "64"),
        *("--engine.speculation", "false"),
        log=str(tmp_path / "roomy"),
    )
    try:
        alone = [ask(roomy.client(), i) for i in range(7)]
    finally:
        assert roomy.stop() == 0
    check_tight_daemon(alone, options, tmp_path / "tight")


@pytest.mark.parametrize(("weights", "isa"), [("int8", "auto"), ("int8", "avx2"), ("int4", "auto")])
def test_a_kv_cache_at_8_bits_keeps_the_bytes(daemon, cache, tmp_path, weights, isa):
    """Alone, without prefix cache and drafts; then with both, a draft model and preemption."""
    options = ["--engine.cache_dir", cache, "--engine.isa", isa, "--engine.weight_format", weights]
    options += ["--engine.kv_cache_type", "int8"]
    plain = Daemon(
        *("--model", "smol=" + MODEL, *options, "--engine.kv_cache_mb", "64"),
        *("--engine.speculation", "false", "--engine.prefix_caching", "false"),
        log=str(tmp_path / "plain"),
    )
    try:
        alone = [ask(plain.client(), i) for i in range(8)]
    finally:
        assert plain.stop() == 0
    assert alone[7] != ask(daemon.client(), 7)
    check_tight_daemon(alone, options, tmp_path / "tight", kv_cache_mb=4)
    drafted = Daemon(
        *("--model", "smol=" + MODEL, "--draft", "smol=" + MODEL, *options),
        *("--engine.kv_cache_mb", "64"),
        log=str(tmp_path / "drafted"),
    )
    try:
        for i in (3, 4, 3, 4):
            assert ask(drafted.client(), i) == alone[i]
    finally:
        assert drafted.stop() == 0


def test_cached_blocks_change_no_byte(daemon, cache, tmp_path):
    """A growing conversation, asked twice, equals that of a daemon without the prefix cache."""
    plain = Daemon(
        *("--model", "smol=" + MODEL, "--engine.cache_dir", cache),
        *("--engine.prefix_caching", "false", "--engine.kv_cache_mb", "64"),
        log=str(tmp_path / "log"),
    )
    messages = [{"role": "user", "content": "List the planets, and a moon of each. " * 3}]

    def say(server):
        answer = server.client().chat.completions.create(
            model="smol", messages=messages, temperature=0, max_tokens=40, logprobs=True
        )
        return answer, answer.choices[0].model_dump_json()

    try:
        for turn in range(3):
            without, expected = say(plain)
            assert without.usage.prompt_tokens_details.cached_tokens == 0
            first, text = say(daemon)
            again, same = say(daemon)
            assert text == same == expected
            # All full blocks but the last token's.
            assert again.usage.prompt_tokens_details.cached_tokens == (
                (again.usage.prompt_tokens - 1) // 16 * 16
            )
            if turn > 0:
                assert first.usage.prompt_tokens_details.cached_tokens > 60
            messages.append({"role": "assistant", "content": first.choices[0].message.content})
            messages.append({"role": "user", "content": f"And number {turn}?"})
    finally:
        assert plain.stop() == 0


def test_speculation_changes_no_byte(daemon, cache, tmp_path):
    """Repeated text, greedy and sampled, with drafts and without."""
    plain = Daemon(
        *("--model", "smol=" + MODEL, "--engine.cache_dir", cache),
        *("--engine.speculation", "false", "--engine.kv_cache_mb", "64"),
        log=str(tmp_path / "log"),
    )
    text = "The pump in room 7 is on. The pump in room 8 is off. The pump in room 9 is on."

    def say(server, temperature):
        return answer_of(server, f"Repeat this word for word: {text}", temperature, 5, 80)

    try:
        for temperature in (0, 0.7):
            timings, expected = say(plain, temperature)
            assert timings["draft_n"] == 0
            timings, said = say(daemon, temperature)
            assert said == expected
            assert timings["draft_n"] > 0
            if temperature == 0:
                assert timings["draft_n_accepted"] > 0
    finally:
        assert plain.stop() == 0


def test_a_draft_model_changes_no_byte(daemon, cache, tmp_path):
    """The model is its own draft model: a draft is accepted if it is the most likely token."""
    drafted = Daemon(
        *("--model", "smol=" + MODEL, "--draft", "smol=" + MODEL, "--engine.cache_dir", cache),
        *("--engine.kv_cache_mb", "64", "--engine.max_num_batched_tokens", "48"),
        log=str(tmp_path / "log"),
    )

    def story(server, temperature):
        return answer_of(server, "Tell me about a lighthouse. " * 9, temperature, 3, 100)

    try:
        for temperature in (0, 0.8):
            plain, expected = story(daemon, temperature)
            # The draft model needs some time to prefill the prompt.
            for _ in range(5):
                timings, said = story(drafted, temperature)
                assert said == expected
                least = max(plain["draft_n_accepted"], 30 if temperature == 0 else 0)
                if timings["draft_n_accepted"] > least:
                    break
            assert timings["draft_n_accepted"] > least
            if temperature == 0:
                # Rejected draft tokens come from prompt lookup.
                assert timings["draft_n_accepted"] > 0.5 * timings["draft_n"]
        alone = [ask(daemon.client(), i) for i in range(8)]
        client = drafted.client()
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            assert list(pool.map(lambda i: ask(client, i), range(8))) == alone
        state = drafted.idle_health()["models"][0]
        assert state["draft_kv_blocks_total"] > 0
        assert state["draft_kv_blocks_free"] == state["draft_kv_blocks_total"]
        assert state["kv_blocks_free"] == state["kv_blocks_total"]
    finally:
        assert drafted.stop() == 0


def test_keys_share_no_prefixes(cache, tmp_path):
    """A prompt of one API key is not cached for another key. The answers are equal."""
    guarded = Daemon(
        *("--model", "smol=" + MODEL, "--engine.cache_dir", cache),
        *("--engine.kv_cache_mb", "64"),
        env={"EDGEGATE_SERVER_API_KEYS": "one,two"},
        log=str(tmp_path / "log"),
    )

    def say(key):
        answer = guarded.client(key).chat.completions.create(
            model="smol",
            messages=[{"role": "user", "content": "List the planets of the sun. " * 4}],
            temperature=0,
            max_tokens=8,
        )
        return answer.choices[0].message.content, answer.usage.prompt_tokens_details.cached_tokens

    try:
        (text, first), (other, second), (again, third) = say("one"), say("two"), say("one")
        assert text == other == again
        assert first == second == 0
        assert third > 16
    finally:
        assert guarded.stop() == 0
