"""`edgegate run` for one prompt, and `edgegate list`: the real program, without a terminal."""

import json
import shutil
import signal
import subprocess

import jsonschema
import openai
import pytest
from conftest import BINARY, DEMO, MODEL, ROOT

IMAGES = ROOT / "tools/edge-demo-v/images"
NAME = "edge-demo-v"
QUESTION = "What is edgegate?"
GREEDY = ["--temperature", "0"]
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["n"],
    "additionalProperties": False,
}
TOOL = {"name": "add", "description": "Adds.", "parameters": SCHEMA}


def run(*arguments, stdin=b""):
    done = subprocess.run([BINARY, "run", *arguments], input=stdin, capture_output=True)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def answer_of(*arguments, stdin=b""):
    code, out, err = run(*arguments, stdin=stdin)
    assert code == 0, err
    return out


@pytest.fixture(scope="module")
def said():
    return answer_of(NAME, QUESTION)


def test_the_prompt_is_an_argument_or_a_pipe(said):
    assert "daemon" in said and said.endswith("\n") and not said.endswith("\n\n")
    assert answer_of(NAME, stdin=QUESTION.encode()) == said
    assert answer_of(NAME, stdin=QUESTION.encode() + b"\r\n\n") == said
    assert answer_of(NAME, "-", stdin=QUESTION.encode() + b"\n") == said


def test_the_text_of_the_pipe_follows_the_prompt():
    both = answer_of(NAME, "What is", "--json", stdin=b"edgegate?\n")
    joined = answer_of(NAME, "What is\nedgegate?", "--json")
    both, joined = json.loads(both), json.loads(joined)
    assert both["content"] == joined["content"] != ""
    assert both["usage"]["prompt_tokens"] == joined["usage"]["prompt_tokens"]


def test_a_prompt_without_a_model_asks_the_first_one(said, tmp_path):
    assert answer_of(QUESTION) == said
    assert answer_of(stdin=QUESTION.encode()) == said
    config = tmp_path / "edgegate.toml"
    config.write_text(f'[[model]]\nname = "gauge"\npath = "{DEMO}"\n')
    assert json.loads(answer_of(QUESTION, "--json", "--config", str(config)))["model"] == "gauge"
    named = answer_of("gauge", QUESTION, "--json", "--config", str(config))
    assert json.loads(named)["model"] == "gauge"


@pytest.mark.parametrize("stdin", [b"", b"\n\n"])
def test_an_empty_pipe_is_no_prompt(stdin):
    code, out, err = run(NAME, stdin=stdin)
    assert code == 2 and out == "" and "no prompt" in err


def test_a_prompt_that_is_not_utf8_is_refused():
    code, _, err = run(NAME, stdin=b"\xff\xfe")
    assert code == 2 and "not UTF-8" in err


def test_a_pipe_is_read_up_to_a_limit():
    code, _, err = run(NAME, "--server.max_body_mb", "1", stdin=b"x" * (2 << 20))
    assert code == 2 and "1 MiB (server.max_body_mb)" in err


def test_images_come_from_files_and_from_standard_input():
    sign = IMAGES / "sign.jpg"
    said = 'The sign says "DANGER".\n'
    assert answer_of(NAME, "Read the sign.", "--image", str(sign)) == said
    assert answer_of(NAME, "Read the sign.", "--image", "-", stdin=sign.read_bytes()) == said
    assert answer_of(NAME, "--image", str(sign), stdin=b"Read the sign.") == said


def test_wrong_images_are_errors():
    code, _, err = run(NAME, "--image", "-", stdin=b"x")
    assert code == 2 and "--image -" in err and "as an argument" in err
    code, _, err = run(NAME, "Read", "--image", "-", "--image", "-", stdin=b"x")
    assert code == 2 and "once" in err
    code, _, err = run(NAME, "Read", "--image", "-", stdin=b"no image")
    assert code == 1 and "standard input" in err
    code, _, err = run(NAME, "Read", "--image", "no/such.jpg")
    assert code == 1 and "cannot read no/such.jpg" in err


def test_more_images_than_allowed_are_refused():
    sign = str(IMAGES / "sign.jpg")
    code, _, err = run(NAME, "Read", "--image", sign, "--image", sign, "--engine.max_images", "1")
    assert code == 1 and "engine.max_images" in err


@pytest.mark.parametrize(
    "flag,member,value",
    [
        ("--temperature", "temperature", 2.5),
        ("--top-p", "top_p", 0),
        ("--top-k", "top_k", -2),
        ("--min-p", "min_p", 1.5),
        ("--repetition-penalty", "repetition_penalty", 0),
        ("--presence-penalty", "presence_penalty", -3),
        ("--frequency-penalty", "frequency_penalty", 2.1),
        ("--max-tokens", "max_tokens", 0),
        ("--seed", "seed", 1.5),
        ("--reasoning-effort", "reasoning_effort", "huge"),
        ("--stop", "stop", ""),
        ("--thinking-budget-tokens", "thinking_budget_tokens", -2),
    ],
)
def test_ranges_and_errors_are_those_of_the_api(client, flag, member, value):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model="smol", messages=[{"role": "user", "content": "Hi"}], extra_body={member: value}
        )
    code, out, err = run(NAME, "Hi", flag, str(value))
    assert code == 2 and out == ""
    assert err == f"edgegate: {flag}: {refused.value.body['message']}\n"


