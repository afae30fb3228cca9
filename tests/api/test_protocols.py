"""The same questions with the official clients of three protocols: the same tokens, whole and streamed."""

import base64
import io
import json

import anthropic
import jsonschema
import ollama
import openai
import pytest
from conftest import DEMO, MODEL, Daemon
from PIL import Image
from test_tools import FUNCTIONS, SCHEMAS

TURNS = [
    {"role": "user", "content": "Name three fruits."},
    {"role": "assistant", "content": "Apple, pear, plum."},
    {"role": "user", "content": "And one more?"},
]
QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]
SYSTEM = "Answer in one sentence."
TOKENS = 40


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    log = tmp_path_factory.mktemp("protocols") / "log"
    models = ["--model", f"smol={MODEL}", "--model", f"demo={DEMO}"]
    running = Daemon(*models, "--engine.cache_dir", cache, log=str(log))
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def clients(site):
    return (
        site.client(),
        anthropic.Anthropic(base_url=site.url, api_key="none", max_retries=0),
        ollama.Client(host=site.url),
    )


def chat(client, messages, **more):
    request = {"model": "smol", "temperature": 0, "max_tokens": TOKENS, **more}
    answer = client.chat.completions.create(messages=messages, **request)
    return answer.choices[0].message


def response_of(client, messages, stream=False, **more):
    request = {"model": "smol", "temperature": 0, "max_output_tokens": TOKENS, **more}
    if not stream:
        return client.responses.create(input=messages, **request)
    with client.responses.stream(input=messages, **request) as events:
        return events.get_final_response()


def message_of(client, messages, stream=False, **more):
    extra = {"temperature": 0, **more.pop("extra_body", {})}
    request = {"model": "smol", "max_tokens": TOKENS, "extra_body": extra, **more}
    if not stream:
        return client.messages.create(messages=messages, **request)
    with client.messages.stream(messages=messages, **request) as events:
        return events.get_final_message()


def ollama_chat(client, messages, stream=False, model="smol", **more):
    options = {"temperature": 0, "num_predict": TOKENS}
    answer = client.chat(model=model, messages=messages, options=options, stream=stream, **more)
    if not stream:
        return answer.message.content, answer
    parts = list(answer)
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    return "".join(part.message.content for part in parts), parts[-1]


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize("stream", [False, True])
def test_the_same_turns_give_the_same_text(clients, stream):
    openai_client, anthropic_client, ollama_client = clients
    expected = chat(openai_client, [{"role": "system", "content": SYSTEM}, *TURNS]).content
    assert expected
    response = response_of(openai_client, TURNS, stream, instructions=SYSTEM)
    assert response.output_text == expected
    message = message_of(anthropic_client, TURNS, stream, system=SYSTEM)
    assert text_of(message) == expected
    text, last = ollama_chat(
        ollama_client, [{"role": "system", "content": SYSTEM}, *TURNS], stream, "smol:latest"
    )
    assert text == expected
    assert response.usage.input_tokens == last.prompt_eval_count
    usage = message.usage
    assert usage.input_tokens + usage.cache_read_input_tokens == last.prompt_eval_count
    assert response.usage.output_tokens == usage.output_tokens == last.eval_count


def test_the_same_image_gives_the_same_text(clients):
    openai_client, anthropic_client, ollama_client = clients
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    url = f"data:image/png;base64,{data}"
    ask = "What do you see?"

    def user(*parts):
        return [{"role": "user", "content": list(parts)}]

    expected = chat(
        openai_client,
        user({"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": ask}),
        model="demo",
    ).content
    items = user({"type": "input_image", "image_url": url}, {"type": "input_text", "text": ask})
    assert response_of(openai_client, items, model="demo").output_text == expected
    source = {"type": "base64", "media_type": "image/png", "data": data}
    blocks = user({"type": "image", "source": source}, {"type": "text", "text": ask})
    assert text_of(message_of(anthropic_client, blocks, model="demo")) == expected
    question = [{"role": "user", "content": ask, "images": [file.getvalue()]}]
    assert ollama_chat(ollama_client, question, model="demo")[0] == expected


@pytest.mark.parametrize("stream", [False, True])
def test_the_same_functions_are_called(clients, stream):
    openai_client, anthropic_client, _ = clients
    tools = [{"type": "function", "function": function} for function in FUNCTIONS]
    called = chat(openai_client, QUESTION, tools=tools, tool_choice="required", max_tokens=300)
    expected = [
        (c.function.name, json.loads(c.function.arguments)) for c in called.tool_calls or []
    ]
    assert expected
    for name, arguments in expected:
        jsonschema.validate(arguments, SCHEMAS[name])
    flat = [{"type": "function", "parameters": None, **f, "strict": False} for f in FUNCTIONS]
    response = response_of(
        openai_client, QUESTION, stream, tools=flat, tool_choice="required", max_output_tokens=300
    )
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(c.name, json.loads(c.arguments)) for c in calls] == expected
    custom = [
        {
            "name": f["name"],
            "description": f["description"],
            "input_schema": f.get("parameters", {"type": "object", "properties": {}}),
        }
        for f in FUNCTIONS
    ]
    message = message_of(
        anthropic_client,
        QUESTION,
        stream,
        tools=custom,
        tool_choice={"type": "any"},
        max_tokens=300,
    )
    blocks = [block for block in message.content if block.type == "tool_use"]
    assert [(b.name, b.input) for b in blocks] == expected
    assert message.stop_reason == "tool_use"


