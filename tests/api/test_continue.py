"""Answers that continue the last message: the same tokens over each protocol, and errors."""

import anthropic
import ollama
import openai
import pytest
from conftest import DEMO, MODEL, Daemon
from test_tokens import good

BEGUN = "Three fruits are apple, pear and"
TURNS = [{"role": "user", "content": "Name three fruits."}, {"role": "assistant", "content": BEGUN}]
TOKENS = 12


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    log = tmp_path_factory.mktemp("continue") / "log"
    models = ["--model", f"smol={MODEL}", "--model", f"demo={DEMO}"]
    running = Daemon(*models, "--engine.cache_dir", cache, log=str(log))
    yield running
    assert running.stop() == 0


def prompt_of(site, messages, **more):
    """The text of the prompt's tokens."""
    tokens = good(site, "/tokenize", {"model": "smol", "messages": messages, **more})["tokens"]
    return good(site, "/detokenize", {"model": "smol", "tokens": tokens})["prompt"]


def test_the_prompt_ends_with_the_last_message(site):
    whole = prompt_of(site, TURNS, add_generation_prompt=False)
    for begun in (BEGUN, BEGUN + " ", " \n" + BEGUN, ""):
        turns = [TURNS[0], {"role": "assistant", "content": begun}]
        assert prompt_of(site, turns, continue_final_message=True).endswith("<|im_start|>assistant\n" + begun)
    open_prompt = prompt_of(site, TURNS, continue_final_message=True)
    assert whole.startswith(open_prompt) and whole != open_prompt


def test_a_text_like_the_mark_changes_nothing(site):
    turns = [{"role": "user", "content": "edgegate_open_end"}, {"role": "assistant", "content": "edgegate_open_end x"}]
    assert prompt_of(site, turns, continue_final_message=True).endswith("assistant\nedgegate_open_end x")


def test_the_same_tokens_over_each_protocol(site):
    client = site.client()
    by_chat = client.chat.completions.create(
        model="smol", messages=TURNS, temperature=0, max_tokens=TOKENS,
        extra_body={"continue_final_message": True, "add_generation_prompt": False},
    )
    expected = by_chat.choices[0].message.content
    prompt = prompt_of(site, TURNS, continue_final_message=True)
    by_text = client.completions.create(
        model="smol", prompt=prompt, temperature=0, max_tokens=TOKENS, extra_body={"add_special_tokens": True}
    )
    assert by_text.usage.prompt_tokens == by_chat.usage.prompt_tokens
    message = anthropic.Anthropic(base_url=site.url, api_key="none", max_retries=0).messages.create(
        model="smol", messages=TURNS, max_tokens=TOKENS, extra_body={"temperature": 0}
    )
    assert message.content[0].text == expected
    assert message.usage.input_tokens + message.usage.cache_read_input_tokens == by_chat.usage.prompt_tokens
    said = ollama.Client(host=site.url).chat(
        model="smol", messages=TURNS, options={"temperature": 0, "num_predict": TOKENS}
    )
    assert said.message.content == expected
    assert said.prompt_eval_count == by_chat.usage.prompt_tokens


def test_a_template_without_tools_continues_too(site):
    answer = site.client().chat.completions.create(
        model="demo", max_tokens=4, messages=TURNS, extra_body={"continue_final_message": True}
    )
    assert answer.usage.completion_tokens > 0


@pytest.mark.parametrize(
    ("messages", "more"),
    [
        (TURNS[:1], {}),
        (TURNS, {"add_generation_prompt": True}),
        (
            [TURNS[0], {"role": "assistant", "content": "", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}],
            {},
        ),
    ],
)
def test_errors_name_the_member(site, messages, more):
    with pytest.raises(openai.BadRequestError) as error:
        site.client().chat.completions.create(
            model="smol", messages=messages, extra_body={"continue_final_message": True, **more}
        )
    assert error.value.param == "continue_final_message"
