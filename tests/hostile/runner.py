"""Runs one case and lists the problems of the daemon's answer, time and memory."""

import dataclasses
import json
import re
import threading
import time

import checks
import process_tree
from case import OVERLOAD
from daemon import FACTOR
from exchange import HOSTILE, Malformed, Talk
from generate import build

# An error message must not contain source paths, backtraces or texts of libraries.
INTERNAL = re.compile(
    r"[\w/.-]+\.(rs|cc|cpp|hpp|h|py|c)\b[:(]?\d*|/src/|/usr/|backtrace|panick|unwrap\(|std::|::new|"
    r"llguidance|minijinja|derivre|toktrie|regex_syntax|nlohmann|json\.exception|parse_error\.\d|"
    r"httplib|sentencepiece|libjpeg|libspng|serde|bad_alloc|what\(\)|0x[0-9a-f]{8}|"
    r"line \d+ column \d+ at|note: run with|Caused by:|RUST_",
    re.IGNORECASE,
)
# Errors that name a limit of all bodies need not name the field.
LIMITS = ("nest", "members", "The body has", "valid JSON", "valid UTF-8", "memory_limit", "max_body_mb")
IDLE_S = 2.0  # longest time until the daemon is idle after the answer, or after the client has left


@dataclasses.dataclass
class Result:
    name: str
    group: str
    statuses: list = dataclasses.field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_mb: float = 0.0
    health_s: float = 0.0
    start: float = 0.0
    end: float = 0.0
    problems: list = dataclasses.field(default_factory=list)
    message: str = ""


class Watch(threading.Thread):
    """Samples the anonymous memory and the CPU time of the daemon's processes."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.stopping = pid, threading.Event()
        self.before_quick = process_tree.rss_anon_mb(pid)
        self.before = process_tree.pss_anon_mb(pid)
        self.rise = 0.0
        self.cpu = process_tree.CpuWatch(pid)

    def run(self):
        while not self.stopping.wait(0.03):
            self.sample()

    def sample(self):
        self.cpu.sample()
        quick = process_tree.rss_anon_mb(self.pid) - self.before_quick
        # The quick sum counts shared pages more than once: only a large rise is looked at again.
        if quick > max(50.0, self.rise):
            quick = process_tree.pss_anon_mb(self.pid) - self.before
        self.rise = max(self.rise, quick)

    def stop(self):
        self.stopping.set()
        self.join()
        self.cpu.sample()


def _talk_raw(case, talk, deadline, problems):
    """Runs the steps of a raw case on one connection. Returns the answers."""
    want = max(1, case.answers or 1)
    for step in build(case.raw):
        if talk.ended:
            break
        if isinstance(step, bytes):
            talk.send(step, deadline, flood=case.answers is None)
        elif isinstance(step, int | float):
            talk.read_until(lambda t: False, min(deadline, time.monotonic() + step))
        elif step == "half-close":
            talk.half_close()
        elif step == "read":
            talk.read_until(lambda t: t.answers(), deadline)
        elif step == "close":
            talk.close()
            return []
    patience = time.monotonic() + 0.3 if case.silent else deadline
    talk.read_until(lambda t: len(t.answers()) >= want, min(patience, deadline))
    if case.closes and not case.silent:
        talk.read_until(lambda t: t.ended, min(deadline, time.monotonic() + 2))
        if not talk.ended:
            problems.append("the connection stays open")
    elif case.answers is not None:  # detects an extra answer
        talk.read_until(lambda t: len(t.answers()) > want, min(deadline, time.monotonic() + 0.2))
    answers = talk.answers()
    if case.answers is not None and len(answers) > want:
        problems.append(f"{len(answers)} answers: {[a.status for a in answers]}")
    talk.close()
    return answers


def _talk_request(case, data, talk, deadline, problems):
    """Sends a request. Returns a list with its answer."""
    if case.leave == "upload":
        talk.send(data[: len(data) // 2], deadline)
        talk.close()
        return []
    talk.send(data + case.extra, deadline)
    if case.leave == "sent":
        talk.read_until(lambda t: False, min(deadline, time.monotonic() + case.leave_s))
        talk.close()
        return []
    if case.leave == "stream":
        if not talk.read_until(lambda t: b"data: " in t.received, deadline):
            problems.append(f"no event of the stream came: {talk.received[:200]}")
        talk.close()
        return []
    talk.read_until(lambda t: t.answers(), deadline)
    answers = talk.answers()
    if not answers and talk.reset:
        problems.append("the connection was reset without an answer")
    talk.close()
    return answers


def _one(case, data, where, deadline, answers, problems):
    try:
        talk = Talk(*where)
        if case.raw:
            answers += _talk_raw(case, talk, deadline, problems)
        else:
            answers += _talk_request(case, data, talk, deadline, problems)
    except Malformed as error:
        problems.append(f"malformed answer: {error}")
    except OSError as error:
        if not case.silent:
            problems.append(f"connection: {error!r}")


def send_all(case, port, deadline, source=HOSTILE, data=None):
    """Runs all copies of a case, from the address `source`. (answers, problems)

    data: the bytes of the request, where they were made before.
    """
    where = (port, source)
    if data is None:
        data = b"" if case.raw else case.request()
    answers, problems = [], []
    if case.count == 1:
        _one(case, data, where, deadline, answers, problems)
        return answers, problems
    threads = [
        threading.Thread(target=_one, args=(case, data, where, deadline, answers, problems))
        for _ in range(case.count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers, problems


def check_answer(case, answer, problems):
    """Adds the problems of an answer whose status or body the case does not allow."""
    if not answer.complete and not case.no_body:
        problems.append(f"the answer {answer.status} is cut off")
        return ""
    if answer.status not in case.expect and answer.status not in OVERLOAD:
        problems.append(f"status {answer.status} and not {case.expect}: {answer.body[:300]!r}")
    if answer.status == 204 or case.no_body:
        return ""
    if b"text/event-stream" in answer.headers.get("content-type", "").encode():
        return ""
    try:
        body = answer.json()
    except ValueError:
        problems.append(f"the body is not JSON: {answer.body[:200]!r}")
        return ""
    if answer.status < 400:
        if case.valid and (wrong := checks.check(case.valid, body)):
            problems.append(f"invalid output: {wrong}")
        return ""
    return check_error(case, answer, body, problems)


def error_of(case, body):
    """The message and the field of an error in the shape of the path's protocol. None: it is in no such shape."""
    error = body.get("error") if isinstance(body, dict) else None
    if case.path.startswith("/api/"):  # Ollama's
        return (error, None) if isinstance(error, str) and error else None
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return None
    if case.path.startswith("/v1/messages"):  # Anthropic's
        good = body.get("type") == "error" and error.get("type")
    else:
        good = {"type", "param", "code"} <= set(error)
    return (error["message"], error.get("param")) if good and error["message"] else None


