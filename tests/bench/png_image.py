"""Makes a PNG image without a library."""

import base64
import random
import struct
import zlib


def chunk(kind, content):
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(side, seed):
    """A square of coloured tiles that depend on the seed."""
    colours = random.Random(seed)
    tile = side // 8
    rows = []
    for _ in range(8):
        row = b"".join(colours.randbytes(3) * tile for _ in range(8))
        rows += [b"\0" + row] * tile
    header = struct.pack(">IIBBBBB", 8 * tile, 8 * tile, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + chunk(b"IEND", b"")
    )


def url(side, seed):
    """A data URL of such an image."""
    return "data:image/png;base64," + base64.b64encode(png(side, seed)).decode()


def message(side, seed, question):
    """The content of a chat message that shows such an image."""
    return [
        {"type": "image_url", "image_url": {"url": url(side, seed)}},
        {"type": "text", "text": question},
    ]
