"""Lists of input items, truncation, and images of results, with the official clients."""

import base64

import anthropic
import openai
import pytest
from conftest import DEMO, ROOT, Daemon
from test_tool_formats import make_model

PHOTO = base64.b64encode((ROOT / "tools/edge-demo-v/images/gauge.jpg").read_bytes()).decode()
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
ASK = {"role": "user", "content": "What does the camera see?"}
CALL = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
TEXT = {"type": "input_text", "text": "a photo"}
IMAGE = {"type": "input_image", "image_url": "data:image/jpeg;base64," + PHOTO, "detail": "auto"}


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    base = tmp_path_factory.mktemp("responses")
    models = ["--model", f"demo={DEMO}", "--model", f"text={make_model(base / 'model')}"]
    running = Daemon(*models, "--engine.cache_dir", cache, log=str(base / "log"))
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def client(site):
    return site.client()


def answer(client, input, **more):
    request = {"model": "demo", "temperature": 0, "max_output_tokens": 8, **more}
    return client.responses.create(input=input, **request)


def turns(count):
    items = []
    for i in range(count):
        items.append({"role": "user", "content": f"Question {i} " + "with some words " * 20})
        items.append({"role": "assistant", "content": f"Answer {i}."})
    return [*items, {"role": "user", "content": "And now?"}]


def test_input_items(client):
    first = answer(client, [ASK, CALL, {**CALL, "type": "function_call_output", "output": "x"}])
    second = answer(client, "And now?", previous_response_id=first.id)
    listed = client.responses.input_items.list(second.id, order="asc")
    kinds = [item.type for item in listed.data]
    assert kinds[:3] == ["message", "function_call", "function_call_output"]
    assert [item.id for item in listed.data[3:-1]] == [item.id for item in first.output]
    assert listed.data[0].content[0].text == ASK["content"]
    assert (listed.first_id, listed.last_id) == (listed.data[0].id, listed.data[-1].id)
    assert len({item.id for item in listed.data}) == len(listed.data)
    # The client follows the pages by itself.
    paged = list(client.responses.input_items.list(second.id, limit=1))
    assert [item.id for item in paged] == [item.id for item in reversed(listed.data)]
    with pytest.raises(openai.BadRequestError, match="limit"):
        client.responses.input_items.list(second.id, limit=101)
    with pytest.raises(openai.BadRequestError, match="after"):
        client.responses.input_items.list(second.id, after="msg_x")
    client.responses.delete(second.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.input_items.list(second.id)


def test_truncation_drops_the_oldest_turns(client):
    items = turns(40)
    with pytest.raises(openai.BadRequestError) as refused:
        answer(client, items)
    assert refused.value.code == "context_length_exceeded"
    instructions = "Be short."
    cut = answer(client, items, truncation="auto", instructions=instructions)
    [warning] = [w for w in cut.model_extra["warnings"] if "truncation" in w]
    dropped = int(warning.split()[-1].strip("."))
    assert 0 < dropped < 40
    same = answer(client, items[2 * dropped :], truncation="auto", instructions=instructions)
    assert not same.model_extra["warnings"] and same.truncation == "auto"
    assert same.usage.input_tokens == cut.usage.input_tokens
    assert same.output_text == cut.output_text
    # One turn more does not fit, or leaves no room for the answer.
    more = answer(client, items[2 * dropped - 2 :], truncation="auto", instructions=instructions)
    again = [w for w in more.model_extra["warnings"] if "truncation" in w]
    assert again or more.usage.input_tokens > 1024 - 8
    last = {"role": "user", "content": "with some words " * 2000}
    with pytest.raises(openai.BadRequestError, match="maximum context length"):
        answer(client, [*turns(2), last], truncation="auto")


def test_images_of_results(client, site):
    def result(parts):
        return [ASK, CALL, {"type": "function_call_output", "call_id": "c1", "output": parts}]

    shown = answer(client, result([TEXT, IMAGE]), tools=[TOOL], tool_choice="none")
    plain = answer(client, result([TEXT]), tools=[TOOL], tool_choice="none")
    images = shown.usage.input_tokens_details.model_extra["image_tokens"]
    assert images > 0 and shown.usage.input_tokens >= plain.usage.input_tokens + images
    blocks = [
        {"type": "text", "text": "a photo"},
        {"type": "image", "source": {
            "type": "base64", "media_type": "image/jpeg", "data": PHOTO}},
    ]  # fmt: skip
    message = anthropic.Anthropic(base_url=site.url, api_key="none", max_retries=0).messages.create(
        model="demo",
        max_tokens=8,
        messages=[
            ASK,
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "c1", "name": "look", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": blocks}]},
        ],
        extra_body={"temperature": 0},
    )  # fmt: skip
    usage = message.usage
    assert usage.input_tokens + usage.cache_read_input_tokens == shown.usage.input_tokens
    assert "".join(b.text for b in message.content if b.type == "text") == shown.output_text
    with pytest.raises(openai.BadRequestError) as refused:
        answer(client, result([IMAGE]), model="text")
    assert refused.value.param == "input[2].output[0].image_url"


def test_members_without_effect_are_named(client):
    more = {
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"summary": "auto"},
        "max_tool_calls": 3,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
    }
    warnings = answer(client, "Hi.", **more).model_extra["warnings"]
    for name in ("include", "reasoning.summary", "max_tool_calls", "prompt_cache_key", "safety"):
        assert any(name in warning for warning in warnings), (name, warnings)
    assert answer(client, "Hi.", top_logprobs=2).output[0].content[0].logprobs[0].top_logprobs
