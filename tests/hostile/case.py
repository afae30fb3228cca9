"""Hostile cases as data: the bytes to send and the allowed answers."""

import dataclasses

from generate import dump

CHAT = "/v1/chat/completions"
TEXT = "/v1/completions"

# Refused because of the request.
REFUSED = (400,)
# Served or refused. Both are correct within the limits.
EITHER = (200, 400)
# Overload is an allowed answer to every case.
OVERLOAD = (429, 503)


@dataclasses.dataclass(frozen=True)
class Case:
    """A request, or the bytes of a connection, that must not harm the daemon.

    body:    the JSON body (a dict with Lazy values), or bytes, or None.
    raw:     instead of a request, steps on a connection: bytes (or Lazy bytes) to send, a number of
             seconds to wait, "half-close", "close", "read" (wait for an answer).
    names:   the error's message or `param` must contain one of these.
    count:   number of copies at once, each on a connection of its own.
    leave:   close the connection in this state instead of reading the answer: "upload", "sent"
             (after `leave_s` seconds) or "stream" (after the first event).
    answers: of raw cases, how many answers may come; None: any number.
    """

    name: str
    group: str
    path: str = CHAT
    method: str = "POST"
    body: object = None
    headers: tuple = ()
    raw: tuple = ()
    expect: tuple = EITHER
    names: tuple = ()
    valid: str = ""
    count: int = 1
    leave: str = ""
    leave_s: float = 0.3
    extra: bytes = b""
    answers: int | None = 1
    closes: bool = False
    no_body: bool = False  # for answers to HEAD
    silent: bool = False  # no answer is needed: the connection may just end
    wall_s: float = 5.0
    cpu_s: float = 3.0
    memory_mb: float = 300.0
    beside: bool = True  # also run beside the honest stream

    def request(self):
        """The bytes of the request."""
        body = b"" if self.body is None else dump(self.body)
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        names = {name.lower() for name, _ in self.headers}
        if self.body is not None and "content-type" not in names:
            lines.append("Content-Type: application/json")
        if self.body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chat(group, name, change, **more):
    """A chat request with these fields changed. `names` defaults to the first of them."""
    body = {
        "model": "smol",
        "messages": [{"role": "user", "content": "Say something."}],
        "max_tokens": 8,
        **change,
    }
    return Case(name, group, body=body, **{"names": tuple(change)[:1], **more})


def text(group, name, change, **more):
    """The same for /v1/completions."""
    body = {"model": "smol", "prompt": "Once upon", "max_tokens": 8, **change}
    return Case(name, group, TEXT, body=body, **{"names": tuple(change)[:1], **more})


def raw(group, name, *steps, **more):
    return Case(name, group, raw=steps, **more)