def test_a_flag_that_is_no_number_is_refused_before_the_model_loads():
    code, _, err = run("no/such/model", "Hi", "--temperature", "hot")
    assert code == 2 and "--temperature" in err and "a number" in err


def test_a_json_schema_binds_the_answer(tmp_path):
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(SCHEMA))
    for schema in (str(file), json.dumps(SCHEMA)):
        out = answer_of(NAME, "Hello", "--json-schema", schema, "--max-tokens", "40", *GREEDY)
        jsonschema.validate(json.loads(out), SCHEMA)
    code, _, err = run(NAME, "Hello", "--json-schema", '{"type": 1}')
    assert code in (1, 2) and "--json-schema" in err


def test_a_call_of_a_tool_is_printed_as_json(tmp_path):
    file = tmp_path / "tool.json"
    file.write_text(json.dumps({"type": "function", "function": TOOL}))
    for tool in (str(file), json.dumps(TOOL), json.dumps([TOOL])):
        out = answer_of(NAME, "Hello", "--tool", tool, "--tool-choice", "add", *GREEDY)
        call = json.loads(out)
        assert call["name"] == "add"
        jsonschema.validate(call["arguments"], SCHEMA)
    both = answer_of(NAME, "Hello", "--tool", str(file), "--tool-choice", "required", "--json")
    called = json.loads(both)["tool_calls"][0]["function"]
    assert called["name"] == "add" and json.loads(called["arguments"])["n"] >= 0


def test_tools_and_choices_that_do_not_fit_are_refused():
    code, _, err = run(NAME, "Hello", "--tool-choice", "add")
    assert code == 2 and "--tool-choice" in err
    code, _, err = run(NAME, "Hello", "--tool", json.dumps(TOOL), "--tool-choice", "sub")
    assert code == 2 and "--tool-choice" in err and "sub" in err
    code, _, err = run(NAME, "Hello", "--tool", "no/such.json")
    assert code == 2 and "cannot read no/such.json" in err


def test_json_has_the_answer_usage_and_timings(said):
    answer = json.loads(answer_of(NAME, QUESTION, "--json"))
    assert answer["content"] + "\n" == said
    assert answer["model"] == NAME and answer["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] > 0
    assert answer["timings"]["prompt_n"] == answer["usage"]["prompt_tokens"]


def test_an_answer_that_is_cut_says_so():
    code, out, err = run(NAME, QUESTION, "--max-tokens", "2")
    assert code == 0 and out.strip() and "--max-tokens" in err


def test_a_prompt_beyond_the_context_is_an_error():
    code, out, err = run(NAME, "word " * 3000)
    assert code == 1 and out == "" and "maximum context length" in err


def test_a_model_without_a_chat_template_continues_the_text(tmp_path, cache):
    model = shutil.copytree(ROOT / "tests/golden/models/llama3", tmp_path / "plain")
    file = model / "tokenizer_config.json"
    config = json.loads(file.read_text())
    config.pop("chat_template")
    file.write_text(json.dumps(config))
    command = [str(model), "Hello", "--engine.cache_dir", cache, *GREEDY, "--json"]
    answer = json.loads(answer_of(*command))
    assert answer["usage"]["completion_tokens"] == 16 and answer["content"]
    code, _, err = run(*command, "--system", "Be brief.")
    assert code == 2 and "no chat template" in err and "--system" in err


def test_an_interrupt_ends_the_answer_with_130(cache):
    command = [BINARY, "run", MODEL, "Count to one thousand.", "--engine.cache_dir", cache]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130


def list_models(*arguments):
    done = subprocess.run([BINARY, "list", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_list_shows_the_models_of_every_source(tmp_path):
    folder, cached = tmp_path / "models", tmp_path / "cache"
    folder.mkdir()
    cached.mkdir()
    (folder / "smol.gguf").symlink_to(MODEL)
    (cached / "smol-0123.edgegate").write_bytes(b"x" * 10)
    config = tmp_path / "edgegate.toml"
    config.write_text(
        f'[engine]\nmodel_dir = "{folder}"\ncache_dir = "{cached}"\n'
        '[[model]]\nname = "chat"\npath = "no/such.gguf"\ndraft = "tiny.gguf"\n'
    )
    arguments = ["--config", str(config)]
    names = ["chat", NAME, "smol", "smol-0123"]
    assert list_models(*arguments, "--names").split() == names
    rows = json.loads(list_models(*arguments, "--json"))
    assert [row["name"] for row in rows] == names
    assert [row["source"] for row in rows] == ["settings", "built in", "model folder", "cache"]
    assert rows[0]["bytes"] is None and rows[0]["draft"] == "tiny.gguf"
    assert rows[3]["bytes"] == 10 and rows[1]["path"].endswith("edge-demo-v.edgegate")
    table = list_models(*arguments).splitlines()
    assert table[0].split() == ["NAME", "SOURCE", "SIZE", "PATH"] and len(table) == 5
    assert "missing" in table[1] and "built in" in table[2]
