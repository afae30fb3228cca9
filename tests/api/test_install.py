"""`cmake --install` to a temporary folder: the list of files, and that the program runs from there."""

import os
import pathlib
import re
import subprocess

from conftest import BINARY, ROOT

BUILD = pathlib.Path(BINARY).resolve().parent
FILES = [
    "bin/edgegate",
    "lib/systemd/system/edgegate.service",
    "libexec/edgegate/edgegate-video",
    "share/bash-completion/completions/edgegate",
    "share/doc/edgegate/CHANGELOG.md",
    "share/doc/edgegate/LICENSE",
    "share/doc/edgegate/README.md",
    "share/doc/edgegate/examples/edgegate.toml",
    "share/edgegate/edge-demo-v.edgegate",
    "share/fish/vendor_completions.d/edgegate.fish",
    "share/man/man1/edgegate.1",
    "share/zsh/site-functions/_edgegate",
]


def test_install_puts_each_file_where_a_packager_expects_it(tmp_path):
    command = ["cmake", "--install", str(BUILD), "--prefix", "/opt/eg"]
    environment = {**os.environ, "DESTDIR": str(tmp_path)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    prefix = tmp_path / "opt/eg"
    found = [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(found) == ["opt/eg/" + name for name in FILES]
    unit = (prefix / FILES[1]).read_text()
    assert re.findall(r"^ExecStart=(\S+)", unit, re.MULTILINE) == ["/opt/eg/bin/edgegate"]
    program = [str(prefix / "bin/edgegate"), "run", "edge-demo-v", "What is edgegate?"]
    answer = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 0 and "daemon" in answer.stdout, answer.stderr


def test_zsh_finds_the_completion_below_usr_and_usr_local(tmp_path):
    shown = subprocess.run(["zsh", "-fc", "print -l $fpath"], capture_output=True, check=True)
    folders = shown.stdout.decode().splitlines()
    for prefix in ("/usr", "/usr/local"):
        root = tmp_path / prefix.replace("/", "_")
        command = ["cmake", "--install", str(BUILD), "--prefix", prefix]
        environment = {**os.environ, "DESTDIR": str(root)}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        (found,) = root.rglob("_edgegate")
        assert "/" + str(found.parent.relative_to(root)) in folders


def test_every_version_is_that_of_cmakelists():
    version = re.search(r"project\(edgegate VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    shown = subprocess.run([BINARY, "--version"], capture_output=True, text=True).stdout
    assert shown.strip() == version
    assert f"edgegate {version}" in (BUILD / "packaging/edgegate.1").read_text()
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == version
