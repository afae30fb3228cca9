"""The command line: help, exit codes, man page, shell completions, bench, quantize."""

import json
import re
import shutil
import subprocess

import pytest
from conftest import BINARY, MODEL, ROOT

COMMANDS = ["serve", "run", "list", "quantize", "bench"]


def edgegate(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True)


def flags_of(command):
    return set(re.findall(r"--[a-z][a-z0-9._-]*", edgegate(command, "--help").stdout))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_lists_the_options_of_each_command(command):
    done = edgegate(command, "--help")
    assert done.returncode == 0 and "--help" in done.stdout


def settings_of(command):
    return {flag for flag in flags_of(command) if "." in flag}


def test_help_lists_the_settings_that_a_command_reads():
    assert {"--server.port", "--engine.max_num_seqs", "--log.level"} < settings_of("serve")
    assert settings_of("quantize") == set()
    assert settings_of("list") == {"--engine.model_dir", "--engine.cache_dir"}
    assert "--engine.weight_format" in settings_of("bench") < settings_of("serve")
    run = settings_of("run")
    assert "--engine.threads" in run and not run & {"--server.port", "--engine.max_num_seqs"}
    assert run < settings_of("serve")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_grouped_and_has_examples(command):
    shown = edgegate(command, "--help").stdout
    assert f"\n  edgegate {command}" in shown[shown.index("Examples:") :]
    assert all(len(line) <= 130 for line in shown.splitlines())
    for section in {setting[2:].split(".")[0] for setting in settings_of(command)}:
        assert f"Settings: {section}:" in shown


@pytest.mark.parametrize(
    "arguments,told",
    [
        (["srve"], ["unknown command srve", "Did you mean serve?", "quantize, bench"]),
        (["sing"], ["unknown command sing.", "serve, run, list, quantize, bench"]),
        ([], ["serve, run, list, quantize, bench"]),
        (["--vesion"], ["unknown option --vesion", "Did you mean --version?"]),
        (["run", "--temprature", "1"], ["run: unknown option", "Did you mean --temperature?"]),
        (["run", "--temprature=1", "m", "Hi"], ["--temprature.", "--top-p"]),
        (["run", "--server.port", "1"], ["--server.port", "It is an option of serve."]),
        (["serve", "--engine.thread", "1"], ["Did you mean --engine.threads?", "and settings"]),
        (["quantize", "--frmat", "int8"], ["Did you mean --format?"]),
        (["quantize", "model"], ["destination is required"]),
        (["run", "m", "why", "is"], ["unexpected argument is.", "quotes"]),
        (["bench", "--shape", "glm-edge-1.6b"], ["Did you mean glm-edge-1.5b?", "smollm2-135m"]),
    ],
)
def test_wrong_words_get_a_suggestion_and_the_list(arguments, told):
    done = edgegate(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert [text for text in told if text not in done.stderr] == []


@pytest.mark.parametrize(
    "command",
    [
        ["run", "edge-dmo-v", "Hi"],
        ["bench", "--model", "edge-dmo-v"],
        ["serve", "--model", "edge-dmo-v"],
        ["run", "edge-demo-v", "Hi", "--draft", "edge-dmo-v"],
    ],
)
def test_an_unknown_model_gets_a_suggestion_and_the_list(command):
    done = edgegate(*command)
    assert done.returncode == 3
    assert "called edge-dmo-v. Did you mean edge-demo-v? Models: edge-demo-v" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sing"],
        ["serve", "--port"],
        ["serve", "--port", "x"],
        ["serve", "--format", "int3"],
        ["run", "model"],
        ["quantize", "model", "bundle", "--format", "int3"],
        ["bench"],
        ["bench", "--shape", "smollm2-135m", "--gen", "16", "--context", "16"],
        ["bench", "--shape", "smollm2-135m", "--context", "1024,512"],
    ],
)
def test_wrong_usage_exits_with_2(arguments):
    done = edgegate(*arguments)
    assert done.returncode == 2 and done.stderr.strip()


