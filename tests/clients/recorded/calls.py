"""Sends the recorded requests of applications that cannot be installed here, and reads the answers as they do.

A file in this folder has the requests of one application: `client`, `version`, `source` (the files of its source from
which the requests and expectations are taken) and `calls`. The texts of prompts are this project's own. The members and
schemas are the application's.

A call has `name`, `path`, `method` (POST if there is a `body`), `body`, `headers`, and `expect`:

- `status`: 200 if it is left out.
- `has`: paths of the answer, with the kind or value that the application needs there. `*` means every item and
  `[id=NAME]` the item with that member.
- `follows`: paths of JSON texts in the answer, with the path of the schema in the request that they must follow.

Calls of functions in an answer must follow the schemas of the request's tools. $CHAT, $VISION, $LONG and $EMBED are names
of models. $IMAGE is an image in base64. An object with `$frames` is replaced by that number of parts, each with another
image, and an object with `$use` by that member of the file's `parts`. Limits on the tokens of free answers are lowered to
TOKENS, because the small models often do not end.
"""

import http.client
import itertools
import json
import pathlib
import urllib.parse

import jsonschema
from answers import read_answer
from harness import CHAT, EMBED, LONG, URL, VISION, image, report, short

FOLDER = pathlib.Path(__file__).resolve().parent
FRAMES = ["gauge.jpg", "display.jpg", "lights.jpg", "sign.jpg", "shapes.jpg"]
TOKENS = 80
GENERATING = ("/chat/completions", "/responses", "/api/chat", "/api/generate")
NAMES = {"$CHAT": CHAT, "$VISION": VISION, "$LONG": LONG, "$EMBED": EMBED}
KINDS = {
    "text": lambda value: isinstance(value, str) and value.strip() != "",
    "string": lambda value: isinstance(value, str),
    "string or null": lambda value: value is None or isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "positive": lambda value: isinstance(value, (int, float)) and value > 0,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "probability": lambda value: isinstance(value, (int, float)) and 0 <= value <= 1,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "items": lambda value: isinstance(value, list) and value != [],
    "object": lambda value: isinstance(value, dict),
}


def filled(value, name):
    """`value` with names of models and images in the place of their marks. `name`: file of the image."""
    if isinstance(value, str):
        for mark, model in NAMES.items():
            value = value.replace(mark, model)
        return value.replace("$IMAGE", image(name)) if "$IMAGE" in value else value
    if isinstance(value, list):
        return list(itertools.chain.from_iterable(expanded(item, name) for item in value))
    if isinstance(value, dict):
        return {key: filled(item, name) for key, item in value.items()}
    return value


def with_parts(value, parts):
    """`value` with the file's parts in the place of `$use`. A list in a list is spliced."""
    if isinstance(value, list):
        items = [(item, with_parts(item, parts)) for item in value]
        lists = [new if isinstance(new, list) and "$use" in old else [new] for old, new in items]
        return list(itertools.chain.from_iterable(lists))
    if isinstance(value, dict):
        if "$use" in value:
            return with_parts(parts[value["$use"]], parts)
        return {key: with_parts(item, parts) for key, item in value.items()}
    return value


def expanded(item, name):
    if isinstance(item, dict) and "$frames" in item:
        return [filled(item["part"], FRAMES[i % len(FRAMES)]) for i in range(item["$frames"])]
    return [filled(item, name)]


def found(value, path):
    """The values at `path`. A missing member is an AssertionError."""
    values = [value]
    for step in path.split("."):
        following = []
        for item in values:
            if step == "*":
                assert isinstance(item, list), f"{path}: not a list: {short(item)}"
                following += item
            elif step.startswith("["):
                key, wanted = step[1:-1].split("=")
                picked = [one for one in item if one.get(key) == filled(wanted, "")]
                assert picked, f"{path}: no item whose {key} is {wanted}"
                following.append(picked[0])
            elif isinstance(item, list):
                assert step.lstrip("-").isdigit() and int(step) < len(item), (
                    f"{path}: {len(item)} items"
                )
                following.append(item[int(step)])
            else:
                assert isinstance(item, dict) and step in item, (
                    f"{path}: `{step}` is missing in {short(item, 120)}"
                )
                following.append(item[step])
        values = following
    return values


def check_value(path, value, wanted):
    if isinstance(wanted, str):
        assert KINDS[wanted](value), f"{path}: {short(value, 120)!r} is not {wanted}"
    elif "is" in wanted:
        assert value == filled(wanted["is"], ""), (
            f"{path}: {short(value, 120)!r} is not {wanted['is']!r}"
        )
    elif "one of" in wanted:
        assert value in wanted["one of"], (
            f"{path}: {short(value, 120)!r} is none of {wanted['one of']}"
        )
    else:
        inside = filled(wanted["contains"], "")
        assert inside in value, f"{path}: {inside!r} is not in {short(value, 200)}"


def schemas_of(body):
    """The schemas of a request's functions by name, in the shape of any of the protocols."""
    tools = [
        tool.get("function", tool)
        for tool in body.get("tools") or []
        if tool.get("type", "function") == "function"
    ]
    return {
        tool["name"]: tool.get("parameters") or tool.get("input_schema") or {} for tool in tools
    }


def limit(path, body):
    """Lowers the limit on the tokens of the answer. Structured answers end by themselves."""
    if path.endswith("/responses"):
        members, name = body, "max_output_tokens"
    elif path.startswith("/api/"):
        members, name = body.setdefault("options", {}), "num_predict"
    else:
        members = body
        name = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
    members[name] = min(members.get(name, TOKENS), TOKENS)


def send(call):
    body = filled(call["body"], call.get("image", "sign.jpg")) if "body" in call else None
    if call["path"].endswith(GENERATING) and not call.get("expect", {}).get("follows"):
        limit(call["path"], body)
    target = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=300)
    headers = {"Authorization": "Bearer none", **call.get("headers", {})}
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    method = call.get("method", "POST" if body is not None else "GET")
    connection.request(method, filled(call["path"], ""), data, headers)
    response = connection.getresponse()
    answer = response.read().decode()
    kind = response.getheader("Content-Type", "")
    connection.close()
    return body or {}, response.status, kind, answer


def run(call):
    body, status, kind, text = send(call)
    expect = call.get("expect", {})
    assert status == expect.get("status", 200), f"status {status}: {short(text, 300)}"
    answer, calls = read_answer(call["path"], kind, text)
    for path, wanted in expect.get("has", {}).items():
        for value in found(answer, path):
            check_value(path, value, wanted)
    for path, schema in expect.get("follows", {}).items():
        jsonschema.validate(json.loads(found(answer, path)[0]), found(body, schema)[0])
    schemas = schemas_of(body)
    for name, arguments in calls:
        assert name in schemas, f"a call of {name!r}, which is no tool"
        jsonschema.validate(arguments, schemas[name])
    assert len(calls) >= expect.get("calls", 0), f"{len(calls)} calls"
    return f"{len(calls)} calls of tools" if calls else ""


def main():
    for file in sorted(FOLDER.glob("*.json")):
        recorded = json.loads(file.read_text())
        for call in with_parts(recorded["calls"], recorded.get("parts", {})):
            try:
                ok, detail = True, run(call)
            except Exception as error:  # any failure is a result
                ok, detail = False, f"{type(error).__name__}: {short(error, 400)}"
            report(recorded["client"], recorded["version"], call["name"], ok, detail)


main()
