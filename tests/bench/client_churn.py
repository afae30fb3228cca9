"""Many streaming clients, some of which leave early. Every finished answer must equal its answer
alone, and the daemon must release all KV blocks. usage: client_churn.py URL MODEL PID [CLIENTS] [SECONDS]"""

import concurrent.futures
import json
import random
import sys
import time
import urllib.request

import openai


def main():
    url, model, pid = sys.argv[1:4]
    clients = int(sys.argv[4]) if len(sys.argv) > 4 else 64
    seconds = int(sys.argv[5]) if len(sys.argv) > 5 else 60
    client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0, timeout=120)

    def stream(question, leave=None):
        words = " ".join(["please"] * (question % 13))
        chunks = client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": f"{words} Tell me about number {question}."}],
            stream=True,
            seed=question,
            temperature=0.7,
            max_tokens=12 + question % 20,
        )
        text = ""
        for i, chunk in enumerate(chunks):
            text += chunk.choices[0].delta.content or ""
            if i == leave:
                chunks.close()
                return None
        return text

    def state():
        with urllib.request.urlopen(url + "/health") as answer:
            health = json.load(answer)["models"][0]
        with open(f"/proc/{pid}/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        return health, int(lines["VmRSS"].split()[0]) // 1024

    for _ in range(300):
        try:
            state()
            break
        except (OSError, KeyError):
            time.sleep(0.5)
    alone = {q: stream(q) for q in range(40)}
    time.sleep(1)
    before, memory = state()
    counts = {"finished": 0, "left": 0, "wrong": 0, "errors": 0}
    end = time.time() + seconds

    def run(index):
        chance = random.Random(index)
        while time.time() < end:
            question = chance.randrange(40)
            leave = chance.randrange(1, 10) if chance.random() < 0.3 else None
            try:
                text = stream(question, leave)
            except openai.OpenAIError as error:
                print(error)
                counts["errors"] += 1
                continue
            if text is None:
                counts["left"] += 1
            else:
                counts["finished"] += 1
                counts["wrong"] += text != alone[question]

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(run, range(clients)))
    time.sleep(1)
    after, memory_after = state()
    print(counts, "blocks free", before["kv_blocks_free"], "->", after["kv_blocks_free"])
    print("resident MB", memory, "->", memory_after, "preemptions", after["preemptions"])
    leaked = after["kv_blocks_free"] != before["kv_blocks_free"] or after["running"]
    return 1 if counts["wrong"] or counts["errors"] or leaked else 0


if __name__ == "__main__":
    sys.exit(main())
