"""Images: bombs, damaged files, wrong types and many at once."""

import images
from case import EITHER, REFUSED, Case
from daemon import ROOT
from generate import array, base64_of, encoded, join, nested, raw, repeat

MIB = 1 << 20
TOLD = ROOT / "tests/golden/images/hostile"


def body(*urls, model="demo"):
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    content = [{"type": "text", "text": "What does the gauge read?"}, *parts]
    return {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 4}


def url_of(data, kind="image/jpeg"):
    return join(f"data:{kind};base64,", base64_of(data))


def image(name, *files, kind="image/jpeg", model="demo", **more):
    urls = [url_of(file, kind) for file in files]
    return url(name, *urls, model=model, **more)


def url(name, *urls, model="demo", **more):
    return Case(name, "image", body=body(*urls, model=model), **{"names": ("image",), **more})


BOMBS = [
    ("progressive, 199 scans, 50 MP", images.jpeg_scans(7070, 7070, 190), "jpeg"),
    ("progressive, 60 scans, 12 MP", images.jpeg_scans(3464, 3464, 55), "jpeg"),
    ("progressive, 3,000 scans, tiny", images.jpeg_scans(64, 64, 3000), "jpeg"),
    ("JPEG of 400 MP", images.jpeg(20000, 20000), "jpeg"),
    ("progressive JPEG of 100 MP", images.jpeg(10000, 10000, "L", True), "jpeg"),
    ("JPEG of 65500 x 1", images.jpeg(65500, 1), "jpeg"),
    ("JPEG of 1 x 65500", images.jpeg(1, 65500), "jpeg"),
    ("CMYK JPEG of 25 MP", images.jpeg(5000, 5000, "CMYK"), "jpeg"),
    ("PNG of 50 MP", images.png(7070, 7070), "png"),
    ("PNG of 400 MP", images.png(20000, 20000, 1), "png"),
    ("PNG of 2^31 x 1", images.png_bomb_data(2**31 - 1, 1, 1), "png"),
    ("PNG of 16 bits, RGBA, 25 MP", images.png(5000, 5000, 16, 6), "png"),
    ("interlaced PNG of 36 MP", images.png(6000, 6000, 8, 2, 1), "png"),
    ("interlaced PNG of 1 bit, 100 MP", images.png(10000, 10000, 1, 0, 1), "png"),
    ("PNG of 65535 x 1", images.png(65535, 1), "png"),
    ("PNG of 1 x 65535", images.png(1, 65535), "png"),
    ("PNG with 500 MB of pixel data", images.png_bomb_data(100, 100, 500), "png"),
    ("PNG with an iCCP bomb", images.png_bomb_chunk(b"iCCP", 400, 1), "png"),
    ("PNG with zTXt bombs", images.png_bomb_chunk(b"zTXt", 200, 8), "png"),
    ("PNG with iTXt bombs", images.png_bomb_chunk(b"iTXt", 200, 8), "png"),
    ("PNG with 500,000 chunks", images.png_chunks(500000), "png"),
    ("PNG with 500,000 IDAT chunks", images.png_parts(500000), "png"),
    ("WebP of 50 MP", images.webp(7070, 7070), "webp"),
    ("lossy WebP of 16383 x 16383", images.webp(16383, 4000, False), "webp"),
    ("WebP of 16383 x 1", images.webp(16383, 1), "webp"),
    ("animated WebP, 200 frames", images.animated_webp(200), "webp"),
    ("JPEG with 10 MB of EXIF", images.exif_bomb(160), "jpeg"),
    ("JPEG with an EXIF loop", images.exif_loop(), "jpeg"),
    ("truncated JPEG", images.cut(images.photo(3000, 3000), 0.5), "jpeg"),
    ("truncated PNG", images.cut(images.png(3000, 3000), 0.5), "png"),
    ("truncated WebP", images.cut(images.webp(3000, 3000), 0.5), "webp"),
    ("GIF of 100 MP", images.gif(10000, 10000), "gif"),
    ("10 MB of 0xff", repeat(b"\xff", 10 * MIB), "jpeg"),
    ("JPEG start and 10 MB of 0xff", join(b"\xff\xd8", repeat(b"\xff", 10 * MIB)), "jpeg"),
    ("10 MB of restart markers", join(b"\xff\xd8", repeat(b"\xff\xd0", 5 * MIB)), "jpeg"),
    ("PNG under the type of a JPEG", images.png(64, 64), "jpeg"),
    ("an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg+xml"),
    ("a zip file", b"PK\x03\x04" + bytes(1000), "jpeg"),
    ("an HTML page", b"<html>", "jpeg"),
    ("nothing", b"", "jpeg"),
]

