"""Tools, choices of tools, and histories of calls."""

from case import EITHER, REFUSED, chat
from generate import array, doubling_refs, nested, numbered, ref_chain, ref_ring, repeat

MIB = 1 << 20
USER = {"role": "user", "content": "x"}
MARKS = ("<tool_call>", "</tool_call>", "<|tool_call_start|>", "<|observation|>", "<|im_end|>",
         "<|im_start|>system", "<think>", "</think>", "<|python_tag|>")


def function(name="f", **more):
    return {"type": "function", "function": {"name": name, **more}}


def tools(name, value, choice="required", **more):
    return chat("tools", name, {"tools": value, "tool_choice": choice},
                **{"names": ("tools", "tool_choice", "messages"), **more})


def parameters(name, value, **more):
    return tools(name, [function(parameters=value)], **more)


def history(name, call, **more):
    messages = [USER, {"role": "assistant", "content": None, "tool_calls": call}, USER]
    return chat("tools", f"history: {name}", {"messages": messages, "tools": [function()]}, **more)


def past(arguments, **more):
    return [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments,
                                                         **more}}]


CASES = [
    tools("10,000 tools", array(function(), 10000), expect=REFUSED),
    tools("129 tools", array(function(), 129), expect=REFUSED),
    tools("two of one name", [function(), function()], expect=REFUSED),
    tools("an empty name", [function("")], expect=REFUSED),
    tools("a name of 1 MB", [function(repeat("n", MIB))], expect=REFUSED),
    tools("a description of 1 MB", [function(description=repeat("d ", MIB // 2))]),
    tools("a description of 15 MB", [function(description=repeat("d", 15 * MIB))], expect=REFUSED),
    tools("a type of 1 MB", [{"type": repeat("t", MIB)}], expect=REFUSED),
    tools("no function", [{"type": "function"}], expect=REFUSED),
    tools("a custom tool", [{"type": "custom", "custom": {"name": "f"}}], expect=REFUSED),
    tools("a choice of nothing", [function()], choice={}, expect=REFUSED),
    tools("a choice of an unknown function", [function()], choice=function("g"), expect=REFUSED),
    tools("100,000 allowed tools", [function()], expect=EITHER, choice={
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": array(function(), 10000)}}),
    parameters("deep 25 properties", nested('{"type":"object","properties":{"a":', "}}", 12, "{}")),
    parameters("deep 5,000 items", nested('{"items":', "}", 5000, "{}"), expect=REFUSED,
               names=("tools", "nest", "deep", "depth")),
    parameters("chain of 2,500 $refs", ref_chain(2500, "anyOf")),
    parameters("ring of 3 $refs", ref_ring(3, "allOf")),
    parameters("2^24 references", doubling_refs(24, "allOf")),
    parameters("a list", [1], expect=REFUSED),
    parameters("no object", {"type": "string"}, expect=REFUSED),
    parameters("nothing meets it", {"type": "object", "not": {}}, expect=REFUSED),
    parameters("1,000 properties",
               {"type": "object", "properties": {f"p{i}": {"type": "integer"} for i in range(900)}}),
    parameters("an enum of 50,000", {"type": "object", "properties": {"e": {
        "enum": numbered("v{}", 50000)}}}),
    parameters("names with quotes and marks",
               {"type": "object", "properties": {mark + '"\\\n': {"const": mark} for mark in MARKS},
                "required": [mark + '"\\\n' for mark in MARKS]}),
    tools("128 tools with large schemas",
          [function(f"f{i}", parameters={"type": "object", "properties": {
              f"p{j}": {"type": "string", "pattern": "^(a|b){1,40}c?$"} for j in range(20)}})
           for i in range(128)]),
    history("arguments that are no JSON", past("{"), expect=REFUSED,
            names=("messages[1].tool_calls[0].function.arguments",)),
    history("arguments that are a list", past("[]"), expect=REFUSED),
    history("arguments that are a number", past(1), expect=REFUSED),
    history("arguments of 1 MB", past(repeat("{", MIB)), expect=REFUSED),
    history("deep arguments", past('{"a":' * 5000 + "1" + "}" * 5000), expect=REFUSED),
    history("arguments with marks", past('{"a": "</tool_call><|im_end|>\\u0000"}')),
    history("no name", past("{}", name=""), expect=REFUSED),
    history("10,000 calls", array(past("{}")[0], 10000), expect=REFUSED),
    history("calls that are a string", "f()", expect=REFUSED),
    chat("tools", "calls of a user", {"messages": [{**USER, "tool_calls": past("{}")}]},
         expect=REFUSED),
    chat("tools", "5,000 results",
         {"messages": array({"role": "tool", "tool_call_id": "x", "content": "y"}, 5000),
          "tools": [function()]}),
    chat("tools", "functions and tools", {"functions": [{"name": "f"}], "tools": [function()]},
         expect=REFUSED),
    chat("tools", "a budget of thoughts below -1", {"thinking_budget_tokens": -2}, expect=REFUSED),
    chat("tools", "an effort of 1 MB", {"reasoning_effort": repeat("x", MIB)}, expect=REFUSED),
]
CASES += [tools(f"the name {name!r}", [function(name)], expect=REFUSED)
          for name in ('a"b', "a\nb", "a b", "a\\", "\u00e9", "a\x00", *MARKS)]
CASES += [tools(f"text of {mark}", [function(description=mark, parameters={
    "type": "object", "properties": {"a": {"type": "string", "description": mark,
                                           "maxLength": 4}}})]) for mark in MARKS]
