"""llama-index with its OpenAILike classes: complete, chat, stream, image, tools, agent, structured, index."""

from harness import BASE, CHAT, EMBED, SIGN, VISION, call, cosine, image, main, short
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

ASK = "What is the weather in Paris?"
seen = []


class Reading(BaseModel):
    word: str
    sure: bool


def get_weather(city: str) -> str:
    """The weather in a city."""
    seen.append(city)
    return f"{city}: sunny, 21 °C"


def model(name=CHAT, **more):
    return OpenAILike(
        model=name,
        api_base=BASE,
        api_key="none",
        is_chat_model=True,
        is_function_calling_model=True,
        temperature=0,
        **{"context_window": 8192, "max_tokens": 40, **more},
    )


@call
def complete():
    answer = model().complete(ASK).text
    assert answer
    return short(answer)


@call
def chat_stream():
    whole = model().chat([ChatMessage(ASK)]).message.content
    pieces = [piece.delta for piece in model().stream_chat([ChatMessage(ASK)])]
    assert "".join(pieces) == whole
    return f"{len(pieces)} chunks join to the whole answer"


@call
def completions_endpoint():
    answer = OpenAILike(model=CHAT, api_base=BASE, api_key="none", max_tokens=8).complete(
        "One, two,"
    )
    assert answer.text
    return short(answer.text)


@call
def chat_image():
    blocks = [TextBlock(text=SIGN[0]), ImageBlock(image=image(), image_mimetype="image/jpeg")]
    answer = (
        model(VISION, context_window=1024)
        .chat([ChatMessage(role="user", blocks=blocks)])
        .message.content
    )
    assert SIGN[1] in answer, answer
    return short(answer)


@call
def structured_predict():
    found = model(max_tokens=200).as_structured_llm(Reading).complete(ASK).raw
    assert isinstance(found, Reading)
    return str(found)


@call
def predict_and_call():
    seen.clear()
    answer = model().predict_and_call(
        [FunctionTool.from_defaults(get_weather)], ASK, tool_required=True
    )
    assert seen and "sunny" in str(answer)
    return str(answer)


@call
async def function_agent():
    """The model decides. Calls that it makes are valid, and the run ends."""
    seen.clear()
    agent = FunctionAgent(tools=[get_weather], llm=model(), system_prompt="Answer briefly.")
    answer = await agent.run(ASK, max_iterations=3, early_stopping_method="generate")
    return f"{len(seen)} calls, {short(answer)!r}"


@call
def vector_index():
    maker = OpenAILikeEmbedding(model_name=EMBED, api_base=BASE, api_key="none")
    documents = [
        Document(text="A kitten sleeps on the couch."),
        Document(text="The price of oil fell."),
    ]
    index = VectorStoreIndex.from_documents(documents, embed_model=maker)
    found = index.as_retriever(similarity_top_k=1).retrieve("Where is the cat?")
    assert "kitten" in found[0].text
    assert cosine(maker.get_text_embedding("a"), maker.get_text_embedding("a")) > 0.9999
    return f"score {found[0].score:.2f}"


@call
def query_engine():
    maker = OpenAILikeEmbedding(model_name=EMBED, api_base=BASE, api_key="none")
    index = VectorStoreIndex.from_documents(
        [Document(text="The kitten is called Ada.")], embed_model=maker
    )
    answer = str(index.as_query_engine(llm=model()).query("What is the name of the cat?"))
    assert answer
    return short(answer)


main("llama-index-core", "llama-index")
