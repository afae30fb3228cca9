"""Raw HTTP over sockets: sends while it reads, and checks that an answer is well formed."""

import dataclasses
import json
import select
import socket
import time

HOSTILE = "127.0.0.66"  # loopback addresses, because limits count each address apart
HONEST = "127.0.0.1"
PROBE = "127.0.0.3"


class Malformed(Exception):
    """The received bytes are not an HTTP answer."""


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    complete: bool

    def json(self):
        return json.loads(self.body)


def connect(port, source=HOSTILE, timeout=5.0):
    return socket.create_connection(("127.0.0.1", port), timeout, (source, 0))


def _head(data):
    """Parses a head to (status, headers, size of the head). None: it is not complete."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *fields = data[:end].decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise Malformed(f"status line {first[:100]!r}")
    headers = {}
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon or name != name.strip():
            raise Malformed(f"header {field[:100]!r}")
        headers[name.lower()] = value.strip()
    return int(words[1]), headers, end + 4


def _chunked(data):
    """Parses a chunked body to (body, bytes used, complete)."""
    body, at = b"", 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return body, at, False
        size = int(data[at:end].split(b";")[0], 16)
        if size == 0:
            done = data.find(b"\r\n", end + 2) >= 0
            return body, end + 4, done
        if len(data) < end + 2 + size + 2:
            return body + data[end + 2 : end + 2 + size], at, False
        if data[end + 2 + size : end + 4 + size] != b"\r\n":
            raise Malformed("no CRLF behind a chunk")
        body += data[end + 2 : end + 2 + size]
        at = end + 4 + size


def take_answers(data, ended):
    """Returns all final answers in `data`, and the remaining bytes. `ended`: no more bytes will come."""
    answers = []
    while data:
        head = _head(data)
        if head is None:
            break
        status, headers, size = head
        if status == 100:
            data = data[size:]
            continue
        rest = data[size:]
        if headers.get("transfer-encoding") == "chunked":
            body, used, complete = _chunked(rest)
        elif "content-length" in headers:
            used = int(headers["content-length"])
            body, complete = rest[:used], len(rest) >= used
        elif status in (204, 304):
            body, used, complete = b"", 0, True
        else:
            body, used, complete = rest, len(rest), ended
        if not complete and not ended:
            break
        answers.append(Answer(status, headers, body, complete))
        data = rest[used:]
        if not complete:
            break
    return answers, data


class Talk:
    """One connection to which bytes are sent while answers are read."""

    def __init__(self, port, source=HOSTILE):
        self.socket = connect(port, source)
        self.socket.setblocking(False)
        self.received = b""
        self.ended = False  # the daemon closed, or reset, the connection
        self.reset = False
        self._seen = (-1, False, [], b"")

    def _read(self):
        try:
            part = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            part, self.reset = b"", True
        self.received += part
        self.ended = self.ended or not part

    def answers(self):
        size, ended, answers, rest = self._seen
        if (size, ended) != (len(self.received), self.ended):
            answers, rest = take_answers(self.received, self.ended)
            self._seen = (len(self.received), self.ended, answers, rest)
        return answers

    def left_over(self):
        self.answers()
        return self._seen[3]

    def send(self, data, deadline, flood=False):
        """Sends until all bytes are sent, an answer came, the connection ended, or `deadline`. `flood`:
        answers do not stop it."""
        view = memoryview(data)
        while view and not self.ended and time.monotonic() < deadline:
            wait = min(0.5, max(0.0, deadline - time.monotonic()))
            readable, writable, _ = select.select([self.socket], [self.socket], [], wait)
            if readable:
                self._read()
                if not flood and self.answers():
                    return False
            if writable and not self.ended:
                try:
                    view = view[self.socket.send(view[: 1 << 18]) :]
                except BlockingIOError:
                    continue
                except OSError:
                    self._read()
                    self.reset = True
                    return False
        return not view

    def read_until(self, enough, deadline):
        """Reads until `enough(self)`, the end of the connection, or `deadline`."""
        while not self.ended and not enough(self):
            wait = deadline - time.monotonic()
            if wait <= 0:
                return False
            if select.select([self.socket], [], [], wait)[0]:
                self._read()
        return enough(self)

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.ended = True

    def close(self):
        self.socket.close()
