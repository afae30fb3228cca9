"""The openai package: chat, parse, stream, tools, responses, embeddings, decisions, models."""

import json
from typing import Literal

import openai
from harness import (
    BASE,
    CHAT,
    CITY,
    EMBED,
    SIGN,
    VISION,
    call,
    check_similar,
    cosine,
    data_url,
    main,
    short,
)
from pydantic import BaseModel

client = openai.OpenAI(base_url=BASE, api_key="none", max_retries=0)
ASK = [{"role": "user", "content": "What is the weather in Paris?"}]
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
TOOLS = [{"type": "function", "function": WEATHER}]
FLAT = [{"type": "function", "strict": True, **WEATHER}]
PICTURE = [
    {"type": "text", "text": SIGN[0]},
    {"type": "image_url", "image_url": {"url": data_url()}},
]


class Reading(BaseModel):
    sense: Literal["sight", "hearing"]
    confident: bool


def create(**request):
    return client.chat.completions.create(
        **{"model": CHAT, "temperature": 0, "max_tokens": 40, **request}
    )


@call
def models():
    names = {model.id for model in client.models.list()}
    assert {CHAT, VISION, EMBED} <= names, names
    assert client.models.retrieve(CHAT).id == CHAT
    return f"{len(names)} models"


@call
def chat():
    answer = create(messages=ASK)
    assert answer.choices[0].message.content and answer.usage.completion_tokens > 0
    assert answer.choices[0].finish_reason in ("stop", "length")
    return short(answer.choices[0].message.content)


@call
def chat_stream():
    whole = create(messages=ASK).choices[0].message.content
    chunks = list(create(messages=ASK, stream=True, stream_options={"include_usage": True}))
    pieces = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(pieces) == whole, "the pieces differ from the whole answer"
    assert chunks[-1].usage.completion_tokens > 0 and not chunks[-1].choices
    return f"{len(chunks)} chunks join to the whole answer"


@call
def chat_stream_helper():
    with client.chat.completions.stream(
        model=CHAT,
        messages=[{"role": "user", "content": "Name a colour."}],
        temperature=0,
        max_tokens=200,
    ) as stream:
        text = "".join(e.delta for e in stream if e.type == "content.delta")
        assert text == stream.get_final_completion().choices[0].message.content
    return "events and final message agree"


@call
def chat_image():
    answer = (
        create(model=VISION, messages=[{"role": "user", "content": PICTURE}])
        .choices[0]
        .message.content
    )
    assert SIGN[1] in answer, answer
    return short(answer)


@call
def chat_parse():
    answer = client.chat.completions.parse(
        model=CHAT, messages=ASK, response_format=Reading, max_tokens=60
    )
    assert isinstance(answer.choices[0].message.parsed, Reading)
    return str(answer.choices[0].message.parsed)


@call
def chat_tools_two_turns():
    message = create(messages=ASK, tools=TOOLS, tool_choice="required").choices[0].message
    made = message.tool_calls[0]
    city = json.loads(made.function.arguments)["city"]
    assert made.function.name == "get_weather" and city
    result = {"role": "tool", "tool_call_id": made.id, "content": f"{city}: sunny, 21 °C"}
    answer = create(messages=[*ASK, message, result], tools=TOOLS)
    assert answer.choices[0].message.content or answer.choices[0].message.tool_calls
    return f"get_weather({city!r}), then {short(answer.choices[0].message.content)!r}"


@call
def chat_tools_streamed():
    choice = {"type": "function", "function": {"name": "get_weather"}}
    arguments, names = "", []
    for chunk in create(messages=ASK, tools=TOOLS, tool_choice=choice, stream=True):
        for piece in chunk.choices[0].delta.tool_calls or []:
            names += [piece.function.name] if piece.function.name else []
            arguments += piece.function.arguments or ""
    assert names == ["get_weather"] and json.loads(arguments)["city"]
    return arguments


@call
def chat_tools_parsed():
    tool = openai.pydantic_function_tool(Reading, name="note")
    answer = client.chat.completions.parse(
        model=CHAT, messages=ASK, tools=[tool], tool_choice="required"
    )
    parsed = answer.choices[0].message.tool_calls[0].function.parsed_arguments
    assert isinstance(parsed, Reading)
    return str(parsed)


@call
def chat_logprobs():
    answer = create(messages=ASK, logprobs=True, top_logprobs=3, max_tokens=5).choices[0]
    assert len(answer.logprobs.content) <= 5
    assert all(
        len(token.top_logprobs) == 3 and token.logprob <= 0 for token in answer.logprobs.content
    )
    return f"{len(answer.logprobs.content)} tokens"


@call
def chat_max_tokens_beyond_context():
    answer = create(
        model=VISION, messages=[{"role": "user", "content": "Hello"}], max_tokens=1_000_000
    )
    assert answer.choices[0].message.content
    return answer.choices[0].finish_reason


@call
def chat_parameters_without_effect():
    answer = create(
        messages=ASK,
        max_tokens=5,
        store=True,
        metadata={"a": "b"},
        service_tier="auto",
        user="u",
        verbosity="low",
        prompt_cache_key="k",
        safety_identifier="s",
        modalities=["text"],
        parallel_tool_calls=True,
        extra_body={
            "cache_prompt": True,
            "id_slot": 0,
            "repeat_penalty": 1.1,
            "provider": {"order": ["a"]},
        },
    )
    assert answer.choices[0].message.content
    return f"{len(answer.model_extra.get('warnings', []))} warnings"