def test_a_missing_model_exits_with_3():
    done = edgegate("run", "no/such/model", "Hello")
    assert done.returncode == 3 and "no/such/model" in done.stderr


GOLDENS = ROOT / "tests/golden/models"
LLAMA, GLM = str(GOLDENS / "llama3"), str(GOLDENS / "glm-edge")


@pytest.mark.parametrize(
    "model,draft,reason",
    [
        (MODEL, LLAMA, "its vocabulary has 338 tokens, the model's 49152"),
        (LLAMA, "edge-demo-v", "the draft takes images"),
        ("edge-demo-v", LLAMA, "the model takes images"),
    ],
)
def test_a_draft_model_that_cannot_draft_for_the_model_exits_with_3(cache, model, draft, reason):
    done = edgegate("run", model, "Hello", "--draft", draft, "--engine.cache_dir", cache)
    assert done.returncode == 3
    assert re.search(f"{draft}.* cannot draft for .*{model}.*: {reason}", done.stderr)


def test_a_draft_with_other_tokens_exits_with_3(cache, tmp_path):
    other = shutil.copytree(LLAMA, tmp_path / "other")
    file = other / "tokenizer.json"
    tokenizer = json.loads(file.read_text())
    vocab = tokenizer["model"]["vocab"]
    vocab["!"], vocab["#"] = vocab["#"], vocab["!"]
    file.write_text(json.dumps(tokenizer))
    done = edgegate("run", LLAMA, "Hello", "--draft", str(other), "--engine.cache_dir", cache)
    token = min(vocab["!"], vocab["#"])
    assert done.returncode == 3
    assert f"{other} cannot draft for {LLAMA}: its token {token} is another one" in done.stderr


def test_run_says_the_same_with_a_draft(cache):
    command = ["run", LLAMA, "Hello", "--max-tokens", "30", "--temperature", "0"]
    command += ["--engine.cache_dir", cache]
    plain, drafted = edgegate(*command), edgegate(*command, "--draft", LLAMA)
    assert plain.returncode == drafted.returncode == 0
    assert plain.stdout == drafted.stdout != ""


@pytest.mark.parametrize(
    "draft,reason",
    [(GLM, "which of 2 models"), ("c=" + GLM, "no model is called c")],
)
def test_a_draft_for_an_unknown_model_exits_with_2(draft, reason):
    done = edgegate("serve", "--model", "a=" + LLAMA, "--model", "b=" + GLM, "--draft", draft)
    assert done.returncode == 2 and reason in done.stderr


def test_the_man_page_knows_the_commands_and_their_own_flags():
    page = (ROOT / "packaging/edgegate.1.in").read_text().replace("\\-", "-")
    for command in COMMANDS:
        assert f".B {command}\n" in page
        own = {flag for flag in flags_of(command) if "." not in flag and flag != "--help"}
        assert [flag for flag in sorted(own) if flag not in page] == []


COMPLETIONS = ROOT / "packaging/completions"


def complete_in_bash(*words):
    return (
        f"source {COMPLETIONS / 'edgegate.bash'}; COMP_WORDS=({' '.join(words)}); "
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _edgegate; printf '%s\\n' \"${COMPREPLY[@]}\""
    )


def complete_in_zsh(*words):
    """Runs the completion function with the shell's variables and a compadd that prints matches."""
    return (
        f"words=({' '.join(words)}); CURRENT=$#words; PREFIX=$words[-1]; _files() {{ }}; "
        "compadd() { shift; local m; for m in $@; do "
        'if [[ $m == ${PREFIX}* ]]; then print -r -- "$m"; fi; done }; '
        f"source {COMPLETIONS / '_edgegate'}"
    )