def check_error(case, answer, body, problems):
    """Adds the problems of an error: a wrong format, a missing name, or internal text."""
    error = error_of(case, body)
    if error is None:
        problems.append(f"the error is not in the protocol's shape: {json.dumps(body)[:300]}")
        return ""
    message, param = error
    found = INTERNAL.search(message[:4000])  # the search takes quadratic time
    if found and found.group(0) not in repr(case.body):  # the client's own text may be quoted
        problems.append(f"internal text {found.group(0)!r} in {message[:300]!r}")
    if len(message) > 2000:
        problems.append(f"a message of {len(message)} characters")
    said = f"{message} {param}"
    if answer.status in OVERLOAD:
        if "retry-after" not in answer.headers:
            problems.append(f"{answer.status} without Retry-After")
    elif case.names and not any(name in said for name in (*case.names, *LIMITS)):
        problems.append(f"names none of {case.names}: {message[:300]!r}, {param}")
    return message


def _wait_idle(pid):
    """Waits until the daemon does nothing. False when it is still busy after IDLE_S."""
    until = time.monotonic() + IDLE_S * FACTOR
    before = process_tree.cpu_seconds(pid)
    while time.monotonic() < until:
        time.sleep(0.1)
        now = process_tree.cpu_seconds(pid)
        if now - before <= 0.021:
            return True
        before = now
    return False


def run(daemon, case, health, alone=True, data=None):
    """Runs one case. `alone`: nothing else runs, so that CPU time and memory are the case's."""
    result = Result(case.name, case.group)
    if not daemon.alive():
        result.problems.append("the daemon is not running")
        return result
    watch = Watch(daemon.pid) if alone else None
    if watch:
        watch.start()
    cpu = process_tree.cpu_seconds(daemon.pid)
    result.start = time.monotonic()
    deadline = result.start + case.wall_s * FACTOR + 2
    answers, problems = send_all(case, daemon.port, deadline, data=data)
    result.end = time.monotonic()
    result.wall_s = result.end - result.start
    result.problems += problems
    result.statuses = [answer.status for answer in answers]
    for answer in answers:
        result.message = check_answer(case, answer, result.problems) or result.message
    expected = case.count if not (case.leave or case.silent) else 0
    if len(answers) < expected:
        result.problems.append(f"{expected - len(answers)} of {expected} without an answer")
    if result.wall_s > case.wall_s * FACTOR:
        result.problems.append(f"took {result.wall_s:.1f} s")
    if alone:
        _judge_alone(daemon, case, watch, cpu, result)
    result.problems = sorted(set(result.problems))
    if not daemon.alive():
        result.problems.append(f"the daemon died: {daemon.process.returncode}")
    _judge_health(health, result)
    return result


def _judge_alone(daemon, case, watch, cpu, result):
    idle = _wait_idle(daemon.pid)
    watch.stop()
    result.memory_mb = watch.rise
    # Reaped children are in the first figure only when they lived too shortly to be sampled.
    result.cpu_s = max(watch.cpu.seconds(), process_tree.cpu_seconds(daemon.pid) - cpu)
    if not idle:
        result.problems.append(f"busy {IDLE_S} s after the answer")
    if result.cpu_s > case.cpu_s * FACTOR:
        result.problems.append(f"took {result.cpu_s:.1f} s of CPU")
    if result.memory_mb > case.memory_mb * FACTOR:
        result.problems.append(f"RssAnon rose by {result.memory_mb:.0f} MB")


def _judge_health(health, result):
    """Judges the health probes that ran at the same time."""
    if not health:
        return
    probes = [
        p for p in health.records() if p["end"] > result.start and p["start"] < result.end + 0.2
    ]
    result.health_s = max((p["end"] - p["start"] for p in probes), default=0.0)
    if result.health_s > 1.0 * FACTOR:
        result.problems.append(f"/health took {result.health_s:.1f} s")
    if any(p.get("error") for p in probes):
        result.problems.append(f"/health: {[p['error'] for p in probes if p.get('error')][0]}")
