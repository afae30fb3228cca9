"""The ollama package: models, chat, stream, images, tools, formats, generate, embeddings."""

import json

import ollama
from harness import (
    CHAT,
    CITY,
    EMBED,
    SIGN,
    URL,
    VISION,
    call,
    check_similar,
    cosine,
    image,
    main,
    short,
)
from pydantic import BaseModel

client = ollama.Client(host=URL)
ASK = [{"role": "user", "content": "What is the weather in Paris?"}]
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
TOOLS = [{"type": "function", "function": WEATHER}]
OPTIONS = {"temperature": 0, "num_predict": 40}


class Reading(BaseModel):
    word: str
    sure: bool


def chat_(**request):
    return client.chat(**{"model": CHAT, "messages": ASK, "options": OPTIONS, **request})


@call
def models():
    names = {model.model.removesuffix(":latest") for model in client.list().models}
    assert {CHAT, VISION} <= names, names
    assert "vision" in client.show(VISION).capabilities
    assert (
        "tools" in client.show(CHAT).capabilities and "embedding" in client.show(EMBED).capabilities
    )
    assert {model.model.removesuffix(":latest") for model in client.ps().models} >= {CHAT}
    return f"{len(names)} models"


@call
def chat():
    answer = chat_()
    assert (
        answer.message.content
        and answer.done
        and answer.eval_count > 0
        and answer.total_duration > 0
    )
    return short(answer.message.content)


@call
def chat_stream():
    whole = chat_().message.content
    parts = list(chat_(stream=True))
    assert "".join(part.message.content for part in parts) == whole and parts[-1].done
    return f"{len(parts)} lines join to the whole answer"


@call
def chat_image():
    messages = [{"role": "user", "content": SIGN[0], "images": [image()]}]
    answer = chat_(model=VISION, messages=messages).message.content
    assert SIGN[1] in answer, answer
    return short(answer)


@call
def chat_format():
    answer = chat_(
        format=Reading.model_json_schema(), options={"temperature": 0, "num_predict": 200}
    )
    return str(Reading.model_validate_json(answer.message.content))


@call
def chat_json():
    answer = chat_(
        model=VISION, format="json", messages=[{"role": "user", "content": "Answer in JSON."}]
    )
    if answer.done_reason == "stop":
        json.loads(answer.message.content)
    assert answer.message.content.startswith(("{", "[", '"')) or answer.done_reason == "stop"
    return short(answer.message.content)


@call
def chat_tools_two_turns():
    answer = chat_(tools=TOOLS)
    calls = answer.message.tool_calls or []
    for made in calls:
        assert made.function.name == "get_weather" and made.function.arguments["city"]
    assert calls or answer.message.content
    made = {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}
    turns = [*ASK, {"role": "assistant", "content": "", "tool_calls": [made]}]
    turns.append({"role": "tool", "tool_name": "get_weather", "content": "Sunny, 21 °C"})
    second = chat_(messages=turns, tools=TOOLS)
    assert second.message.content or second.message.tool_calls
    return f"{len(calls)} calls, then {short(second.message.content)!r}"


@call
def chat_tool_of_a_function():
    def get_weather(city: str) -> str:
        """The weather in a city.

        Args:
            city: name of the city
        """
        return city

    answer = chat_(tools=[get_weather], stream=True)
    calls = [made for part in answer for made in part.message.tool_calls or []]
    assert all(get_weather(**made.function.arguments) for made in calls)
    return f"{len(calls)} calls"


@call
def generate():
    answer = client.generate(CHAT, "One, two,", options=OPTIONS)
    parts = client.generate(CHAT, "One, two,", options=OPTIONS, stream=True)
    assert "".join(part.response for part in parts) == answer.response
    return short(answer.response)


@call
def generate_image_keep_alive_think():
    answer = client.generate(
        VISION,
        SIGN[0],
        images=[image()],
        options={**OPTIONS, "num_ctx": 4096},
        keep_alive="5m",
        think=False,
    )
    assert SIGN[1] in answer.response, answer.response
    return short(answer.response)


@call
def embed():
    texts = ["a cat on a sofa", "a kitten on a couch", "the price of oil"]
    one, two, three = client.embed(EMBED, texts).embeddings
    old = client.embeddings(EMBED, texts[0]).embedding
    assert cosine(one, old) > 0.9999
    cut = client.embed(EMBED, texts[0], dimensions=128).embeddings[0]
    return check_similar(cosine(one, two), cosine(one, three), len(cut))


@call
def pull_and_delete():
    assert client.pull(CHAT).status == "success"
    try:
        client.delete(CHAT)
    except ollama.ResponseError as error:
        assert error.status_code == 400 and error.error
        return short(error.error)
    raise AssertionError("the model was deleted")


@call
def errors():
    try:
        client.chat(model="no-such-model", messages=ASK)
    except ollama.ResponseError as error:
        assert error.status_code == 404 and "no-such-model" in error.error
        return short(error.error)
    raise AssertionError("an unknown model answered")


main("ollama", "ollama (Python)")
