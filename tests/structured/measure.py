"""Measures the schema compiler on the JSON-Schema-Test-Suite and on real schemas.

    measure.py TOOL suite FOLDER [--draft draft2020-12] [--walks 20]
    measure.py TOOL files SCHEMA.json ... [--walks 20]
    measure.py TOOL random [--count 1000] [--seed 1] [--walks 20]
    measure.py TOOL styles [--count 1000] [--seed 1] [--walks 20]

TOOL is the example `structured` of textkit (cargo build --release --example structured). FOLDER is the
folder of the suite that holds `draft2020-12`. For each group of tests: refused, or kept, or wrong. It
is wrong if the grammar accepts an instance that the suite calls invalid, or if a random output of the
grammar is invalid by the `jsonschema` package. `random` makes schemas and instances of its own, and
fails if anything is wrong. `styles` does the same for the arguments of calls that are no JSON.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import random_schemas
import styles

VALIDATORS = {
    "draft4": jsonschema.Draft4Validator,
    "draft6": jsonschema.Draft6Validator,
    "draft7": jsonschema.Draft7Validator,
    "draft2019-09": jsonschema.Draft201909Validator,
    "draft2020-12": jsonschema.Draft202012Validator,
}
OLD = "http://json-schema.org/draft-07/schema#"
# The suite's own statement that these instances are valid or invalid is under another vocabulary,
# or depends on documents that are served beside the suite.
OUTSIDE = {"refRemote", "vocabulary"}


def ask(tool, requests, timeout=600):
    """Returns the answers of the tool, in order. Starts the tool again if it ends early."""
    answers = []
    while len(answers) < len(requests):
        left = requests[len(answers) :]
        text = "".join(json.dumps(r) + "\n" for r in left)
        done = subprocess.run(
            [tool], input=text, capture_output=True, text=True, timeout=timeout, check=False
        )
        got = [json.loads(line) for line in done.stdout.split("\n") if line]
        answers += got
        if len(got) < len(left):
            answers.append({"refused": f"crash {done.returncode}", "crash": True, "micros": 0})
    return answers


def invalid(validator, schema, texts):
    """The outputs that are not valid JSON of the schema."""
    check = validator(schema, format_checker=validator.FORMAT_CHECKER)
    bad = []
    for text in texts:
        try:
            if not check.is_valid(json.loads(text)):
                bad.append(text)
        except json.JSONDecodeError:
            bad.append(text)
        except re.error:  # Python's expressions are not those of the schema: \p and others.
            continue
    return bad


def groups(folder, draft):
    for path in sorted((folder / draft).glob("*.json")):
        if path.stem in OUTSIDE:
            continue
        for group in json.loads(path.read_text()):
            if any(test["valid"] for test in group["tests"]):
                yield path.stem, group


def with_dialect(schema, draft):
    if draft in ("draft4", "draft6", "draft7") and isinstance(schema, dict):
        return {"$schema": OLD.replace("07", f"0{draft[5]}"), **schema}
    return schema


def request(args, schema, instances):
    """One schema as a request to the tool."""
    texts = [json.dumps(instance, ensure_ascii=False) for instance in instances]
    return {"schema": json.dumps(schema), "instances": texts, "walks": args.walks, "seed": 1}


class Tally:
    """Counts the tool's answers, and the reasons of refusals."""

    def __init__(self):
        self.count, self.reasons = collections.Counter(), collections.Counter()

    def refused(self, answer):
        """True when the schema was refused; counts it."""
        if "refused" not in answer:
            return False
        self.count["refused"] += 1
        self.count["crashed"] += "crash" in answer
        self.reasons[answer["refused"].split(" (at")[0][:90]] += 1
        return True

    def walked(self, answer):
        self.count["stuck"] += answer["stuck"]
        self.count["outputs"] += len(answer["walks"])

    def instance(self, valid, accepted):
        """Counts an instance. Returns True if the grammar accepts an invalid one."""
        self.count["valid"] += valid
        self.count["valid but not written"] += valid and not accepted
        return accepted and not valid

    def report(self, most=None):
        print(dict(self.count))
        for reason, times in self.reasons.most_common(most):
            print(f"  {times:4} {reason}")


