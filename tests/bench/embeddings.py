"""Compares embeddings of all-MiniLM-L6-v2: edgegate over HTTP, ONNX Runtime and sentence-transformers.

usage: embeddings.py [--edgegate PROGRAM] [--minilm FOLDER] [--onnx-python PYTHON] [--runs N]

The model comes from scripts/fetch-minilm. PYTHON has onnxruntime, onnx, torch and transformers, and
sentence-transformers if that is to be measured. One short text, and a batch of 256 texts of different
lengths. Each time is the median of N runs; the programs run one after the other.
"""

import argparse
import http.client
import json
import pathlib
import subprocess
import tempfile

import embedding_texts
import process

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


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


def measure_edgegate(options):
    with tempfile.TemporaryDirectory(prefix="edgegate-bench-") as folder:
        bundle = pathlib.Path(folder) / "minilm.edgegate"
        process.run([options.edgegate, "quantize", options.minilm, bundle])
        command = [options.edgegate, "serve", "--model", f"minilm={bundle}", "--log.level", "warn"]
        with process.Server(command) as server:
            client = Client(server.port)
            short = embedding_texts.measure(client.embed, [embedding_texts.SHORT], options.runs * 10)
            return {"short": short, "batch": embedding_texts.measure(client.embed, embedding_texts.batch(), options.runs)}


def measure_peer(options, kind):
    command = [options.onnx_python, HERE / "peer_embeddings.py", kind, options.minilm, options.runs]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edgegate", default=str(ROOT / "build/release/edgegate"))
    parser.add_argument("--minilm", default=str(ROOT / "models/all-MiniLM-L6-v2"))
    parser.add_argument("--onnx-python", default=str(ROOT / "build/peers/ort/bin/python"))
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    rows = {"edgegate": measure_edgegate(options)}
    for kind in ("onnxruntime", "sentence-transformers", "transformers"):
        rows[kind] = measure_peer(options, kind)
    print("| program | one short text | 256 texts |\n|---|---|---|")
    for name, row in rows.items():
        if row:
            print(f"| {name} | {1000 * row['short']:.2f} ms | {1000 * row['batch']:.0f} ms |")
        else:
            print(f"| {name} | not installed | |")


if __name__ == "__main__":
    main()
