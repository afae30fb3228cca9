"""Requests of /v1/responses, of Anthropic's API and of Ollama's."""

from case import EITHER, REFUSED, Case
from cases_tools import MARKS
from generate import array, members, nested, numbered, repeat

MIB = 1 << 20
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
COUNT = "/v1/messages/count_tokens"
CHAT = "/api/chat"
GENERATE = "/api/generate"
USER = {"role": "user", "content": "x"}
GOOD = {
    RESPONSES: {"model": "smol", "input": "Say something.", "max_output_tokens": 8},
    MESSAGES: {"model": "smol", "messages": [USER], "max_tokens": 8},
    COUNT: {"model": "smol", "messages": [USER]},
    CHAT: {"model": "smol", "messages": [USER], "stream": False, "options": {"num_predict": 8}},
    GENERATE: {"model": "smol", "prompt": "x", "stream": False, "options": {"num_predict": 8}},
}


def ask(path, name, change, **more):
    """A good request with these fields changed. `names` defaults to the first of them."""
    return Case(f"{path}: {name}", "protocols", path, body={**GOOD[path], **change},
                **{"names": tuple(change)[:1], "expect": REFUSED, **more})


def everywhere(name, change, **more):
    return [ask(path, name, change, **more) for path in GOOD]


def item(name, value, **more):
    return ask(RESPONSES, f"an item: {name}", {"input": [USER, value]}, **more)


def block(name, value, role="user", **more):
    messages = [{"role": role, "content": [value]}, USER]
    return ask(MESSAGES, f"a block: {name}", {"messages": messages}, **more)


def option(name, value, **more):
    return ask(CHAT, f"an option: {name}", {"options": {name: value}}, **more)


CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}

