"""Tool calls in every form, and thoughts: a model of random weights with templates of its own."""

import json
import shutil

import jsonschema
import openai
import pytest
from conftest import ROOT, Daemon
from test_tools import named, streamed

FORMATS = ["hermes", "glm4", "llama3", "lfm2", "mistral", "mistral_v11", "mistral_v13", "json"]
FORMATS += ["glm45", "qwen3_coder", "functiongemma", "gemma3", "gemma4"]
SCHEMA = {
    "type": "object",
    "properties": {
        "mode": {"enum": ["on", "off", 3, None]},
        "note": {"type": "string", "maxLength": 8},
        "rows": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        "deep": {
            "type": "object",
            "properties": {"text": {"type": "string", "maxLength": 12}},
            "required": ["text"],
        },
    },
    "required": ["mode", "deep"],
}
TOOLS = [
    {"type": "function", "function": {"name": "set_mode", "parameters": SCHEMA}},
    {"type": "function", "function": {"name": "stop"}},
]
# Shows tools, calls and results as Qwen's template does, and thoughts.
TEMPLATE = (
    "{% if tools %}<|system|>\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}"
    '<tool_call>\n{"name": NAME, "arguments": ARGUMENTS}\n</tool_call>{% endif %}'
    "{% for m in messages %}<|{{ m.role }}|>\n{% if m.reasoning_content %}<think>"
    "{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}"
    "{% for call in m.tool_calls or [] %}<tool_call>\n"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}'
    "\n</tool_call>{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n"
    "{% if open %}<think>\n{% endif %}{% if enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% if reasoning_effort %}effort {{ reasoning_effort }}{% endif %}{% endif %}"
)
ASK = [{"role": "user", "content": "hi"}]
COMMON = {"max_tokens": 400, "messages": ASK, "tools": TOOLS}


def make_model(folder, template=TEMPLATE):
    shutil.copytree(ROOT / "tests/golden/models/qwen3", folder)
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({"eos_token": "<|endoftext|>", "chat_template": template}))
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    like = tokenizer["added_tokens"][-1]
    marks = [("<think>", False), ("</think>", False), ("<|tool_call_start|>", True)]
    for i, (content, special) in enumerate(marks):
        more = {"id": 335 + i, "content": content, "special": special}
        tokenizer["added_tokens"].append({**like, **more})
    path.write_text(json.dumps(tokenizer))
    return folder


@pytest.fixture(scope="module")
def client(tmp_path_factory, cache):
    base = tmp_path_factory.mktemp("formats")
    path = make_model(base / "model")
    config = base / "edgegate.toml"
    tables = [
        f'[[model]]\nname = "{name}"\npath = "{path}"\ntool_format = "{name}"\n' for name in FORMATS
    ]
    tables.append(f'[[model]]\nname = "own"\npath = "{path}"\n')
    unknown = make_model(base / "unknown", TEMPLATE.replace("<tool_call>", "<call>"))
    tables.append(f'[[model]]\nname = "unknown"\npath = "{unknown}"\n')
    config.write_text("\n".join(tables))
    limits = ["--engine.max_model_len", "4096", "--engine.cache_dir", cache]
    running = Daemon("--config", str(config), *limits, log=str(base / "log"))
    yield running.client()
    assert running.stop() == 0


@pytest.mark.parametrize("model", FORMATS)
def test_calls_of_every_form_are_valid(client, model):
    names = set()
    for seed in range(6):
        choice = "required" if seed % 2 else named("set_mode")
        request = {"model": model, "tool_choice": choice, "seed": seed, **COMMON}
        request["extra_body"] = {"thinking_budget_tokens": 3}
        choice = client.chat.completions.create(**request).choices[0]
        assert choice.finish_reason in ("tool_calls", "length") and choice.message.content is None
        calls = choice.message.tool_calls
        for call in calls[: None if choice.finish_reason == "tool_calls" else -1]:
            arguments = json.loads(call.function.arguments)
            jsonschema.validate(arguments, SCHEMA if call.function.name == "set_mode" else {})
            names.add(call.function.name)
        message, finish = streamed(client, **request)
        whole = [[c.function.name, c.function.arguments] for c in calls]
        assert (list(message["calls"].values()), finish) == (whole, choice.finish_reason)
    assert names == {"set_mode", "stop"}


def test_the_form_comes_from_the_template(client):
    counts = {}
    for model in ("own", "hermes", "glm4"):
        answer = client.chat.completions.create(
            model=model,
            tool_choice=named("stop"),
            extra_body={"thinking_budget_tokens": 0},
            **{**COMMON, "temperature": 0},
        )
        [call] = answer.choices[0].message.tool_calls
        assert (call.function.name, call.function.arguments) == ("stop", "{}")
        counts[model] = answer.usage.completion_tokens
    # Hermes writes more than GLM-4.
    assert counts["own"] == counts["hermes"] > counts["glm4"]


def test_an_unknown_form_is_a_400(client):
    with pytest.raises(openai.BadRequestError, match="tool_format") as error:
        client.chat.completions.create(model="unknown", **COMMON)
    assert error.value.param == "tools"
    client.chat.completions.create(model="unknown", messages=ASK, max_tokens=2)


def test_thoughts_are_no_content(client):
    request = {"model": "own", "messages": ASK, "max_tokens": 60, "seed": 3}
    # The end of thoughts comes by the budget alone: a random model may write it again.
    request["logit_bias"] = {"336": -100}
    request["extra_body"] = {
        "thinking_budget_tokens": 9,
        "chat_template_kwargs": {"open": True},
        "return_token_ids": True,
    }
    choice = client.chat.completions.create(**request).choices[0]
    assert choice.token_ids.index(336) <= 9
    assert choice.message.reasoning_content
    assert "</think>" not in choice.message.content + choice.message.reasoning_content
    pieces = {"content": "", "reasoning_content": ""}
    for chunk in client.chat.completions.create(stream=True, **request):
        for name in pieces:
            pieces[name] += getattr(chunk.choices[0].delta, name, None) or ""
    assert pieces["content"] == choice.message.content
    assert pieces["reasoning_content"] == choice.message.reasoning_content


def test_no_budget_for_thoughts_ends_them_at_once(client):
    for name in ("thinking_budget_tokens", "reasoning_budget_tokens"):
        more = {name: 0, "chat_template_kwargs": {"open": True}, "return_token_ids": True}
        answer = client.chat.completions.create(
            model="own", messages=ASK, max_tokens=5, extra_body=more
        )
        assert answer.choices[0].token_ids[0] == 336


def test_the_template_sees_efforts_and_thoughts(client):
    def tokens(messages=ASK, **more):
        answer = client.chat.completions.create(
            model="own", messages=messages, max_tokens=1, extra_body=more
        )
        return answer.usage.prompt_tokens

    assert tokens(reasoning_effort="high") > tokens()
    assert tokens(reasoning_effort="none") > tokens(reasoning_effort="high")
    assert tokens(reasoning_effort="none", chat_template_kwargs={"enable_thinking": True}) < tokens(
        reasoning_effort="none"
    )
    thought = {"role": "assistant", "content": "x", "reasoning_content": "because"}
    plain = {"role": "assistant", "content": "x"}
    assert tokens([*ASK, thought, *ASK]) > tokens([*ASK, plain, *ASK])
