"""The chat page in headless Chromium: what a user does, by mouse, keyboard and phone."""

import base64
import json
import os
import pathlib
import re
import urllib.error
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import DEMO, ROOT, Daemon, Site

IMAGES = ROOT / "tools/edge-demo-v/images"
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
STATUS = "Failed to load resource: the server responded with a status of "
STORY = "Write a very long story about a lighthouse."
SHOTS = os.environ.get("EDGEGATE_SCREENSHOTS")  # a folder for screenshots


def shoot(page, name):
    if SHOTS:
        page.wait_for_timeout(3000)  # for the charts
        page.screenshot(path=pathlib.Path(SHOTS) / f"{name}.png")


def get(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def open_part(page, name):
    page.locator("summary", has_text=name).click()


def transfer(page, name, file):
    """Pastes ("paste") or drops ("drop") a file."""
    page.evaluate(
        """async ([name, data]) => {
          const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          const files = new DataTransfer();
          files.items.add(new File([bytes], "a.jpg", { type: "image/jpeg" }));
          const how = { bubbles: true, cancelable: true, clipboardData: files, dataTransfer: files };
          const event = name === "paste" ? new ClipboardEvent(name, how) : new DragEvent(name, how);
          document.body.dispatchEvent(event);
        }""",
        [name, base64.b64encode(file.read_bytes()).decode()],
    )


def check_accessible(page):
    """No serious finding of axe-core."""
    found = Axe().run(page).response["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in serious] == []


def test_files_have_a_policy_a_type_and_a_tag(daemon):
    paths = json.loads(get(daemon.url + "/openapi.json")[2])["paths"]
    parts = [path for path in paths if path == "/" or path.startswith("/page/")]
    assert len(parts) > 10
    for path in parts:
        status, headers, body = get(daemon.url + path)
        assert (status, bool(body)) == (200, True), path
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';") and "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        status, again, body = get(daemon.url + path, **{"If-None-Match": headers["ETag"]})
        assert (status, again["ETag"], again["Content-Length"], body) == (304, headers["ETag"], None, b"")
        assert get(daemon.url + path, **{"If-None-Match": '"other"'})[0] == 200
    assert get(daemon.url + "/")[1]["Content-Type"] == "text/html; charset=utf-8"


def test_a_setting_turns_the_page_off(tmp_path):
    off = Daemon("--model", f"demo={DEMO}", "--server.page", "false", log=str(tmp_path / "log"))
    for path in ("/", "/page/chat.js"):
        assert get(off.url + path)[0] == 404
    assert off.stop() == 0


def test_a_text_is_answered_and_the_command_is_shown(site):
    page = site.page
    site.ask("What is edgegate?")
    assert site.answer().startswith("edgegate is a daemon")
    assert re.search(r"\d+ tokens", page.locator(".note").inner_text())
    open_part(page, "Last request")
    command = page.locator("#curl").inner_text()
    assert "What is edgegate?" in command and command.startswith(f"curl -sN '{site.daemon.url}/v1/chat")
    site.wait("document.querySelector('#charts strong').textContent !== '–'")
    for name in ("First token", "Inter-token", "KV cache"):
        assert page.get_by_role("img", name=re.compile(rf"{name}: \d")).count() == 1
    check_accessible(page)
    shoot(page, "text")


def test_the_conversation_goes_on_and_starts_anew(site):
    page = site.page
    site.ask("What is edgegate?")
    site.answer()
    with page.expect_request("**/v1/chat/completions") as sent:
        site.ask("Who made you?")
    body = json.loads(sent.value.post_data)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    site.answer()
    page.click("#new")
    assert page.locator("article").count() == 0


def test_an_image_is_answered(site):
    site.page.set_input_files("#file", IMAGES / "gauge.jpg")
    site.page.locator("#attached li").wait_for()
    site.ask("What does the gauge read?")
    assert re.fullmatch(r"The gauge reads [\d.]+ bar\.", site.answer())
    assert site.page.locator("article.user img").count() == 1
    assert site.page.locator("#attached li").count() == 0


def test_boxes_are_drawn_on_the_image(site):
    page = site.page
    page.set_viewport_size({"width": 1200, "height": 900})
    page.set_input_files("#file", IMAGES / "shapes.jpg")
    page.locator("#attached li").wait_for()
    site.ask("Where is the green triangle?")
    box = [int(v) for v in re.search(r"\[(.*)\]", site.answer()).group(1).split(",")]
    figure, drawn = page.locator(".boxes img").bounding_box(), page.locator(".box rect").last.bounding_box()
    assert abs((drawn["x"] - figure["x"]) / figure["width"] * 100 - box[0]) < 1.5
    assert abs((drawn["y"] + drawn["height"] - figure["y"]) / figure["height"] * 100 - box[3]) < 1.5
    check_accessible(page)
    shoot(page, "boxes")


def test_boxes_are_found_in_a_text(site):
    cases = {
        "a dog [[100,200,300,400]]": [[0.1, 0.2, 0.3, 0.4]],
        "[[0, 0, 999, 999]] [[1,2,3,4],[5,6,7,8]]": [
            [0, 0, 0.999, 0.999], [0.001, 0.002, 0.003, 0.004], [0.005, 0.006, 0.007, 0.008],
        ],
        "[[1,2,3,4;5,6,7,8]]": [[0.001, 0.002, 0.003, 0.004], [0.005, 0.006, 0.007, 0.008]],
        "at the top: [10, 20, 30, 40].": [[0.1, 0.2, 0.3, 0.4]],
        "[30, 20, 10, 40] [1,2,3] [1,2,3,4,5] [[1000,2,2000,3]]": [],
    }  # fmt: skip
    script = "async (text) => (await import('/page/boxes.js')).findBoxes(text)"
    for text, boxes in cases.items():
        found = site.page.evaluate(script, text)
        assert [[b["left"], b["top"], b["right"], b["bottom"]] for b in found] == boxes, text


def test_images_by_paste_drop_and_camera(site):
    page = site.page
    for name in ("paste", "drop"):
        transfer(page, name, IMAGES / "sign.jpg")
    page.locator("#attached li").nth(1).wait_for()
    page.click("#camera")
    page.locator("#shoot:enabled").wait_for()
    site.wait("document.getElementById('video').videoWidth > 0")
    check_accessible(page)
    page.click("#shoot")
    page.locator("#attached li").nth(2).wait_for()
    assert page.evaluate("document.getElementById('video').srcObject") is None
    for _ in range(2):
        page.locator("#attached button").last.click()
    site.ask("What does the sign say?")
    assert site.answer().startswith("The sign says")
    site.ready("smol")
    transfer(page, "paste", IMAGES / "sign.jpg")
    page.locator("#status", has_text="text only").wait_for()


def test_a_page_that_is_not_secure_says_why_it_has_no_camera(browser, daemon):
    site = Site(browser, daemon)
    site.context.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    site.page.reload()
    site.ready("edge-demo-v").page.click("#camera")
    assert "secure pages only" in site.page.locator("#camera-text").inner_text()
    assert site.page.locator("#camera-app").is_visible()
    assert not site.page.locator("#shoot").is_visible()
    site.close()


@pytest.mark.parametrize("how", ["button", "Escape"])
def test_an_answer_is_stopped(site, how):
    page = site.page
    site.ready("smol")
    assert page.locator("#attach").is_disabled()  # the model takes text only
    site.ask(STORY)
    site.wait("document.querySelector('article.assistant .text')?.textContent.length > 20")
    page.click("#stop") if how == "button" else page.keyboard.press("Escape")
    assert len(site.answer()) > 20
    assert page.locator(".note").inner_text() == "stopped"
    assert page.locator("#send").is_visible()
    assert site.daemon.idle_health()["status"] == "ok"


def test_an_answer_is_asked_again(site):
    site.ask("What is edgegate?")
    first = site.answer()
    with site.page.expect_request("**/v1/chat/completions") as sent:
        site.page.get_by_role("button", name="Retry").click()
    assert len(json.loads(sent.value.post_data)["messages"]) == 1
    assert site.answer() == first
    assert site.page.locator("article").count() == 2


def test_an_earlier_message_is_edited(site):
    page = site.page
    for text in ("What is edgegate?", "Who made you?"):
        site.ask(text)
        site.answer()
    page.get_by_role("button", name="Edit").first.click()
    page.keyboard.press("Escape")
    assert page.locator("article").count() == 4
    page.get_by_role("button", name="Edit").first.click()
    field = page.get_by_label("Edit your message")
    assert field.input_value() == "What is edgegate?"
    field.fill("Hello")
    with page.expect_request("**/v1/chat/completions") as sent:
        field.press("Enter")
    assert json.loads(sent.value.post_data)["messages"] == [{"role": "user", "content": "Hello"}]
    site.answer()
    assert page.locator("article").count() == 2


def test_an_error_is_shown(browser, daemon):
    site = Site(browser, daemon).ready("edge-demo-v")
    site.ask("word " * 3000)
    site.answer()
    assert "context" in site.page.locator("article .error").inner_text()
    check_accessible(site.page)
    site.ask("What is edgegate?")  # the question with the error is left out
    assert site.answer().startswith("edgegate")
    site.close(expected=[STATUS + "400"])


def test_keys(browser, locked):
    site = Site(browser, locked)
    page = site.page
    page.locator("#panel .error", has_text="didn't provide an API key").wait_for()
    page.fill("#key", "wrong-key")
    page.press("#key", "Enter")
    page.locator("#panel .error", has_text="Incorrect API key").wait_for()
    page.fill("#key", "right-key")
    page.check("#keep-key")
    site.ready().ask("What is edgegate?")
    assert site.answer().startswith("edgegate")
    open_part(page, "Last request")
    command = page.locator("#curl").inner_text()
    assert "Bearer $KEY" in command and "right-key" not in command
    page.reload()
    site.ready()
    assert page.input_value("#key") == "right-key"
    page.uncheck("#keep-key")
    page.reload()
    page.locator("#panel .error").wait_for()
    assert page.input_value("#key") == ""
    site.close(expected=[STATUS + "401"])


def test_an_answer_follows_a_schema(site):
    page = site.page
    open_part(page, "JSON schema")
    page.check("#use-schema")
    page.fill("#schema", "{")
    site.ask("What does the display show?")
    page.locator("#panel .error", has_text="JSON schema").wait_for()
    assert page.locator("#schema").get_attribute("aria-invalid") == "true"
    schema = {"type": "object", "properties": {"display": {"type": "string", "pattern": "^[0-9.]+$"}},
              "required": ["display"], "additionalProperties": False}  # fmt: skip
    page.fill("#schema", json.dumps(schema))
    page.set_input_files("#file", IMAGES / "display.jpg")
    page.locator("#attached li").wait_for()
    site.ask("Read the display. Answer in JSON.")
    assert re.fullmatch(r"[0-9.]+", json.loads(site.answer())["display"])


def test_parameters_are_sent(site):
    page = site.page
    open_part(page, "Parameters")
    values = {"temperature": "0.5", "top_p": "0.9", "max_tokens": "3", "seed": "7", "system": "Be brief."}
    for name, value in values.items():
        page.fill(f"#{name}", value)
    with page.expect_request("**/v1/chat/completions") as sent:
        site.ask("What is edgegate?")
    body = json.loads(sent.value.post_data)
    assert {name: body[name] for name in list(values)[:4]} == {
        "temperature": 0.5, "top_p": 0.9, "max_tokens": 3, "seed": 7,
    }  # fmt: skip
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    site.answer()
    assert "cut at the maximum length" in page.locator(".note").inner_text()
    page.fill("#temperature", "9")
    site.ask("Again?")
    page.locator("#panel .error", has_text="temperature").wait_for()


def test_calls_are_cards_and_their_results_are_sent(site):
    page = site.page
    site.ready("smol")
    open_part(page, "Tools")
    page.check("#use-tools")
    page.select_option("#tool_choice", "required")
    open_part(page, "Parameters")
    page.fill("#temperature", "0")
    site.ask("What is the weather in Paris?")
    page.get_by_label("Result of get_weather").first.wait_for()
    assert page.locator(".call").first.inner_text().startswith("Call of get_weather")
    check_accessible(page)
    shoot(page, "tools")
    for field in page.get_by_label("Result of get_weather").all():
        field.fill("Sunny, 21 °C.")
    page.select_option("#tool_choice", "none")
    with page.expect_request("**/v1/chat/completions") as sent:
        page.get_by_role("button", name="Send results").click()
    messages = json.loads(sent.value.post_data)["messages"]
    assert json.loads(messages[1]["tool_calls"][0]["function"]["arguments"])["city"]
    assert messages[2] == {"role": "tool", "content": "Sunny, 21 °C.",
                           "tool_call_id": messages[1]["tool_calls"][0]["id"]}  # fmt: skip
    site.answer()


def test_text_of_a_model_is_never_html(site):
    nodes = site.page.evaluate(
        """async (text) => {
          const { markdown } = await import("/page/markdown.js");
          const box = document.createElement("div");
          box.append(...markdown(text));
          return [[...box.querySelectorAll("*")].map((e) => e.tagName), box.textContent];
        }""",
        "# Head\n**bold** and `a<b`\n- one\n- <img src=x onerror=alert(1)>\n\n```js\n<script>\n```\n[a](javascript:x)",
    )
    assert nodes[0] == ["P", "STRONG", "P", "STRONG", "CODE", "UL", "LI", "LI", "PRE", "CODE", "P"]
    assert "<img src=x onerror=alert(1)>" in nodes[1] and "<script>" in nodes[1]


def test_events_are_read_at_any_split(site):
    text = 'data: {"a": 1}\r\n\r\n: comment\n\nevent: x\ndata: two\ndata: lines\n\ndata: [DONE]\n\n'
    found = site.page.evaluate(
        """async (text) => {
          const { EventParser } = await import("/page/stream.js");
          return [...Array(text.length).keys()].map((at) => {
            const parser = new EventParser();
            return [...parser.push(text.slice(0, at)), ...parser.push(text.slice(at))];
          });
        }""",
        text,
    )
    assert all(events == ['{"a": 1}', "two\nlines", "[DONE]"] for events in found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desk", "phone"])
def test_looks(browser, daemon, scheme, device):
    options = PHONE if device == "phone" else {"viewport": {"width": 1200, "height": 800}}
    site = Site(browser, daemon, color_scheme=scheme, **options).ready("edge-demo-v")
    page = site.page
    page.set_input_files("#file", IMAGES / "lights.jpg")
    page.locator("#attached li").wait_for()
    site.ask("Which lights are on?")
    site.answer()
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", back))) < 200) == (scheme == "dark")
    check_accessible(page)
    shoot(page, f"{device}-{scheme}")
    if device == "phone":
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.tap("#toggle-panel")
        page.locator("#key").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        check_accessible(page)
        shoot(page, f"{device}-{scheme}-panel")
    site.close()


def test_the_keyboard_is_enough(site):
    page = site.page
    assert page.evaluate("document.activeElement.id") == "prompt"
    page.keyboard.type("What is")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("edgegate?")
    assert page.input_value("#prompt") == "What is\nedgegate?"
    page.keyboard.press("Enter")
    site.answer()
    names = []
    for _ in range(8):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", names
    assert {"attach", "camera", "send", "key"} <= set(names)
