"""Fixtures that open the chat page of the real binary in headless Chromium (Debian's package)."""

import importlib.util
import os
import pathlib
import time
import urllib.parse

import pytest
from playwright.sync_api import sync_playwright

API = pathlib.Path(__file__).resolve().parent.parent / "api/conftest.py"
spec = importlib.util.spec_from_file_location("api_conftest", API)
api = importlib.util.module_from_spec(spec)
spec.loader.exec_module(api)

DEMO, MODEL, ROOT, Daemon = api.DEMO, api.MODEL, api.ROOT, api.Daemon
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# A picture of a camera for getUserMedia, and no question whether the page may use it.
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
# Containers run as root and have a small /dev/shm.
ARGUMENTS = [*CAMERA, "--no-sandbox", "--disable-dev-shm-usage"]


class Site:
    """A page in a browser context of its own, and what it did."""

    def __init__(self, browser, daemon, **options):
        self.daemon = daemon
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.errors = []  # texts of the console and uncaught exceptions
        self.hosts = set()  # hosts of all requests
        self.page.on("console", self.note_message)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.note_request(request.url))
        self.page.goto(daemon.url + "/")

    def note_message(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def note_request(self, url):
        if not url.startswith(("data:", "blob:")):
            self.hosts.add(urllib.parse.urlsplit(url).netloc)

    def ready(self, model=None):
        """Waits until the models are listed, and chooses one."""
        self.page.wait_for_selector("#model:enabled")
        if model:
            self.page.select_option("#model", model)
        return self

    def ask(self, text):
        self.page.fill("#prompt", text)
        self.page.press("#prompt", "Enter")

    def answer(self):
        """The text of the last answer, once it is complete."""
        last = self.page.locator("article.assistant").last
        last.locator(".actions").wait_for()
        return last.locator(".text").inner_text()

    def wait(self, expression):
        """Waits until the expression is true. The page's policy forbids Playwright's wait_for_function."""
        for _ in range(200):
            if self.page.evaluate(expression):
                return
            time.sleep(0.05)
        raise AssertionError(f"never true: {expression}")

    def close(self, expected=()):
        """Closes the page. Checks that it wrote no error but those that contain an expected text."""
        self.context.close()
        unexpected = [e for e in self.errors if not any(text in e for text in expected)]
        assert unexpected == []
        assert self.hosts == {urllib.parse.urlsplit(self.daemon.url).netloc}


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    models = ["--model", f"edge-demo-v={DEMO}", "--model", f"smol={MODEL}"]
    cache = ["--engine.cache_dir", str(folder / "cache")]
    running = Daemon(*models, *cache, log=str(folder / "log"))
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def locked(tmp_path_factory):
    """A daemon that needs a key."""
    log = str(tmp_path_factory.mktemp("locked") / "log")
    env = {"EDGEGATE_SERVER_API_KEYS": "right-key"}
    running = Daemon("--model", f"edge-demo-v={DEMO}", env=env, log=log)
    yield running
    assert running.stop() == 0


@pytest.fixture
def site(browser, daemon):
    opened = Site(browser, daemon).ready("edge-demo-v")
    yield opened
    opened.close()
