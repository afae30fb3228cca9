"""Reads answers as clients do: pieces of a stream joined, and the calls of functions with their arguments."""

import json


def read_answer(path, kind, text):
    """The answer as an object, and its calls of functions as pairs of a name and parsed arguments."""
    if kind.startswith("text/event-stream"):
        events = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
        return (read_response_events if path.endswith("/responses") else read_chunks)(events)
    if kind.startswith("application/x-ndjson"):
        return read_lines([json.loads(line) for line in text.splitlines() if line])
    if not kind.startswith("application/json"):
        return {"text": text}, []
    answer = json.loads(text)
    return answer, calls_of(answer)


def calls_of(answer):
    """The calls of a whole answer of any protocol."""
    if not isinstance(answer, dict):
        return []
    calls = []
    for choice in answer.get("choices", []):
        for call in choice.get("message", {}).get("tool_calls") or []:
            calls.append((call["function"]["name"], json.loads(call["function"]["arguments"])))
    for item in answer.get("output", []):
        if item.get("type") == "function_call":
            calls.append((item["name"], json.loads(item["arguments"])))
    if isinstance(answer.get("message"), dict):
        for call in answer["message"].get("tool_calls") or []:
            assert isinstance(call["function"]["arguments"], dict), "arguments are not an object"
            calls.append((call["function"]["name"], call["function"]["arguments"]))
    for block in answer.get("content", []):
        if isinstance(block, dict) and block.get("type") == "tool_use":
            calls.append((block["name"], block["input"]))
    return calls


def read_chunks(events):
    """Chunks of a chat: joined texts and calls, and the last `finish_reason`, `usage` and `timings`."""
    answer = {
        "content": "",
        "reasoning": "",
        "role": None,
        "finish_reason": None,
        "usage": None,
        "timings": None,
    }
    calls = {}
    assert events and events[-1] == "[DONE]", "the stream has no [DONE]"
    for event in events[:-1]:
        chunk = json.loads(event)
        assert "error" not in chunk, chunk
        answer["usage"] = chunk.get("usage") or answer["usage"]
        answer["timings"] = chunk.get("timings") or answer["timings"]
        if not chunk["choices"]:
            continue
        choice = chunk["choices"][0]
        assert answer["finish_reason"] is None, "a choice after its finish_reason"
        delta = choice["delta"]
        answer["role"] = answer["role"] or delta.get("role")
        answer["content"] += delta.get("content") or ""
        answer["reasoning"] += delta.get("reasoning_content") or ""
        answer["finish_reason"] = choice["finish_reason"]
        for piece in delta.get("tool_calls") or []:
            call = calls.setdefault(
                piece["index"], {"id": piece.get("id"), "name": "", "arguments": ""}
            )
            call["name"] += piece["function"].get("name") or ""
            call["arguments"] += piece["function"].get("arguments") or ""
    answer["chunks"] = len(events) - 1
    finished = answer["finish_reason"] != "length"
    assert all(call["id"] and call["name"] for call in calls.values()), "a call without id or name"
    return answer, [(c["name"], json.loads(c["arguments"])) for c in calls.values() if finished]


def read_response_events(events):
    """Events of a response: the joined text, the types in order, and the final response."""
    parsed = [json.loads(event) for event in events if event != "[DONE]"]
    assert [event["sequence_number"] for event in parsed] == list(range(len(parsed))), (
        "sequence numbers"
    )
    answer = {
        "text": "".join(e["delta"] for e in parsed if e["type"] == "response.output_text.delta"),
        "types": [event["type"] for event in parsed],
        "last": parsed[-1],
    }
    done = [e["item"] for e in parsed if e["type"] == "response.output_item.done"]
    final = parsed[-1]["response"]
    assert [item["id"] for item in done] == [item["id"] for item in final["output"]], (
        "items of events and response"
    )
    finished = final["status"] == "completed"
    return answer, calls_of(final) if finished else []


def read_lines(lines):
    """Lines of Ollama's API: the joined texts, all calls, and the last line."""
    messages = [line.get("message") or {} for line in lines]
    answer = {
        "content": "".join(message.get("content") or "" for message in messages),
        "response": "".join(line.get("response") or "" for line in lines),
        "last": lines[-1],
        "lines": len(lines),
    }
    return answer, [call for line in lines for call in calls_of(line)]
