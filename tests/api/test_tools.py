"""Function tools over the API, with the official client."""

import json

import jsonschema
import pytest
from conftest import DEMO, MODEL, Daemon

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 1, "maxLength": 24},
        "unit": {"enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "unit"],
    "additionalProperties": False,
}
SUM = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "minimum": 0, "maximum": 999},
        "b": {"type": "integer", "minimum": 0, "maximum": 999},
    },
    "required": ["a", "b"],
}
SCHEMAS = {"get_weather": WEATHER, "add": SUM, "now": {"type": "object", "maxProperties": 0}}
FUNCTIONS = [
    {"name": "get_weather", "description": "The weather in a city.", "parameters": WEATHER},
    {"name": "add", "description": "The sum of two numbers.", "parameters": SUM},
    {"name": "now", "description": "The time."},
]
TOOLS = [{"type": "function", "function": function} for function in FUNCTIONS]
ASK = [{"role": "user", "content": "What is the weather in Paris?"}]
COMMON = {"temperature": 0, "max_tokens": 300}
MODELS = ["smol", "demo"]


@pytest.fixture(scope="module")
def both(tmp_path_factory, cache):
    log = tmp_path_factory.mktemp("log") / "tools.log"
    models = ["--model", f"smol={MODEL}", "--model", f"demo={DEMO}"]
    running = Daemon(*models, "--engine.cache_dir", cache, log=str(log))
    yield running.client()
    assert running.stop() == 0


def named(name):
    return {"type": "function", "function": {"name": name}}


def check(calls):
    """Arguments parse and meet the schema."""
    assert calls
    for call in calls:
        assert call.type == "function" and call.id.startswith("call_")
        jsonschema.validate(json.loads(call.function.arguments), SCHEMAS[call.function.name])
    assert len({call.id for call in calls}) == len(calls)


def streamed(client, **request):
    """The pieces of a stream, put together as OpenAI's documentation says."""
    message = {"content": "", "calls": {}}
    finish = None
    for chunk in client.chat.completions.create(stream=True, **request):
        [choice] = chunk.choices
        delta = choice.delta
        message["content"] += delta.content or ""
        for piece in delta.tool_calls or []:
            if piece.index not in message["calls"]:
                assert piece.id and piece.type == "function" and piece.function.arguments == ""
                message["calls"][piece.index] = [piece.function.name, ""]
            else:
                assert piece.id is None and piece.function.name is None
                message["calls"][piece.index][1] += piece.function.arguments
        finish = choice.finish_reason or finish
    assert list(message["calls"]) == list(range(len(message["calls"])))
    return message, finish


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("temperature", [0, 1.5])
def test_required_calls_are_valid(both, model, temperature):
    for seed in range(4):
        request = {**COMMON, "temperature": temperature, "seed": seed, "tools": TOOLS}
        answer = both.chat.completions.create(
            model=model, messages=ASK, tool_choice="required", parallel_tool_calls=False, **request
        )
        [choice] = answer.choices
        assert choice.finish_reason == "tool_calls" and choice.message.content is None
        assert len(choice.message.tool_calls) == 1
        check(choice.message.tool_calls)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", list(SCHEMAS))
def test_a_named_call_is_of_that_tool(both, model, name):
    answer = both.chat.completions.create(
        model=model, messages=ASK, tools=TOOLS, tool_choice=named(name), **COMMON
    )
    [call] = answer.choices[0].message.tool_calls
    assert call.function.name == name
    check([call])


@pytest.mark.parametrize("model", MODELS)
def test_allowed_tools_are_the_only_ones(both, model):
    for mode in ("required", "auto"):
        allowed = {"mode": mode, "tools": [named("add"), named("now")]}
        choice = {"type": "allowed_tools", "allowed_tools": allowed}
        answer = both.chat.completions.create(
            model=model, messages=ASK, tools=TOOLS, tool_choice=choice, **COMMON
        )
        calls = answer.choices[0].message.tool_calls or []
        assert all(call.function.name in ("add", "now") for call in calls)
        assert calls or mode == "auto"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("choice", ["auto", "required"])
def test_a_stream_equals_the_whole_answer(both, model, choice):
    request = {"model": model, "messages": ASK, "tools": TOOLS, "tool_choice": choice, **COMMON}
    request["max_tokens"] = 120
    whole = both.chat.completions.create(**request).choices[0]
    message, finish = streamed(both, **request)
    calls = [[c.function.name, c.function.arguments] for c in whole.message.tool_calls or []]
    assert message["content"] == (whole.message.content or "")
    assert list(message["calls"].values()) == calls
    assert finish == whole.finish_reason


