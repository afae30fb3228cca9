"""Compares embeddings of all-MiniLM-L6-v2: edgegate over HTTP, ONNX Runtime and sentence-transformers.

usage: embeddings.py [--edgegate PROGRAM] [--minilm FOLDER] [--onnx-python PYTHON] [--runs N]

The model comes from scripts/fetch-minilm. PYTHON has onnxruntime, onnx, torch and transformers, and
sentence-transformers if that is to be measured. One short text, and a batch of 256 texts of different
lengths. In each of N rounds all programs are measured, one after the other, so that a change of the machine's
speed meets all of them. The figures are the medians of the rounds, and the median of the ratios to edgegate
within a round.
"""

import argparse
import http.client
import json
import pathlib
import statistics
import subprocess
import tempfile

import embedding_texts
import process

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KINDS = ("onnxruntime", "sentence-transformers", "transformers")


class Client:
    """Requests on one connection, as a client with a connection pool sends them."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection(process.LOOPBACK, port)

    def embed(self, texts):
        body = {"model": "minilm", "input": texts, "encoding_format": "base64"}
        self.connection.request("POST", "/v1/embeddings", json.dumps(body))
        answer = self.connection.getresponse()
        parsed = json.load(answer)
        if answer.status != 200:
            raise RuntimeError(parsed)
        return parsed


class Peer:
    """A program of peer_embeddings.py."""

    def __init__(self, options, kind):
        command = [options.onnx_python, HERE / "peer_embeddings.py", kind, options.minilm]
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.ready = any(line == "ready\n" for line in iter(self.process.stdout.readline, ""))

    def measure(self, case):
        print(case, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(options, measures):
    """The seconds of each round: {program: {case: [...]}}."""
    seconds = {name: {case: [] for case in embedding_texts.CASES} for name in measures}
    for _ in range(options.runs):
        for case in embedding_texts.CASES:
            for name, run in measures.items():
                seconds[name][case].append(run(case))
    return seconds


def figure(seconds, name, case, digits):
    ours, theirs = seconds["edgegate"][case], seconds[name][case]
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    return f"{1000 * statistics.median(theirs):.{digits}f} ms (x {ratio:.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edgegate", default=str(ROOT / "build/release/edgegate"))
    parser.add_argument("--minilm", default=str(ROOT / "models/all-MiniLM-L6-v2"))
    parser.add_argument("--onnx-python", default=str(ROOT / "build/peers/ort/bin/python"))
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgegate-bench-") as folder:
        bundle = pathlib.Path(folder) / "minilm.edgegate"
        process.run([options.edgegate, "quantize", options.minilm, bundle])
        command = [options.edgegate, "serve", "--model", f"minilm={bundle}", "--log.level", "warn"]
        with process.Server(command) as server:
            client = Client(server.port)
            measures = {"edgegate": lambda case: embedding_texts.measure(client.embed, case)}
            peers = {kind: Peer(options, kind) for kind in KINDS}
            measures |= {kind: peer.measure for kind, peer in peers.items() if peer.ready}
            seconds = measure(options, measures)
            for peer in peers.values():
                peer.close()
    print("| program | one short text | 256 texts |\n|---|---|---|")
    for name in ("edgegate", *KINDS):
        if name in seconds:
            print(f"| {name} | {figure(seconds, name, 'short', 2)} | {figure(seconds, name, 'batch', 0)} |")
        else:
            print(f"| {name} | not installed | |")


if __name__ == "__main__":
    main()
