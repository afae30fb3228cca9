"""openai-agents in its default mode (the Responses API), and on chat completions."""

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    set_default_openai_client,
    set_tracing_disabled,
)
from harness import BASE, BRIEF, CHAT, SIGN, VISION, call, data_url, main, short
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)
client = AsyncOpenAI(base_url=BASE, api_key="none", max_retries=0)
set_default_openai_client(client)
ASK = "What is the weather in Paris?"
COLOUR = "Name a colour."
seen = []


class Reading(BaseModel):
    word: str
    sure: bool


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    seen.append(city)
    return f"{city}: sunny, 21 °C"


def agent(model=CHAT, **more):
    settings = ModelSettings(**{"temperature": 0, "max_tokens": 300, **more.pop("settings", {})})
    return Agent(
        **{
            "name": "Helper",
            "instructions": "Be brief.",
            "model": model,
            "model_settings": settings,
            **more,
        }
    )


@call
async def text():
    result = await Runner.run(agent(), COLOUR)
    assert result.final_output and result.context_wrapper.usage.output_tokens > 0
    return short(result.final_output)


@call
async def text_stream():
    result = Runner.run_streamed(agent(), COLOUR)
    pieces = ""
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            pieces += event.data.delta
    assert pieces == result.final_output
    return short(pieces)


async def use_tool(**more):
    """The first turn must call; the runner then resets the choice to auto."""
    seen.clear()
    result = await Runner.run(
        agent(tools=[get_weather], settings={"tool_choice": "required"}, **more), ASK
    )
    assert seen and result.final_output
    kinds = [item.type for item in result.new_items]
    assert kinds.count("tool_call_item") == kinds.count("tool_call_output_item") == len(seen), kinds
    assert kinds[-1] == "message_output_item", kinds
    return f"get_weather({seen[0]!r}), then {short(result.final_output)!r}"


@call
async def tool():
    return await use_tool()


@call
async def output_type():
    result = await Runner.run(agent(output_type=Reading, settings={"max_tokens": 200}), ASK)
    assert isinstance(result.final_output, Reading)
    return str(result.final_output)


@call
async def handoff():
    other = agent(name="Other", handoff_description="Answers all questions.")
    result = await Runner.run(agent(handoffs=[other], settings={"tool_choice": "required"}), ASK)
    assert result.last_agent.name == "Other" and result.final_output
    return f"to {result.last_agent.name}"


@call
async def previous_response():
    first = await Runner.run(agent(BRIEF), "My name is Ada.")
    second = await Runner.run(
        agent(BRIEF), "What is my name?", previous_response_id=first.last_response_id
    )
    assert second.final_output
    return short(second.final_output)


@call
async def image():
    parts = [
        {"type": "input_image", "image_url": data_url(), "detail": "auto"},
        {"type": "input_text", "text": SIGN[0]},
    ]
    plain = agent(VISION, instructions=None)
    answer = (await Runner.run(plain, [{"role": "user", "content": parts}])).final_output
    assert SIGN[1] in answer, answer
    return short(answer)


@call
async def tool_that_returns_an_image():
    from agents import ToolOutputImage

    @function_tool
    def snapshot() -> ToolOutputImage:
        """A picture of the door."""
        return ToolOutputImage(image_url=data_url())

    settings = {"tool_choice": "required"}
    result = await Runner.run(
        agent(BRIEF, instructions=None, tools=[snapshot], settings=settings), SIGN[0]
    )
    assert result.final_output
    return short(result.final_output)


@call
async def tool_on_chat_completions():
    return await use_tool(model=OpenAIChatCompletionsModel(CHAT, client))


main("openai-agents")