def test_auto_calls_after_examples(both):
    messages = []
    for city in ("Oslo", "Rome", "Bern"):
        function = {
            "name": "get_weather",
            "arguments": json.dumps({"city": city, "unit": "celsius"}),
        }
        messages += [
            {"role": "user", "content": f"What is the weather in {city}?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": city, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": city, "content": "Sunny."},
            {"role": "assistant", "content": f"It is sunny in {city}."},
        ]
    request = {"model": "smol", "messages": [*messages, *ASK], "tools": TOOLS, **COMMON}
    [choice] = both.chat.completions.create(**request).choices
    assert choice.finish_reason == "tool_calls"
    assert "<tool_call>" not in (choice.message.content or "")
    check(choice.message.tool_calls)
    assert choice.message.tool_calls[0].function.name == "get_weather"
    message, finish = streamed(both, **request)
    calls = [[c.function.name, c.function.arguments] for c in choice.message.tool_calls]
    assert (list(message["calls"].values()), finish) == (calls, "tool_calls")


def test_none_calls_nothing(both):
    plain = both.chat.completions.create(model="smol", messages=ASK, **COMMON)
    for more in ({"tools": TOOLS, "tool_choice": "none"}, {"tool_choice": "none"}):
        answer = both.chat.completions.create(model="smol", messages=ASK, **more, **COMMON)
        assert answer.choices[0].message == plain.choices[0].message
        assert answer.usage.prompt_tokens == plain.usage.prompt_tokens


def test_several_calls_in_one_answer(both):
    counts = set()
    for seed in range(12):
        answer = both.chat.completions.create(
            model="smol",
            messages=[{"role": "user", "content": "Weather in Paris, and 2 + 3?"}],
            tools=TOOLS,
            tool_choice="required",
            seed=seed,
            max_tokens=400,
        )
        if answer.choices[0].finish_reason == "tool_calls":
            calls = answer.choices[0].message.tool_calls
            check(calls)
            counts.add(min(len(calls), 2))
    assert counts == {1, 2}


@pytest.mark.parametrize("model", MODELS)
def test_results_are_shown_to_the_model(both, model):
    first = both.chat.completions.create(
        model=model, messages=ASK, tools=TOOLS, tool_choice=named("add"), **COMMON
    )
    message = first.choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "5"}
    messages = [*ASK, message, result]
    request = {"model": model, "tools": TOOLS, **COMMON, "max_tokens": 30}
    second = both.chat.completions.create(messages=messages, **request)
    assert second.usage.prompt_tokens > first.usage.prompt_tokens + 10
    assert second.choices[0].finish_reason in ("stop", "length", "tool_calls")
    # The arguments and the result are part of the prompt.
    for place in (1, 2):
        changed = [dict(m) if isinstance(m, dict) else m.model_dump() for m in messages]
        if place == 1:
            changed[1]["tool_calls"][0]["function"]["arguments"] = '{"a": 1}'
        else:
            changed[2]["content"] = "five and a half"
        other = both.chat.completions.create(messages=changed, **request)
        assert other.usage.prompt_tokens != second.usage.prompt_tokens


def test_the_older_functions(both):
    request = {"model": "smol", "messages": ASK, "functions": FUNCTIONS, **COMMON}
    request["function_call"] = {"name": "get_weather"}
    [choice] = both.chat.completions.create(**request).choices
    assert choice.finish_reason == "function_call" and choice.message.tool_calls is None
    call = choice.message.function_call
    assert call.name == "get_weather"
    jsonschema.validate(json.loads(call.arguments), WEATHER)
    name, arguments, finish = "", "", None
    for chunk in both.chat.completions.create(stream=True, **request):
        piece = chunk.choices[0].delta.function_call
        name += (piece and piece.name) or ""
        arguments += (piece and piece.arguments) or ""
        finish = chunk.choices[0].finish_reason or finish
    assert (name, arguments, finish) == (call.name, call.arguments, "function_call")
    request["messages"] = [
        *ASK,
        {"role": "assistant", "content": None, "function_call": call.model_dump()},
        {"role": "function", "name": "get_weather", "content": "Sunny."},
    ]
    request["function_call"] = "auto"
    again = both.chat.completions.create(**{**request, "max_tokens": 20})
    assert again.choices[0].message.role == "assistant"


def test_content_follows_the_format_and_calls_the_tools(both):
    schema = {"type": "object", "properties": {"x": {"type": "boolean"}}, "required": ["x"]}
    schema["additionalProperties"] = False
    format = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    answer = both.chat.completions.create(
        model="smol", messages=ASK, tools=TOOLS, response_format=format, **COMMON
    )
    message = answer.choices[0].message
    if message.tool_calls:
        check(message.tool_calls)
    else:
        jsonschema.validate(json.loads(message.content), schema)


def test_a_stop_string_does_not_cut_calls(both):
    answer = both.chat.completions.create(
        model="smol", messages=ASK, tools=TOOLS, tool_choice="required", stop=["{", '"'], **COMMON
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    check(answer.choices[0].message.tool_calls)


def test_a_cut_call_says_so(both):
    answer = both.chat.completions.create(
        model="smol", messages=ASK, tools=TOOLS, tool_choice="required", max_tokens=16
    )
    choice = answer.choices[0]
    assert choice.finish_reason == "length" and not choice.message.content


def test_several_choices(both):
    answer = both.chat.completions.create(
        model="smol",
        messages=ASK,
        tools=TOOLS,
        tool_choice=named("get_weather"),
        n=3,
        logprobs=True,
        max_tokens=200,
    )
    for choice in answer.choices:
        check(choice.message.tool_calls)
        assert choice.logprobs.content