CASES = [image(name, data, kind=f"image/{kind}") for name, data, kind in BOMBS]
CASES += [
    image(f"hostile/{path.name}", path.read_bytes(), kind="image/png", expect=EITHER)
    for path in sorted(TOLD.iterdir())
]

URLS = [
    ("data URL in a data URL", join("data:image/jpeg;base64,",
                                    base64_of(b"data:image/jpeg;base64,AAAA"))),
    ("base64 with spaces", join("data:image/jpeg;base64,", repeat("A A ", 1000))),
    ("base64 with one letter too many", "data:image/jpeg;base64,AAAAA"),
    ("base64 with padding inside", join("data:image/jpeg;base64,", repeat("AA==", 100000))),
    ("15 MB of padding", join("data:image/jpeg;base64,", repeat("=", 15 * MIB))),
    ("15 MB of A", join("data:image/jpeg;base64,", repeat("A", 15 * MIB))),
    ("base64 with URL letters", "data:image/jpeg;base64,__--"),
    ("base64 with NUL", "data:image/jpeg;base64,AA\x00A"),
    ("no base64", "data:image/jpeg,%ff%d8%ff"),
    ("15 MB of parameters", join("data:image/jpeg", repeat(";a=b", 3932160), ";base64,AAAA")),
    ("type of 15 MB", join("data:", repeat("x", 15 * MIB), ";base64,AAAA")),
    ("no comma in 15 MB", join("data:image/jpeg;base64", repeat("x", 15 * MIB))),
    ("http to this daemon", "http://127.0.0.1:1/health"),
    ("http to a metadata service", "http://169.254.169.254/latest/meta-data"),
    ("a file", "file:///etc/passwd"),
    ("gopher", "gopher://127.0.0.1:25/x"),
    ("http with 15 MB", join("http://a/", repeat("x", 15 * MIB))),
    ("http with credentials", "http://user:secret@127.0.0.1/"),
    ("http with CRLF", "http://a/\r\nX-Injected: 1"),
    ("IPv6 that means loopback", "http://[::ffff:127.0.0.1]/"),
    ("decimal address", "http://2130706433/"),
    ("empty", ""),
    ("lone surrogate", raw('"data:image/png;base64,\\ud800"')),
]
CASES += [url(name, value, expect=REFUSED) for name, value in URLS]

PHOTO = images.photo(2600, 2600)
CASES += [
    image("4 valid images", *[images.photo(700, 700, seed) for seed in (3, 5, 7, 9)],
          expect=(200,)),
    image("5 images of at most 4", *[images.jpeg(64, 64)] * 5, expect=REFUSED),
    url("1,000 image parts", *["data:image/png;base64,AAAA"] * 1000, expect=REFUSED),
    image("an image for a model of texts", images.jpeg(64, 64), model="smol", expect=REFUSED),
    image("a valid image of 6.8 MP", PHOTO, expect=(200,)),
    image("200 requests with one JPEG of 2600 x 2600", PHOTO, count=200, wall_s=60.0,
          cpu_s=120.0, beside=False),
    image("12 progressive JPEGs of 199 scans", images.jpeg_scans(7070, 7070, 190), count=12,
          wall_s=15.0, cpu_s=36.0),
    image("16 PNG bombs at once", images.png_bomb_data(100, 100, 500), kind="image/png",
          count=16, wall_s=20.0, cpu_s=48.0),
    Case("image part is deep", "image", body={
        "model": "demo", "messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": nested('{"url":', "}", 3000)}]}]},
        expect=REFUSED, names=("image_url", "nest", "deep", "depth")),
    Case("detail of 1 MB", "image", body={
        "model": "demo", "messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:", "detail": repeat("d", MIB)}}]}]},
        expect=REFUSED, names=("image_url",)),
    Case("image_url is a list", "image", body={
        "model": "demo", "messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": array("data:", 100000)}]}]},
        expect=REFUSED, names=("image_url",)),
    Case("image in a system message", "image", body={
        "model": "demo", "messages": [{"role": "system", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]},
        expect=REFUSED, names=("image", "messages")),
    Case("binary image as the body", "image", headers=(("Content-Type", "image/jpeg"),),
         body=encoded("\xff\xd8\xff" * 1000, "latin-1"), expect=(400, 415), names=()),
]
