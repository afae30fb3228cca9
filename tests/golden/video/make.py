"""Makes the clips of this folder: python make.py. Needs av and numpy.

A clip shows red for 1 s, green for 0.5 s and blue for 1.5 s, at 10 frames a second.
"""

import fractions
import pathlib
import struct

import av
import numpy

FOLDER = pathlib.Path(__file__).resolve().parent
COLORS = [(200, 40, 40)] * 10 + [(40, 160, 40)] * 5 + [(40, 40, 200)] * 15
WIDTH, HEIGHT = 96, 64
X264 = {"preset": "veryfast", "g": "10"}
# Name, codec, pixel format, options of the codec.
CLIPS = [
    ("h264.mp4", "libx264", "yuv420p", X264),
    ("h264.mov", "libx264", "yuv420p", X264),
    ("h264.ts", "libx264", "yuv420p", X264),
    ("h264.mkv", "libx264", "yuv420p", X264),
    ("one-key-frame.mp4", "libx264", "yuv420p", {"preset": "veryfast", "g": "1000"}),
    ("hevc.mp4", "libx265", "yuv420p", {"preset": "ultrafast", "x265-params": "log-level=none"}),
    ("vp8.webm", "libvpx", "yuv420p", {}),
    ("vp9.webm", "libvpx-vp9", "yuv420p", {}),
    ("av1.mp4", "libsvtav1", "yuv420p", {"preset": "12"}),
    ("mpeg4.avi", "mpeg4", "yuv420p", {}),
    ("mjpeg.avi", "mjpeg", "yuvj420p", {}),
    ("gif.gif", "gif", "rgb8", {}),
    ("flv.flv", "flv", "yuv420p", {}),
    ("prores.mov", "prores_ks", "yuv422p10le", {}),
]


def frame_of(color, number, pixel_format):
    """A frame of one colour, with a mark at its upper left that shows which way is up."""
    pixels = numpy.full((HEIGHT, WIDTH, 3), color, numpy.uint8)
    pixels[:16, :16] = 255
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
    frame.pts = number
    frame.time_base = fractions.Fraction(1, 10)
    return frame


def make(name, codec, pixel_format, options, times=range(30), audio=False):
    container = av.open(str(FOLDER / name), "w")
    stream = container.add_stream(codec, rate=10, options=options)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
    stream.codec_context.thread_count = 1
    sound = container.add_stream("aac", rate=8000) if audio else None
    if sound:
        silence = av.AudioFrame.from_ndarray(numpy.zeros((1, 1024), numpy.float32), "fltp", "mono")
        silence.sample_rate = 8000
        for i in range(20):
            silence.pts = 1024 * i
            container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    for color, time in zip(COLORS, times):
        container.mux(stream.encode(frame_of(color, time, pixel_format)))
    container.mux(stream.encode(None))
    container.close()


def turn(name, to):
    """A copy of an MP4 file that players turn to the right by 90 degrees."""
    data = bytearray((FOLDER / name).read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", data, matrix, 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    (FOLDER / to).write_bytes(data)


def main():
    for clip in CLIPS:
        make(*clip)
    make("sound.mp4", "libx264", "yuv420p", X264, audio=True)
    turn("h264.mp4", "turned.mp4")
    # The last frame is shown after 30 hours.
    make("long.mkv", "libx264", "yuv420p", X264, times=[*range(29), 30 * 3600 * 10])
    for path in sorted(FOLDER.iterdir()):
        print(path.stat().st_size, path.name)


if __name__ == "__main__":
    main()