def test_results_of_functions_give_the_same_text(clients):
    """A whole turn: the call, its result, and the answer."""
    openai_client, anthropic_client, ollama_client = clients
    [function] = [f for f in FUNCTIONS if f["name"] == "add"]
    ask = {"role": "user", "content": "What is 2 plus 3?"}
    arguments = {"a": 2, "b": 3}
    named = {"name": "add", "arguments": '{"a": 2, "b": 3}'}
    answered = chat(
        openai_client,
        [
            ask,
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "call_1", "type": "function", "function": named}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "5"},
        ],
        tools=[{"type": "function", "function": function}],
    )
    items = [
        ask,
        {"type": "function_call", "call_id": "call_1", **named},
        {"type": "function_call_output", "call_id": "call_1", "output": "5"},
    ]
    tools = [{"type": "function", **function, "strict": False}]
    response = response_of(openai_client, items, tools=tools)
    blocks = [
        ask,
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "call_1", "name": "add", "input": arguments}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "5"}],
        },
    ]
    custom = [
        {
            "name": "add",
            "description": function["description"],
            "input_schema": function["parameters"],
        }
    ]
    message = message_of(anthropic_client, blocks, tools=custom)
    turns = [
        ask,
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "add", "arguments": arguments}}],
        },
        {"role": "tool", "content": "5", "tool_name": "add"},
    ]
    # Ollama's Python client rewrites schemas, so that the prompt would be another.
    body = {
        "model": "smol",
        "stream": False,
        "messages": turns,
        "tools": [{"type": "function", "function": function}],
        "options": {"temperature": 0, "num_predict": TOKENS},
    }
    last = ollama_client._client.post("/api/chat", json=body).json()
    text = last["message"]["content"]
    assert response.usage.input_tokens == last["prompt_eval_count"]
    assert response.output_text == text_of(message) == text == (answered.content or "")


def test_previous_response_id_gives_the_same_tokens(clients):
    client = clients[0]
    first = response_of(client, "Name a fruit.")
    second = response_of(client, "Another?", previous_response_id=first.id)
    items = [{"role": "user", "content": "Name a fruit."}, *first.output]
    same = response_of(client, [*items, {"role": "user", "content": "Another?"}], store=False)
    assert second.output_text == same.output_text
    assert second.usage.input_tokens == same.usage.input_tokens
    third = response_of(client, "And?", previous_response_id=second.id, stream=True)
    assert third.usage.input_tokens > second.usage.input_tokens
    with pytest.raises(openai.NotFoundError):
        response_of(client, "x", previous_response_id=same.id)


def test_stored_responses(clients):
    client = clients[0]
    made = response_of(client, "Name a fruit.", metadata={"a": "b"})
    assert client.responses.retrieve(made.id).to_dict() == made.to_dict()
    client.responses.delete(made.id)
    for call in (client.responses.retrieve, client.responses.delete):
        with pytest.raises(openai.NotFoundError):
            call(made.id)


def test_events_of_a_response_are_numbered_and_in_order(clients):
    request = {"model": "smol", "input": "Name a fruit.", "max_output_tokens": 8}
    events = list(clients[0].responses.create(stream=True, **request))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    names = [event.type.removeprefix("response.") for event in events]
    deltas = names.count("output_text.delta")
    assert names == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * deltas,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        names[-1],
    ]
    assert names[-1] in ("completed", "incomplete")


def test_a_schema_constrains_the_text(clients):
    openai_client, anthropic_client, ollama_client = clients
    schema = {
        "type": "object",
        "properties": {"fruit": {"enum": ["apple", "pear"]}},
        "required": ["fruit"],
        "additionalProperties": False,
    }
    format = {"type": "json_schema", "name": "fruit", "schema": schema}
    response = response_of(openai_client, "Name a fruit.", text={"format": format})
    jsonschema.validate(json.loads(response.output_text), schema)
    ask = [{"role": "user", "content": "Name a fruit."}]
    output = {"format": {"type": "json_schema", "schema": schema}}
    message = message_of(anthropic_client, ask, extra_body={"output_config": output})
    assert text_of(message) == response.output_text
    assert ollama_chat(ollama_client, ask, format=schema)[0] == response.output_text


