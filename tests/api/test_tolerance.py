"""Requests with members of other servers' clients: what has an effect, what is named, what is refused."""

import base64
import json
import pathlib
import urllib.error
import urllib.request

import openai
import pytest
from conftest import DEMO, MODEL, ROOT, Daemon

EMBEDDER = pathlib.Path(MODEL).parent / "all-MiniLM-L6-v2"
MESSAGES = [{"role": "user", "content": "Count to three."}]
IMAGE = ROOT / "tests/golden/images/good/rgb.png"


def start(tmp_path_factory, cache, *arguments):
    log = tmp_path_factory.mktemp("tolerance") / "log"
    models = ["--model", "smol=" + MODEL, "--model", f"demo={DEMO}", "--model", f"embedder={EMBEDDER}"]
    return Daemon(*models, "--engine.cache_dir", cache, *arguments, log=str(log))


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    running = start(tmp_path_factory, cache)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def strict(tmp_path_factory, cache):
    running = start(tmp_path_factory, cache, "--server.strict", "true")
    yield running
    assert running.stop() == 0


def post(site, path, body, headers=None):
    request = urllib.request.Request(site.url + path, json.dumps(body).encode(), headers or {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


# A good request to each endpoint.
GOOD = {
    "/v1/chat/completions": {"model": "smol", "messages": MESSAGES, "max_tokens": 2},
    "/v1/completions": {"model": "smol", "prompt": "One", "max_tokens": 2},
    "/v1/responses": {"model": "smol", "input": "Hi", "max_output_tokens": 2},
    "/v1/messages": {"model": "smol", "messages": MESSAGES, "max_tokens": 2},
    "/v1/messages/count_tokens": {"model": "smol", "messages": MESSAGES},
    "/api/chat": {"model": "smol", "messages": MESSAGES, "options": {"num_predict": 2}, "stream": False},
    "/api/generate": {"model": "smol", "prompt": "Hi", "options": {"num_predict": 2}, "stream": False},
    "/v1/embeddings": {"model": "embedder", "input": "Hi"},
    "/api/embed": {"model": "embedder", "input": "Hi"},
    "/v1/rerank": {"model": "embedder", "query": "Hi", "documents": ["a"]},
}
UNKNOWN = "'frobnicate' is unknown and has no effect."


@pytest.mark.parametrize("path", GOOD)
def test_an_unknown_member_is_named_in_the_answer_and_in_the_log(site, path):
    body = {**GOOD[path], "frobnicate": 1, "twiddle": None}
    name = "unknown" + path.replace("/", ".") + "-"
    status, answer = post(site, path, body, {"x-request-id": name})
    assert status == 200, answer
    if path != "/v1/messages/count_tokens":
        assert answer["warnings"] == [UNKNOWN]
    (line,) = site.logged(name)
    assert f" {path} " in line and UNKNOWN in line
    status, answer = post(site, path, GOOD[path])
    assert status == 200 and not answer.get("warnings")


@pytest.mark.parametrize("path", GOOD)
def test_strict_refuses_unknown_members(strict, path):
    for value in (1, None):
        status, answer = post(strict, path, {**GOOD[path], "frobnicate": value})
        assert status == 400 and "frobnicate" in json.dumps(answer)
    status, answer = post(strict, path, GOOD[path])
    assert status == 200, answer


STRICT_MEMBERS = {
    "messages[0].frobnicate": {"messages": [{**MESSAGES[0], "frobnicate": 1}]},
    "tools[0].function.more": {"tools": [{"type": "function", "function": {"name": "f", "more": 1}}]},
    "response_format.x": {"response_format": {"type": "text", "x": 1}},
    "stream_options.x": {"stream": True, "stream_options": {"x": 1}},
}


@pytest.mark.parametrize("path", STRICT_MEMBERS)
def test_strict_refuses_unknown_members_inside(site, strict, path):
    body = {**GOOD["/v1/chat/completions"], **STRICT_MEMBERS[path]}
    status, answer = post(strict, "/v1/chat/completions", body)
    assert (status, answer["error"]["param"], answer["error"]["code"]) == (400, path, "unknown_parameter")
    if not body.get("stream"):
        assert post(site, "/v1/chat/completions", body)[1]["warnings"] == [f"'{path}' is unknown and has no effect."]


def test_strict_accepts_what_is_known_and_has_no_effect(strict):
    body = {**GOOD["/v1/chat/completions"], "cache_prompt": True, "user": "u", "service_tier": None}
    status, answer = post(strict, "/v1/chat/completions", body)
    assert status == 200
    assert answer["warnings"] == ["'user' has no effect.", "'cache_prompt' has no effect."]


def test_a_stream_has_its_warnings_in_the_last_chunk(site):
    client = site.client()
    for options in (None, {"include_usage": True}):
        chunks = list(
            client.chat.completions.create(
                model="smol", messages=MESSAGES, max_tokens=3, stream=True,
                **({"stream_options": options} if options else {}), extra_body={"id_slot": 0},
            )
        )
        named = [chunk.model_extra.get("warnings") for chunk in chunks]
        assert named == [None] * (len(chunks) - 1) + [["'id_slot' has no effect."]]
    with client.chat.completions.stream(
        model="smol", messages=MESSAGES, stop=["a", "e", "o", " "], extra_body={"id_slot": 0}
    ) as stream:
        assert stream.get_final_completion().choices[0].finish_reason == "stop"


def test_the_members_of_an_answer(site):
    client = site.client()
    ask = {"model": "smol", "messages": MESSAGES, "max_tokens": 3, "temperature": 0}
    whole = client.chat.completions.create(**ask)
    assert whole.service_tier == "default" and whole.system_fingerprint.startswith("fp_")
    details = whole.usage.completion_tokens_details
    assert (details.reasoning_tokens, details.audio_tokens) == (0, 0)
    assert (details.accepted_prediction_tokens, details.rejected_prediction_tokens) == (0, 0)
    assert whole.usage.prompt_tokens_details.audio_tokens == 0
    chunks = list(client.chat.completions.create(**ask, stream=True))
    assert {chunk.system_fingerprint for chunk in chunks} == {whole.system_fingerprint}
    assert {chunk.service_tier for chunk in chunks} == {"default"}
    last = chunks[-1].choices[0]
    assert last.finish_reason == "length" and last.delta.content is None and last.delta.role is None
    text = client.completions.create(model="smol", prompt="One", max_tokens=1)
    assert text.system_fingerprint == whole.system_fingerprint
    demo = client.completions.create(model="demo", prompt="One", max_tokens=1)
    assert demo.system_fingerprint != whole.system_fingerprint


def test_the_fingerprint_is_the_same_after_a_restart(site, strict):
    ask = {"model": "smol", "prompt": "One", "max_tokens": 1}
    first, second = (running.client().completions.create(**ask) for running in (site, strict))
    assert first.system_fingerprint == second.system_fingerprint


def test_max_tokens_is_cut_to_the_context(site):
    client = site.client()
    answer = client.completions.create(
        model="demo", prompt="One", max_tokens=1_000_000, extra_body={"ignore_eos": True}
    )
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.total_tokens == 1024
    answer = client.chat.completions.create(
        model="demo", messages=MESSAGES, max_tokens=1_000_000, extra_body={"ignore_eos": True}
    )
    assert (answer.choices[0].finish_reason, answer.usage.total_tokens) == ("length", 1024)
    with pytest.raises(openai.BadRequestError, match="1024 tokens.*2000 tokens"):
        client.completions.create(model="demo", prompt=[5] * 2000, max_tokens=1)


def test_min_tokens(site):
    client = site.client()
    ask = {"model": "smol", "prompt": "1, 2, 3, 4, 5, 6, 7,", "temperature": 0, "max_tokens": 20}
    free = client.completions.create(**ask, extra_body={"return_token_ids": True}).choices[0]
    stop = free.model_extra["token_ids"][1]
    ended = client.completions.create(**ask, extra_body={"stop_token_ids": [stop]})
    assert (ended.usage.completion_tokens, ended.choices[0].finish_reason) == (2, "stop")
    more = client.completions.create(**ask, extra_body={"stop_token_ids": [stop], "min_tokens": 8})
    assert more.usage.completion_tokens > 8 or more.choices[0].finish_reason == "length"
    text = free.text[:1]
    cut = client.completions.create(**ask, stop=text)
    assert cut.choices[0].text == ""
    later = client.completions.create(**ask, stop=text, extra_body={"min_tokens": 6})
    assert free.text.startswith(later.choices[0].text) and len(later.choices[0].text) >= 6
    assert later.usage.completion_tokens > 6


def test_repeat_penalty_is_repetition_penalty(site):
    client = site.client()
    ask = {"model": "smol", "messages": MESSAGES, "temperature": 0, "max_tokens": 20}
    free, ours, other = (
        client.chat.completions.create(**ask, extra_body=extra).choices[0].message.content
        for extra in ({}, {"repetition_penalty": 1.8}, {"repeat_penalty": 1.8})
    )
    assert ours == other != free


def test_usage_in_every_chunk(site):
    chunks = list(
        site.client().chat.completions.create(
            model="smol", messages=MESSAGES, max_tokens=6, stream=True,
            stream_options={"include_usage": True, "continuous_usage_stats": True, "include_obfuscation": False},
        )
    )
    counts = [chunk.usage.completion_tokens for chunk in chunks]
    assert counts[0] == 0 and counts[-1] == counts[-2] and counts == sorted(counts)
    assert all(chunk.usage.prompt_tokens == chunks[0].usage.prompt_tokens for chunk in chunks)
    assert not any(chunk.model_extra.get("warnings") for chunk in chunks)


def test_warnings_are_bounded(site):
    members = {"k%d" % i + "x" * 1000: 1 for i in range(900)}
    status, answer = post(site, "/v1/chat/completions", {**GOOD["/v1/chat/completions"], **members})
    assert status == 200
    assert len(answer["warnings"]) == 33 and max(map(len, answer["warnings"])) <= 200
    status, answer = post(site, "/v1/chat/completions", {f"k{i}": 1 for i in range(100_000)})
    assert status == 400 and "1024 members" in answer["error"]["message"]


def test_names_in_warnings_cannot_forge_lines_of_the_log(site):
    body = {**GOOD["/v1/chat/completions"], "a\nb\u001b[31m": 1}
    status, answer = post(site, "/v1/chat/completions", body)
    assert status == 200 and "a\nb" in answer["warnings"][0]
    assert site.logged("'a?b?[31m'")


def test_members_of_answers_may_be_sent_back(site):
    client = site.client()
    answer = client.chat.completions.create(model="smol", messages=MESSAGES, max_tokens=3)
    message = {**answer.choices[0].message.model_dump(), "annotations": [], "audio": None}
    more = [*MESSAGES, message, {"role": "user", "content": "And then?"}]
    again = client.chat.completions.create(model="smol", messages=more, max_tokens=3)
    assert "warnings" not in again.model_extra


def shown(count, detail=None):
    url = "data:image/png;base64," + base64.b64encode(IMAGE.read_bytes()).decode()
    image = {"url": url, **({"detail": detail} if detail else {})}
    parts = [{"type": "image_url", "image_url": image}] * count
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "What is shown in these images?"}]}]


