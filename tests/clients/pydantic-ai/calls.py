"""pydantic-ai: text, stream, outputs by tool, by schema and by prompt, tools, an image, the Responses API."""

from harness import BASE, CHAT, EMBED, IMAGES, SIGN, VISION, call, main, short
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, Embedder, NativeOutput, ToolOutput
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.usage import UsageLimits

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


class CallFirst(AbstractCapability):
    """The first step must call the tool, because the small model may not choose to. Later steps are free."""

    def get_model_settings(self):
        return lambda context: {"tool_choice": "required"} if context.run_step <= 1 else {}


def use_tool(kind):
    seen = []
    found = agent(kind=kind, capabilities=[CallFirst()], instructions="Be brief.")

    @found.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        seen.append(city)
        return f"{city}: sunny, 21 °C"

    result = found.run_sync(ASK, usage_limits=UsageLimits(request_limit=4))
    assert seen and result.output
    return f"get_weather({seen[0]!r}), then {short(result.output)!r}"


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
