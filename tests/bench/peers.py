"""Paths of edgegate, its peers and their models for compare.py, and the commands that they share."""

import pathlib
import tempfile

import process

HERE = pathlib.Path(__file__).resolve().parent


class Places:
    """Paths of the measured programs and models. compare.py checks that they exist."""

    def __init__(self, options):
        self.edgegate = pathlib.Path(options.edgegate)
        self.onednn = self.edgegate.parent / "tests/bench/onednn_int8"
        peers = pathlib.Path(options.peers)
        self.openvino_python = peers / "ov/bin/python"
        self.onnx_python = peers / "ort/bin/python"
        self.llama = peers / "llama/build/bin"
        self.models = peers / "models"
        self.smollm2 = pathlib.Path(options.smollm2)
        self.threads = options.threads
        self._bundles = tempfile.TemporaryDirectory(prefix="edgegate-bench-")

    def openvino(self, script, *arguments):
        """Runs a peer_ script, whose last line is JSON."""
        return process.run([self.openvino_python, HERE / script, *arguments])

    def runtimes(self, weights):
        """Name, command and needs of each peer that runs in Python. The command takes THREADS RUNS
        PROMPT GEN BATCH..., and prints its figures as JSON last."""
        for name, python, script, model in (
            ("OpenVINO GenAI", self.openvino_python, "peer_openvino.py", f"openvino-{weights}"),
            ("ONNX Runtime GenAI", self.onnx_python, "peer_onnxruntime.py", f"onnx-{weights}"),
        ):
            folder = self.models / model
            yield f"{name} {weights.upper()}", [python, HERE / script, folder], [python, folder]

    def bundle(self, weights):
        """SmolLM2 packed as int8 or int4; made at the first use."""
        path = pathlib.Path(self._bundles.name) / f"smollm2-{weights}.edgegate"
        if not path.exists():
            process.run([self.edgegate, "quantize", self.smollm2, path, "--format", weights])
        return path

    def serve(self, model, *settings):
        """edgegate as a server, with defaults for all other settings."""
        command = [self.edgegate, "serve", "--model", f"bench={model}", "--log.level", "warn"]
        return process.Server([*command, "--threads", self.threads, *settings])

    def llama_serve(self, model, clients, context, *more):
        """llama-server with a slot for each client, each of `context` tokens."""
        command = [self.llama / "llama-server", "-m", model, "-t", self.threads]
        return process.Server([*command, "-np", clients, "-c", clients * context, *more])
