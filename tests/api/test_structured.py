"""Structured output: JSON schemas, regular expressions, choices and Lark grammars."""

import json
import re

import openai
import pytest

ASK = [{"role": "user", "content": "Describe a cat named Tom who is 3 years old, as JSON."}]
CAT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 30},
        "mood": {"enum": ["calm", "angry"]},
    },
    "required": ["name", "age", "mood"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "cat", "strict": True, "schema": CAT}}


def as_format(schema):
    return {"type": "json_schema", "json_schema": {"name": "pet", "strict": True, "schema": schema}}


def chat(client, **options):
    arguments = {"model": "smol", "messages": ASK, "temperature": 0, "max_tokens": 80}
    return client.chat.completions.create(**{**arguments, **options})


def is_cat(text):
    cat = json.loads(text)
    return (
        list(cat) == ["name", "age", "mood"]
        and len(cat["name"]) <= 12
        and 0 <= cat["age"] <= 30
        and cat["mood"] in ("calm", "angry")
    )


def test_an_answer_follows_its_json_schema(client):
    answer = chat(client, response_format=FORMAT)
    assert answer.choices[0].finish_reason == "stop"
    assert is_cat(answer.choices[0].message.content)


def test_schema_with_several_hot_choices_streamed_equals_whole(client):
    options = {"response_format": FORMAT, "temperature": 1.5, "seed": 3, "n": 3}
    whole = chat(client, **options)
    texts = ["", "", ""]
    for chunk in chat(client, stream=True, **options):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [c.message.content for c in whole.choices]
    assert all(map(is_cat, texts)) and len(set(texts)) > 1


def test_schema_by_the_clients_own_types(client):
    from pydantic import BaseModel, Field

    class Cat(BaseModel):
        name: str = Field(max_length=12)
        age: int = Field(ge=0, le=30)

    answer = client.chat.completions.parse(
        model="smol", messages=ASK, temperature=0, max_tokens=80, response_format=Cat
    )
    assert isinstance(answer.choices[0].message.parsed, Cat)


def test_json_object_gives_an_object(client):
    answer = chat(client, response_format={"type": "json_object"}, max_tokens=200)
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict)
    assert answer.choices[0].message.content.startswith("{")


def test_max_tokens_ends_a_constrained_answer(client):
    answer = chat(client, response_format=FORMAT, max_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 3


def test_top_logprobs_stay_the_models_own(client):
    free = chat(client, max_tokens=1, logprobs=True, top_logprobs=5)
    bound = chat(client, max_tokens=1, logprobs=True, top_logprobs=5, response_format=FORMAT)
    tops = [a.choices[0].logprobs.content[0].top_logprobs for a in (free, bound)]
    assert tops[0] == tops[1]
    assert bound.choices[0].message.content.startswith("{")


def structured(client, prompt, wanted):
    return (
        client.completions.create(
            model="smol",
            prompt=prompt,
            temperature=1,
            seed=5,
            max_tokens=40,
            extra_body={"structured_outputs": wanted},
        )
        .choices[0]
        .text
    )


def test_an_answer_follows_its_regex(client):
    assert re.fullmatch(r"\d{4}-\d\d", structured(client, "Date: ", {"regex": r"\d{4}-\d\d"}))


def test_an_answer_is_one_of_the_choices(client):
    choices = ['a "quoted" one', "naïve 🐈", "other\nline"]
    assert structured(client, "Choose: ", {"choice": choices}) in choices


def test_an_answer_is_one_of_20000_choices(client):
    choices = [f"choice {i}" for i in range(20_000)]
    assert structured(client, "Choose: ", {"choice": choices}) in choices


def chain_of_references(length):
    defs = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**defs, f"d{length}": {}}}


REFUSED = {
    "a ring": ({"json": {"$ref": "#"}}, "ring"),
    "mutual allOf": (
        {
            "json": {
                "$ref": "#/$defs/a",
                "$defs": {
                    "a": {"allOf": [{"$ref": "#/$defs/b"}]},
                    "b": {"allOf": [{"$ref": "#/$defs/a"}]},
                },
            }
        },
        "ring",
    ),
    "a chain": ({"json": json.dumps(chain_of_references(2500))}, "limit"),
    "a large divisor": ({"json": {"type": "integer", "multipleOf": 62615533}}, "multipleOf"),
    "unique strings": (
        {"json": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}},
        "uniqueItems",
    ),
    "another document": ({"json": {"$ref": "http://example.com/x.json"}}, "leads out of"),
    "no value": ({"json": {"type": "string", "pattern": "^a$", "minLength": 2}}, "no JSON value"),
    "not JSON": ({"json": "{"}, "not JSON"),
    "a broken expression": ({"regex": "(a"}, "malformed"),
    "many repetitions": ({"regex": "a?" * 20_000}, "2000"),
    "an undefined rule": ({"grammar": "start: x"}, "line 1, column 8"),
    "a ring of rules": ({"grammar": "start: a\na: b\nb: a"}, "no text meets it"),
    "many alternatives": ({"grammar": "start: " + '"a" | ' * 6_000 + '"b"'}, "alternatives"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_is_refused_by_name(client, name):
    wanted, words = REFUSED[name]
    with pytest.raises(openai.BadRequestError) as refusal:
        structured(client, "x", wanted)
    message = refusal.value.body["message"]
    assert words in message
    for internal in ("llguidance", "derivre", ".rs", "backtrace", "panicked"):
        assert internal not in message


def test_allof_conditions_and_pattern_properties_combine(client):
    schema = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["cat", "dog"]},
            "age": {"type": "integer", "multipleOf": 2},
        },
        "patternProperties": {"^age$": {"minimum": 4}},
        "required": ["kind", "age"],
        "additionalProperties": False,
        "allOf": [{"properties": {"age": {"maximum": 8}}}],
        "if": {"properties": {"kind": {"const": "cat"}}},
        "then": {"properties": {"age": {"const": 6}}},
    }
    for seed in range(4):
        options = {"temperature": 1.5, "seed": seed}
        text = chat(client, response_format=as_format(schema), **options).choices[0].message.content
        pet = json.loads(text)
        assert list(pet) == ["kind", "age"]
        assert pet["age"] in ({"cat": [6], "dog": [4, 6, 8]}[pet["kind"]])


def test_an_answer_follows_its_lark_grammar(client):
    grammar = 'start: "on" | "off " NUMBER\nNUMBER: /[0-9]{1,3}/'
    text = structured(client, "The lamp is ", {"grammar": grammar})
    assert re.fullmatch(r"on|off \d{1,3}", text)


def test_json_schema_as_text(client):
    text = structured(client, "JSON: ", {"json": json.dumps(CAT)})
    assert is_cat(text)


def test_a_free_request_beside_constrained_ones_keeps_its_bytes(client):
    """An unconstrained request beside constrained ones gives the bytes that it gives alone."""
    import concurrent.futures

    def ask(bound):
        options = {"response_format": FORMAT} if bound else {}
        return chat(client, logprobs=True, **options).choices[0].model_dump()

    alone = [ask(False), ask(True)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, [i % 2 == 1 for i in range(8)]))
    assert all(together[i] == alone[i % 2] for i in range(8))
