"""Hostile image files, made by hand or with Pillow, each of a few kilobytes to a few megabytes."""

import functools
import io
import struct
import zlib

from generate import lazy
from PIL import Image

Image.MAX_IMAGE_PIXELS = None


def made_once(function):
    """A Lazy that caches its value, because cases run more than once."""
    return lazy(functools.wraps(function)(functools.cache(function)))


def _save(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _segments(jpeg):
    """(marker, bytes of the segment with its entropy-coded data) of a JPEG file."""
    at, found = 2, []
    while at < len(jpeg) and jpeg[at + 1] != 0xD9:
        marker, size = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        end = at + 2 + size
        if marker == 0xDA:
            while not (jpeg[end] == 0xFF and jpeg[end + 1] not in (0, *range(0xD0, 0xD8))):
                end += 1
        found.append((marker, jpeg[at:end]))
        at = end
    return found


@made_once
def jpeg_scans(width, height, scans):
    """A progressive JPEG of a grey area with `scans` scans more than it needs."""
    parts = _segments(_save(Image.new("L", (width, height), 90), "JPEG", progressive=True))
    tables, extra = b"", b""
    for marker, data in parts:
        if marker == 0xC4:
            tables = data
        if marker == 0xDA:
            start = 2 + struct.unpack(">H", data[2:4])[0]
            if data[start - 3] != 0:  # the first scan of AC coefficients
                head = data[: start - 1] + b"\x00"  # at full precision: it may come again
                extra = tables + head + data[start:]
                break
    return b"\xff\xd8" + b"".join(d for _, d in parts) + extra * scans + b"\xff\xd9"


@made_once
def jpeg(width, height, kind="L", progressive=False):
    return _save(Image.new(kind, (width, height), 90), "JPEG", progressive=progressive)


@made_once
def photo(width, height, seed=1):
    """A JPEG of noise."""
    tile = Image.frombytes("L", (64, 64), bytes((i * i * seed) % 251 for i in range(4096)))
    return _save(tile.resize((width, height)).convert("RGB"), "JPEG", quality=60)


@made_once
def webp(width, height, lossless=True):
    return _save(Image.new("RGB", (width, height), 90), "WEBP", lossless=lossless)


@made_once
def animated_webp(frames):
    images = [Image.new("RGB", (64, 64), (i % 256, 0, 0)) for i in range(frames)]
    return _save(images[0], "WEBP", save_all=True, append_images=images[1:])


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width, height, data, depth=8, colour=2, interlace=0, before=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + before + _chunk(b"IDAT", data)
            + _chunk(b"IEND", b""))


@made_once
def png(width, height, depth=8, colour=0, interlace=0):
    """A PNG of zeros."""
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    packer = zlib.compressobj(9)
    row = bytes(1 + (width * samples * depth + 7) // 8)
    rows = height if not interlace else 2 * height + 8  # a little more than the passes take
    data = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()
    return _png(width, height, data, depth, colour, interlace)


@made_once
def png_bomb_data(width, height, megabytes):
    """Pixel data that unpacks to much more than the size in the header."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    return _png(width, height, data)


@made_once
def png_bomb_chunk(name, megabytes, count):
    """Chunks (iCCP, zTXt, iTXt) that unpack to many megabytes."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    start = {b"iTXt": b"x\0\1\0\0\0"}.get(name, b"x\0\0")
    row = zlib.compress(bytes(4 * 8))
    return _png(8, 1, row, colour=2, before=_chunk(name, start + data) * count)


@made_once
def png_chunks(count):
    """Many small ancillary chunks."""
    row = zlib.compress(bytes(4 * 8))
    return _png(8, 1, row, colour=2, before=_chunk(b"tEXt", b"k\0v") * count)


@made_once
def png_parts(count):
    """Pixel data in very many IDAT chunks."""
    row = zlib.compress(bytes(1 + 3 * 8) * 8)
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    data = b"".join(_chunk(b"IDAT", row[i : i + 1]) for i in range(len(row)))
    empty = _chunk(b"IDAT", b"") * count
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + empty + data + _chunk(b"IEND", b"")


@made_once
def cut(data, share):
    return data[: int(len(data) * share)]


@made_once
def gif(width, height):
    return _save(Image.new("P", (width, height)), "GIF")


@made_once
def exif_bomb(count):
    """A JPEG with many APP1 segments of 64 KB."""
    small = _save(Image.new("L", (16, 16)), "JPEG")
    app = b"\xff\xe1\xff\xff" + b"Exif\0\0II*\0" + b"\x08\0\0\0" + b"\xff" * (65533 - 14)
    return small[:2] + app * count + small[2:]


@made_once
def exif_loop():
    """An EXIF block whose directory refers to itself."""
    small = _save(Image.new("L", (16, 16)), "JPEG")
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<H", 200) + entry * 200 + struct.pack("<I", 8)
    app = b"Exif\0\0" + tiff
    return small[:2] + b"\xff\xe1" + struct.pack(">H", len(app) + 2) + app + small[2:]
