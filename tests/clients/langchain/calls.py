"""langchain-openai and a langgraph agent: chat, stream, structured output, agent, responses, embeddings."""

from harness import (
    BASE,
    CHAT,
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
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_model_call
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel

ASK = "What is the weather in Paris?"
seen = []


class Reading(BaseModel):
    """A note about a text."""

    word: str
    sure: bool


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    seen.append(city)
    return f"{city}: sunny, 21 °C"


def model(name=CHAT, **more):
    return ChatOpenAI(
        **{
            "model": name,
            "base_url": BASE,
            "api_key": "none",
            "temperature": 0,
            "max_tokens": 40,
            **more,
        }
    )


@call
def chat():
    answer = model().invoke(ASK)
    assert answer.content and answer.usage_metadata["output_tokens"] > 0
    return short(answer.content)


@call
def chat_stream():
    whole = model().invoke(ASK).content
    pieces = list(model(stream_usage=True).stream(ASK))
    assert "".join(piece.content for piece in pieces) == whole
    assert any(piece.usage_metadata for piece in pieces)
    return f"{len(pieces)} chunks join to the whole answer"


@call
def chat_image():
    parts = [
        {"type": "text", "text": SIGN[0]},
        {"type": "image_url", "image_url": {"url": data_url()}},
    ]
    answer = model(VISION).invoke([HumanMessage(content=parts)]).content
    assert SIGN[1] in answer, answer
    return short(answer)


def structured(method):
    found = model(max_tokens=200).with_structured_output(Reading, method=method).invoke(ASK)
    assert isinstance(found, Reading)
    return str(found)


@call
def structured_output_json_schema():
    return structured("json_schema")


@call
def structured_output_function_calling():
    return structured("function_calling")


@call
def bind_tools():
    made = model().bind_tools([get_weather], tool_choice="get_weather").invoke(ASK).tool_calls
    assert made[0]["name"] == "get_weather" and made[0]["args"]["city"]
    return str(made[0]["args"])


@wrap_model_call
def call_first(request, handler):
    """The first turn must call a tool, because the small model may not choose to. Later turns are free."""
    last = request.messages[-1]
    return handler(
        request.override(tool_choice="none" if isinstance(last, ToolMessage) else "required")
    )


def run_agent(name, **more):
    seen.clear()
    agent = create_agent(model(**more), [get_weather], middleware=[call_first])
    messages = agent.invoke({"messages": [HumanMessage(ASK)]})["messages"]
    assert seen and any(isinstance(message, ToolMessage) for message in messages)
    assert messages[-1].text, messages[-1]
    return f"{name}: get_weather({seen[0]!r}), then {short(messages[-1].text)!r}"


@call
def agent():
    return run_agent("create_agent")


@call
def agent_on_responses():
    return run_agent("create_agent", use_responses_api=True)


@call
def agent_free_choice():
    """The model decides. Calls that it makes are valid, and the run ends."""
    seen.clear()
    bound = model().bind_tools([get_weather])
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([get_weather]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    events = list(graph.compile().stream({"messages": [HumanMessage(ASK)]}, stream_mode="messages"))
    assert events
    return f"{len(seen)} calls, {len(events)} streamed messages"


@call
async def async_batch():
    answers = await model(max_tokens=12).abatch([ASK, ASK])
    assert answers[0].content == answers[1].content
    return short(answers[0].content)


@call
def responses():
    answer = model(use_responses_api=True).invoke(ASK)
    assert answer.text and answer.usage_metadata["output_tokens"] > 0
    return short(answer.text)


@call
def embeddings():
    # The package sends token ids of OpenAI's tokenizer unless told otherwise.
    maker = OpenAIEmbeddings(
        model=EMBED, base_url=BASE, api_key="none", check_embedding_ctx_length=False
    )
    one, two, three = maker.embed_documents(
        ["a cat on a sofa", "a kitten on a couch", "the price of oil"]
    )
    assert cosine(one, maker.embed_query("a cat on a sofa")) > 0.9999
    return check_similar(cosine(one, two), cosine(one, three), len(one))


main("langchain-openai")
