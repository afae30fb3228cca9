"""Invalid requests: each gets an error that names the parameter."""

import json
import socket
import subprocess
import urllib.error
import urllib.request

import openai
import pytest
from conftest import BINARY, MODEL, Daemon

MESSAGES = [{"role": "user", "content": "hi"}]

# (path, changes to a good body, status, param)
CHOSEN = "tool_choice.function"
PARAMETERS = "tools[%d].function.parameters"


def tool(name, **more):
    return {"type": "function", "function": {"name": name, **more}}


def calls(arguments, name="f"):
    """Messages with an earlier call."""
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return [*MESSAGES, {"role": "assistant", "content": None, "tool_calls": [call]}]


CASES = [
    ("chat", {"model": "none"}, 404, "model"),
    ("chat", {"model": 5}, 400, "model"),
    ("chat", {"messages": []}, 400, "messages"),
    ("chat", {"messages": "hi"}, 400, "messages"),
    ("chat", {"messages": [5]}, 400, "messages[0]"),
    ("chat", {"messages": [{"role": "king", "content": "x"}]}, 400, "messages[0].role"),
    ("chat", {"messages": [{"role": "user"}]}, 400, "messages[0].content"),
    ("chat", {"messages": [{"role": "user", "content": 5}]}, 400, "messages[0].content"),
    (
        "chat",
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
        400,
        "messages[0].content[0].image_url.url",
    ),
    ("chat", {"temperature": 2.1}, 400, "temperature"),
    ("chat", {"temperature": -0.1}, 400, "temperature"),
    ("chat", {"temperature": "hot"}, 400, "temperature"),
    ("chat", {"temperature": True}, 400, "temperature"),
    ("chat", {"top_p": 0}, 400, "top_p"),
    ("chat", {"top_p": 1.1}, 400, "top_p"),
    ("chat", {"top_k": -2}, 400, "top_k"),
    ("chat", {"min_p": 1.5}, 400, "min_p"),
    ("chat", {"repetition_penalty": 0}, 400, "repetition_penalty"),
    ("chat", {"presence_penalty": 3}, 400, "presence_penalty"),
    ("chat", {"frequency_penalty": -3}, 400, "frequency_penalty"),
    ("chat", {"n": 0}, 400, "n"),
    ("chat", {"n": 1000}, 400, "n"),
    ("chat", {"n": 1.5}, 400, "n"),
    ("chat", {"max_tokens": 0}, 400, "max_tokens"),
    ("chat", {"max_tokens": -1}, 400, "max_tokens"),
    ("chat", {"max_tokens": 10**30}, 400, "max_tokens"),
    ("chat", {"max_tokens": 5, "max_completion_tokens": 6}, 400, "max_tokens"),
    ("chat", {"messages": [{"role": "user", "content": "a " * 9000}]}, 400, "messages"),
    ("chat", {"seed": "x"}, 400, "seed"),
    ("chat", {"stop": ""}, 400, "stop"),
    ("chat", {"stop": [1]}, 400, "stop"),
    ("chat", {"stop": ["a"] * 99}, 400, "stop"),
    ("chat", {"stop_token_ids": ["a"]}, 400, "stop_token_ids"),
    ("chat", {"stop_token_ids": [4000000]}, 400, "stop_token_ids"),
    ("chat", {"logprobs": 5}, 400, "logprobs"),
    ("chat", {"top_logprobs": 2}, 400, "top_logprobs"),
    ("chat", {"logprobs": True, "top_logprobs": 21}, 400, "top_logprobs"),
    ("chat", {"logit_bias": []}, 400, "logit_bias"),
    ("chat", {"logit_bias": {"x": 1}}, 400, "logit_bias"),
    ("chat", {"logit_bias": {"5": 101}}, 400, "logit_bias"),
    ("chat", {"logit_bias": {"4000000": 1}}, 400, "logit_bias"),
    ("chat", {"stream": "yes"}, 400, "stream"),
    ("chat", {"stream_options": {"include_usage": True}}, 400, "stream_options"),
    ("chat", {"response_format": "json"}, 400, "response_format"),
    ("chat", {"response_format": {"type": "yaml"}}, 400, "response_format.type"),
    (
        "chat",
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
        400,
        "response_format.json_schema.schema",
    ),
    (
        "chat",
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "nothing"}},
            }
        },
        400,
        "response_format.json_schema.schema",
    ),
    ("chat", {"response_format": {"type": "json_object"}, "ignore_eos": True}, 400, "ignore_eos"),
    ("chat", {"logit_bias": {str(i): 1 for i in range(1025)}}, 400, None),
    ("text", {"structured_outputs": {}}, 400, "structured_outputs"),
    ("text", {"structured_outputs": {"yaml": "x"}}, 400, "structured_outputs.yaml"),
    ("text", {"structured_outputs": {"regex": "("}}, 400, "structured_outputs.regex"),
    ("text", {"structured_outputs": {"grammar": "start: x"}}, 400, "structured_outputs.grammar"),
    ("text", {"structured_outputs": {"choice": [""]}}, 400, "structured_outputs.choice"),
    ("chat", {"tools": 5}, 400, "tools"),
    ("chat", {"tools": [{"type": "function"}]}, 400, "tools[0].function"),
    ("chat", {"tools": [{"type": "custom"}]}, 400, "tools[0].type"),
    ("chat", {"tools": [tool("f"), tool("f")]}, 400, "tools[1].function.name"),
    ("chat", {"tools": [tool("a b")]}, 400, "tools[0].function.name"),
    ("chat", {"tools": [tool("n" * 65)]}, 400, "tools[0].function.name"),
    ("chat", {"tools": [tool("f", description=5)]}, 400, "tools[0].function.description"),
    ("chat", {"tools": [tool("f", strict="yes")]}, 400, "tools[0].function.strict"),
    ("chat", {"tools": [tool("f", parameters=[])]}, 400, "tools[0].function.parameters"),
    ("chat", {"tools": [tool("f", parameters={"type": "string"})]}, 400, PARAMETERS % 0),
    (
        "chat",
        {"tools": [tool("f"), tool("g", parameters={"properties": {"a": {"type": "x"}}})]},
        400,
        PARAMETERS % 1,
    ),
    ("chat", {"tools": [tool(f"f{i}") for i in range(129)]}, 400, "tools"),
    ("chat", {"tool_choice": "auto"}, 400, "tool_choice"),
    ("chat", {"tools": [tool("f")], "tool_choice": "maybe"}, 400, "tool_choice"),
    ("chat", {"tools": [tool("f")], "tool_choice": {"type": "function"}}, 400, CHOSEN),
    ("chat", {"tools": [tool("f")], "tool_choice": tool("g")}, 400, "tool_choice"),
    ("chat", {"tools": [tool("f")], "parallel_tool_calls": 1}, 400, "parallel_tool_calls"),
    ("chat", {"tools": [tool("f")], "ignore_eos": True}, 400, "ignore_eos"),
    ("chat", {"tools": [tool("f")], "functions": [{"name": "f"}]}, 400, "functions"),
    ("chat", {"functions": [{}]}, 400, "functions[0].name"),
    ("chat", {"functions": [{"name": "f"}], "function_call": {}}, 400, "function_call.name"),
    (
        "chat",
        {"tools": [tool("f")], "structured_outputs": {"regex": "a"}},
        400,
        "structured_outputs.regex",
    ),
    ("chat", {"messages": calls("{")}, 400, "messages[1].tool_calls[0].function.arguments"),
    ("chat", {"messages": calls("[]")}, 400, "messages[1].tool_calls[0].function.arguments"),
    ("chat", {"messages": calls(5)}, 400, "messages[1].tool_calls[0].function.arguments"),
    ("chat", {"messages": calls("{}", name="")}, 400, "messages[1].tool_calls[0].function.name"),
    ("chat", {"chat_template_kwargs": 5}, 400, "chat_template_kwargs"),
    ("chat", {"min_tokens": 5, "max_tokens": 4}, 400, "min_tokens"),
    ("chat", {"min_tokens": 5, "response_format": {"type": "json_object"}}, 400, "min_tokens"),
    ("chat", {"repeat_penalty": 0}, 400, "repeat_penalty"),
    ("chat", {"modalities": ["text", "audio"]}, 400, "modalities"),
    ("chat", {"web_search_options": {}}, 400, "web_search_options"),
    ("chat", {"audio": {}}, 400, "audio"),
    ("completions", {"prompt": None}, 400, "prompt"),
    ("completions", {"prompt": 5}, 400, "prompt"),
    ("completions", {"prompt": ""}, 400, "prompt"),
    ("completions", {"prompt": []}, 400, "prompt"),
    ("completions", {"prompt": [-1]}, 400, "prompt"),
    ("completions", {"prompt": [4000000]}, 400, "prompt"),
    ("completions", {"prompt": [60000]}, 400, "prompt"),
    ("completions", {"logprobs": 21}, 400, "logprobs"),
    ("completions", {"max_tokens": 0}, 400, "max_tokens"),
    ("completions", {"suffix": "x"}, 400, "suffix"),
    ("completions", {"best_of": 3}, 400, "best_of"),
]