@call
def completions():
    answer = client.completions.create(model=CHAT, prompt="One, two,", max_tokens=8, temperature=0)
    pieces = client.completions.create(
        model=CHAT, prompt="One, two,", max_tokens=8, temperature=0, stream=True
    )
    assert "".join(p.choices[0].text for p in pieces if p.choices) == answer.choices[0].text
    return short(answer.choices[0].text)


def respond(**request):
    return client.responses.create(
        **{"model": CHAT, "temperature": 0, "max_output_tokens": 40, **request}
    )


@call
def responses():
    answer = respond(input="Name a colour.", instructions="Be brief.")
    assert answer.output_text and answer.usage.output_tokens > 0
    return short(answer.output_text)


@call
def responses_stream():
    events = list(respond(input="Name a colour.", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert text == events[-1].response.output_text and events[0].type == "response.created"
    return f"{len(events)} events, {events[-1].type}"


@call
def responses_parse():
    answer = client.responses.parse(model=CHAT, input="What do eyes do?", text_format=Reading)
    assert isinstance(answer.output_parsed, Reading)
    return str(answer.output_parsed)


@call
def responses_image():
    parts = [
        {"type": "input_text", "text": SIGN[0]},
        {"type": "input_image", "image_url": data_url(), "detail": "auto"},
    ]
    answer = respond(model=VISION, input=[{"role": "user", "content": parts}]).output_text
    assert SIGN[1] in answer, answer
    return short(answer)


@call
def responses_tools_by_previous_response():
    first = respond(input=ASK[0]["content"], tools=FLAT, tool_choice="required")
    made = next(item for item in first.output if item.type == "function_call")
    city = json.loads(made.arguments)["city"]
    output = {"type": "function_call_output", "call_id": made.call_id, "output": f"{city}: sunny"}
    second = respond(input=[output], previous_response_id=first.id, tools=FLAT)
    assert second.output and client.responses.retrieve(second.id).id == second.id
    client.responses.delete(second.id)
    return f"get_weather({city!r}), then {short(second.output_text)!r}"


@call
def embeddings():
    texts = ["a cat on a sofa", "a kitten on a couch", "the price of oil"]
    one, two, three = (e.embedding for e in client.embeddings.create(model=EMBED, input=texts).data)
    plain = (
        client.embeddings.create(model=EMBED, input=texts[0], encoding_format="float")
        .data[0]
        .embedding
    )
    assert cosine(one, plain) > 0.9999  # the package asks for base64 unless told otherwise
    cut = client.embeddings.create(model=EMBED, input=texts[0], dimensions=128).data[0].embedding
    return check_similar(cosine(one, two), cosine(one, three), len(cut))


@call
def decisions():
    questions = [
        {"type": "predicate", "name": "gauge", "instructions": "The image shows a gauge."},
        {
            "type": "choice",
            "name": "unit",
            "instructions": "The unit of the gauge.",
            "choices": [{"value": "bar"}, {"value": "°C"}, {"value": "%"}],
        },
        {
            "type": "score",
            "name": "level",
            "instructions": "How high is the reading?",
            "levels": [{"label": "low"}, {"label": "middle"}, {"label": "high"}],
        },
    ]
    parts = [{"type": "input_image", "image_url": data_url("gauge.jpg")}]
    answer = client.decisions.create(
        model=VISION, input=[{"role": "user", "content": parts}], questions=questions
    )
    predicate, choice, score = answer.answers
    assert [a.name for a in answer.answers] == ["gauge", "unit", "level"]
    assert 0 <= predicate.probability <= 1
    assert choice.choice in ("bar", "°C", "%") and 0 <= choice.confidence <= 1
    assert abs(sum(p.probability for p in choice.probabilities) - 1) < 0.01
    assert [p.value for p in score.probabilities] == [0, 1, 2] and 0 <= score.score <= 2
    return f"gauge {predicate.probability:.2f}, unit {choice.choice}, level {score.score:.2f}"


@call
def decisions_of_text():
    questions = [
        {
            "type": "choice",
            "instructions": "The device.",
            "choices": [{"value": "lamp"}, {"value": "door"}],
        }
    ]
    answer = client.decisions.create(model=CHAT, input="Turn on the lamp.", questions=questions)
    assert answer.answers[0].choice in ("lamp", "door") and answer.usage.input_tokens > 0
    return answer.answers[0].choice


@call
def errors():
    try:
        create(model="no-such-model", messages=ASK)
    except openai.NotFoundError as error:
        assert "no-such-model" in error.message
    else:
        raise AssertionError("an unknown model answered")
    try:
        create(messages=ASK, temperature=7)
    except openai.BadRequestError as error:
        assert error.param == "temperature", error.body
        return "404 and 400 name the member"
    raise AssertionError("temperature 7 was accepted")


@call
async def async_chats():
    import asyncio

    async with openai.AsyncOpenAI(base_url=BASE, api_key="none", max_retries=0) as other:
        one = other.chat.completions.create
        answers = await asyncio.gather(
            *(one(model=CHAT, messages=ASK, temperature=0, max_tokens=12) for _ in range(4))
        )
    texts = {answer.choices[0].message.content for answer in answers}
    assert len(texts) == 1, texts
    return "4 at once, the same text"


@call
def azure_paths():
    azure = openai.AzureOpenAI(
        azure_endpoint=BASE.removesuffix("/v1"),
        api_key="none",
        api_version="2025-04-01-preview",
        azure_deployment=CHAT,
    )
    answer = azure.chat.completions.create(model=CHAT, messages=ASK, max_tokens=5)
    assert answer.choices[0].message.content
    return short(answer.choices[0].message.content)


main("openai", "openai (Python)")
