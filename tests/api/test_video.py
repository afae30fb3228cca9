"""Videos through the API: the frames that the model is shown, their times, limits and errors."""

import base64
import concurrent.futures
import fractions
import http.server
import io
import pathlib
import threading

import av
import numpy
import openai
import pytest
from conftest import BINARY, DEMO, MODEL, ROOT, Daemon
from PIL import Image, ImageDraw, ImageFont

CLIPS = ROOT / "tests/golden/video"
FRAME_TOKENS = 18  # of an image of edge-demo-v
QUESTION = {"type": "text", "text": "What does the display show?"}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAA"
    "AElFTkSuQmCC"
)


@pytest.fixture(scope="module")
def watcher(tmp_path_factory, cache):
    arguments = ["--model", f"demo={DEMO}", "--model", f"smol={MODEL}", "--engine.max_images", "20"]
    hosts = ["--server.image_hosts", "localhost", "--server.image_private_hosts", "localhost"]
    log = str(tmp_path_factory.mktemp("video") / "log")
    running = Daemon(*arguments, *hosts, "--engine.cache_dir", cache, log=log)
    yield running
    assert running.stop() == 0


def url_of(data, kind="video/mp4"):
    return f"data:{kind};base64," + base64.b64encode(data).decode()


def clip(name):
    return url_of((CLIPS / name).read_bytes())


def video(url):
    return {"type": "video_url", "video_url": {"url": url}}


def display(numbers, seconds=1, codec="libx264", name="mp4"):
    """A clip of a display that shows the numbers one after the other."""
    file = io.BytesIO()
    container = av.open(file, "w", format=name)
    stream = container.add_stream(codec, rate=10)
    stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
    font = ImageFont.load_default(size=120)
    for i in range(int(len(numbers) * seconds * 10)):
        image = Image.new("RGB", (320, 240), (60, 60, 60))
        number = numbers[int(i / (10 * seconds))]
        ImageDraw.Draw(image).text((20, 50), number, (250, 80, 40), font=font)
        frame = av.VideoFrame.from_ndarray(numpy.asarray(image), format="rgb24")
        frame.pts, frame.time_base = i, fractions.Fraction(1, 10)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    container.close()
    return file.getvalue()


def ask(daemon, *parts, **more):
    extra = {"return_token_ids": True, "ignore_eos": True, **more.pop("extra", {})}
    return daemon.client().chat.completions.create(
        model=more.pop("model", "demo"),
        messages=[{"role": "user", "content": list(parts)}],
        max_tokens=4,
        temperature=0,
        logprobs=True,
        extra_body=extra,
        **more,
    )


def frames(answer):
    return answer.usage.prompt_tokens_details.image_tokens // FRAME_TOKENS


def prompt(answer):
    return answer.model_extra["prompt_token_ids"]


def labelled(*labels):
    """The parts that a video becomes: a text with the time before each frame."""
    parts = []
    for label in labels:
        image = {"type": "image_url", "image_url": {"url": PIXEL}}
        parts += [{"type": "text", "text": label}, image]
    return parts


@pytest.mark.parametrize("name", ["h264.mp4", "h264.ts", "hevc.mp4", "vp9.webm", "av1.mp4", "gif.gif"])
def test_a_video_is_its_changes_with_their_times(watcher, name):
    answer = ask(watcher, video(clip(name)), QUESTION)
    assert frames(answer) == 3
    same = ask(watcher, *labelled("[0:00.0]", "[0:01.0]", "[0:01.5]"), QUESTION)
    assert prompt(answer) == prompt(same)


def test_a_changing_display(watcher):
    data = display(["1.5", "2.5", "3.5", "4.5"])
    answer = ask(watcher, video(url_of(data)), QUESTION)
    assert frames(answer) == 4
    same = ask(watcher, *labelled("[0:00.0]", "[0:01.0]", "[0:02.0]", "[0:03.0]"), QUESTION)
    assert prompt(answer) == prompt(same)
    again = ask(watcher, video(url_of(data)), QUESTION)
    assert again.model_extra["timings"]["images_encoded"] == 0
    assert again.choices[0].logprobs == answer.choices[0].logprobs
    static = ask(watcher, video(url_of(display(["8.8"], seconds=3))), QUESTION)
    assert frames(static) == 1


def test_many_changes_give_20_frames_that_fit_the_context(watcher):
    answer = ask(watcher, video(url_of(display([str(i) for i in range(40)], 0.5))), QUESTION)
    assert frames(answer) == 20
    assert answer.usage.prompt_tokens < 1024


