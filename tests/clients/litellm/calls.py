"""litellm: its providers for OpenAI's, llama.cpp's, vLLM's, Ollama's and Anthropic's servers."""

import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no download at import

import litellm  # noqa: E402
from harness import (
    BASE,
    CHAT,
    CITY,
    EMBED,
    SIGN,
    URL,
    VISION,
    call,
    check_similar,
    cosine,
    data_url,
    main,
    short,
)  # noqa: E402
from pydantic import BaseModel  # noqa: E402

ASK = [{"role": "user", "content": "What is the weather in Paris?"}]
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
TOOLS = [{"type": "function", "function": WEATHER}]


class Reading(BaseModel):
    word: str
    sure: bool


def completion(model="openai/" + CHAT, base=BASE, **more):
    request = {"messages": ASK, "temperature": 0, "max_tokens": 40, "num_retries": 0, **more}
    return litellm.completion(model=model, api_base=base, api_key="none", **request)


def text_of(answer):
    assert answer.choices[0].message.content, answer
    return short(answer.choices[0].message.content)


@call
def openai_chat():
    return text_of(completion())


@call
def openai_stream():
    whole = completion().choices[0].message.content
    pieces = [c.choices[0].delta.content or "" for c in completion(stream=True) if c.choices]
    assert "".join(pieces) == whole
    return f"{len(pieces)} chunks join to the whole answer"


@call
def openai_image():
    parts = [
        {"type": "text", "text": SIGN[0]},
        {"type": "image_url", "image_url": {"url": data_url()}},
    ]
    answer = text_of(completion("openai/" + VISION, messages=[{"role": "user", "content": parts}]))
    assert SIGN[1] in answer, answer
    return answer


@call
def openai_response_format():
    answer = completion(response_format=Reading, max_tokens=200)
    return str(Reading.model_validate_json(answer.choices[0].message.content))


@call
def openai_tools():
    made = completion(tools=TOOLS, tool_choice="required").choices[0].message.tool_calls[0]
    assert made.function.name == "get_weather" and json.loads(made.function.arguments)["city"]
    return made.function.arguments


@call
def openai_responses():
    answer = litellm.responses(
        model="openai/" + CHAT, input="Name a colour.", api_base=BASE, api_key="none"
    )
    assert answer.output_text
    return short(answer.output_text)


@call
def openai_embedding():
    texts = ["a cat on a sofa", "a kitten on a couch", "the price of oil"]
    answer = litellm.embedding(model="openai/" + EMBED, input=texts, api_base=BASE, api_key="none")
    one, two, three = (item["embedding"] for item in answer.data)
    return check_similar(cosine(one, two), cosine(one, three), len(one))


@call
def hosted_vllm_chat():
    return text_of(completion("hosted_vllm/" + CHAT))


@call
def hosted_vllm_rerank():
    answer = litellm.rerank(
        model="hosted_vllm/" + EMBED,
        query="a cat",
        documents=["oil prices", "a kitten"],
        api_base=URL,
        api_key="none",
    )
    assert answer.results[0]["index"] == 1, answer
    return f"score {answer.results[0]['relevance_score']:.2f}"


@call
def ollama_chat():
    return text_of(completion("ollama_chat/" + CHAT, URL))


@call
def ollama_chat_stream_and_tools():
    pieces = [
        c.choices[0].delta.content or ""
        for c in completion("ollama_chat/" + CHAT, URL, stream=True)
    ]
    assert "".join(pieces)
    answer = completion("ollama_chat/" + CHAT, URL, tools=TOOLS).choices[0].message
    assert answer.content or json.loads(answer.tool_calls[0].function.arguments)["city"]
    return f"{len(pieces)} chunks"


@call
def ollama_embedding():
    answer = litellm.embedding(model="ollama/" + EMBED, input=["a cat"], api_base=URL)
    assert len(answer.data[0]["embedding"]) == 384
    return "384 dimensions"


@call
def anthropic_chat():
    return text_of(completion("anthropic/" + CHAT, URL))


@call
def anthropic_stream_and_tools():
    pieces = [
        c.choices[0].delta.content or "" for c in completion("anthropic/" + CHAT, URL, stream=True)
    ]
    assert "".join(pieces)
    made = (
        completion("anthropic/" + CHAT, URL, tools=TOOLS, tool_choice="required")
        .choices[0]
        .message.tool_calls[0]
    )
    assert json.loads(made.function.arguments)["city"]
    return f"{len(pieces)} chunks, {made.function.arguments}"


@call
def text_completion():
    answer = litellm.text_completion(
        model="text-completion-openai/" + CHAT,
        prompt="One, two,",
        max_tokens=8,
        api_base=BASE,
        api_key="none",
    )
    assert answer.choices[0].text
    return short(answer.choices[0].text)


main("litellm")
