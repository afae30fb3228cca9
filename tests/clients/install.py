"""Installs a client into build/clients/NAME, with the versions that its requirements.txt or package.json names."""

import hashlib
import pathlib
import platform
import shutil
import subprocess
import sys

UV = "uv==0.13.9"
NODE = "24.9.0"  # from npm; the newest packages need Node 22, which Debian bookworm does not have
NODE_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}


class Failure(Exception):
    pass


def run(what, command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise Failure(f"{what}: {(done.stderr or done.stdout).strip()[-400:]}")


def once(folder, key, make):
    """Calls `make` unless `folder` was made with the same `key`."""
    stamp = folder / ".stamp"
    digest = hashlib.sha256(key.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"installing {folder.name}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make()
    stamp.write_text(digest)


def install(client, build):
    """Installs the client whose folder is `client`, and returns the command that runs its calls."""
    if (client / "calls.py").exists():
        return install_python(client, build)
    return install_node(client, build)


def uv(build):
    folder = build / "tools-uv"

    def make():
        run("venv", [sys.executable, "-m", "venv", folder])
        run("uv", [folder / "bin/pip", "install", "-q", "--disable-pip-version-check", UV])

    once(folder, UV, make)
    return folder / "bin/uv"


def install_python(client, build):
    tool = uv(build)
    folder = build / client.name
    requirements = client / "requirements.txt"
    python = folder / "venv/bin/python"

    def make():
        run("venv", [tool, "venv", "-q", "--python", sys.executable, folder / "venv"])
        run("packages", [tool, "pip", "install", "-q", "--python", python, "-r", requirements])

    once(folder, requirements.read_text(), make)
    return [str(python), str(client / "calls.py")]


def node(build):
    folder = build / "tools-node"
    machine = NODE_ARCHITECTURES.get(platform.machine())
    if machine is None:
        raise Failure(f"no Node package for {platform.machine()}")
    package = f"node-linux-{machine}"

    def make():
        (folder / "package.json").write_text("{}")
        run("node", ["npm", "install", "--no-audit", "--no-fund", f"{package}@{NODE}"], cwd=folder)

    once(folder, package + NODE, make)
    return folder / "node_modules" / package / "bin/node"


def install_node(client, build):
    if shutil.which("npm") is None:
        raise Failure("npm is missing (Debian's package npm)")
    program = node(build)
    # Node finds packages beside the script, so that the script is copied to them.
    folder = build / client.name
    pinned = client / "package.json"

    def make():
        shutil.copy(pinned, folder)
        run("packages", ["npm", "install", "--no-audit", "--no-fund"], cwd=folder)

    once(folder, pinned.read_text(), make)
    shutil.copy(client / "calls.mjs", folder)
    shutil.copy(pathlib.Path(__file__).parent / "harness.mjs", build)
    return [str(program), str(folder / "calls.mjs")]
