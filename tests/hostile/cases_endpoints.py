"""Responses, messages, Ollama's API, embeddings and ranks: a wrong type at each level, deep and long
members of each kind, stored responses, and streams that nobody reads."""

import json

from case import EITHER, REFUSED, Case
from cases_protocols import CHAT, GENERATE, GOOD, MESSAGES, MIB, RESPONSES, USER, ask
from generate import array, nested, repeat

DEEP = ("nest", "deep", "depth")
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
IMAGE = "data:image/png;base64,AAAA"
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
# Bodies with a member of each kind.
RICH = {
    RESPONSES: {
        **GOOD[RESPONSES],
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
            {"type": "reasoning", "id": "r", "summary": [],
             "content": [{"type": "reasoning_text", "text": "x"}]},
            CALL,
            {"type": "function_call_output", "call_id": "c",
             "output": [{"type": "input_text", "text": "x"}]},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto",
                        "tools": [{"type": "function", "name": "f"}]},
        "text": {"format": {"type": "text"}},
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "metadata": {"a": "b"},
        "stream_options": {"include_obfuscation": False},
        "max_tool_calls": 3,
        "truncation": "auto",
        "store": True,
    },
    MESSAGES: {
        **GOOD[MESSAGES],
        "system": [{"type": "text", "text": "x"}],
        "messages": [
            USER,
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "x", "signature": "s"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "x"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t",
                 "content": [{"type": "text", "text": "x"}]},
                {"type": "text", "text": "x"}]},
        ],
        "tools": [{"name": "f", "input_schema": SCHEMA}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "stop_sequences": ["z"],
        "metadata": {"user_id": "u"},
    },
    CHAT: {
        **GOOD[CHAT],
        "messages": [
            USER,
            {"role": "assistant", "content": "", "tool_calls": [
                {"function": {"name": "f", "arguments": {"a": "x"}}}]},
            {"role": "tool", "tool_name": "f", "content": "x"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        "options": {"num_predict": 8, "temperature": 0.5, "stop": ["z"]},
        "think": False,
    },
    GENERATE: {
        **GOOD[GENERATE],
        "system": "x",
        "format": SCHEMA,
        "options": {"num_predict": 8, "top_k": 3},
    },
    "/v1/embeddings": {"model": "bert", "input": ["a"], "dimensions": 8,
                       "encoding_format": "float", "user": "u"},
    "/v1/rerank": {"model": "bert", "query": "a", "documents": ["b"], "top_n": 1,
                   "return_documents": True},
    "/api/embed": {"model": "bert", "input": ["a"], "truncate": True, "options": {}},
    "/api/show": {"model": "smol", "verbose": False},
}
WRONG = {str: {"a": [1]}, bool: "yes", int: "many", float: [0.5], dict: ["x", 1], list: {"a": 1}}


def places(value, path=()):
    """The path of each value inside of `value`."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in items:
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, name))
        else:
            yield (*path, name)


def wrong_types(endpoint):
    body = RICH[endpoint]
    for path in places(body):
        changed = json.loads(json.dumps(body))
        holder = changed
        for name in path[:-1]:
            holder = holder[name]
        holder[path[-1]] = WRONG[type(holder[path[-1]])]
        shown = ".".join(map(str, path))
        yield Case(f"{endpoint}: a wrong type of {shown}", "types", endpoint, body=changed,
                   expect=(200, 400, 404), beside=False)


def tool_of(endpoint, schema):
    if endpoint == MESSAGES:
        return {"name": "f", "input_schema": schema}
    if endpoint == CHAT:
        return {"type": "function", "function": {"name": "f", "parameters": schema}}
    return {"type": "function", "name": "f", "parameters": schema}


def content(parts):
    return {"input": [{"role": "user", "content": parts}]}


def output(parts, **more):
    return {"input": [USER, CALL, {"type": "function_call_output", "call_id": "c", "output": parts,
                                   **more}]}


def result(parts, **more):
    return {"messages": [{"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "t", "content": parts, **more}]}]}


def unread(endpoint, body):
    """Steps of a stream that its client begins and does not read."""
    data = json.dumps({**body, "stream": True}).encode()
    head = f"POST {endpoint} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return (head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode() + data, 1.0, "close")


TALK = {"model": "smol", "ignore_eos": True}
STREAMS = {
    RESPONSES: {**TALK, "input": "Count.", "max_output_tokens": 400, "top_logprobs": 20},
    MESSAGES: {**TALK, "messages": [USER], "max_tokens": 400},
    CHAT: {"model": "smol", "messages": [USER], "options": {"num_predict": 400}},
    GENERATE: {"model": "smol", "prompt": "x", "options": {"num_predict": 400}},
}
# A reasoning item that is stored and that no template shows.
LARGE = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": repeat("A", MIB)}

CASES = [case for endpoint in RICH for case in wrong_types(endpoint)]
CASES += [ask(endpoint, "a deep schema of a tool", {
    "tools": [tool_of(endpoint, nested('{"type":"object","properties":{"a":', "}}", 2000, "{}"))]},
    names=("tools", *DEEP)) for endpoint in (RESPONSES, MESSAGES, CHAT)]
CASES += [ask(endpoint, "10,000 tools", {"tools": array(tool_of(endpoint, SCHEMA), 10000)})
          for endpoint in (RESPONSES, MESSAGES, CHAT)]
CASES += [Case(f"{endpoint}: 8 streams that nobody reads", "types", raw=unread(endpoint, body),
               silent=True, answers=None, count=8, expect=(200,), wall_s=10.0)
          for endpoint, body in STREAMS.items()]
CASES += [
    ask(RESPONSES, "a deep schema of the text", {"text": {"format": {
        "type": "json_schema", "name": "n", "schema": nested('{"items":', "}", 5000, "{}")}}},
        names=("text", *DEEP)),
    ask(RESPONSES, "deep content", content(nested("[", "]", 5000)), names=("input", *DEEP)),
    ask(RESPONSES, "100,000 parts", content(array({"type": "input_text", "text": "x"}, 100000))),
    ask(RESPONSES, "100,000 empty parts", content(array({"type": "input_text", "text": ""}, 100000)),
        expect=EITHER),
    ask(RESPONSES, "an output of 100,000 texts",
        output(array({"type": "input_text", "text": "x"}, 100000))),
    ask(RESPONSES, "an output of 10,000 images",
        output(array({"type": "input_image", "image_url": IMAGE}, 10000))),
    ask(RESPONSES, "a deep output", output(nested("[", "]", 5000)), names=("input", *DEEP)),
    ask(RESPONSES, "an output of another kind", output([{"type": "input_file", "file_id": "f"}])),
    ask(RESPONSES, "an output that is an object", output({"a": 1})),
    ask(RESPONSES, "a call_id of 1 MB", output("x", call_id=repeat("c", MIB)), expect=EITHER),
    ask(RESPONSES, "an item id of 1 MB", {"input": [{**USER, "id": repeat("i", MIB)}]},
        expect=EITHER),
    ask(RESPONSES, "one turn of 1,000 messages", {
        "truncation": "auto",
        "input": array({"role": "user", "content": "some words"}, 1000)}, names=("input",)),
    ask(RESPONSES, "turns of 15 MB to drop", {
        "truncation": "auto", "input": [{"role": "user", "content": repeat("x ", 7 * MIB)},
                                        {"role": "assistant", "content": "a"}, USER]},
        expect=(200,)),
    ask(RESPONSES, "a last turn of 15 MB", {
        "truncation": "auto", "input": [USER, {"role": "assistant", "content": "a"},
                                        {"role": "user", "content": repeat("x ", 7 * MIB)}]},
        names=("input",)),
    ask(RESPONSES, "500 short turns to drop", {
        "truncation": "auto", "input": [USER, {"role": "assistant", "content": "a"}] * 500 + [USER]},
        # The turns that are kept fill the context.
        expect=EITHER, wall_s=20.0, cpu_s=30.0),
    ask(RESPONSES, "48 stored responses of 1 MB", {
        "input": [USER, LARGE], "max_output_tokens": 1}, count=48, expect=(200,), wall_s=20.0,
        cpu_s=20.0),
    ask(MESSAGES, "100,000 blocks", {"messages": [{"role": "user", "content": array(
        {"type": "text", "text": "x"}, 100000)}]}),
    ask(MESSAGES, "a result of 100,000 texts", result(array({"type": "text", "text": "x"}, 100000))),
    ask(MESSAGES, "a result of 10,000 images", result(array(PICTURE, 10000)),
        names=("messages", "image")),
    ask(MESSAGES, "a deep result", result(nested("[", "]", 5000)), names=("messages", *DEEP)),
    ask(MESSAGES, "a result in a result", result([{"type": "tool_result", "tool_use_id": "t"}])),
    ask(MESSAGES, "a tool_use_id of 1 MB", result("x", tool_use_id=repeat("t", MIB)), expect=EITHER),
    ask(MESSAGES, "a deep schema of the output", {"output_config": {"format": {
        "type": "json_schema", "schema": nested('{"items":', "}", 5000, "{}")}}},
        names=("output_config", *DEEP)),
    ask(CHAT, "deep arguments of a call", {"messages": [USER, {
        "role": "assistant", "content": "", "tool_calls": [{"function": {
            "name": "f", "arguments": nested('{"a":', "}", 5000)}}]}, USER]},
        names=("messages", *DEEP)),
    ask(CHAT, "10,000 calls", {"messages": [USER, {"role": "assistant", "content": "",
        "tool_calls": array({"function": {"name": "f", "arguments": {}}}, 10000)}, USER]}),
    ask(GENERATE, "10,000 images", {"images": array("AAAA", 10000)}),
    Case("deep documents", "rerank", "/v1/rerank", body={
        "model": "bert", "query": "a", "documents": nested("[", "]", 5000)}, expect=REFUSED,
        names=("documents", *DEEP)),
    Case("200,000 documents", "rerank", "/v1/rerank", body={
        "model": "bert", "query": "a", "documents": array("a", 200000)}, expect=REFUSED,
        names=("documents",)),
    Case("a model of 1 MB to rank", "rerank", "/v1/rerank", body={
        "model": repeat("m", MIB), "query": "a", "documents": ["b"]}, expect=(404,)),
]
PATH = RESPONSES + "/resp_" + "x" * 4000
CASES += [Case(f"input items: {name}", "types", path, "GET", expect=expect, names=names)
          for name, path, expect, names in (
    ("of no response", RESPONSES + "/resp_x/input_items", (404,), ("response_id",)),
    ("of a long id", PATH + "/input_items", (404, 414, 431), ()),
    ("many segments", RESPONSES + "/x" * 1000 + "/input_items", (404,), ()),
    ("of nothing", RESPONSES + "//input_items", (404,), ()),
    ("a long query", RESPONSES + "/x/input_items?after=" + "y" * 4000, (404, 414, 431), ()),
)]
