"""The command that measures edgegate beside its peers: that it measures, never what."""

import json
import subprocess
import sys
from xml.etree import ElementTree

from conftest import BINARY, MODEL, ROOT


def compare(*arguments):
    command = [sys.executable, str(ROOT / "tests/bench/compare.py"), "--quick"]
    command += ["--edgegate", BINARY, "--smollm2", MODEL]
    return subprocess.run([*command, *arguments], capture_output=True, text=True)


def test_it_measures_edgegate_alone_and_names_absent_peers(tmp_path):
    size = ["--threads", "1", "--shape", "smollm2-135m", "--tokens", "2", "--gen", "2"]
    parts = "server,copying,start,growth"
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
    growth = report["parts"]["growth"]["medians"]["edgegate INT8"]
    assert growth["decode@1024"] > 0 and growth["prefill@128"] > 0 and growth["batch@8"] > 0
    charts = sorted(chart.name for chart in (tmp_path / "out").glob("*.svg"))
    assert "growth-1.svg" in charts and "start.svg" in charts and "server-1.svg" in charts
    for chart in charts:
        assert ElementTree.parse(tmp_path / "out" / chart).getroot().tag.endswith("svg")


def test_wrong_usage(tmp_path):
    assert compare("--only", "nothing").returncode == 2
    missing = compare("--only", "start", "--edgegate", str(tmp_path / "no"))
    assert missing.returncode == 1 and "--help" in missing.stderr
