"""/v1/embeddings and /v1/rerank: parity with transformers, batches, limits, and streams beside them.

all-MiniLM-L6-v2 comes from scripts/fetch-minilm, the tiny models and their embeddings from
tests/golden/embeddings/make.py.
"""

import base64
import json
import math
import os
import struct
import threading
import time
import urllib.error
import urllib.request

import ollama
import openai
import pytest
from conftest import DEMO, MODEL, ROOT, Daemon

FOLDER = ROOT / "tests/golden/embeddings"
MINILM = os.environ.get("EDGEGATE_MINILM", str(ROOT / "models/all-MiniLM-L6-v2"))
TINY = ("bert", "bert-cls", "qwen3-embedding")


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    log = str(tmp_path_factory.mktemp("embeddings") / "log")
    models = [f"--model={name}={FOLDER / name}" for name in TINY]
    models += [f"--model=minilm={MINILM}", f"--model=smol={MODEL}", f"--model=demo={DEMO}"]
    sizes = ["--engine.kv_cache_mb", "64"]
    running = Daemon(*models, *sizes, "--engine.cache_dir", cache, log=log)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def openai_client(site):
    return site.client()


def golden(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def cosine(a, b):
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return product / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def post(site, path, body, timeout=60):
    """Status and JSON of the answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(site.url + path, data=data)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("name", [*TINY, "minilm"])
def test_embeddings_are_those_of_transformers(openai_client, name):
    expected = golden(name)
    answer = openai_client.embeddings.create(model=name, input=[e["text"] for e in expected])
    assert [item.index for item in answer.data] == list(range(len(expected)))
    for item, one in zip(answer.data, expected, strict=True):
        assert cosine(item.embedding, one["embedding"]) > 0.9995
    assert answer.usage.prompt_tokens == sum(len(e["ids"]) for e in expected)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens
    assert answer.model == name and answer.object == "list"


@pytest.mark.parametrize("name", [*TINY, "minilm"])
def test_token_arrays_give_the_embeddings_of_their_text(openai_client, name):
    expected = golden(name)[:4]
    texts = openai_client.embeddings.create(model=name, input=[e["text"] for e in expected])
    ids = openai_client.embeddings.create(model=name, input=[e["ids"] for e in expected])
    alone = openai_client.embeddings.create(model=name, input=expected[1]["ids"])
    assert [d.embedding for d in ids.data] == [d.embedding for d in texts.data]
    assert alone.data[0].embedding == texts.data[1].embedding


def test_an_embedding_does_not_depend_on_its_batch(site):
    texts = [e["text"] for e in golden("minilm")]
    together = post(site, "/v1/embeddings", {"model": "minilm", "input": texts * 20})[1]["data"]
    for i, text in enumerate(texts):
        alone = post(site, "/v1/embeddings", {"model": "minilm", "input": text})[1]["data"][0]
        for copy in together[i :: len(texts)]:
            assert copy["embedding"] == alone["embedding"]


def test_both_formats_hold_the_same_floats(site):
    body = {"model": "minilm", "input": "The same floats."}
    numbers = post(site, "/v1/embeddings", body)[1]["data"][0]["embedding"]
    text = post(site, "/v1/embeddings", {**body, "encoding_format": "base64"})[1]["data"][0]["embedding"]
    assert list(struct.unpack("<384f", base64.b64decode(text, validate=True))) == [
        struct.unpack("<f", struct.pack("<f", number))[0] for number in numbers
    ]


@pytest.mark.parametrize("dimensions", [1, 17, 384])
def test_dimensions_are_the_first_ones_at_length_one(openai_client, dimensions):
    whole = openai_client.embeddings.create(model="minilm", input="Cut me.").data[0].embedding
    cut = openai_client.embeddings.create(model="minilm", input="Cut me.", dimensions=dimensions)
    first = whole[:dimensions]
    length = math.sqrt(sum(x * x for x in first))
    found = cut.data[0].embedding
    assert found == pytest.approx([x / length for x in first], abs=1e-6)
    assert sum(x * x for x in found) == pytest.approx(1, abs=1e-6)


def test_2048_inputs_in_one_request(openai_client):
    texts = [f"sensor {i % 100} reads {i} degrees" for i in range(2048)]
    answer = openai_client.embeddings.create(model="minilm", input=texts)
    assert len(answer.data) == 2048
    assert answer.data[2047].index == 2047


def test_long_texts_are_cut_on_request_only(site):
    body = {"model": "minilm", "input": "long text " * 400}
    status, answer = post(site, "/v1/embeddings", body)
    assert status == 400
    assert answer["error"]["code"] == "context_length_exceeded"
    assert "256" in answer["error"]["message"] and answer["error"]["param"] == "input"
    status, cut = post(site, "/v1/embeddings", {**body, "truncate_prompt_tokens": -1})
    assert status == 200 and cut["usage"]["prompt_tokens"] == 256
    # [CLS] and [SEP] stay.
    status, few = post(site, "/v1/embeddings", {**body, "truncate_prompt_tokens": 4})
    assert few["usage"]["prompt_tokens"] == 4
    same = post(site, "/v1/embeddings", {"model": "minilm", "input": "long text"})[1]
    assert few["data"][0]["embedding"] == same["data"][0]["embedding"]


WRONG = [
    ({"input": "x"}, "model", "you must provide a model"),
    ({"model": "minilm"}, "input", "Missing required parameter"),
    ({"model": "minilm", "input": ""}, "input", "empty"),
    ({"model": "minilm", "input": []}, "input", "empty"),
    ({"model": "minilm", "input": ["a", ""]}, "input[1]", "empty"),
    ({"model": "minilm", "input": ["a", []]}, "input[1]", "empty"),
    ({"model": "minilm", "input": ["a", 1]}, "input", "expected"),
    ({"model": "minilm", "input": ["a", {"text": "b"}]}, "input", "expected"),
    ({"model": "minilm", "input": 5}, "input", "expected"),
    ({"model": "minilm", "input": {"text": "a"}}, "input", "expected"),
    ({"model": "minilm", "input": [-1]}, "input", "expected"),
    ({"model": "minilm", "input": [1.5]}, "input", "expected"),
    ({"model": "minilm", "input": [30522]}, "input", "30522"),
    ({"model": "minilm", "input": [[5], [10**6]]}, "input[1]", "vocabulary"),
    ({"model": "minilm", "input": [5] * 257}, "input", "256 tokens"),
    ({"model": "minilm", "input": ["a"] * 2049}, "input", "2048"),
    ({"model": "minilm", "input": "a" * (1 << 20) + "b"}, "input", "1048576"),
    ({"model": "minilm", "input": "a", "dimensions": 0}, "dimensions", "dimensions"),
    ({"model": "minilm", "input": "a", "dimensions": 385}, "dimensions", "384"),
    ({"model": "minilm", "input": "a", "dimensions": "9"}, "dimensions", "dimensions"),
    ({"model": "minilm", "input": "a", "encoding_format": "int8"}, "encoding_format", "base64"),
    ({"model": "minilm", "input": "a", "truncate_prompt_tokens": 0}, "truncate_prompt_tokens", "-1"),
    ({"model": "minilm", "input": "a", "stream": True}, "stream", "stream"),
    ({"model": "smol", "input": "a"}, "model", "computes no embeddings"),
]


@pytest.mark.parametrize("body,param,part", WRONG)
def test_a_wrong_request_is_a_400_that_names_the_field(site, body, param, part):
    status, answer = post(site, "/v1/embeddings", body)
    assert status == 400
    assert answer["error"]["param"] == param
    assert part in answer["error"]["message"]
    assert answer["error"]["type"] == "invalid_request_error"


def test_ollamas_client_gets_the_same_embeddings(site):
    client = ollama.Client(host=site.url)
    texts = ["One text.", "Another text, which is longer."]
    answer = post(site, "/v1/embeddings", {"model": "minilm", "input": texts})[1]
    expected = [item["embedding"] for item in answer["data"]]
    answer = client.embed("minilm", texts)
    assert answer.embeddings == expected
    assert answer.prompt_eval_count > 0 and answer.total_duration > 0
    assert client.embed("minilm", texts[0]).embeddings == expected[:1]
    assert client.embed("minilm:latest", texts[1], dimensions=3).embeddings[0][2] != expected[1][2]
    assert client.embeddings("minilm", texts[1]).embedding == expected[1]
    assert client.embed("minilm", []).embeddings == client.embed("minilm", "").embeddings == []
    assert client.embeddings("minilm", "").embedding == []
    assert "embedding" in client.show("minilm").capabilities
    assert len(client.embed("minilm", "word " * 1000).embeddings) == 1
    with pytest.raises(ollama.ResponseError, match="256 tokens"):
        client.embed("minilm", "word " * 1000, truncate=False)
    for body, part in [
        ({"model": "minilm", "input": ["a", 5]}, "input[1]"),
        ({"model": "minilm", "input": {"a": 1}}, "input"),
        ({"model": "minilm", "input": "a", "options": []}, "options"),
        ({"model": "minilm", "input": "a", "dimensions": 385}, "384"),
        ({"input": "a"}, "model"),
    ]:
        status, answer = post(site, "/api/embed", body)
        assert status == 400 and part in answer["error"]


def test_models_of_the_other_kind_are_refused(site, openai_client):
    for name in ("minilm", "qwen3-embedding"):
        with pytest.raises(openai.BadRequestError, match="embeddings only"):
            openai_client.chat.completions.create(
                model=name, messages=[{"role": "user", "content": "hi"}]
            )
        with pytest.raises(openai.BadRequestError, match="embeddings only"):
            openai_client.completions.create(model=name, prompt="hi")
    with pytest.raises(openai.BadRequestError, match="computes no embeddings"):
        openai_client.embeddings.create(model="demo", input="hi")
    with pytest.raises(openai.NotFoundError):
        openai_client.embeddings.create(model="nothing", input="hi")


def test_a_chat_model_that_the_settings_mark_computes_embeddings(tmp_path, cache):
    settings = tmp_path / "edgegate.toml"
    settings.write_text(f'[[model]]\nname = "smol"\npath = "{MODEL}"\nembedding = true\n')
    running = Daemon("--config", str(settings), "--engine.cache_dir", cache, log=str(tmp_path / "log"))
    client = running.client()
    answer = client.embeddings.create(model="smol", input=["one text", "another text"])
    assert len(answer.data[0].embedding) == 576
    assert sum(x * x for x in answer.data[0].embedding) == pytest.approx(1, abs=1e-5)
    with pytest.raises(openai.BadRequestError, match="embeddings only"):
        client.completions.create(model="smol", prompt="hi")
    assert running.stop() == 0


DOCUMENTS = [
    "A person stands at the front door.",
    "The kitchen light is on.",
    "Somebody rang the door bell.",
    "The temperature in the greenhouse is 31 degrees.",
]


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank"])
def test_rerank_orders_documents_by_cosine(site, openai_client, path):
    query = "Who is at the door?"
    body = {"model": "minilm", "query": query, "documents": DOCUMENTS}
    status, answer = post(site, path, body)
    assert status == 200
    rows = openai_client.embeddings.create(model="minilm", input=[query, *DOCUMENTS]).data
    expected = {i: cosine(rows[0].embedding, rows[i + 1].embedding) for i in range(4)}
    scores = [result["relevance_score"] for result in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    for result in answer["results"]:
        assert result["relevance_score"] == pytest.approx(expected[result["index"]], abs=1e-6)
        assert result["document"]["text"] == DOCUMENTS[result["index"]]
    assert {answer["results"][0]["index"], answer["results"][1]["index"]} == {0, 2}
    assert answer["model"] == "minilm" and answer["usage"]["total_tokens"] > 20


def test_rerank_options(site):
    body = {"model": "minilm", "query": "light", "documents": [{"text": d} for d in DOCUMENTS]}
    answer = post(site, "/v1/rerank", {**body, "top_n": 2, "return_documents": False})[1]
    assert len(answer["results"]) == 2
    assert "document" not in answer["results"][0]
    assert answer["results"][0]["index"] == 1
    assert len(post(site, "/v1/rerank", {**body, "top_n": 100})[1]["results"]) == 4
    wrong = [
        ({**body, "query": None}, "query"),
        ({**body, "query": ""}, "query"),
        ({**body, "query": ["a"]}, "query"),
        ({**body, "documents": None}, "documents"),
        ({**body, "documents": []}, "documents"),
        ({**body, "documents": "a"}, "documents"),
        ({**body, "documents": ["a"] * 2049}, "documents"),
        ({**body, "documents": ["a", 5]}, "documents[1]"),
        ({**body, "documents": ["a", {"text": ""}]}, "documents[1].text"),
        ({**body, "top_n": 0}, "top_n"),
        ({**body, "model": "smol"}, "model"),
    ]
    for changed, param in wrong:
        status, answer = post(site, "/v1/rerank", changed)
        assert (status, answer["error"]["param"]) == (400, param)


def test_a_stream_goes_on_beside_long_batches(site, openai_client):
    stop = threading.Event()
    texts = [f"text {i} " + "word " * 100 for i in range(256)]
    statuses = []

    def embed():
        while not stop.is_set():
            statuses.append(post(site, "/v1/embeddings", {"model": "minilm", "input": texts})[0])

    thread = threading.Thread(target=embed)
    thread.start()
    try:
        time.sleep(0.2)
        marks = []
        stream = openai_client.completions.create(
            model="smol", prompt="Once", max_tokens=40, stream=True, extra_body={"ignore_eos": True}
        )
        for _ in stream:
            marks.append(time.monotonic())
        gaps = sorted(b - a for a, b in zip(marks, marks[1:], strict=False))
        assert len(marks) >= 40
        # The batch alone takes seconds. Slices take about 10 ms; the machine may be busy.
        assert gaps[len(gaps) // 2] < 0.5
        assert gaps[-1] < 3
    finally:
        stop.set()
        thread.join()
    assert set(statuses) == {200}


def test_a_client_that_leaves_frees_its_places(site):
    texts = [f"text {i} " + "word " * 200 for i in range(2000)]
    body = {"model": "minilm", "input": texts}
    with pytest.raises(TimeoutError):
        post(site, "/v1/embeddings", body, timeout=0.7)
    for _ in range(100):
        models = {model["name"]: model for model in site.health()["models"]}
        if models["minilm"]["running"] + models["minilm"]["waiting"] == 0:
            break
        time.sleep(0.1)
    assert models["minilm"]["waiting"] == 0
    assert post(site, "/v1/embeddings", {"model": "minilm", "input": "a"})[0] == 200


def test_azure_paths_name_the_model(site):
    status, answer = post(site, "/openai/deployments/minilm/embeddings?api-version=1", {"input": "a"})
    assert status == 200 and answer["model"] == "minilm"
