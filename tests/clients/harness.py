"""Runs the calls of a Python client. Each call prints one JSON line: {client, version, call, ok, detail}.

A client's calls.py marks functions with @call and ends with main(PACKAGE). A call checks what it gets and returns a
short text about it. An exception is a failure.
"""

import asyncio
import base64
import importlib.metadata
import inspect
import json
import math
import os
import pathlib
import sys
import traceback

URL = os.environ["EDGEGATE_URL"]
BASE = URL + "/v1"
CHAT = "smollm2"
VISION = "edge-demo-v"
BRIEF = "edge-demo-v-brief"  # edge-demo-v whose answers end with their first word
LONG = "edge-demo-v-long"  # edge-demo-v with a longer context; its answers are weaker
EMBED = "all-MiniLM-L6-v2"
IMAGES = pathlib.Path(os.environ["EDGEGATE_IMAGES"])
SIGN = ("What does the sign say?", "DANGER")  # a question about sign.jpg, and a word of the answer

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 1, "maxLength": 24}},
    "required": ["city"],
    "additionalProperties": False,
}

_calls = []


def call(function):
    _calls.append(function)
    return function


def image(name="sign.jpg"):
    return base64.b64encode((IMAGES / name).read_bytes()).decode()


def data_url(name="sign.jpg"):
    return "data:image/jpeg;base64," + image(name)


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def check_similar(near, far, other):
    """`near` and `far` are cosines of related and of unrelated texts; `other` is a number of dimensions."""
    assert near > far + 0.2, (near, far)
    assert other in (384, 128), other
    return f"cosine {near:.2f} and {far:.2f}"


def short(text, size=60):
    text = " ".join(str(text).split())
    return text if len(text) <= size else text[: size - 1] + "…"


def _failure(error):
    """The error, and the line of the client's calls.py where it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == sys.argv[0]]
    return f"line {lines[-1] if lines else '?'}: {type(error).__name__}: {short(error, 400)}"


def report(client, version, name, ok, detail):
    line = {"client": client, "version": version, "call": name, "ok": ok, "detail": detail or ""}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main(package, client=None):
    """`package`: the distribution whose version is reported."""
    version = importlib.metadata.version(package)
    loop = asyncio.Runner()  # one for all calls, because clients keep connections
    for function in _calls:
        name = function.__name__.replace("_", " ")
        try:
            detail = function()
            if inspect.isawaitable(detail):
                detail = loop.run(detail)
            report(client or package, version, name, True, detail)
        except Exception as error:  # any failure of a client is a result
            report(client or package, version, name, False, _failure(error))
