"""The anthropic package: messages, streams, images, tools, parse, count_tokens, models."""

import anthropic
from harness import CHAT, CITY, SIGN, URL, VISION, call, image, main, short
from pydantic import BaseModel

client = anthropic.Anthropic(base_url=URL, api_key="none", max_retries=0)
ASK = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOLS = [{"name": "get_weather", "description": "The weather in a city.", "input_schema": CITY}]


class Reading(BaseModel):
    word: str
    sure: bool


def create(**request):
    # The package has no temperature; the endpoint takes it.
    extra = {"temperature": 0}
    return client.messages.create(
        **{"model": CHAT, "max_tokens": 40, "messages": ASK, "extra_body": extra, **request}
    )


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


@call
def messages():
    answer = create(system="Be brief.")
    assert text_of(answer) and answer.usage.output_tokens > 0
    assert answer.stop_reason in ("end_turn", "max_tokens")
    return short(text_of(answer))


@call
def messages_stream():
    whole = text_of(create())
    with client.messages.stream(
        model=CHAT, max_tokens=40, messages=ASK, extra_body={"temperature": 0}
    ) as stream:
        pieces = "".join(stream.text_stream)
        assert pieces == whole == text_of(stream.get_final_message())
    events = [event.type for event in create(stream=True)]
    assert events[0] == "message_start" and events[-1] == "message_stop", events
    return f"{len(events)} events join to the whole answer"


@call
def messages_image():
    source = {"type": "base64", "media_type": "image/jpeg", "data": image()}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": SIGN[0]}]
    answer = text_of(create(model=VISION, messages=[{"role": "user", "content": parts}]))
    assert SIGN[1] in answer, answer
    return short(answer)


@call
def messages_tools_two_turns():
    answer = create(tools=TOOLS, tool_choice={"type": "any", "disable_parallel_tool_use": True})
    made = next(block for block in answer.content if block.type == "tool_use")
    assert answer.stop_reason == "tool_use" and made.name == "get_weather" and made.input["city"]
    result = {
        "type": "tool_result",
        "tool_use_id": made.id,
        "content": [{"type": "text", "text": "Sunny, 21 °C"}],
    }
    turns = [
        *ASK,
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": [result]},
    ]
    second = create(messages=turns, tools=TOOLS)
    assert second.content
    return f"get_weather({made.input['city']!r}), then {short(text_of(second))!r}"


@call
def messages_tools_streamed():
    choice = {"type": "tool", "name": "get_weather"}
    with client.messages.stream(
        model=CHAT, max_tokens=40, messages=ASK, tools=TOOLS, tool_choice=choice
    ) as stream:
        pieces = [event.partial_json for event in stream if event.type == "input_json"]
        made = stream.get_final_message().content[-1]
    assert made.type == "tool_use" and made.input["city"] and pieces
    return str(made.input)


@call
def messages_tool_result_image():
    source = {"type": "base64", "media_type": "image/jpeg", "data": image()}
    made = {"type": "tool_use", "id": "toolu_1", "name": "snapshot", "input": {}}
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "image", "source": source}],
    }
    turns = [
        {"role": "user", "content": SIGN[0]},
        {"role": "assistant", "content": [made]},
        {"role": "user", "content": [result]},
    ]
    tools = [{"name": "snapshot", "input_schema": {"type": "object", "properties": {}}}]
    answer = create(model=VISION, messages=turns, tools=tools)
    assert answer.content and answer.usage.input_tokens > 0
    return short(text_of(answer))


@call
def messages_parse():
    answer = client.messages.parse(model=CHAT, max_tokens=200, messages=ASK, output_format=Reading)
    assert isinstance(answer.parsed_output, Reading)
    return str(answer.parsed_output)


@call
def count_tokens():
    counted = client.messages.count_tokens(model=CHAT, messages=ASK).input_tokens
    usage = create(max_tokens=1).usage
    assert counted == usage.input_tokens + (usage.cache_read_input_tokens or 0)
    return f"{counted} tokens, as the answer's usage"


@call
def cache_control_and_metadata():
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    answer = create(system=system, metadata={"user_id": "u"}, service_tier="auto", max_tokens=5)
    assert answer.content
    return answer.stop_reason


@call
def models():
    names = {model.id for model in client.models.list()}
    assert {CHAT, VISION} <= names, names
    return f"{len(names)} models"


@call
def errors():
    try:
        create(model="no-such-model")
    except anthropic.NotFoundError as error:
        assert "no-such-model" in error.message
        return "404 names the model"
    raise AssertionError("an unknown model answered")


main("anthropic", "anthropic (Python)")
