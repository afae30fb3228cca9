"""The honest clients of the soak: text, streams, images and JSON by a schema."""

import http.client
import json
import time

from arena import photo_request, schema_request

KINDS = ("stream", "text", "image", "schema")
STORIES = ("a lighthouse", "a train", "the sea", "a clock", "rain", "a garden", "bread", "a map")


def body_of(number):
    """The request of honest client `number`: always the same bytes for the same number."""
    kind = KINDS[number % len(KINDS)]
    if kind == "image":
        return {**photo_request(), "seed": number}
    if kind == "schema":
        return {**schema_request(), "seed": number}
    topic = STORIES[number // len(KINDS) % len(STORIES)]
    messages = [{"role": "user", "content": f"Tell me something about {topic}."}]
    body = {"model": "smol", "messages": messages, "max_tokens": 64, "seed": number}
    # Half of them sample, with a fixed seed.
    body["temperature"] = 0 if number % 8 < 4 else 0.8
    return {**body, "stream": True} if kind == "stream" else body


def _read_stream(answer, times):
    text = ""
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if "error" in event:
            return text + f" [error: {event['error']}]"
        if event.get("choices") and event["choices"][0]["delta"].get("content"):
            text += event["choices"][0]["delta"]["content"]
            times.append(time.monotonic())
    return text


def ask(port, body, source):
    """(status or None, times of the events, text)"""
    connection = http.client.HTTPConnection("127.0.0.1", port, 120, source_address=(source, 0))
    times = []
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        if answer.status != 200:
            return answer.status, times, answer.read().decode(errors="replace")
        if body.get("stream"):
            return 200, times, _read_stream(answer, times)
        return 200, times, json.loads(answer.read())["choices"][0]["message"]["content"]
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None, times, repr(error)
    finally:
        connection.close()


def honest_client(number, port, until, file, references):
    """Sends the same request until `until`, and records where the answer differs."""
    body, source = body_of(number), f"127.0.1.{number + 1}"
    with open(file, "a") as out:
        while time.monotonic() < until:
            started = time.monotonic()
            status, times, text = ask(port, body, source)
            line = {
                "client": number,
                "statuses": [status] if status else [],
                "seconds": time.monotonic() - started,
                "first_s": times[0] - started if times else None,
                "inter_token_s": [b - a for a, b in zip(times, times[1:], strict=False)],
                "wrong": "",
            }
            if status is None or (status == 200 and text != references[number]):
                line["wrong"] = f"{text[:200]!r} and not {references[number][:200]!r}"
            out.write(json.dumps(line) + "\n")
            out.flush()
            # An honest client comes back later when it is refused.
            time.sleep(0.2 if status == 200 else 1.0)
