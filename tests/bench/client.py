"""A client that streams chat answers from any OpenAI-compatible server on this machine.

It records the arrival time of each part of an answer, on one thread and with little work, so that the
servers keep the processors.
"""

import asyncio
import json
import pathlib
import random
import time

import process

TEXT = (pathlib.Path(__file__).resolve().parent / "quality.txt").read_text()
STREAM_LIMIT_S = 600


def words(count, seed):
    """A prompt of `count` words. It differs for each seed."""
    return " ".join(random.Random(seed).choices(TEXT.split(), k=count))


def chat(content, max_tokens, **more):
    """The body of a request for one greedy streamed answer."""
    return {
        "model": "bench",
        "messages": [{"role": "user", "content": content}],
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    } | more


class Stream(asyncio.Protocol):
    """One streamed answer. Servers write each event as one chunk of the body, so that splitting lines is
    enough."""

    def __init__(self, port, body):
        self.port = port
        self.body = json.dumps(body).encode()
        self.marks = []  # arrival times of the parts of the text
        self.text = ""
        self.usage = {}
        self.error = None
        self.ended = asyncio.Event()
        self._rest = b""

    async def open(self):
        self.started = time.perf_counter()
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, process.LOOPBACK, self.port)

    async def finish(self):
        """Waits for the end; an answer that failed is a RuntimeError."""
        await asyncio.wait_for(self.ended.wait(), STREAM_LIMIT_S)
        if self.error or not self.marks:
            raise RuntimeError(f"no answer: {self.error or 'an empty stream'}")
        return self

    async def reach(self, marks):
        """Waits for `marks` parts, or for the end."""
        deadline = time.perf_counter() + STREAM_LIMIT_S
        while len(self.marks) < marks and not self.ended.is_set():
            if time.perf_counter() > deadline:
                raise RuntimeError("the stream stands still")
            await asyncio.sleep(0.002)

    def close(self):
        self.transport.close()

    def first_s(self):
        return self.marks[0] - self.started

    def inter_token_s(self):
        return [later - earlier for earlier, later in zip(self.marks, self.marks[1:], strict=False)]

    def tokens(self):
        return self.usage["completion_tokens"]

    # asyncio.Protocol

    def connection_made(self, transport):
        self.transport = transport
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        transport.write(head.encode() + self.body)

    def data_received(self, data):
        now = time.perf_counter()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {"):
                self._take(json.loads(line[6:]), now)
            elif line.startswith(b"HTTP/") and b" 200 " not in line:
                self.error = line.decode().strip()

    def connection_lost(self, error):
        self.ended.set()

    def _take(self, event, now):
        if "error" in event:
            self.error = str(event["error"])
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices", []):
            if text := choice["delta"].get("content"):
                self.marks.append(now)
                self.text += text


async def ask(port, body):
    stream = Stream(port, body)
    await stream.open()
    return await stream.finish()
