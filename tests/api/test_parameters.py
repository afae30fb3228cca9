"""docs/parameters.md, the code's table, OpenAI's SDK and the daemon agree on every parameter."""

import json
import pathlib
import re
import typing
import urllib.error
import urllib.request

import pytest
from conftest import MODEL, ROOT, Daemon
from openai.types import completion_create_params, embedding_create_params
from openai.types.chat import completion_create_params as chat_create_params
from openai.types.responses import response_create_params

DOCUMENT = ROOT / "docs/parameters.md"
TABLE = ROOT / "server/api/inert_parameters.inc"
EMBEDDER = pathlib.Path(MODEL).parent / "all-MiniLM-L6-v2"

KINDS = {
    "kChat": "chat",
    "kText": "completions",
    "kResponses": "responses",
    "kMessages": "messages",
    "kOptions": "options",
    "kEmbeddings": "embeddings",
    "kRerank": "rerank",
}
ALL_TEXT = ("chat", "completions", "responses", "messages")
CHAT = {"model": "smol", "messages": [{"role": "user", "content": "hi"}]}
# Good bodies, and the paths that take them.
REQUESTS = {
    "chat": ("/v1/chat/completions", {**CHAT, "max_tokens": 2}),
    "completions": ("/v1/completions", {"model": "smol", "prompt": "hi", "max_tokens": 2}),
    "responses": ("/v1/responses", {"model": "smol", "input": "hi", "max_output_tokens": 2, "store": False}),
    "messages": ("/v1/messages", {**CHAT, "max_tokens": 2}),
    "options": ("/api/chat", {**CHAT, "stream": False}),
    "embeddings": ("/v1/embeddings", {"model": "embedder", "input": "hi"}),
    "rerank": ("/v1/rerank", {"model": "embedder", "query": "hi", "documents": ["a"]}),
}
# Members that exclude others of the good body, and members that a value needs beside it.
WITHOUT = {"max_completion_tokens": ["max_tokens"], "n_predict": ["max_tokens"], "min_tokens": ["max_tokens"]}
BESIDE = {
    ("chat", "tool_choice"): {"tools": [{"type": "function", "function": {"name": "f"}}]},
    ("responses", "tool_choice"): {"tools": [{"type": "function", "name": "f"}]},
    ("chat", "function_call"): {"functions": [{"name": "f"}]},
    ("chat", "top_logprobs"): {"logprobs": True},
}


class Row(typing.NamedTuple):
    name: str
    of: str
    requests: list
    effect: str
    done_anyway: list
    neutral: list
    example: object


def values(cell):
    return [json.loads(text) for text in re.findall("`([^`]*)`", cell)]


def rows():
    found = []
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 7 or not cells[0].startswith("`"):
            continue
        name, of, requests, effect, done_anyway, neutral, example = cells
        found.append(
            Row(name.strip("`"), of, requests.split(", "), effect, values(done_anyway), values(neutral),
                values(example)[0])
        )
    return found


ROWS = rows()


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    log = tmp_path_factory.mktemp("parameters") / "log"
    models = ["--model", "smol=" + MODEL, "--model", f"embedder={EMBEDDER}"]
    running = Daemon(*models, "--engine.cache_dir", cache, log=str(log))
    yield running
    assert running.stop() == 0


