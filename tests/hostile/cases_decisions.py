"""Requests for decisions with invalid or excessive members."""

import images
from case import REFUSED, Case
from cases_image import url_of
from generate import array, join, nested, repeat

MIB = 1 << 20
PATH = "/v1/decisions"
# A refusal, or the whole answer.
TOO_MUCH = (200, 400)
ASK = {"type": "predicate", "instructions": "Is it hot?"}


def decide(name, change, **more):
    body = {"model": "smol", "input": "a text", "questions": [ASK], **change}
    return Case(name, "decisions", PATH, body=body, **{"names": tuple(change)[:1], **more})


def choice(count, text="option {}"):
    values = [{"value": text.format(i)} for i in range(count)]
    return {"type": "choice", "instructions": "Which?", "choices": values}


def image(url, count=1):
    content = [{"type": "input_image", "image_url": url}] * count
    return {"model": "demo", "input": [{"role": "user", "content": content}]}


CASES = [
    decide("401 questions", {"questions": [ASK] * 401}, expect=REFUSED),
    decide("400 questions", {"questions": [ASK] * 400}, expect=(200,), wall_s=20.0, cpu_s=20.0),
    decide("60,000 questions", {"questions": array(ASK, 30000)}, expect=REFUSED,
           names=("questions", "node", "member")),
    decide("2 million questions", {"questions": array(5, 2000000)}, expect=REFUSED,
           names=("questions", "value")),
    decide("256 choices", {"questions": [choice(256)]}, expect=REFUSED),
    decide("255 choices", {"questions": [choice(255)]}, expect=TOO_MUCH, wall_s=20.0, cpu_s=20.0),
    decide("60 questions of 255 choices", {"questions": [choice(255)] * 60}, expect=TOO_MUCH,
           wall_s=60.0, cpu_s=90.0, names=("questions", "node", "member", "input")),
    decide("400 questions of 255 choices", {"questions": array(choice(255), 400)}, expect=REFUSED,
           names=("questions", "node", "member")),
    decide("a choice of 1 MB", {"questions": [choice(2, "x" * MIB + "{}")]}, expect=REFUSED,
           names=("questions", "input")),
    decide("instructions of 15 MB", {"questions": [{**ASK, "instructions": repeat("q ", 7 * MIB)}]},
           expect=REFUSED, names=("questions", "input")),
    decide("400 instructions of 30 KB",
           {"questions": array({**ASK, "instructions": "q " * 15000}, 400)}, expect=REFUSED,
           names=("questions", "input", "processor", "time", "memory"), wall_s=10.0, cpu_s=8.0),
    decide("an input of 15 MB", {"input": repeat("q ", 7 * MIB)}, expect=REFUSED),
    decide("an input of nothing", {"input": ""}, expect=TOO_MUCH),
    decide("60,000 items", {"input": array({"role": "user", "content": "a"}, 20000)}, expect=REFUSED,
           names=("input", "node", "member")),
    decide("deep JSON", {"input": [{"role": "user", "content": [
        {"type": "input_json", "data": {"a": nested("[", "]", 5000)}}]}]}, expect=REFUSED,
           names=("input", "nest", "deep", "depth")),
    decide("20,000 values of JSON", {"input": [{"role": "user", "content": [
        {"type": "input_json", "data": {"a": array(1, 20000)}}]}]}, expect=REFUSED),
    decide("names of 1 MB", {"questions": [{**ASK, "name": repeat("n", MIB)}]}, expect=(200,)),
    decide("1,000 unknown members", {"questions": [{**ASK, **{f"m{i}": 1 for i in range(1000)}}]},
           expect=(200,)),
    decide("an output without its call", {"input": [
        {"type": "function_call_output", "call_id": "1", "output": "a"}]}, expect=REFUSED),
    decide("an image for a model of texts", {"input": image("data:,")["input"]}, expect=REFUSED),
    decide("an image of 400 MP", image(url_of(images.jpeg(20000, 20000))), expect=REFUSED,
           names=("input",)),
    decide("100 images", image("data:,", 100), expect=REFUSED, names=("input",)),
    decide("a file of this machine", image("file:///etc/passwd"), expect=REFUSED, names=("input",)),
    decide("a mark in the input", {"input": join("question ", repeat("0123abcd", 100))}, expect=(200,)),
    decide("a model of 1 MB", {"model": repeat("m", MIB)}, expect=(404,)),
    decide("an embedding model", {"model": "bert"}, expect=REFUSED),
    decide("32 requests at once", {"questions": [
        {**ASK, "instructions": f"Is it {i}?"} for i in range(10)]}, expect=TOO_MUCH, count=32,
           wall_s=60.0, cpu_s=90.0),
    decide("clients that leave", {"input": "words " * 1000, "questions": [ASK] * 400}, count=16,
           leave="sent", leave_s=0.05, wall_s=30.0, cpu_s=40.0),
]