def test_the_request_may_ask_for_fewer_frames(watcher):
    data = url_of(display([str(i) for i in range(8)]))

    def shown(**wish):
        return ask(watcher, video(data), QUESTION, extra={"media_io_kwargs": {"video": wish}})

    assert frames(shown()) == 8
    assert frames(shown(num_frames=-1, fps=-1)) == 8
    assert frames(shown(num_frames=3)) == 3
    assert frames(shown(num_frames=1)) == 1
    assert frames(shown(fps=0.5)) == 4
    assert frames(ask(watcher, video(data), extra={"mm_processor_kwargs": {"fps": 0.25}})) == 2
    for wish, says in [({"num_frames": 0}, "num_frames"), ({"fps": 0}, "fps"), ({"fps": "x"}, "fps")]:
        with pytest.raises(openai.BadRequestError, match=f"media_io_kwargs.video.{says}"):
            shown(**wish)


def test_a_contact_sheet_is_one_image_whose_text_has_the_times(watcher):
    wish = {"media_io_kwargs": {"video": {"contact_sheet": True}}}
    answer = ask(watcher, video(clip("h264.mp4")), QUESTION, extra=wish)
    assert frames(answer) == 1
    label = "Frames of a video, 2 in a row: [0:00.0] [0:01.0] [0:01.5]"
    assert prompt(answer) == prompt(ask(watcher, *labelled(label), QUESTION))


def test_every_form_of_a_video_gives_the_same_tokens(watcher):
    data = (CLIPS / "h264.mp4").read_bytes()
    raw = base64.b64encode(data).decode()
    url = url_of(data)
    expected = prompt(ask(watcher, video(url), QUESTION))
    for part in [
        {"type": "input_video", "input_video": {"data": raw, "format": "mp4"}},
        {"type": "input_video", "input_video": {"url": url}},
        {"type": "input_video", "video_url": url},
        # The content decides the container.
        video(url_of(data, "video/webm")),
    ]:
        assert prompt(ask(watcher, part, QUESTION)) == expected
    text = {"type": "input_text", "text": QUESTION["text"]}
    for part in [
        {"type": "input_video", "video_url": url},
        {"type": "input_video", "input_video": {"data": raw}},
    ]:
        response = watcher.client().responses.create(
            model="demo",
            input=[{"role": "user", "content": [part, text]}],
            max_output_tokens=4,
            temperature=0,
        )
        assert response.usage.input_tokens == len(expected)


def test_a_list_of_jpegs(watcher):
    def jpeg(color):
        file = io.BytesIO()
        Image.new("RGB", (64, 64), color).save(file, "JPEG")
        return base64.b64encode(file.getvalue()).decode()

    url = "data:video/jpeg;base64," + ",".join(jpeg(c) for c in ("red", "red", "lime", "blue"))
    answer = ask(watcher, video(url), QUESTION)
    labels = labelled("[0:00.0]", "[0:02.0]", "[0:03.0]")
    assert prompt(answer) == prompt(ask(watcher, *labels, QUESTION))
    faster = ask(watcher, video(url), QUESTION, extra={"media_io_kwargs": {"video": {"fps": 2}}})
    labels = labelled("[0:00.0]", "[0:01.0]", "[0:01.5]")
    assert prompt(faster) == prompt(ask(watcher, *labels, QUESTION))


def test_videos_and_images_keep_their_order(watcher):
    image = {"type": "image_url", "image_url": {"url": PIXEL}}
    between = {"type": "text", "text": "then"}
    answer = ask(watcher, image, video(clip("h264.mp4")), between, image, video(clip("vp8.webm")))
    shown = labelled("[0:00.0]", "[0:01.0]", "[0:01.5]")
    assert prompt(answer) == prompt(ask(watcher, image, *shown, between, image, *shown))


def test_a_stream_equals_the_whole_answer(watcher):
    whole = ask(watcher, video(clip("h264.mp4")), QUESTION)
    chunks = ask(watcher, video(clip("h264.mp4")), QUESTION, stream=True)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content


def test_a_sheet_is_made_where_few_frames_fit(tmp_path, cache):
    log = str(tmp_path / "log")
    sizes = ["--engine.max_images", "20", "--engine.max_model_len", "110"]
    small = Daemon("--model", f"demo={DEMO}", *sizes, "--engine.cache_dir", cache, log=log)
    data = url_of(display([str(i) for i in range(6)]))
    assert frames(ask(small, video(data))) == 1
    wish = {"media_io_kwargs": {"video": {"contact_sheet": False}}}
    assert 1 < frames(ask(small, video(data), extra=wish)) < 6
    with pytest.raises(openai.BadRequestError, match="context length is 110") as error:
        ask(small, video(data), {"type": "text", "text": "word " * 140})
    assert error.value.body["code"] == "context_length_exceeded"
    assert small.stop() == 0


