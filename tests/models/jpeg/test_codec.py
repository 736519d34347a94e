"""Opening files: rotation, colours, alpha, bit depth and notes, against Pillow or by construction."""

import io
import re
import struct
import subprocess
import sys

import cv2
import jpegio
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageCms, ImageOps

from models.errors import UnreadableImage, UnsupportedImage
from models.jpeg import Save, encode, probe, read
from tests.paths import REPOSITORY
from tests.present import present

ASTRONAUT = skimage.data.astronaut()[100:165, 150:243]  # 65 x 93
ORIENTATION = 0x0112


def _file(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _profile_that_swaps_red_and_green() -> bytes:
    """sRGB with the primaries of red and green exchanged: a profile whose effect is known exactly."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (tags,) = struct.unpack_from(">I", profile, 128)
    places = {bytes(profile[start : start + 4]): start + 4 for start in range(132, 132 + 12 * tags, 12)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    return bytes(profile)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_rotation_is_applied_exactly_once(kind, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 90}}.get(kind, {})
    data = _file(Image.fromarray(ASTRONAUT), kind, exif=exif, **options)
    image = read(data)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert np.array_equal(image.pixels, expected)
    assert image.pixels.shape[:2] == ((93, 65) if orientation >= 5 else (65, 93))
    assert np.array_equal(image.present(image.decoded_pixels), image.pixels)
    if kind != "TIFF":  # whose decoder turns the picture itself
        assert image.decoded_pixels.shape == (65, 93, 3)
        assert ("EXIF rotation applied" in image.notes) == (orientation != 1)
        assert image.exif is not None


def test_damaged_exif_is_ignored():
    for block in (b"", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"junk"):
        data = _file(Image.fromarray(ASTRONAUT), "JPEG", exif=b"Exif\0\0" + block)
        assert np.array_equal(read(data).pixels, read(_file(Image.fromarray(ASTRONAUT), "JPEG")).pixels)


def test_pixels_without_anything_to_do_are_the_decoded_ones():
    image = encode(ASTRONAUT, Save(75))
    assert image.pixels is image.decoded_pixels
    assert image.notes == ()
    assert np.array_equal(image.pixels, np.asarray(Image.open(io.BytesIO(image.data))))


def test_present_refuses_another_shape():
    image = encode(ASTRONAUT, Save(75))
    with pytest.raises(ValueError, match="shape"):
        image.present(image.pixels[1:])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_colours_are_converted_to_srgb(kind):
    options = {"WEBP": {"lossless": True}}.get(kind, {})
    tall = np.tile(ASTRONAUT, (9, 1, 1))  # more rows than are converted at a time
    profile = _profile_that_swaps_red_and_green()
    image = read(_file(Image.fromarray(tall), kind, icc_profile=profile, **options))
    swapped = image.decoded_pixels[..., [1, 0, 2]]
    assert np.abs(image.pixels.astype(int) - swapped).max() <= 2
    assert np.abs(image.pixels.astype(int) - image.decoded_pixels).max() > 50
    assert any(note.startswith("colours converted from") for note in image.notes)
    assert image.icc_profile == profile
    assert np.array_equal(image.present(image.decoded_pixels), image.pixels)


def test_rotation_and_colours_together():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    profile = _profile_that_swaps_red_and_green()
    image = read(_file(Image.fromarray(ASTRONAUT), "JPEG", exif=exif, icc_profile=profile))
    expected = np.rot90(image.decoded_pixels[..., [1, 0, 2]], -1)
    assert np.abs(image.pixels.astype(int) - expected).max() <= 2
    restored = 255 - image.decoded_pixels
    expected = np.rot90(restored[..., [1, 0, 2]], -1)
    assert np.abs(image.present(restored).astype(int) - expected).max() <= 2


def test_an_srgb_profile_changes_nothing():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = read(_file(Image.fromarray(ASTRONAUT), "JPEG", icc_profile=profile))
    assert image.pixels is image.decoded_pixels
    assert image.notes == ()
    assert image.icc_profile == profile


def test_gray_with_an_rgb_profile_stays_gray():
    profile = _profile_that_swaps_red_and_green()
    image = read(_file(Image.fromarray(ASTRONAUT[..., 0]), "JPEG", icc_profile=profile))
    assert np.ptp(image.pixels, axis=2).max() == 0
    assert np.abs(image.pixels.astype(int) - image.decoded_pixels).max() <= 2


def test_a_damaged_profile_is_said_to_be_ignored():
    image = read(_file(Image.fromarray(ASTRONAUT), "JPEG", icc_profile=b"no profile at all"))
    assert image.pixels is image.decoded_pixels
    assert any("colour profile ignored" in note for note in image.notes)


def test_gray_is_carried_as_three_equal_channels():
    image = read(_file(Image.fromarray(ASTRONAUT[..., 0]), "JPEG", quality=50))
    assert image.is_gray
    assert image.subsampling == "gray"
    assert image.chroma_table is None
    assert np.array_equal(image.pixels[..., 0], np.asarray(Image.open(io.BytesIO(image.data))))
    assert [component.name for component in image.components] == ["Y"]


def test_cmyk_becomes_rgb():
    data = _file(Image.fromarray(ASTRONAUT).convert("CMYK"), "JPEG", quality=90)
    image = read(data)
    assert np.array_equal(image.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert image.notes == ("CMYK converted to RGB",)
    assert [component.name for component in image.components] == ["C", "M", "Y", "K"]


def test_alpha_is_carried_separately_and_turned_with_the_picture():
    alpha = np.arange(65 * 93, dtype=np.uint32).reshape(65, 93).astype(np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = 8
    picture = Image.fromarray(np.dstack([ASTRONAUT, alpha]))
    image = read(_file(picture, "PNG", exif=exif))
    assert np.array_equal(image.decoded_pixels, ASTRONAUT)
    assert np.array_equal(present(image.alpha), np.rot90(alpha))
    assert present(image.alpha).shape == image.pixels.shape[:2]
    assert read(_file(Image.fromarray(ASTRONAUT), "PNG")).alpha is None


def test_gray_with_alpha_and_palettes_with_transparency():
    gray = Image.fromarray(np.dstack([ASTRONAUT[..., 0], ASTRONAUT[..., 1]]), "LA")
    image = read(_file(gray, "PNG"))
    assert image.is_gray
    assert np.array_equal(image.pixels[..., 2], ASTRONAUT[..., 0])
    assert np.array_equal(present(image.alpha), ASTRONAUT[..., 1])
    palette = Image.fromarray(ASTRONAUT).quantize(16)
    image = read(_file(palette, "PNG", transparency=3))
    assert np.array_equal(image.alpha == 0, np.asarray(palette) == 3)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_gray_is_converted_with_a_note(kind):
    levels = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
    image = read(_file(Image.fromarray(levels), kind))
    assert np.array_equal(image.pixels[1, :, 0], np.arange(256))
    assert image.is_gray
    assert image.notes == ("16-bit converted to 8-bit",)


@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_16_bit_colour_is_converted_with_a_note(extension):
    levels = np.stack([np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))] * 3, axis=-1)
    levels[..., 0] = 65535 - levels[..., 0]
    image = read(cv2.imencode(extension, levels)[1].tobytes())
    assert np.array_equal(image.pixels[0, :, 0], np.arange(256))
    assert np.array_equal(image.pixels[0, :, 2], 255 - np.arange(256))
    assert image.notes == ("16-bit converted to 8-bit",)


def test_floating_point_pictures_are_refused():
    with pytest.raises(UnsupportedImage, match="floating-point"):
        read(_file(Image.fromarray(ASTRONAUT[..., 0].astype(np.float32)), "TIFF"))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_files_without_a_jpeg_header_say_so(kind):
    options = {"WEBP": {"lossless": True}}.get(kind, {})
    image = read(_file(Image.fromarray(ASTRONAUT), kind, **options))
    assert image.format == kind
    assert not image.saved_as_jpeg
    assert (image.subsampling, image.luma_table, image.chroma_table) == (None, None, None)
    assert image.estimated_quality_factor is None
    assert image.coefficients_from == "pixels"
    assert np.array_equal(image.pixels, ASTRONAUT)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_only_the_first_of_several_pictures_is_used(kind):
    first, second = Image.fromarray(ASTRONAUT), Image.fromarray(255 - ASTRONAUT)
    options = {"WEBP": {"lossless": True}}.get(kind, {})
    image = read(_file(first, kind, save_all=True, append_images=[second], **options))
    assert "only the first picture of this file is used" in image.notes
    assert np.abs(image.pixels.astype(int) - ASTRONAUT).mean() < 12  # 256 colours or lossy coding at worst
    assert not read(_file(first, "JPEG" if kind == "MPO" else kind)).notes


def test_a_truncated_jpeg_keeps_what_is_there():
    whole = encode(np.tile(ASTRONAUT, (3, 3, 1)), Save(80))
    image = read(whole.data[: len(whole.data) // 2])
    assert image.pixels.shape == whole.pixels.shape
    assert np.array_equal(image.pixels[:64], whole.pixels[:64])
    assert np.ptp(image.pixels[-8:]) == 0
    (note,) = image.notes
    said = re.fullmatch(r"file is truncated: (\d+) of 195 rows are there, the missing part is gray", note)
    rows = int(present(said)[1])
    assert rows >= 80
    assert np.array_equal(image.pixels[: rows - 1], whole.pixels[: rows - 1])
    assert not np.array_equal(image.pixels[rows : rows + 16], whole.pixels[rows : rows + 16])


def test_a_truncated_progressive_jpeg_loses_detail():
    data = _file(Image.fromarray(np.tile(ASTRONAUT, (3, 3, 1))), "JPEG", progressive=True)
    image = read(data[: len(data) * 2 // 3])
    assert image.notes == ("file is truncated, its finest detail may be missing",)
    assert np.abs(image.pixels.astype(int) - read(data).pixels).mean() < 20


def test_a_progressive_jpeg_may_end_anywhere_after_its_first_scan():
    data = _file(Image.fromarray(ASTRONAUT), "JPEG", progressive=True)
    second_scan = data.index(b"\xff\xda", data.index(b"\xff\xda") + 1)
    for end in range(second_scan, len(data) - 2, 37):
        image = read(data[:end])
        assert image.pixels.shape == ASTRONAUT.shape
        assert image.coefficients_from == "bitstream"
        assert "truncated" in image.notes[0]


def test_whatever_follows_the_end_marker_is_left_alone():
    whole = encode(ASTRONAUT, Save(80))
    image = read(whole.data + b"PK\x03\x04" + whole.data)
    assert np.array_equal(image.pixels, whole.pixels)
    assert image.notes == ()
    assert len(image.data) == 2 * len(whole.data) + 4
    image = read(whole.data[:-300] + whole.data)  # the next picture begins where this one's end is missing
    assert np.array_equal(image.pixels[:16], whole.pixels[:16])
    assert image.notes == ("file is truncated: 48 of 65 rows are there, the missing part is gray",)


def test_a_jpeg_cut_in_its_header_is_refused():
    data = encode(ASTRONAUT, Save(80)).data
    with pytest.raises(UnreadableImage, match="header breaks off after 200 bytes"):
        read(data[:200])


def test_progressive_and_restart_markers_keep_the_coefficients():
    baseline = read(_file(Image.fromarray(ASTRONAUT), "JPEG", quality=60))
    for options in ({"progressive": True}, {"optimize": True}, {"restart_marker_rows": 1}):
        other = read(_file(Image.fromarray(ASTRONAUT), "JPEG", quality=60, **options))
        assert np.array_equal(other.pixels, baseline.pixels)
        for one, same in zip(baseline.components, other.components, strict=True):
            assert np.array_equal(one.coefficients, same.coefficients)


def test_arithmetic_coding_is_read_at_any_length(tmp_path):
    huffman, arithmetic = tmp_path / "huffman.jpg", tmp_path / "arithmetic.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    huffman.write_bytes(encode(noise, Save(90, "4:4:4")).data)
    opened = jpegio.read(str(huffman))
    opened.arith_code = 1
    jpegio.write(opened, str(arithmetic))
    image = read(arithmetic.read_bytes())
    assert image.jpeg_header.coding == "arithmetic sequential"
    assert len(image.data) > 100_000  # longer than what Pillow hands to the decoder at a time
    assert np.array_equal(image.pixels, read(huffman.read_bytes()).pixels)
    assert image.coefficients_from == "bitstream"


def test_coefficients_are_those_of_the_samples():
    blocks = np.zeros((16, 16), np.uint8)
    blocks[:8, 8:] = 255
    image = read(_file(Image.fromarray(blocks), "JPEG", quality=100))
    (component,) = image.components
    assert component.coefficients.shape == (2, 2, 8, 8)
    assert component.coefficients[..., 0, 0].tolist() == [[-1024, 1016], [-1024, -1024]]
    assert np.count_nonzero(component.coefficients) == 4


def test_rows_of_coefficients_are_vertical_frequencies():
    stripes = np.tile(np.where(np.arange(8) % 2, 255, 0).astype(np.uint8)[:, None], (1, 8))
    (component,) = read(_file(Image.fromarray(stripes), "JPEG", quality=50)).components
    assert np.count_nonzero(component.coefficients[0, 0, 1:, 0]) > 0
    assert np.count_nonzero(component.coefficients[0, 0, :, 1:]) == 0


def test_probe_tells_facts_without_decoding():
    facts = probe(encode(ASTRONAUT, Save(30, "4:2:2")).data)
    assert (facts.format, facts.rows, facts.columns) == ("JPEG", 65, 93)
    header = present(facts.jpeg)
    assert (header.coding, header.scans, header.subsampling) == ("baseline", 1, "4:2:2")
    assert header.complete
    facts = probe(_file(Image.fromarray(ASTRONAUT), "PNG"))
    assert (facts.format, facts.rows, facts.columns, facts.bits, facts.jpeg) == ("PNG", 65, 93, 8, None)


def test_import_loads_no_torch():
    code = "import sys, models.jpeg; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory as Linux reports it")
def test_24_megapixels_need_well_under_a_gigabyte(tmp_path):
    path = tmp_path / "large.jpg"
    Image.fromarray(skimage.data.astronaut()).resize((6000, 4000)).save(path, quality=90)
    code = (
        "import re, sys; from pathlib import Path; from models.jpeg import read;"
        "image = read(Path(sys.argv[1]).read_bytes());"
        "assert image.pixels.shape == (4000, 6000, 3);"
        "assert image.components[0].coefficients.shape[0] == 500;"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    command = [sys.executable, "-c", code, str(path)]
    answer = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert int(answer.stdout) / 1024 < 600  # megabytes; 320 measured
