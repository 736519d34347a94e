"""JPEG inside TIFF that does not fill its strips or tiles shows nobody what lay in memory before: it is refused."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from models.errors import UnreadableImage
from models.jpeg import read

ROWS, COLUMNS, TILE = 72, 96, 48
PIXELS = np.add.outer(2 * np.arange(ROWS), np.arange(COLUMNS)).astype(np.uint8)
COMPRESSION, STRIPS, TILES = 259, (273, 279), (324, 325)


def jpeg(pixels):
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def tiff(frames, where=STRIPS, order="<", **changed):
    """Gray, one JPEG file for each strip of 24 rows, or for each tile of 48 x 48; `changed` by name."""
    numbers = {"rows": ROWS, "columns": COLUMNS, "compression": 7, "per_strip": 24, "tile": TILE} | changed
    tags = {
        256: numbers["columns"],
        257: numbers["rows"],
        258: 8,
        259: numbers["compression"],
        262: 1,
        277: 1,
    }
    tags |= {278: numbers["per_strip"]} if where == STRIPS else {322: numbers["tile"], 323: numbers["tile"]}
    count = len(frames)
    behind = 8 + 2 + 12 * (len(tags) + 2) + 4
    lengths = [len(frame) for frame in frames]
    places = [behind + 8 * count + sum(lengths[:index]) for index in range(count)]
    entries = {tag: struct.pack(order + "HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items()}
    for index, (tag, values) in enumerate(zip(where, (places, lengths), strict=True)):
        value = behind + 4 * count * index if count > 1 else values[0]
        entries[tag] = struct.pack(order + "HHII", tag, 4, count, value)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(entries))
    directory = b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    return head + directory + struct.pack(f"{order}{2 * count}I", *places, *lengths) + b"".join(frames)


def strips(height=24, columns=COLUMNS):
    return [jpeg(PIXELS[top : top + height, :columns]) for top in range(0, ROWS, 24)]


def tiles(side=TILE):
    """The picture fills one and a half tiles of two rows of them."""
    large = np.pad(PIXELS, ((0, 2 * TILE - ROWS), (0, 0)), "edge")
    places = [(top, left) for top in (0, TILE) for left in (0, TILE)]
    return [jpeg(large[top : top + side, left : left + side]) for top, left in places]


@pytest.mark.parametrize("order", ["<", ">"])
def test_frames_that_fill_their_place_are_read(order):
    for data in (
        tiff(strips(), order=order),
        tiff(strips()[:2] + [jpeg(PIXELS[48:])], order=order),
        tiff(tiles(), TILES, order),
        tiff([jpeg(PIXELS)], order=order, per_strip=ROWS),
        tiff([jpeg(PIXELS)], order=order, per_strip=60_000),
    ):
        image = read(data)
        assert image.notes == () and image.is_gray
        assert np.abs(image.pixels[..., 0].astype(int) - PIXELS).max() < 12


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
def test_what_other_programs_write_is_read(mode):
    picture = Image.fromarray(PIXELS).convert("RGB").convert(mode)
    for tags in ({}, {278: 16}):
        buffer = io.BytesIO()
        picture.save(buffer, "TIFF", compression="jpeg", tiffinfo=tags)
        assert read(buffer.getvalue()).pixels.shape == (ROWS, COLUMNS, 3)


@pytest.mark.parametrize(
    "data",
    [
        tiff(strips(16)),
        tiff([*strips()[:2], jpeg(PIXELS[48:64])]),
        tiff(strips(columns=48)),
        tiff(tiles(40), TILES),
        tiff([jpeg(PIXELS[:, :50])], per_strip=ROWS),
        tiff([b"\xff\xd8\xff\xff" + frame[3:] for frame in strips()]),  # a size that needs more than a look
        tiff([frame[2:] for frame in strips()]),
        tiff([frame[:20] for frame in strips()]),
        tiff(strips(), per_strip=0),
        tiff(tiles(), TILES, tile=0),
        tiff([jpeg(PIXELS)] * 2, per_strip=ROWS)[: -len(jpeg(PIXELS)) - 1],
    ],
)
def test_frames_that_do_not_are_refused(data):
    with pytest.raises(UnreadableImage, match="damaged"):
        read(data)


def test_one_answer_to_one_question():
    """Where a tag stands there twice, decoders take either."""
    data = bytearray(tiff(strips()))
    other = data.index(struct.pack("<HHI", 277, 3, 1))
    for tag, value in ((COMPRESSION, 1), (257, 24), (278, 8)):
        twice = bytearray(data)
        twice[other : other + 12] = struct.pack("<HHII", tag, 3, 1, value)
        with pytest.raises(UnreadableImage, match="damaged"):
            read(bytes(twice))


def test_damage_in_a_tiff_is_told_and_nothing_is_printed(capfd):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).convert("1").save(buffer, "TIFF", compression="group3")
    data, noise = buffer.getvalue(), b"\x00\xaa" * 6
    image = read(data[: len(data) // 2] + noise + data[len(data) // 2 + len(noise) :])
    assert image.notes == ("picture data are damaged; what follows the damage is read as well as it can be",)
    with pytest.raises(UnreadableImage):
        buffer = io.BytesIO()
        Image.fromarray(PIXELS).save(buffer, "TIFF", compression="tiff_lzw")
        sound = buffer.getvalue()
        read(sound[:200] + bytes(300) + sound[500:])
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""


def cut_last_strip(data, share):
    """A TIFF file, little-endian, whose one strip or tile ends early; only its length is changed."""
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    for at in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind, values, length = struct.unpack_from("<HHII", data, at)
        if tag == STRIPS[1]:
            assert (kind, values) == (4, 1)
            return data[: at + 8] + struct.pack("<I", int(length * share)) + data[at + 12 :]
    raise AssertionError("no strip")


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr", "CMYK"])
def test_jpeg_data_that_end_early_in_a_strip_are_told_of(mode, capfd):
    noise = np.random.default_rng(5).integers(0, 255, (64, 80), np.uint8)
    picture = Image.fromarray(noise).convert("RGB").convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, "TIFF", compression="jpeg", tiffinfo={278: 64})
    damaged = "picture data are damaged; what follows the damage is read as well as it can be"
    assert damaged not in read(buffer.getvalue()).notes
    for share in (0.5, 0.8):
        assert damaged in read(cut_last_strip(buffer.getvalue(), share)).notes
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("where", [STRIPS, TILES], ids=["strips", "tiles"])
def test_one_that_ends_early_is_found_among_others(where):
    frames = strips() if where == STRIPS else tiles()
    assert read(tiff([frame[:-2] for frame in frames], where)).notes == (), (
        "nothing but end markers is missing"
    )
    frames[1] = frames[1][: len(frames[1]) * 3 // 4] + b"\xff\xd9"
    assert len(read(tiff(frames, where)).notes) == 1
