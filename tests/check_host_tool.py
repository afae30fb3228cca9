"""Checks that a build that cannot run its own program can still have the demo bundle.

Configures the tree with EDGEGATE_DEMO_BUNDLE, with EDGEGATE_HOST_TOOL and as a cross build without
either. Builds only the target edge-demo-v, which must then need no compiler.

Usage: check_host_tool.py BUILD_FOLDER (of a finished build on this machine)
"""

import filecmp
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUNDLE = "edge-demo-v.edgegate"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def configure(folder, *options):
    return run("cmake", "-G", "Ninja", "-S", ROOT, "-B", folder, "-DEDGEGATE_TESTS=OFF", *options)


def check_option(option, expected):
    """Builds with the option. Returns the problem, or an empty string."""
    with tempfile.TemporaryDirectory() as folder:
        done = configure(folder, option)
        if done.returncode == 0:
            done = run("cmake", "--build", folder, "--target", "edge-demo-v")
        if done.returncode != 0:
            return f"{option}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        if list(pathlib.Path(folder).rglob("*.o")):
            return f"{option}: something was compiled"
        if not filecmp.cmp(pathlib.Path(folder) / BUNDLE, expected, shallow=False):
            return f"{option}: the bundle differs from {expected}"
    return ""


def check_cross_build():
    """A cross build without either option fails, and its message names the options."""
    with tempfile.TemporaryDirectory() as folder:
        done = configure(folder, "-DCMAKE_SYSTEM_NAME=Linux")
        if done.returncode == 0:
            return "a cross build without EDGEGATE_HOST_TOOL was configured"
        if "EDGEGATE_HOST_TOOL" not in done.stderr:
            return f"a cross build does not name the option: {done.stderr[-2000:]}"
    return ""


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    bundle = build / BUNDLE
    problems = [
        check_option(f"-DEDGEGATE_DEMO_BUNDLE={bundle}", bundle),
        check_option(f"-DEDGEGATE_HOST_TOOL={build / 'edgegate'}", bundle),
        check_cross_build(),
    ]
    problems = [problem for problem in problems if problem]
    print("\n".join(problems) or "the demo bundle needs no program of the target")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
