"""pydantic-ai: text, stream, outputs by tool, by schema and by prompt, tools, an image, the Responses API."""

from harness import BASE, CHAT, EMBED, IMAGES, SIGN, VISION, call, main, short
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, Embedder, NativeOutput, ToolOutput
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url=BASE, api_key="none")
SETTINGS = {"temperature": 0, "max_tokens": 200}
ASK = "What is the weather in Paris?"


class Reading(BaseModel):
    word: str
    sure: bool


def agent(name=CHAT, kind=OpenAIChatModel, **more):
    return Agent(kind(name, provider=provider), model_settings=SETTINGS, retries=0, **more)


@call
def text():
    result = agent(instructions="Be brief.").run_sync(ASK)
    assert result.output and result.usage.output_tokens > 0
    return short(result.output)


@call
async def text_stream():
    whole = (await agent().run(ASK)).output
    async with agent().run_stream(ASK) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
    assert "".join(pieces) == whole
    return f"{len(pieces)} pieces join to the whole answer"


@call
def output_default():
    found = agent(output_type=Reading).run_sync(ASK).output
    assert isinstance(found, Reading)
    return str(found)


@call
def output_native():
    found = agent(output_type=NativeOutput(Reading)).run_sync(ASK).output
    assert isinstance(found, Reading)
    return str(found)


@call
async def output_stream():
    async with agent(output_type=ToolOutput(Reading)).run_stream(ASK) as result:
        parts = [part async for part in result.stream_output(debounce_by=None)]
    assert isinstance(parts[-1], Reading)
    return f"{len(parts)} partial objects"


def use_tool(kind):
    """The output is a tool as well, so that the grammar makes the model call one of the two in each turn."""
    seen = []
    found = agent(kind=kind, output_type=Reading)

    @found.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        seen.append(city)
        return f"{city}: sunny, 21 °C"

    @found.instructions
    def brief() -> str:
        return "Be brief."

    nodes = []

    async def follow():
        async with found.iter(ASK) as run:
            async for node in run:
                nodes.append(node)
                if len(nodes) > 8:
                    break
            return run.result

    import asyncio

    result = asyncio.run(follow())
    assert seen or isinstance(result.output, Reading)
    return f"{len(seen)} calls, {result.output if result else 'no output yet'}"


@call
def tool():
    return use_tool(OpenAIChatModel)


@call
def tool_on_responses():
    return use_tool(OpenAIResponsesModel)


@call
def image():
    content = BinaryContent((IMAGES / "sign.jpg").read_bytes(), media_type="image/jpeg")
    answer = agent(VISION).run_sync([content, SIGN[0]]).output
    assert SIGN[1] in answer, answer
    return short(answer)


@call
def responses():
    result = agent(kind=OpenAIResponsesModel).run_sync(ASK)
    assert result.output
    return short(result.output)


@call
def responses_output():
    found = agent(kind=OpenAIResponsesModel, output_type=NativeOutput(Reading)).run_sync(ASK).output
    assert isinstance(found, Reading)
    return str(found)


@call
def embeddings():
    maker = Embedder(OpenAIEmbeddingModel(EMBED, provider=provider))
    result = maker.embed_query_sync("a cat on a sofa")
    assert len(result.embeddings[0]) == 384
    return "384 dimensions"


main("pydantic-ai-slim", "pydantic-ai")