def post(daemon, path, body, headers=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(daemon.url + path, data, headers or {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("kind,change,status,param", CASES, ids=range(len(CASES)))
def test_a_wrong_parameter_is_a_400_that_names_it(daemon, kind, change, status, param):
    if kind == "chat":
        path, body = "/v1/chat/completions", {"model": "smol", "messages": MESSAGES}
    else:
        path, body = "/v1/completions", {"model": "smol", "prompt": "hi"}
    code, answer = post(daemon, path, {**body, **change})
    assert (code, answer["error"]["param"]) == (status, param), answer
    assert answer["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"model": "\xff"}', b"[" * 100000, b'{"a":' * 5000, b"\x00" * 9],
    ids=range(8),
)
def test_a_malformed_body_is_a_400(daemon, body):
    code, answer = post(daemon, "/v1/chat/completions", body)
    assert code == 400 and answer["error"]["type"] == "invalid_request_error"


def test_context_length_names_the_counts(daemon):
    body = {"model": "smol", "prompt": [5] * 8192, "max_tokens": 9000}
    _, answer = post(daemon, "/v1/completions", body)
    assert answer["error"]["code"] == "context_length_exceeded"
    assert "8192" in answer["error"]["message"] and "17192" in answer["error"]["message"]


def test_a_body_above_the_limit_is_a_413(daemon):
    code, _ = post(daemon, "/v1/completions", b"x" * (17 << 20))
    assert code == 413


def test_an_unknown_path_is_a_404_and_a_wrong_method_a_405(daemon):
    code, answer = post(daemon, "/v1/nothing", {})
    assert code == 404 and answer["error"]["message"]
    code, _ = post(daemon, "/v1/models", {})
    assert code == 405


def test_broken_http_bothers_nobody(daemon, client):
    host, port = daemon.url[7:].split(":")
    for junk in (b"\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/9\r\n\r\n", b"\x00" * 999):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(junk)
    assert client.models.retrieve("smol").id == "smol"


def test_keys_guard_all_but_health(tmp_path, cache):
    running = Daemon(
        "--model",
        "smol=" + MODEL,
        "--engine.cache_dir",
        cache,
        env={"EDGEGATE_SERVER_API_KEYS": "one,two"},
        log=str(tmp_path / "log"),
    )
    try:
        assert running.health()["status"] == "ok"
        with pytest.raises(openai.AuthenticationError):
            running.client("three").models.list()
        assert running.client("two").models.retrieve("smol").id == "smol"
    finally:
        assert running.stop() == 0


@pytest.mark.parametrize("arguments,code", [
    (["--model", "/no/such/model"], 3),
    (["--model", MODEL, "--server.port", "x"], 2),
    (["--nonsense"], 2),
    (["--engine.max_num_seqs", "0"], 2),
])
def test_exit_codes_of_serve(arguments, code):
    command = [BINARY, "serve", "--port", "0", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert done.returncode == code and done.stderr