def test_20_images_are_shown_by_default_where_they_fit(site):
    client = site.client()
    answer = client.chat.completions.create(model="demo", messages=shown(20), max_tokens=2)
    assert answer.usage.prompt_tokens_details.model_extra["image_tokens"] == 20 * 18
    with pytest.raises(openai.BadRequestError, match="21 images; at most 20") as error:
        client.chat.completions.create(model="demo", messages=shown(21), max_tokens=2)
    assert error.value.body["code"] == "too_many_images"


def test_images_that_do_not_fit_are_counted(tmp_path_factory, cache):
    running = start(tmp_path_factory, cache, "--engine.max_model_len", "300")
    try:
        with pytest.raises(openai.BadRequestError) as error:
            running.client().chat.completions.create(model="demo", messages=shown(20), max_tokens=2)
        assert error.value.body["code"] == "context_length_exceeded"
        assert "300 tokens" in error.value.message and "20 images" in error.value.message
        assert "first 17 have 306 tokens" in error.value.message
        with pytest.raises(openai.BadRequestError, match="with 16 images of 288 tokens"):
            running.client().chat.completions.create(model="demo", messages=shown(16), max_tokens=2)
    finally:
        assert running.stop() == 0


def test_detail_is_named_unless_it_is_auto(site):
    client = site.client()
    for detail, named in (("auto", None), ("original", ["'messages[0].content[0].image_url.detail' has no effect."])):
        answer = client.chat.completions.create(model="demo", messages=shown(1, detail), max_tokens=2)
        assert answer.model_extra.get("warnings") == named
    with pytest.raises(openai.BadRequestError, match="auto, low, high or original"):
        client.chat.completions.create(model="demo", messages=shown(1, "x"), max_tokens=2)


def test_embeddings_in_the_form_of_llama_cpp(site):
    ours = site.client().embeddings.create(model="embedder", input=["a", "b"], encoding_format="float")
    for path in ("/embeddings", "/embedding"):
        status, answer = post(site, path, {"content": ["a", "b"], "embd_normalize": 2})
        assert status == 200
        assert answer == [{"index": i, "embedding": [entry.embedding]} for i, entry in enumerate(ours.data)]
    status, answer = post(site, "/embeddings", {"content": "a", "model": "embedder"})
    assert status == 200 and answer[0]["embedding"] == [ours.data[0].embedding]
    assert post(site, "/embeddings", {"content": "a", "embd_normalize": -1})[0] == 400
    objects = [{"prompt_string": "a"}, {"prompt_string": "b", "multimodal_data": []}]
    assert post(site, "/embeddings", {"content": objects})[1] == post(site, "/embeddings", {"content": ["a", "b"]})[1]
    status, answer = post(site, "/embeddings", {"content": [{"prompt_string": "a", "multimodal_data": ["aGk="]}]})
    assert status == 400 and answer["error"]["param"] == "content[0].multimodal_data"
