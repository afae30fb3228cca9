"""`edgegate run` on a terminal: a pseudo-terminal types the messages."""

import os
import pty
import re
import select
import signal
import termios
import time

import pytest
from conftest import BINARY, MODEL, ROOT, Daemon

IMAGES = ROOT / "tools/edge-demo-v/images"
NAME = "edge-demo-v"
PROMPT = ">>> "
SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The program with a controlling terminal of its own."""

    def __init__(self, *arguments, env=None):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            plain = {"TERM": "xterm", "PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
            os.execve(BINARY, [BINARY, "run", *arguments], {**plain, **(env or {})})
        termios.tcsetwinsize(self.terminal, (24, 200))
        self.raw = ""
        self.seen = 0

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, text):
        """Returns the output from the last call up to `text`, without the terminal's sequences."""
        end = time.monotonic() + 300
        while True:
            shown = SEQUENCES.sub("", self.raw).replace("\r", "")
            if (at := shown.find(text, self.seen)) >= 0:
                part = shown[self.seen : at]
                self.seen = at + len(text)
                return part
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {text!r} in {shown[self.seen :]!r}"
            try:
                piece = os.read(self.terminal, 4096)
            except OSError:
                piece = b""
            assert piece, f"the program ended before {text!r}: {shown[self.seen :]!r}"
            self.raw += piece.decode()

    def ask(self, message):
        """Types a message and returns the answer."""
        self.type(message + "\r")
        self.read_until("\n")
        return self.read_until(PROMPT).rstrip("\n")

    def end(self):
        """Returns the exit code."""
        while True:
            try:
                if not os.read(self.terminal, 4096):
                    break
            except OSError:
                break
        _, status = os.waitpid(self.process, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)

    def stop(self, key="\x04"):
        self.type(key)
        return self.end()


@pytest.fixture
def chat():
    terminals = []

    def start(*arguments, env=None):
        terminals.append(Terminal(*arguments, env=env))
        terminals[-1].read_until(PROMPT)
        return terminals[-1]

    yield start
    for terminal in terminals:
        try:
            os.kill(terminal.process, signal.SIGKILL)
            os.waitpid(terminal.process, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = Daemon("--model", NAME, log=str(tmp_path_factory.mktemp("log") / "log"))
    yield running.client()
    assert running.stop() == 0


def asked(client, *messages):
    roles = ["user", "assistant"]
    turns = [{"role": roles[i % 2], "content": text} for i, text in enumerate(messages)]
    answer = client.chat.completions.create(model=NAME, messages=turns)
    return answer.choices[0].message.content


def test_a_conversation_has_the_tokens_of_the_api(chat, demo):
    terminal = chat(NAME)
    first = terminal.ask("What is edgegate?")
    assert first == asked(demo, "What is edgegate?")
    second = terminal.ask("Who are you?")
    assert second == asked(demo, "What is edgegate?", first, "Who are you?")
    assert "New conversation" in terminal.ask("/clear")
    assert terminal.ask("What is edgegate?") == first
    assert terminal.stop() == 0


def test_a_message_of_several_lines(chat, demo):
    terminal = chat(NAME)
    terminal.type('"""What is\r')
    terminal.read_until("... ")
    said = terminal.ask('edgegate?"""')
    assert said == asked(demo, "What is\nedgegate?")
    assert terminal.stop() == 0


def test_commands(chat):
    terminal = chat(NAME)
    shown = terminal.ask("/help")
    for command in ("/help", "/clear", "/image", "/system", "/exit", "Ctrl-C", '"""'):
        assert command in shown
    assert "Did you mean /clear?" in terminal.ask("/claer")
    assert "The system message is set" in terminal.ask("/system Be brief.")
    assert "no system message" in terminal.ask("/system")
    assert "needs the name of a file" in terminal.ask("/image")
    assert "cannot read no/such.jpg" in terminal.ask("/image no/such.jpg")
    assert terminal.ask("") == ""
    terminal.type("/exit\r")
    assert terminal.end() == 0


def test_an_image_belongs_to_the_next_message(chat):
    terminal = chat(NAME)
    assert "shows" in terminal.ask(f"/image '{IMAGES / 'sign.jpg'}'")
    assert terminal.ask("Read the sign.") == 'The sign says "DANGER".'
    assert terminal.stop() == 0


def test_an_image_beyond_the_limit_is_refused_with_its_message(chat):
    terminal = chat(NAME, "--engine.max_images", "1")
    terminal.ask(f"/image {IMAGES / 'sign.jpg'}")
    terminal.ask("Read the sign.")
    terminal.ask(f"/image {IMAGES / 'gauge.jpg'}")
    said = terminal.ask("What does the gauge read?")
    assert "engine.max_images" in said and "/clear" in said
    assert "engine.max_images" not in terminal.ask("Who are you?")
    assert terminal.stop() == 0


def test_an_image_of_the_arguments_belongs_to_the_first_message(chat):
    terminal = chat(NAME, "--image", str(IMAGES / "sign.jpg"))
    assert terminal.ask("Read the sign.") == 'The sign says "DANGER".'
    assert terminal.stop() == 0


def test_ctrl_c_stops_the_answer_and_not_the_program(chat, cache):
    terminal = chat(MODEL, "--engine.cache_dir", cache, "--temperature", "0")
    terminal.type("Write a very long story.\r")
    terminal.read_until("\n")
    terminal.read_until(" ")  # the first word
    terminal.type("\x03")
    assert "Stopped." in terminal.read_until(PROMPT)
    terminal.type("half a line\x03")
    assert "Ctrl-D ends the program" in terminal.read_until(PROMPT)
    assert terminal.ask("/help")
    assert terminal.stop() == 0


def test_sigterm_ends_the_program_with_130(chat):
    terminal = chat(NAME)
    os.kill(terminal.process, signal.SIGTERM)
    assert terminal.end() == 130


def test_the_history_gives_earlier_lines_again(chat):
    terminal = chat(NAME)
    first = terminal.ask("What is edgegate?")
    terminal.ask("/clear")
    assert terminal.ask("\x1b[A\x1b[A") == first
    assert terminal.stop() == 0


def test_a_full_context_is_reported_and_clear_helps(chat):
    terminal = chat(NAME, "--engine.max_model_len", "64")
    said = [terminal.ask("What is edgegate?") for _ in range(4)]
    assert "/clear starts a new" in said[-1] and "context" in said[-1]
    assert "New conversation" in terminal.ask("/clear")
    assert "/clear" not in terminal.ask("Hello")
    assert terminal.stop() == 0


@pytest.mark.parametrize(
    "env,colored", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_no_color(chat, env, colored):
    terminal = chat(NAME, env=env)
    terminal.ask("/clear")
    assert ("\x1b[2m" in terminal.raw) == colored
    assert terminal.stop() == 0


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}])
def test_messages_are_utf8_in_every_locale(chat, demo, locale):
    terminal = chat(NAME, env=locale)
    assert terminal.ask("Grüße, 你好!") == asked(demo, "Grüße, 你好!")
    assert terminal.stop() == 0


def test_json_needs_a_prompt(chat):
    terminal = Terminal(NAME, "--json")
    terminal.read_until("no prompt")
    assert terminal.end() == 2
