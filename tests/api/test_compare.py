"""tests/bench/compare.py runs and reports figures. Their values are not checked."""

import json
import subprocess
import sys
from xml.etree import ElementTree

from conftest import BINARY, MODEL, ROOT


def compare(*arguments):
    command = [sys.executable, str(ROOT / "tests/bench/compare.py"), "--quick"]
    command += ["--edgegate", BINARY, "--smollm2", MODEL]
    return subprocess.run([*command, *arguments], capture_output=True, text=True)


def test_compare_measures_edgegate_alone_and_names_absent_peers(tmp_path):
    size = ["--threads", "1", "--shape", "smollm2-135m", "--tokens", "2", "--gen", "2"]
    parts = "server,copying,start,scaling"
    done = compare("--only", parts, *size, "--peers", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "llama-server Q4_1 is absent" in done.stdout
    report = json.loads((tmp_path / "out/compare.json").read_text())
    assert list(report["parts"]) == parts.split(",")
    for part in report["parts"].values():
        for figures in part["medians"].values():
            assert all(v >= 0 for v in figures.values() if isinstance(v, int | float))
    server = report["parts"]["server"]["medians"]["edgegate INT8"]
    assert {"tok_s@1", "ttft_p95@8", "itl_p99@8"} <= set(server)
    assert report["parts"]["copying"]["advantages"]["without"].keys() >= {"copy", "story"}
    assert "the same texts" in report["parts"]["copying"]["remarks"][0]
    scaling = report["parts"]["scaling"]["medians"]["edgegate INT8"]
    assert scaling["decode@1024"] > 0 and scaling["prefill@128"] > 0 and scaling["batch@8"] > 0
    charts = sorted(chart.name for chart in (tmp_path / "out").glob("*.svg"))
    assert "scaling-1.svg" in charts and "start.svg" in charts and "server-1.svg" in charts
    for chart in charts:
        assert ElementTree.parse(tmp_path / "out" / chart).getroot().tag.endswith("svg")


def make_peer(path, answer):
    """Writes a program that always prints the same JSON."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    path.chmod(0o755)


def test_busy_measures_edgegate_and_the_peers_that_are_there(tmp_path):
    llama = [{"n_gen": 0, "avg_ts": 100.0}, {"n_gen": 2, "avg_ts": 5.0}]
    make_peer(tmp_path / "llama/build/bin/llama-bench", llama)
    steps = {"decode_1": 9, "mean_1": 7, "mean_8": 30, "p99_1": 200.0}
    make_peer(tmp_path / "ort/bin/python", {"prefill": 50, **steps})
    for model in ("q8_0.gguf", "q4_0.gguf", "onnx-int8"):
        (tmp_path / "models" / model).mkdir(parents=True)
    size = ["--shape", "smollm2-135m", "--busy-prompt", "16", "--busy-gen", "2"]
    place = ["--peers", str(tmp_path), "--out", str(tmp_path / "out")]
    done = compare("--only", "busy", "--conditions", "alone,n,quota,two", *size, *place)
    assert done.returncode == 0, done.stdout + done.stderr
    for absent in ("OpenVINO GenAI INT8", "ONNX Runtime GenAI INT4"):
        assert f"{absent} is absent" in done.stdout
    part = json.loads((tmp_path / "out/compare.json").read_text())["parts"]["busy"]
    conditions = ("alone", "n", "two")  # a quota needs rights
    for name in ("edgegate INT8", "edgegate INT4"):
        figures = part["medians"][name]
        assert {f"decode_8@{condition}" for condition in conditions} <= set(figures)
        assert all(value > 0 for value in figures.values())
    peers = part["medians"]
    assert peers["llama.cpp Q8_0"]["decode_1@n"] == peers["llama.cpp Q4_0"]["decode_1@n"] == 5
    assert peers["ONNX Runtime GenAI INT8"]["decode_8@n"] == 30
    assert peers["ONNX Runtime GenAI INT8"]["prefill@two"] == 100
    assert "p99@two" not in peers["ONNX Runtime GenAI INT8"]
    assert any("of the fair share" in remark for remark in part["remarks"])


def test_compare_refuses_unknown_parts_and_conditions(tmp_path):
    assert compare("--only", "nothing").returncode == 2
    assert compare("--conditions", "alone,nothing").returncode == 2
    missing = compare("--only", "start", "--edgegate", str(tmp_path / "no"))
    assert missing.returncode == 1 and "--help" in missing.stderr