def test_a_sheet_is_made_where_one_image_may_be_shown(tmp_path, cache):
    log = str(tmp_path / "log")
    sizes = ["--engine.max_images", "1"]
    small = Daemon("--model", f"demo={DEMO}", *sizes, "--engine.cache_dir", cache, log=log)
    answer = ask(small, video(clip("h264.mp4")), QUESTION)
    assert frames(answer) == 1
    label = "Frames of a video, 2 in a row: [0:00.0] [0:01.0] [0:01.5]"
    assert prompt(answer) == prompt(ask(small, *labelled(label), QUESTION))
    with pytest.raises(openai.BadRequestError, match="2 images; at most 1"):
        ask(small, video(clip("h264.mp4")), video(clip("h264.mp4")))
    assert small.stop() == 0


def cut(name, part):
    data = (CLIPS / name).read_bytes()
    return data[: int(len(data) * part)]


REFUSED = [
    ("damaged or cut short", url_of(cut("h264.mp4", 0.5))),
    ("empty|no data", url_of(b"")),
    ("unknown type", url_of(bytes(1000))),
    ("a playlist", url_of(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "video/mp2t")),
    ("a playlist", url_of(b"ffconcat version 1.0\nfile /etc/passwd\n")),
    ("an image", PIXEL.replace("image/png", "video/mp4")),
    ("of type", PIXEL),
    ("24 hours", clip("long.mkv")),
    ("flv|FLV", clip("flv.flv")),
    ("prores", clip("prores.mov")),
    ("neither", "file:///etc/passwd"),
    ("not fetched", "http://169.254.169.254/latest/meta-data"),
    ("base64", "data:video/mp4;base64,A"),
    ("frame 0", "data:video/jpeg;base64,AAAA,AAAA"),
]


@pytest.mark.parametrize("says,url", REFUSED, ids=[f"{i} {r[0]}" for i, r in enumerate(REFUSED)])
def test_what_cannot_be_shown_is_refused_by_name(watcher, says, url):
    with pytest.raises(openai.BadRequestError, match=says) as error:
        ask(watcher, QUESTION, video(url))
    assert error.value.body["param"] == "messages[0].content[1].video_url.url"
    assert error.value.body["code"] == "invalid_video"


def test_other_refusals(watcher):
    with pytest.raises(openai.BadRequestError, match="is a video, but the model 'smol' takes text only"):
        ask(watcher, video(clip("h264.mp4")), model="smol")
    for part in [{"type": "video_url"}, {"type": "video_url", "video_url": {"url": 3}}]:
        with pytest.raises(openai.BadRequestError, match=r"messages\[0\].content\[0\].video_url"):
            ask(watcher, part)
    with pytest.raises(openai.BadRequestError, match="only a message of the role user"):
        watcher.client().chat.completions.create(
            model="demo", messages=[{"role": "system", "content": [video(clip("h264.mp4"))]}]
        )


class Files(http.server.SimpleHTTPRequestHandler):
    extensions_map = {"": "video/mp4", ".py": "text/plain"}

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=str(CLIPS))

    def log_message(self, *arguments):
        pass


def test_urls_of_trusted_hosts_are_fetched(watcher):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://localhost:{server.server_port}"
    fetched = ask(watcher, video(url + "/h264.mp4"), QUESTION)
    assert prompt(fetched) == prompt(ask(watcher, video(clip("h264.mp4")), QUESTION))
    with pytest.raises(openai.BadRequestError, match="text/plain"):
        ask(watcher, video(url + "/make.py"))
    server.shutdown()


def test_many_clients_at_once_get_the_same_bytes_and_no_process_stays(watcher):
    expected = ask(watcher, video(clip("vp8.webm")), QUESTION).choices[0].logprobs
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(watcher, video(clip("vp8.webm")), QUESTION), range(6)))
    assert all(answer.choices[0].logprobs == expected for answer in answers)
    children = pathlib.Path(f"/proc/{watcher.process.pid}/task").glob("*/children")
    pids = [pid for file in children for pid in file.read_text().split()]
    names = [pathlib.Path(f"/proc/{pid}/comm").read_text().strip() for pid in pids]
    assert "edgegate-video" not in names


def test_the_daemon_does_not_load_libav(watcher):
    maps = pathlib.Path(f"/proc/{watcher.process.pid}/maps").read_text()
    assert "libavcodec" not in maps and "libavformat" not in maps
    assert pathlib.Path(BINARY).resolve().with_name("edgegate-video").exists()
