#!/usr/bin/env python3
"""Asks BFCL's questions of a running daemon, and reports whether calls are valid and well chosen.

pip download --no-deps bfcl-eval==2026.3.23   # has the questions
tests/bench/tool_calls.py --wheel bfcl_eval-2026.3.23-py3-none-any.whl --model smol --count 300

Valid: the function is one of the request's, and the arguments parse and meet its schema. This must be so
for every call. Right name, right call: as BFCL's possible answers have them, where a question has one call.
"""

import argparse
import collections
import concurrent.futures
import json
import zipfile

import jsonschema
import openai

FILES = {"simple": "BFCL_v4_simple_python", "multiple": "BFCL_v4_multiple",
         "parallel": "BFCL_v4_parallel"}
TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": None, "int": "integer",
         "bool": "boolean", "list": "array", "String": "string"}


def schema_of(value):
    """BFCL's types are Python's."""
    if isinstance(value, list):
        return [schema_of(item) for item in value]
    if not isinstance(value, dict):
        return value
    schema = {}
    for key, item in value.items():
        if key == "type" and isinstance(item, str):
            item = TYPES.get(item, item)
            if item is None:
                continue
        elif key == "properties":
            schema[key] = {name: schema_of(one) for name, one in item.items()}
            continue
        elif key in ("default", "optional", "format"):
            continue
        schema[key] = schema_of(item)
    return schema


def read_lines(wheel, name):
    with wheel.open(f"bfcl_eval/data/{name}.json") as file:
        return [json.loads(line) for line in file if line.strip()]


def questions(path, count):
    """Questions of all kinds in turn: (kind, messages, tools, possible answers)."""
    wheel = zipfile.ZipFile(path)
    kinds = []
    for kind, name in FILES.items():
        answers = {a["id"]: a["ground_truth"] for a in
                   read_lines(wheel, f"possible_answer/{name}")}
        kinds.append([(kind, q["question"][0], q["function"], answers[q["id"]])
                      for q in read_lines(wheel, name)])
    return [kind[i] for i in range(len(kinds[0])) for kind in kinds if i < len(kind)][:count]


def is_right(call, truth):
    """BFCL lists the accepted values of each argument; "" accepts that it is left out."""
    [(name, accepted)] = truth.items()
    arguments = json.loads(call.arguments)
    if call.name != name or not set(arguments) <= set(accepted):
        return False
    return all("" in values if key not in arguments else arguments[key] in values
               for key, values in accepted.items())


def ask(client, options, question):
    kind, messages, functions, truth = question
    found = collections.Counter(asked=1)
    schemas = {f["name"]: schema_of(f["parameters"]) for f in functions}
    tools = [{"type": "function", "function": {"name": f["name"], "description": f["description"],
                                               "parameters": schemas[f["name"]]}}
             for f in functions]
    try:
        answer = client.chat.completions.create(
            model=options.model, messages=messages, tools=tools, tool_choice=options.choice,
            temperature=options.temperature, max_tokens=options.max_tokens,
            parallel_tool_calls=kind == "parallel")
    except openai.BadRequestError as error:
        found["too long" if error.code == "context_length_exceeded" else "refused"] += 1
        if error.code != "context_length_exceeded":
            print("refused:", error)
        return kind, found
    [choice] = answer.choices
    calls = [call.function for call in choice.message.tool_calls or []]
    found["cut"] += choice.finish_reason == "length"
    if choice.finish_reason == "length":
        calls = calls[:-1]
    found["called"] += bool(calls)
    for call in calls:
        found["calls"] += 1
        try:
            jsonschema.validate(json.loads(call.arguments), schemas[call.name])
            found["valid"] += 1
        except (ValueError, KeyError, jsonschema.ValidationError) as error:
            print("INVALID:", call, error)
    if kind != "parallel" and calls:
        found["right name"] += calls[0].name in truth[0]
        found["right call"] += is_right(calls[0], truth[0])
    return kind, found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", required=True)
    parser.add_argument("--url", default="http://127.0.0.1:8089/v1")
    parser.add_argument("--model", required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--choice", default="required", choices=["required", "auto"])
    parser.add_argument("--temperature", type=float, default=0)
    parser.add_argument("--max-tokens", type=int, default=200)
    options = parser.parse_args()
    client = openai.OpenAI(base_url=options.url, api_key="none", max_retries=0, timeout=600)
    totals = collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = questions(options.wheel, options.count)
        for kind, found in pool.map(lambda one: ask(client, options, one), asked):
            totals[kind] += found
            totals["all"] += found
    for kind, found in totals.items():
        print(f"{kind}:", ", ".join(f"{name} {number}" for name, number in found.items()))
    return int(totals["all"]["valid"] != totals["all"]["calls"])


if __name__ == "__main__":
    raise SystemExit(main())
