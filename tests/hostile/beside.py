"""The honest client beside the hostile ones, in its own process: python beside.py MODE PORT FILE.

MODE "stream": one greedy stream after another. MODE "health": one probe each 100 ms.
Each finished stream or probe is a line of JSON in FILE. Ends with its parent's pipe.
"""

import http.client
import json
import pathlib
import subprocess
import sys
import threading
import time

from exchange import HONEST, PROBE

PROMPT = [{"role": "user", "content": "Tell me a long story about a lighthouse."}]
TOKENS = 192


def one_stream(port, number):
    """Runs one greedy stream. Returns its text and the time of each event."""
    body = {
        "model": "smol",
        "messages": PROMPT,
        "temperature": 0,
        "max_tokens": TOKENS,
        "ignore_eos": True,
        "stream": True,
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, 30, source_address=(HONEST, 0))
    result = {"kind": "stream", "start": time.monotonic(), "text": "", "times": []}
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        result["status"] = answer.status
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            if event.get("choices") and event["choices"][0]["delta"].get("content"):
                result["text"] += event["choices"][0]["delta"]["content"]
                result["times"].append(time.monotonic())
    except (OSError, http.client.HTTPException, ValueError) as error:
        result["error"] = repr(error)
        time.sleep(0.2)
    finally:
        connection.close()
    return result


def one_probe(port, number):
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, 5, source_address=(PROBE, 0))
    result = {"kind": "health", "start": start}
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        result["status"] = answer.status
    except (OSError, http.client.HTTPException) as error:
        result["error"] = repr(error)
    finally:
        connection.close()
    result["end"] = time.monotonic()
    time.sleep(max(0.0, start + 0.1 - time.monotonic()))
    return result


def main():
    mode, port, file = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    stopping = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stopping.set()), daemon=True).start()
    number = 0
    with open(file, "a") as out:
        while not stopping.is_set():
            result = one_stream(port, number) if mode == "stream" else one_probe(port, number)
            out.write(json.dumps(result) + "\n")
            out.flush()
            number += 1


class Beside:
    """Handle of the process for the harness."""

    def __init__(self, mode, port, file):
        self.file = pathlib.Path(file)
        self.file.touch()
        self.read, self.known = 0, []
        self.process = subprocess.Popen(
            [sys.executable, __file__, mode, str(port), str(file)], stdin=subprocess.PIPE
        )

    def records(self):
        """All finished streams or probes so far."""
        with open(self.file, "rb") as file:
            file.seek(self.read)
            complete = file.read().rpartition(b"\n")[0]
        if complete:
            self.read += len(complete) + 1
            self.known += [json.loads(line) for line in complete.splitlines()]
        return self.known

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        return self.records()


def inter_token_latencies(streams):
    """(when it ended, seconds) of each inter-token latency."""
    return [
        (after, after - before)
        for stream in streams
        for before, after in zip(stream["times"], stream["times"][1:], strict=False)
    ]


def p99(values):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


if __name__ == "__main__":
    main()
