"""Requests that schemathesis makes from /openapi.json. No answer is a 5xx, and every answer is documented."""

import os

import hypothesis
import pytest
import schemathesis
from conftest import DEMO, ROOT, Daemon
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

BERT = ROOT / "tests/golden/embeddings/bert"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = int(os.environ.get("EDGEGATE_SCHEMA_EXAMPLES", "12"))
# Requests of these paths are for the embedding model.
EMBEDDINGS = ("/v1/embeddings", "/v1/rerank", "/v2/rerank", "/rerank", "/api/embed", "/api/embeddings")
LENGTHS = {
    "/v1/chat/completions": "max_tokens",
    "/v1/completions": "max_tokens",
    "/v1/responses": "max_output_tokens",
    "/v1/messages": "max_tokens",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    log = str(tmp_path_factory.mktemp("schema") / "log")
    models = [f"--model=demo={DEMO}", f"--model=bert={BERT}"]
    cache = str(tmp_path_factory.mktemp("cache"))
    running = Daemon(*models, "--engine.cache_dir", cache, log=log)
    loaded = schemathesis.openapi.from_url(running.url + "/openapi.json")
    loaded.config.phases.coverage.enabled = False
    yield loaded
    assert running.stop() == 0


schema = schemathesis.pytest.from_fixture("api")


def serve(case):
    """Names a model that is served, and asks for a short answer."""
    body, path = case.body, case.operation.path
    if case.path_parameters and "model" in case.path_parameters:
        case.path_parameters["model"] = "demo"
    if not isinstance(body, dict):
        return
    if "model" not in body or isinstance(body["model"], str):
        body["model"] = "bert" if path in EMBEDDINGS else "demo"
    if path in LENGTHS and isinstance(body.get(LENGTHS[path]), int | None):
        body.pop("max_completion_tokens", None)
        body[LENGTHS[path]] = min(body.get(LENGTHS[path]) or 4, 4)
    if path in ("/api/chat", "/api/generate"):
        options = body.get("options") or {}
        if isinstance(options, dict) and isinstance(options.get("num_predict"), int | None):
            body["options"] = {**options, "num_predict": 4}


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_answers_are_those_of_the_description(case):
    serve(case)
    case.call_and_validate(checks=CHECKS, timeout=60)
