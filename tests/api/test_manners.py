"""HTTP manners that clients expect: IDs, dates, keys in other fields, paths of other servers."""

import email.utils
import json
import re
import urllib.error
import urllib.request

import openai
import pytest
from conftest import DEMO, Daemon


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    log = tmp_path_factory.mktemp("manners") / "log"
    running = Daemon("--model", f"demo={DEMO}", log=str(log), env={"EDGEGATE_SERVER_API_KEYS": "phone secret"})
    yield running
    assert running.stop() == 0


def ask(site, method, path, body=None, **fields):
    """Status, headers and body of the answer."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(site.url + path, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


CHAT = {"model": "demo", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}


@pytest.mark.parametrize("field", ["Authorization", "x_api_key", "api_key"])
def test_a_key_may_come_in_three_fields(site, field):
    value = "Bearer secret" if field == "Authorization" else "secret"
    assert ask(site, "GET", "/v1/models", **{field: value})[0] == 200
    status, _, body = ask(site, "GET", "/v1/models", **{field: value + "x"})
    assert status == 401 and "Incorrect API key" in body


def test_a_missing_key_has_a_text_of_its_own(site):
    for fields in ({}, {"x_api_key": ""}, {"Authorization": "Basic c2VjcmV0"}):
        status, headers, body = ask(site, "GET", "/v1/models", **fields)
        assert status == 401 and "didn't provide an API key" in body
        assert headers["WWW-Authenticate"]


def test_every_answer_has_an_id_a_date_and_its_time(site):
    for method, path, body, status in (
        ("GET", "/v1/models", None, 200),
        ("GET", "/health", None, 200),
        ("GET", "/unknown", None, 404),
        ("POST", "/v1/chat/completions", {}, 400),
        ("POST", "/v1/chat/completions", CHAT, 200),
        ("POST", "/v1/chat/completions", {**CHAT, "stream": True}, 200),
    ):
        code, headers, _ = ask(site, method, path, body, x_api_key="secret")
        assert code == status, path
        assert re.fullmatch("req_[0-9a-f]{32}", headers["x-request-id"]), path
        assert int(headers["openai-processing-ms"]) >= 0
        assert email.utils.parsedate_to_datetime(headers["Date"]).tzinfo is not None
        assert headers["Content-Type"].endswith("; charset=utf-8")
        assert all(len(headers.get_all(name)) == 1 for name in headers)


def test_the_id_of_a_client_is_echoed_and_logged(site):
    headers = ask(site, "POST", "/v1/chat/completions", CHAT, x_api_key="secret", x_request_id="camera-7")[1]
    assert headers["x-request-id"] == "camera-7"
    client = openai.OpenAI(base_url=site.url + "/v1", api_key="secret")
    answer = client.chat.completions.create(**CHAT)
    assert answer._request_id.startswith("req_")
    lines = site.logged("camera-7")
    assert len(lines) == 1
    usage = f"{answer.usage.prompt_tokens} prompt tokens"
    assert re.search(f"POST /v1/chat/completions 200 [0-9.]+ ms, phone, camera-7, demo, {usage}", lines[0])
    assert "Hello" not in lines[0]


def test_azure_clients(site):
    client = openai.AzureOpenAI(azure_endpoint=site.url, api_key="secret", api_version="2024-10-21")
    answer = client.chat.completions.create(**CHAT)
    assert answer.model == "demo"
    body = {name: value for name, value in CHAT.items() if name != "model"}
    path = "/openai/deployments/demo/chat/completions?api-version=2024-10-21"
    status, _, text = ask(site, "POST", path, body, api_key="secret")
    assert status == 200
    assert json.loads(text)["choices"][0]["message"]["content"] == answer.choices[0].message.content
    assert ask(site, "POST", path.replace("demo", "other"), body, api_key="secret")[0] == 404
    assert ask(site, "GET", "/openai/v1/models", api_key="secret")[0] == 200
    assert ask(site, "POST", "/v1/chat/completions", body, api_key="secret")[0] == 400
