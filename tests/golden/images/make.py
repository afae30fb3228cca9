"""Makes images of every kind and hostile files. Records Pillow's pixels, and the results of Pillow's resizing.

Needs pillow and numpy; run it here: python3 make.py. good.json: [{"file", "width", "height",
"tolerance", "rgb": base64}], upright and over white, as transformers' MllamaImageProcessor does it.
hostile.json: {file: text of the error}. resize.json: [{"width", "height", "size", "sha256"}] of
the image of source(), prepared for a model of `size` pixels.
"""

import base64
import hashlib
import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEIGHT = 23, 17
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def colours(width=WIDTH, height=HEIGHT):
    """Smooth gradients with one hard corner, which lossy formats keep almost exactly."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 240 // width, y * 230 // height, 60 + (x + y) * 3 % 90], -1)
    rgb[: height // 3, : width // 3] = (250, 20, 90)
    return rgb.astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width, height, depth=8, colour=2, interlace=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(*chunks):
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND", b"")


def rows_of(pixels):
    """Unfiltered rows."""
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def pixels_png(pixels, depth=8, colour=2, before=b""):
    data = chunk(b"IDAT", zlib.compress(rows_of(pixels)))
    return png(header(pixels.shape[1], pixels.shape[0], depth, colour), before, data)


def interlaced(pixels):
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    passes.append((0, 1, 1, 2))
    data = b"".join(rows_of(pixels[y::dy, x::dx]) for x, y, dx, dy in passes)
    head = header(pixels.shape[1], pixels.shape[0], interlace=1)
    return png(head, chunk(b"IDAT", zlib.compress(data)))


def save(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def bad_exif():
    """An EXIF directory that claims 65535 entries and has two. None is the orientation."""
    entries = struct.pack("<HHII", 0x0100, 3, 1, 5) + struct.pack("<HHII", 0x0112, 4, 1, 6)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 65535) + entries


def with_adobe_transform(jpeg, value):
    at = jpeg.index(b"Adobe") + 11
    return jpeg[:at] + bytes([value]) + jpeg[at + 1 :]


def good_files():
    """(name, bytes, tolerance)."""
    rgb = Image.fromarray(colours())
    alpha = np.mgrid[0:HEIGHT, 0:WIDTH][1] * 255 // (WIDTH - 1)
    rgba = Image.fromarray(np.dstack([colours(), alpha]).astype(np.uint8))
    palette = rgb.quantize(16)
    wide = (colours().astype(np.uint16) << 8) | 0xC3
    yield "rgb.png", save(rgb, "PNG"), 0
    yield "rgba.png", save(rgba, "PNG"), 0
    yield "grey.png", save(rgb.convert("L"), "PNG"), 0
    yield "grey-alpha.png", save(rgba.convert("LA"), "PNG"), 0
    yield "grey-key.png", save(rgb.convert("L"), "PNG", transparency=int(colours().max())), 0
    yield "bits.png", save(rgb.convert("1"), "PNG"), 0
    yield "palette.png", save(palette, "PNG"), 0
    yield "palette-4.png", save(palette, "PNG", bits=4), 0
    yield "palette-alpha.png", save(palette, "PNG", transparency=bytes(range(0, 256, 16))), 0
    yield "rgb-key.png", save(rgb, "PNG", transparency=(250, 20, 90)), 0
    yield "rgb-16.png", pixels_png(wide.astype(">u2"), depth=16), 0
    yield "grey-16.png", pixels_png(wide[..., 0].astype(">u2"), depth=16, colour=0), 0
    yield "interlaced.png", interlaced(colours()), 0
    yield "exif.png", save(rgb, "PNG", exif=exif(6)), 0
    whole = pixels_png(colours())
    late = chunk(b"eXIf", exif(6).removeprefix(b"Exif\0\0"))
    yield "exif-behind.png", whole[:-12] + late + whole[-12:], 0
    yield "no-end.png", whole[:-12], 0
    yield "trailing.png", whole + b"and more", 0
    jpeg = dict(quality=92, subsampling=0)
    yield "rgb.jpg", save(rgb, "JPEG", **jpeg), 2
    yield "halved.jpg", save(rgb, "JPEG", quality=85, subsampling=2), 3
    yield "grey.jpg", save(rgb.convert("L"), "JPEG", **jpeg), 2
    yield "progressive.jpg", save(rgb, "JPEG", progressive=True, **jpeg), 2
    yield "restarts.jpg", save(rgb, "JPEG", restart_marker_blocks=1, **jpeg), 2
    cmyk = save(rgb.convert("CMYK"), "JPEG", **jpeg)
    yield "cmyk.jpg", cmyk, 3
    yield "ycck.jpg", with_adobe_transform(cmyk, 2), 4
    for orientation in range(1, 9):
        yield f"exif-{orientation}.jpg", save(rgb, "JPEG", exif=exif(orientation), **jpeg), 2
    yield "exif-bad.jpg", save(rgb, "JPEG", exif=bad_exif(), **jpeg), 2
    yield "trailing.jpg", save(rgb, "JPEG", **jpeg) + bytes(100), 2
    yield "lossy.webp", save(rgb, "WEBP", quality=90), 3
    yield "lossless.webp", save(rgb, "WEBP", lossless=True), 0
    yield "alpha.webp", save(rgba, "WEBP", lossless=True, exact=True), 0
    yield "lossy-alpha.webp", save(rgba, "WEBP", quality=90, exact=True), 3
    yield "exif.webp", save(rgb, "WEBP", lossless=True, exif=exif(8)), 0


def reference(name, file):
    if name.endswith("-16.png"):  # Pillow has no such mode for grey: the upper bytes
        channels = colours()[..., :1].repeat(3, -1) if name.startswith("grey") else colours()
        return Image.fromarray(channels)
    if name == "exif-bad.jpg":
        return Image.open(io.BytesIO(file)).convert("RGB")
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def patched_size(jpeg, width, height, precision=8):
    """A baseline file whose header has other dimensions."""
    at = jpeg.index(b"\xff\xc0") + 4
    return jpeg[:at] + struct.pack(">BHH", precision, height, width) + jpeg[at + 5 :]


def riff(*chunks):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(kind, data):
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def lossless_head(width, height):
    return riff_chunk(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14) + bytes(40))


def many_scans(rgb):
    """A progressive file that has its first scan 300 times."""
    file = save(rgb, "JPEG", progressive=True)
    begin = file.index(b"\xff\xda")
    end = file.index(b"\xff\xc4", begin)
    return file[:end] + file[begin:end] * 300 + file[end:]


def hostile_pngs():
    """(name, bytes, text of the error)."""
    rows = chunk(b"IDAT", zlib.compress(rows_of(colours())))
    whole = pixels_png(colours())
    bomb = chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
    yield "bomb.png", png(header(30000, 30000), bomb), "30000 x 30000"
    yield "bomb-wide.png", png(header(2**31 - 1, 1, 1, 0), bomb), "2147483647 x 1"
    yield "bomb-negative.png", png(header(2**32 - 1, 2**32 - 1), bomb), "PNG"
    yield "none.png", png(header(0, 0), rows), "PNG"
    yield "cut-head.png", whole[:20], "PNG"
    yield "cut.png", whole[: len(whole) // 2], "PNG"
    yield "cut-data.png", whole[:-24], "PNG"
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x55
    yield "checksum.png", bytes(damaged), "PNG"
    noise = bytes(range(256)) * 2
    yield "deflate.png", png(header(WIDTH, HEIGHT), chunk(b"IDAT", noise)), "PNG"
    few = chunk(b"IDAT", zlib.compress(rows_of(colours()[:3])))
    yield "few-rows.png", png(header(WIDTH, HEIGHT), few), "PNG"
    yield "no-rows.png", png(header(WIDTH, HEIGHT)), "PNG"
    filters = chunk(b"IDAT", zlib.compress(b"\x09" + rows_of(colours())[1:]))
    yield "filter.png", png(header(WIDTH, HEIGHT), filters), "PNG"
    yield "depth.png", png(header(WIDTH, HEIGHT, 3), rows), "PNG"
    yield "colour.png", png(header(WIDTH, HEIGHT, 8, 5), rows), "PNG"
    yield "interlace.png", png(header(WIDTH, HEIGHT, interlace=7), rows), "PNG"
    yield "no-palette.png", png(header(WIDTH, HEIGHT, 8, 3), rows), "PNG"
    long = SIGNATURE + header(WIDTH, HEIGHT) + b"\xff\xff\xff\xffIDAT" + bytes(99)
    yield "long-chunk.png", long, "PNG"
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1 << 24)))
    yield "profile-bomb.png", png(header(WIDTH, HEIGHT), profile, rows), "PNG"
    text = chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1 << 24)))
    yield "text-bomb.png", png(header(WIDTH, HEIGHT), text, rows), "PNG"
    yield "signature.png", SIGNATURE, "PNG"


def hostile_jpegs():
    rgb = Image.fromarray(colours())
    whole = save(rgb, "JPEG", quality=92, subsampling=0)
    yield "bomb.jpg", patched_size(whole, 30000, 30000), "30000 x 30000"
    yield "bomb-short.jpg", patched_size(whole, 7000, 7000), "JPEG"
    yield "none.jpg", patched_size(whole, 23, 0), "JPEG"
    yield "twelve-bits.jpg", patched_size(whole, WIDTH, HEIGHT, 12), "JPEG"
    yield "cut-head.jpg", whole[:100], "JPEG"
    yield "cut.jpg", whole[: len(whole) * 3 // 4], "JPEG"
    yield "start.jpg", b"\xff\xd8\xff", "JPEG"
    yield "start-end.jpg", b"\xff\xd8\xff\xd9", "JPEG"
    yield "scans.jpg", many_scans(rgb), "too many scans"
    tables = whole.index(b"\xff\xc0")
    yield "no-frame.jpg", whole[:tables] + whole[whole.index(b"\xff\xda") :], "JPEG"
    damaged = bytearray(whole)
    damaged[whole.index(b"\xff\xdb") + 2] = 0xFF  # a table longer than the file
    yield "table.jpg", bytes(damaged), "JPEG"


def hostile_webps():
    rgb = Image.fromarray(colours())
    lossy, lossless = save(rgb, "WEBP"), save(rgb, "WEBP", lossless=True)
    yield "bomb.webp", riff(lossless_head(16384, 16384)), "16384 x 16384"
    extended = riff_chunk(b"VP8X", bytes(4) + b"\x2f\x75\x00\x2f\x75\x00")
    yield "bomb-canvas.webp", riff(extended, lossless[12:]), "WebP"
    yield "cut.webp", lossy[: len(lossy) // 2], "WebP"
    yield "cut-lossless.webp", lossless[: len(lossless) // 2], "WebP"
    yield "cut-head.webp", lossy[:16], "WebP"
    yield "damaged.webp", riff(lossless_head(WIDTH, HEIGHT)), "WebP"
    pair = [rgb, ImageOps.flip(rgb)]
    yield "animated.webp", save(pair[0], "WEBP", save_all=True, append_images=pair[1:]), "animated"
    length = lossy[:4] + struct.pack("<I", 2**32 - 2) + lossy[8:]
    yield "length.webp", length, "WebP"


def hostile_others():
    rgb = Image.fromarray(colours())
    yield "image.gif", save(rgb, "GIF"), "a GIF file"
    yield "image.bmp", save(rgb, "BMP"), "a BMP file"
    yield "image.tiff", save(rgb, "TIFF"), "a TIFF file"
    yield "image.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG file"
    yield "image.avif", bytes(3) + b"\x1cftypavif" + bytes(99), "an AVIF file"
    yield "image.heic", bytes(3) + b"\x1cftypheic" + bytes(99), "a HEIC file"
    yield "page.html", b"<!DOCTYPE html><html></html>", "an HTML page"
    yield "noise.bin", bytes(range(256)), "of an unknown type"
    yield "png-in-jpeg.jpg", b"\xff\xd8\xff" + pixels_png(colours()), "JPEG"
    yield "jpeg-in-png.png", SIGNATURE + save(rgb, "JPEG"), "PNG"


def write(folder, files):
    (HERE / folder).mkdir(exist_ok=True)
    for name, file, about in files:
        (HERE / folder / name).write_bytes(file)
        yield name, file, about


def source(width, height):
    """Returns [height][width][3] bytes by a formula that the test repeats."""
    i = np.arange(width * height * 3, dtype=np.uint32)
    i = (i ^ (i >> 7)) * np.uint32(2654435761)
    return (i >> 24).astype(np.uint8).reshape(height, width, 3)


def resized(width, height, size):
    """Resizes as get_image_size_fit_to_canvas and PIL do, to the top left of a black square."""
    if size / width < size / height:
        new = [size, min(int(height * (size / width)) or 1, size)]
    else:
        new = [min(int(width * (size / height)) or 1, size), size]
    canvas = np.zeros((size, size, 3), np.uint8)
    image = Image.fromarray(source(width, height))
    canvas[: new[1], : new[0]] = np.asarray(image.resize(new, Image.Resampling.BICUBIC))
    digest = hashlib.sha256(canvas.tobytes()).hexdigest()
    return {"width": width, "height": height, "size": size, "sha256": digest}


def main():
    good = []
    for name, file, tolerance in write("good", good_files()):
        image = reference(name, file)
        rgb = base64.b64encode(image.tobytes()).decode()
        about = {"file": name, "width": image.width, "height": image.height}
        good.append(about | {"tolerance": tolerance, "rgb": rgb})
    (HERE / "good.json").write_text(json.dumps(good, indent=0))
    makers = (hostile_pngs, hostile_jpegs, hostile_webps, hostile_others)
    hostile = {n: says for maker in makers for n, _, says in write("hostile", maker())}
    (HERE / "hostile.json").write_text(json.dumps(hostile, indent=0))
    sides = [(84, 84), (1, 1), (2, 3), (37, 90), (150, 61), (333, 17), (1000, 7), (3, 2000), (640, 480)]
    sizes = [84, 98, 56, 1, 17]
    cases = [resized(*side, size) for side in sides for size in sizes]
    cases += [resized(*side, 672) for side in [(1920, 1080), (671, 673), (672, 672), (45, 31)]]
    (HERE / "resize.json").write_text(json.dumps(cases, indent=0))


if __name__ == "__main__":
    main()