CASES = [
    *everywhere("a model of 1 MB", {"model": repeat("m", MIB)}, expect=(400, 404)),
    *everywhere("a model that is a list", {"model": array("smol", 1000)}),
    *everywhere("a deep member", {"unknown": nested("[", "]", 5000)},
                names=("unknown", "nest", "deep", "depth")),
    *everywhere("1,000 unknown members", {**{f"u{i}": 1 for i in range(1000)}}, expect=EITHER,
                names=()),
    *everywhere("an unknown member with a long name", {"n" * MIB: 1},
                expect=EITHER, names=()),
    ask(RESPONSES, "no input", {"input": None}),
    ask(RESPONSES, "an input of 15 MB", {"input": repeat("x ", 7 * MIB)}),
    ask(RESPONSES, "20,000 items", {"input": array(USER, 20000)}),
    ask(RESPONSES, "1,000 calls", {"input": [USER, *[CALL] * 1000]}, expect=EITHER),
    ask(RESPONSES, "an unknown previous response", {"previous_response_id": "resp_x"},
        expect=(404,)),
    ask(RESPONSES, "a previous response of 1 MB", {"previous_response_id": repeat("r", MIB)},
        expect=(404,)),
    ask(RESPONSES, "instructions of 15 MB", {"instructions": repeat("x ", 7 * MIB)},
        names=("input",)),
    ask(RESPONSES, "10,000 tools of other types", {"tools": array({"type": "web_search"}, 10000)},
        expect=EITHER),
    ask(RESPONSES, "129 functions",
        {"tools": [{"type": "function", "name": f"f{i}"} for i in range(129)]}),
    ask(RESPONSES, "a required function without functions", {"tool_choice": "required"}),
    ask(RESPONSES, "metadata with an object", {"metadata": {"a": {}}}),
    ask(RESPONSES, "metadata with 1,000 members", {"metadata": members("k{}", "v", 1000)},
        expect=EITHER),
    ask(RESPONSES, "100,000 includes", {"include": numbered("x{}", 60000)}, expect=EITHER),
    ask(RESPONSES, "a format of 1 MB", {"text": {"format": {"type": repeat("t", MIB)}}}),
    item("an unknown reference", {"type": "item_reference", "id": "msg_x"}, expect=(404,)),
    item("a reference of 1 MB", {"type": "item_reference", "id": repeat("m", MIB)}, expect=(404,)),
    item("a type of 1 MB", {"type": repeat("t", MIB)}),
    item("a number", 1),
    item("arguments that are no JSON", {**CALL, "arguments": "{"}),
    item("deep arguments", {**CALL, "arguments": '{"a":' * 5000 + "1" + "}" * 5000}),
    item("a call without a name", {**CALL, "name": ""}),
    item("a file", {"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}),
    item("an image without a URL", {"role": "user", "content": [{"type": "input_image"}]}),
    item("10,000 images", {"role": "user", "content": array(
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}, 10000)}),
    item("deep thoughts", {"type": "reasoning", "content": nested("[", "]", 5000)},
         names=("input", "nest", "deep", "depth")),
    ask(MESSAGES, "no max_tokens", {"max_tokens": None}),
    ask(MESSAGES, "a max_tokens of 10^9", {"max_tokens": 10**9, "stop_sequences": ["e", "a", "o", " "]},
        expect=EITHER),
    ask(MESSAGES, "no messages", {"messages": []}),
    ask(MESSAGES, "20,000 messages", {"messages": array(USER, 20000)}),
    ask(MESSAGES, "a system text of 15 MB", {"system": repeat("x ", 7 * MIB)},
        names=("messages", "system")),
    ask(MESSAGES, "100,000 system blocks", {"system": array({"type": "text", "text": ""}, 20000)},
        expect=EITHER, names=("system", "messages", "strings")),
    ask(MESSAGES, "1,000 stop sequences", {"stop_sequences": numbered("s{}", 1000)}),
    ask(MESSAGES, "a stop sequence of 1 MB", {"stop_sequences": [repeat("s", MIB)]}),
    ask(MESSAGES, "a budget below 1", {"thinking": {"type": "enabled", "budget_tokens": 0}}),
    ask(MESSAGES, "an effort of 1 MB", {"output_config": {"effort": repeat("x", MIB)}}),
    block("a type of 1 MB", {"type": repeat("t", MIB)}, names=("messages",)),
    block("a document", {"type": "document", "source": {}}, names=("messages",)),
    block("an image of 10 MB", {"type": "image", "source": {
        "type": "base64", "media_type": "image/png", "data": repeat("AAAA", 10 * MIB // 4)}},
        names=("messages",)),
    block("a media type of 1 MB", {"type": "image", "source": {
        "type": "base64", "media_type": repeat("m", MIB), "data": "AAAA"}}, names=("messages",)),
    block("an input that is deep", {"type": "tool_use", "id": "t", "name": "f",
                                    "input": nested('{"a":', "}", 5000)}, role="assistant",
          names=("messages", "nest", "deep", "depth")),
    block("an input that is a list", {"type": "tool_use", "id": "t", "name": "f", "input": [1]},
          role="assistant", names=("messages",)),
    ask(COUNT, "a message of 15 MB", {"messages": [{**USER, "content": repeat("x ", 7 * MIB)}]}),
    ask(CHAT, "20,000 messages", {"messages": array(USER, 20000)}),
    ask(CHAT, "10,000 images", {"messages": [{**USER, "images": array("AAAA", 10000)}]}),
    ask(CHAT, "an image that is no base64", {"messages": [{**USER, "images": ["?" * 100]}]}),
    ask(CHAT, "a keep_alive that is an object", {"keep_alive": {}}),
    ask(CHAT, "a format of 1 MB", {"format": repeat("f", MIB)}),
    ask(CHAT, "a deep format", {"format": nested('{"items":', "}", 5000)},
        names=("format", "nest", "deep", "depth")),
    ask(CHAT, "129 tools", {"tools": [{"type": "function", "function": {"name": f"f{i}"}}
                                      for i in range(129)]}),
    ask(CHAT, "options that are a list", {"options": [1]}),
    ask(CHAT, "1,000 unknown options", {"options": {**dict.fromkeys(map(str, range(1000)), 1), "num_predict": 8}},
        expect=EITHER),
    option("num_predict", 10**12, names=("options.num_predict",)),
    option("temperature", 1e300, names=("options.temperature",)),
    option("seed", 2**70, names=("seed", "options", "integer")),
    option("stop", numbered("s{}", 1000), names=("options.stop",)),
    ask(GENERATE, "a prompt of 15 MB", {"prompt": repeat("x ", 7 * MIB)}),
    ask(GENERATE, "a raw prompt of 15 MB", {"raw": True, "prompt": repeat("x ", 7 * MIB)},
        names=("prompt",)),
    ask(GENERATE, "a template", {"template": "{{ .Prompt }}"}),
    ask(GENERATE, "a context of 100,000 tokens", {"context": array(1, 100000)}),
    Case("a show of nothing", "protocols", "/api/show", body={}, expect=REFUSED, names=("model",)),
    Case("a show of 1 MB", "protocols", "/api/show", body={"model": repeat("m", MIB)},
         expect=(404,), names=("model",)),
    Case("a pull of 1 MB", "protocols", "/api/pull", body={"model": repeat("m", MIB)},
         expect=REFUSED, names=("model",)),
    Case("a delete with a body of 10 MB", "protocols", "/api/delete", "DELETE",
         body={"model": repeat("m", 10 * MIB)}, expect=REFUSED),
    Case("embeddings of a chat model", "protocols", "/api/embed",
         body={"model": "smol", "input": array("x", 1000)}, expect=REFUSED, names=("model",)),
    Case("a response that is not stored", "protocols", RESPONSES + "/resp_" + "x" * 1000, "GET",
         expect=(404,), names=("response_id",)),
    Case("a response with odd characters", "protocols", RESPONSES + "/%00%0a%2e%2e", "DELETE",
         expect=(400, 404)),
]
CASES += [ask(RESPONSES, f"text of {mark}", {"input": [USER, {**CALL, "name": "f"}, {
    "type": "function_call_output", "call_id": "c", "output": mark}]}, expect=EITHER)
          for mark in MARKS]
