"""Checks the documents: relative links and anchors exist, and docs/api.md has every route.

tests/config/settings_test.cc checks docs/settings.md and the sample settings file.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A path that a source of the server registers or routes.
ROUTE = re.compile(r'"(/(?:v1/|(?:api|health|metrics|openapi|version)\b)[^"\s]*)"')


def tracked(*patterns):
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.splitlines() if (ROOT / name).exists()]


def anchors(path):
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(path):
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            yield f"{path.relative_to(ROOT)}: {link} does not exist"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{path.relative_to(ROOT)}: {link} has no such heading"


def check_routes():
    api = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    documented = {re.sub(r"\{.*?\}", "", route) for route in re.findall(r"`[A-Z]+ (/\S+)`", api)}
    for path in tracked("server/*.cc", "server/*.h"):
        for route in map(lambda r: r.rstrip("."), ROUTE.findall(path.read_text(encoding="utf-8"))):
            # "/v1/models/" is a prefix of "/v1/models/{id}"; "/v1/models/id" stands for it.
            names = {route, re.sub(r"\{.*?\}", "", route), re.sub(r"(?<=/)id$", "", route)}
            if not names & documented:
                yield f"{path.relative_to(ROOT)}: docs/api.md does not have {route}"


def main():
    problems = [problem for path in tracked("*.md") for problem in check_links(path)]
    problems += check_routes()
    print("\n".join(problems) or "links and routes are documented")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
