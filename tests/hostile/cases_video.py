"""Videos: bombs, damaged files, playlists, and many at once."""

import io
import zlib

import images
from case import EITHER, REFUSED, Case
from daemon import ROOT
from generate import array, base64_of, join, nested, repeat

MIB = 1 << 20
CLIPS = ROOT / "tests/golden/video"


def body(*parts, model="demo"):
    content = [{"type": "text", "text": "What happens?"}, *parts]
    return {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 4}


def part(url):
    return {"type": "video_url", "video_url": {"url": url}}


def url_of(data, kind="video/mp4"):
    return join(f"data:{kind};base64,", base64_of(data))


def video(name, *files, kind="video/mp4", **more):
    parts = [part(url_of(file, kind)) for file in files]
    # Decoding a video may take 10 s of processor time, and 40 s in all.
    most = {"wall_s": 45.0, "cpu_s": 12.0, "names": ("video",)}
    return Case(name, "video", body=body(*parts), **{**most, **more})


def clip(name):
    return (CLIPS / name).read_bytes()


def box(name, content=b""):
    return (8 + len(content)).to_bytes(4, "big") + name + content


def boxes(depth):
    """MP4 boxes that contain one another."""
    inner = b""
    for _ in range(depth):
        inner = box(b"trak", inner)
    return box(b"ftyp", b"isom\0\0\0\0isom") + box(b"moov", inner)


def with_count(name, count):
    """A clip whose table of this name claims a number of entries."""
    data = bytearray(clip("h264.mp4"))
    at = data.index(name) + 8
    data[at : at + 4] = count.to_bytes(4, "big")
    return bytes(data)


def replaced(name, old, new):
    data = clip(name)
    assert old in data and len(old) == len(new)
    return data.replace(old, new)


def cut(name, part_of_it):
    data = clip(name)
    return data[: int(len(data) * part_of_it)]


def flipped(name, step):
    data = bytearray(clip(name))
    for at in range(step, len(data), step):
        data[at] ^= 1 << at % 8
    return bytes(data)


def gif(width, height, frames):
    """A GIF whose frames are one pixel on a canvas of any size."""
    file = io.BytesIO()
    file.write(b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little"))
    file.write(b"\x80\0\0" + b"\0\0\0\xff\xff\xff")
    one = b"\x21\xf9\x04\0\x0a\0\0\0" + b"\x2c\0\0\0\0\1\0\1\0\0" + b"\2\2\x44\1\0"
    file.write(one * frames + b";")
    return file.getvalue()


FILES = [
    ("nothing", b""),
    ("1 MB of zeros", bytes(MIB)),
    ("10 MB of sync bytes", repeat(b"\x47", 10 * MIB)),
    ("10 MB of one box", join(box(b"ftyp", b"isom\0\0\0\0isom"), repeat(box(b"free"), 1310720))),
    ("boxes of depth 2,000", boxes(2000)),
    ("10 MB of EBML", join(b"\x1a\x45\xdf\xa3", repeat(b"\x80", 10 * MIB))),
    ("a playlist", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
    ("a list of files", b"ffconcat version 1.0\nfile /etc/passwd\n"),
    ("an MPD", b"<?xml version='1.0'?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>"),
    ("an image", images.jpeg(64, 64)),
    ("a zip bomb", zlib.compress(bytes(8 * MIB))),
    ("a cut MP4", cut("h264.mp4", 0.5)),
    ("a cut WebM", cut("vp9.webm", 0.7)),
    ("a cut AVI", cut("mjpeg.avi", 0.6)),
    ("a cut transport stream", cut("h264.ts", 0.5)),
    ("30 hours", clip("long.mkv")),
    ("a GIF of 65535 x 65535", gif(65535, 65535, 10)),
    ("a GIF of 3000 x 3000, 2,000 frames", gif(3000, 3000, 2000)),
    ("a GIF of 300,000 frames", gif(16, 16, 300000)),
    ("a codec that is not supported", clip("prores.mov")),
    ("a container that is not supported", clip("flv.flv")),
] + [
    (f"{count} entries of {table.decode()}", with_count(table, count))
    for table in (b"stsz", b"stts", b"stsc", b"stco", b"ctts", b"stss")
    for count in (0, 0x7FFFFFFF, 0xFFFFFFFF)
] + [
    (f"{name} with every {step}th byte flipped", flipped(name, step))
    for name in ("h264.mp4", "hevc.mp4", "vp9.webm", "av1.mp4", "mpeg4.avi", "h264.ts", "gif.gif")
    for step in (61, 397)
] + [
    ("a track of another codec", replaced("h264.mp4", b"avc1", b"hvc1")),
    ("a video track without video", replaced("h264.mp4", b"vide", b"soun")),
]

CASES = [video(name, data, expect=EITHER) for name, data in FILES]
CASES += [
    video("a valid video", clip("h264.mp4"), expect=(200,)),
    video("20 videos at once", clip("h264.mp4"), count=20, expect=(200, 503), wall_s=60.0,
          cpu_s=120.0, beside=False),
    video("5 videos of at most 4 images", *[clip("h264.mp4")] * 5, expect=REFUSED, names=("image",)),
    video("a client that leaves", clip("hevc.mp4"), leave="sent"),
    Case("10,000 JPEG files of one byte", "video", expect=REFUSED, names=("video",), wall_s=15.0,
         body=body(part(join("data:video/jpeg;base64,AA==", repeat(",AA==", 9999))))),
    Case("15 MB of commas", "video", expect=REFUSED, names=("video",), wall_s=15.0,
         body=body(part(join("data:video/jpeg;base64,", repeat(",", 15 * MIB))))),
    Case("video_url is deep", "video", expect=REFUSED, names=("video_url", "nest", "deep", "depth"),
         body=body({"type": "video_url", "video_url": nested('{"url":', "}", 3000)})),
    Case("video_url is a list", "video", expect=REFUSED, names=("video_url",),
         body=body({"type": "video_url", "video_url": array("data:", 100000)})),
    Case("media_io_kwargs is a list", "video", expect=REFUSED, names=("media_io_kwargs",),
         body={**body(), "media_io_kwargs": array(1, 1000)}),
    Case("num_frames of 2^63", "video", expect=REFUSED, names=("num_frames",),
         body={**body(), "media_io_kwargs": {"video": {"num_frames": 2**63}}}),
    Case("fps of 1e-300", "video", expect=REFUSED, names=("fps",),
         body={**body(), "media_io_kwargs": {"video": {"fps": 1e-300}}}),
]