def test_unsupported_members_are_named(clients):
    openai_client, anthropic_client, ollama_client = clients
    tools = [{"type": "web_search"}]
    response = response_of(openai_client, "Hi.", tools=tools, user="me")
    assert any("web_search" in warning for warning in response.model_extra["warnings"])
    assert any("user" in warning for warning in response.model_extra["warnings"])
    message = message_of(anthropic_client, TURNS, extra_body={"temperature": 0, "speed": "fast"})
    assert message.model_extra["warnings"] == ["'speed' is unknown and has no effect."]
    answer = ollama_client.chat("smol", TURNS, options={"num_ctx": 64, "num_predict": 2})
    assert answer.done_reason == "length"
    with pytest.raises(openai.BadRequestError) as refused:
        response_of(openai_client, "Hi.", background=True)
    assert refused.value.param == "background"
    with pytest.raises(anthropic.BadRequestError, match="mcp_servers"):
        message_of(anthropic_client, TURNS, extra_body={"mcp_servers": [{"name": "x"}]})
    with pytest.raises(ollama.ResponseError, match="options.mirostat"):
        ollama_client.chat("smol", TURNS, options={"mirostat": 2})
    with pytest.raises(ollama.ResponseError, match="no embeddings"):
        ollama_client.embed("smol", "text")


def test_errors_of_each_protocol(clients):
    openai_client, anthropic_client, ollama_client = clients
    with pytest.raises(openai.NotFoundError):
        response_of(openai_client, "Hi.", model="none")
    with pytest.raises(anthropic.NotFoundError) as missing:
        message_of(anthropic_client, TURNS, model="none")
    assert missing.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(ollama.ResponseError) as unknown:
        ollama_client.chat("none", TURNS)
    assert unknown.value.status_code == 404


def test_stop_sequences_and_lengths(clients):
    client = clients[1]
    whole = message_of(client, TURNS)
    word = text_of(whole).split()[1]
    cut = message_of(client, TURNS, stop_sequences=[word])
    assert (cut.stop_reason, cut.stop_sequence) == ("stop_sequence", word)
    assert word not in text_of(cut)
    assert message_of(client, TURNS, max_tokens=2).stop_reason == "max_tokens"
    # More than the context holds. The client wants a stream for such numbers.
    long = message_of(client, TURNS, stream=True, max_tokens=100_000)
    assert long.stop_reason in ("end_turn", "max_tokens")


def test_count_tokens(clients):
    client = clients[1]
    counted = client.messages.count_tokens(model="smol", messages=TURNS, system=SYSTEM)
    usage = message_of(client, TURNS, system=SYSTEM).usage
    assert counted.input_tokens == usage.input_tokens + usage.cache_read_input_tokens


def test_ollama_lists_and_shows_models(clients):
    client = clients[2]
    assert {model.model for model in client.list().models} == {"smol", "demo"}
    assert {model.model for model in client.ps().models} == {"smol", "demo"}
    assert client.ps().models[0].context_length > 0
    assert set(client.show("demo").capabilities) >= {"completion", "vision", "tools"}
    assert "vision" not in client.show("smol:latest").capabilities
    assert client.pull("smol").status == "success"
    with pytest.raises(ollama.ResponseError, match="model_dir"):
        client.pull("llama3.2")
    with pytest.raises(ollama.ResponseError, match="not deleted"):
        client.delete("smol")


def test_ollama_generates(clients):
    _, _, client = clients
    options = {"temperature": 0, "num_predict": TOKENS}
    ask = "Name three fruits."
    whole = client.generate("smol", ask, system=SYSTEM, options=options)
    parts = list(client.generate("smol", ask, system=SYSTEM, options=options, stream=True))
    assert whole.response == "".join(part.response for part in parts)
    turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ask}]
    assert ollama_chat(client, turns)[0] == whole.response
    raw = client.generate("smol", "Once upon a time", raw=True, options=options)
    text = clients[0].completions.create(
        model="smol", prompt="Once upon a time", temperature=0, max_tokens=TOKENS
    )
    assert raw.response == text.choices[0].text
    assert client.generate("smol", "").done_reason == "load"


def test_responses_are_separate_for_each_key(tmp_path_factory, cache):
    log = tmp_path_factory.mktemp("keys") / "log"
    keys = {"EDGEGATE_SERVER_API_KEYS": "one-key-of-some-length,two-key-of-some-length"}
    running = Daemon("--model", f"demo={DEMO}", "--engine.cache_dir", cache, env=keys, log=str(log))
    try:
        first, second = (running.client(key) for key in keys["EDGEGATE_SERVER_API_KEYS"].split(","))
        made = response_of(first, "Hi.", model="demo")
        assert first.responses.retrieve(made.id).id == made.id
        for call in (second.responses.retrieve, second.responses.delete):
            with pytest.raises(openai.NotFoundError):
                call(made.id)
        with pytest.raises(openai.NotFoundError):
            response_of(second, "x", model="demo", previous_response_id=made.id)
    finally:
        assert running.stop() == 0