def send(site, kind, name, value):
    """The status and the answer to a good request with this member."""
    path, good = REQUESTS[kind]
    body = json.loads(json.dumps(good))
    for other in WITHOUT.get(name, []):
        body.pop(other, None)
    if kind == "options":
        body["options"] = {"num_predict": 2, name: value}
    else:
        body.update({**BESIDE.get((kind, name), {}), name: value})
    request = urllib.request.Request(site.url + path, json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def path_of(kind, name):
    return f"options.{name}" if kind == "options" else name


def warned(answer):
    return answer.get("warnings") or []


def cases(effect):
    return [
        pytest.param(row, kind, id=f"{kind}-{row.name}") for row in ROWS if row.effect == effect for kind in row.requests
    ]


@pytest.mark.parametrize("row,kind", cases("honoured"))
def test_a_parameter_with_an_effect_is_accepted(site, row, kind):
    status, answer = send(site, kind, row.name, row.example)
    assert status == 200, answer
    assert not warned(answer)


@pytest.mark.parametrize("row,kind", cases("no effect"))
def test_a_parameter_without_an_effect_is_named(site, row, kind):
    status, answer = send(site, kind, row.name, row.example)
    assert status == 200, answer
    assert warned(answer) == [f"'{path_of(kind, row.name)}' has no effect."]


@pytest.mark.parametrize("row,kind", cases("refused"))
def test_a_refused_parameter_is_named_in_the_error(site, row, kind):
    status, answer = send(site, kind, row.name, row.example)
    assert status == 400
    error = answer["error"]
    message = error if isinstance(error, str) else error["message"]
    assert f"'{path_of(kind, row.name)}'" in message
    if isinstance(error, dict) and "param" in error:
        assert (error["param"], error["code"]) == (row.name, "unsupported_parameter")


def neutral_cases():
    return [
        pytest.param(kind, row.name, value, silent, id=f"{kind}-{row.name}-{json.dumps(value)}")
        for row in ROWS
        for kind in row.requests
        for silent, listed in ((True, row.done_anyway), (False, row.neutral))
        for value in listed
    ]


@pytest.mark.parametrize("kind,name,value,silent", neutral_cases())
def test_a_neutral_value_is_accepted(site, kind, name, value, silent):
    status, answer = send(site, kind, name, value)
    assert status == 200, answer
    assert warned(answer) == ([] if silent else [f"'{path_of(kind, name)}' has no effect."])


def literal(text):
    """The list of a C++ literal. None: any value."""
    if text == "kAny":
        return None
    return json.loads(re.fullmatch(r'R"\((.*)\)"|"(.*)"', text).expand(r"\1\2"))


def test_the_document_has_the_rows_of_the_code():
    pattern = r'^PARAMETER\("(\w+)", ([\w |]+), (R"\(.*?\)"|".*?"), (kAny|R"\(.*?\)"|".*?"), ".*"\)$'
    text = TABLE.read_text()
    found = re.findall(pattern, text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^PARAMETER\(", text, re.MULTILINE))
    code = {}
    for name, kinds, silent, neutral in found:
        for bit in kinds.split(" | "):
            for kind in ALL_TEXT if bit == "kAllText" else [KINDS[bit]]:
                assert (kind, name) not in code
                code[kind, name] = (literal(silent), literal(neutral))
    document = {
        (kind, row.name): (row.done_anyway, row.neutral if row.effect == "refused" else None)
        for row in ROWS
        if row.effect != "honoured"
        for kind in row.requests
    }
    assert document == code


def test_a_parameter_has_one_effect():
    seen = [(kind, row.name) for row in ROWS for kind in row.requests]
    assert len(seen) == len(set(seen))
    assert {row.effect for row in ROWS} == {"honoured", "no effect", "refused"}


def members(module, *names):
    """The members of the SDK's types with these names, with those that they inherit."""
    return {member for name in names for member in typing.get_type_hints(getattr(module, name)).keys()}


SDK = {
    "chat": members(chat_create_params, "CompletionCreateParamsBase") | {"stream"},
    "completions": members(completion_create_params, "CompletionCreateParamsBase") | {"stream"},
    "responses": members(response_create_params, "ResponseCreateParamsBase") | {"stream"},
    "embeddings": members(embedding_create_params, "EmbeddingCreateParams"),
}


@pytest.mark.parametrize("kind", SDK)
def test_every_parameter_of_openais_sdk_is_documented(kind):
    documented = {row.name for row in ROWS if kind in row.requests}
    assert SDK[kind] - documented == set()


def test_openapi_has_the_parameters_with_an_effect(site):
    """Schemas of requests, where /openapi.json has them, name the parameters with an effect."""
    with urllib.request.urlopen(site.url + "/openapi.json") as answer:
        description = json.load(answer)
    for kind, (path, _) in REQUESTS.items():
        if kind in ("messages", "options"):
            continue
        content = description["paths"][path]["post"].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if "$ref" in schema:
            schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if "properties" not in schema:
            continue
        honoured = {row.name for row in ROWS if row.effect == "honoured" and kind in row.requests}
        assert honoured - set(schema["properties"]) == set(), path
