"""The table of routes: routing, 405 with Allow, the API's description and the access log agree."""

import json
import urllib.error
import urllib.request

import pytest
from conftest import DEMO, Daemon

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    log = tmp_path_factory.mktemp("routes") / "log"
    running = Daemon("--model", f"demo={DEMO}", log=str(log))
    yield running
    assert running.stop() == 0


def ask(site, method, path, body=None):
    """Status, headers and body of the answer."""
    request = urllib.request.Request(site.url + path, data=body, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def description(site):
    return json.loads(ask(site, "GET", "/openapi.json")[2])


def test_openapi_json_describes_every_route(site):
    told = description(site)
    assert told["openapi"].startswith("3.1")
    expected = {"/health", "/v1/models", "/v1/models/{model}", "/openapi.json"}
    expected |= {"/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"}
    expected |= {"/", "/page/chat.js", "/tokenize", "/detokenize", "/props", "/version", "/models"}
    assert expected | {"/api/chat", "/api/generate", "/api/tags"} <= told["paths"].keys()
    for path, operations in told["paths"].items():
        for operation in operations.values():
            assert operation["summary"].endswith(".")
            places = [one["in"] for one in operation.get("parameters", [])]
            assert ("path" in places) == ("{" in path)


def test_methods_follow_the_description(site):
    for path, operations in description(site)["paths"].items():
        allowed = {method.upper() for method in operations} | {"OPTIONS"}
        allowed |= {"HEAD"} if "GET" in allowed else set()
        real = path.replace("{model}", "demo").replace("{response}", "resp_x")
        for method in METHODS:
            status, headers, body = ask(site, method, real, b"{}" if method == "POST" else None)
            if method not in allowed:
                assert status == 405, (method, real)
                assert set(headers["Allow"].split(", ")) == allowed
                if method != "HEAD":
                    error = json.loads(body)["error"]
                    ollama = path.startswith("/api/")
                    assert (
                        isinstance(error, str)
                        if ollama
                        else error["type"] == "invalid_request_error"
                    )
            elif method == "OPTIONS":
                assert status == 204
                assert set(headers["Allow"].split(", ")) == allowed
            elif method == "POST":
                assert status == 400  # {} lacks everything
            elif path == "/api/delete":
                assert status == 400
            elif "{response}" in path:
                assert status == 404
            else:
                assert status == 200, (method, real)


def test_unknown_paths_are_404s(site):
    for path in ("/page", "/page/", "/page/none.js", "/v1", "/v1/models//", "/V1/models", "/v1/unknown"):
        status, _, body = ask(site, "GET", path)
        assert status == 404, path
        assert json.loads(body)["error"]["message"]


def test_access_log_has_route_status_time_and_client(site):
    for method, path, expected in (
        ("GET", "/v1/models", "GET /v1/models 200"),
        ("GET", "/v1/models/demo", "GET /v1/models/{model} 200"),
        ("DELETE", "/v1/models", "DELETE /v1/models 405"),
        ("GET", "/no%0Athing", "GET /no?thing 404"),
    ):
        name = ask(site, method, path)[1]["x-request-id"]
        (line,) = site.logged(name)
        assert f"] {expected} " in line and f" ms, 127.0.0.1, {name}" in line


def test_a_slash_at_the_end_of_a_path_is_ignored(site):
    for path in ("/v1/models/", "/v1/models/demo/", "/health/"):
        assert ask(site, "GET", path)[0] == 200, path
    assert ask(site, "POST", "/v1/chat/completions/", b"{}")[0] == 400