def suite(args):
    listed = list(groups(pathlib.Path(args.paths[0]), args.draft))
    requests = []
    for _, group in listed:
        schema = with_dialect(group["schema"], args.draft)
        requests.append(request(args, schema, [test["data"] for test in group["tests"]]))
    tally = Tally()
    for (name, group), answer in zip(listed, ask(args.tool, requests), strict=True):
        tally.count["groups"] += 1
        if tally.refused(answer):
            if args.verbose:
                print(f"refused {name}: {group['description']}: {answer['refused']}")
            continue
        wrong = []
        for test, accepted in zip(group["tests"], answer["accepted"], strict=True):
            if tally.instance(test["valid"], accepted):
                wrong.append(test["data"])
        bad = invalid(VALIDATORS[args.draft], group["schema"], answer["walks"])
        tally.walked(answer)
        if wrong or bad:
            tally.count["wrong"] += 1
            print(f"WRONG {name}: {group['description']}: {wrong} {bad[:3]}")
    tally.report()


def files(args):
    texts = [pathlib.Path(path).read_text(encoding="utf-8-sig") for path in args.paths]
    requests = [{"schema": t, "instances": [], "walks": args.walks, "seed": 1} for t in texts]
    tally = Tally()
    for path, text, answer in zip(args.paths, texts, ask(args.tool, requests), strict=True):
        tally.count["schemas"] += 1
        tally.count["slowest ms"] = max(tally.count["slowest ms"], answer["micros"] // 1000)
        if tally.refused(answer):
            if args.verbose:
                print(f"refused {path}: {answer['refused']}")
            continue
        schema = json.loads(text)
        validator = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
        tally.walked(answer)
        try:
            bad = invalid(validator, schema, answer["walks"])
        except Exception as error:  # noqa: BLE001 - the validator's own, at a malformed schema
            print(f"not checked {path}: {error!r:.150}")
            continue
        if bad:
            tally.count["wrong"] += 1
            print(f"WRONG {path}: {bad[0][:300]}")
    tally.report()


def at_random(args):
    tally = Tally()
    cases = list(random_schemas.cases(args.seed, args.count))
    requests = []
    for schema, instances in cases:
        requests.append(request(args, schema, instances))
    for (schema, instances), answer in zip(cases, ask(args.tool, requests), strict=True):
        tally.count["schemas"] += 1
        if tally.refused(answer):
            continue
        check = jsonschema.Draft202012Validator(schema)
        wrong = []
        try:
            for instance, accepted in zip(instances, answer["accepted"], strict=True):
                if tally.instance(check.is_valid(instance), accepted):
                    wrong.append(instance)
            bad = invalid(jsonschema.Draft202012Validator, schema, answer["walks"])
        except RecursionError:  # A ring of references that the grammar does not need.
            continue
        tally.walked(answer)
        if wrong or bad:
            tally.count["wrong"] += 1
            print(f"WRONG {json.dumps(schema)}: {wrong} {bad[:3]}")
    tally.report(20)
    return 1 if tally.count["wrong"] or tally.count["crashed"] or tally.count["stuck"] else 0


def in_styles(args):
    failed = 0
    for style in styles.STYLES:
        tally = Tally()
        schemas = [
            {**schema, "type": "object"} for schema, _ in random_schemas.cases(args.seed, args.count)
        ]
        requests = [
            {"kind": "structure", **request(args, {}, []), "schema": styles.structure(style, schema)}
            for schema in schemas
        ]
        for schema, answer in zip(schemas, ask(args.tool, requests), strict=True):
            tally.count["schemas"] += 1
            if tally.refused(answer):
                continue
            tally.walked(answer)
            check = jsonschema.Draft202012Validator(schema)
            for text in answer["walks"]:
                try:
                    good = check.is_valid(styles.read(style, schema, text))
                except RecursionError:  # A ring of references that the grammar does not need.
                    continue
                except (ValueError, AttributeError):
                    good = False
                if not good:
                    tally.count["wrong"] += 1
                    print(f"WRONG {style}: {json.dumps(schema)}: {text!r}")
        print(style)
        tally.report(8)
        failed += tally.count["wrong"] + tally.count["crashed"] + tally.count["stuck"]
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("what", choices=["suite", "files", "random", "styles"])
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--draft", default="draft2020-12")
    parser.add_argument("--walks", type=int, default=20)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    modes = {"suite": suite, "files": files, "random": at_random, "styles": in_styles}
    sys.exit(modes[args.what](args))


main()