def complete_in_fish(*words):
    line = " ".join(["edgegate", *words[1:]])
    return (
        f"function edgegate; {words[0]} $argv; end; source {COMPLETIONS / 'edgegate.fish'}; "
        f"complete -C '{line}'"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_the_commands_and_the_flags_of_each(shell):
    script = {"bash": complete_in_bash, "zsh": complete_in_zsh, "fish": complete_in_fish}[shell]

    def complete(*words):
        command = [shell, "-c", script(BINARY, *words)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return {line.split("\t")[0] for line in done.stdout.split("\n") if line}

    assert complete("qu") == {"quantize"}
    assert complete("serve", "--server.po") == {"--server.port"}
    for command in COMMANDS:
        assert complete(command, "--") == flags_of(command)
    assert "edge-demo-v" in complete("run", "edge-d")
    assert "edge-demo-v" in complete("serve", "--model", "edge-d")
    assert "edge-demo-v" not in complete("run", "--image", "edge-d")
    assert complete("bench", "--shape", "glm-edge-v") == {"glm-edge-v-2b", "glm-edge-v-5b"}


@pytest.mark.parametrize("weights", ["int8", "int4"])
def test_bench_reports_every_figure(cache, weights):
    model = str(ROOT / "tests/golden/vision/glm-edge-v")
    command = ["bench", "--model", model, "--engine.cache_dir", cache, "--json"]
    kv = {"int8": "bf16", "int4": "int8"}[weights]
    command += ["--format", weights, "--engine.kv_cache_type", kv]
    command += ["--engine.max_num_batched_tokens", "33", "--context", "16,48"]
    done = edgegate(*command, "--prompt", "64", "--gen", "4", "--batch", "1,2,40")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["prefill_tok_s"] > 0 and report["load_s"] > 0 and report["peak_rss_mb"] > 0
    assert [decode["batch"] for decode in report["decode"]] == [1, 2, 40]
    assert [length["context"] for length in report["context"]] == [16, 48]
    assert all(c["prefill_tok_s"] > 0 and c["decode_tok_s"] > 0 for c in report["context"])
    assert report["machine"]["read_gb_s"] > 0 and report["machine"]["int8_gops"] > 0
    assert report["decode_read"]["gb_s"] > 0 and report["decode_read"]["share"] > 0
    assert report["kernels"] and report["cpu"] and report["format"] == weights
    assert report["kv_cache_type"] == kv
    assert report["image"]["rows"] == 11 and report["image"]["encode_s"] > 0
    assert report["image"]["slices"] > 0 and report["image"]["longest_slice_s"] > 0
    assert list(report["stream_beside"]) == ["image", "prompt"]
    for latency in report["stream_beside"].values():
        assert 0 < latency["baseline_itl_s"]
        assert 0 < latency["itl_median_s"] <= latency["itl_p99_s"] <= latency["itl_max_s"]
        assert latency["first_token_s"] > 0


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_bench_brief_leaves_out_the_machine_and_the_streams(form):
    done = edgegate(
        "bench", "--shape", "smollm2-135m", "--brief", "--prompt", "16", "--gen", "2", *form
    )
    assert done.returncode == 0, done.stderr
    assert "prefill" in done.stdout and "decode" in done.stdout
    assert "machine" not in done.stdout and "beside" not in done.stdout


def test_several_processes_quantize_one_model_at_once(tmp_path):
    """Two containers share one cache folder, and each daemon is process 1 of its own."""
    bundle = tmp_path / "cache" / "model.edgegate"
    bundle.parent.mkdir()
    command = [BINARY, "quantize", str(GOLDENS / "qwen3"), str(bundle)]
    # Each runs in a process namespace of its own, if that is allowed.
    isolate = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
    if subprocess.run([*isolate, "true"], capture_output=True).returncode == 0:
        command = [*isolate, *command]
    for _ in range(2):
        running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
        errors = [process.communicate(timeout=120)[1] for process in running]
        assert [process.returncode for process in running] == [0] * 4, errors
        assert list(bundle.parent.iterdir()) == [bundle]
    assert edgegate("run", str(bundle), "Hello", "--max-tokens", "1").returncode == 0
