"""Quantization tables against those libjpeg writes."""

import io

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from models.errors import InvalidSetting
from models.jpeg import Save, encode, estimated_quality_factor, quantization_tables
from models.jpeg.tables import ANNEX_K_CHROMA, ANNEX_K_LUMA


def _tables_by_pillow(quality_factor: int) -> list[np.ndarray]:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality_factor)
    saved = Image.open(io.BytesIO(buffer.getvalue()))
    assert isinstance(saved, JpegImageFile)
    return [np.array(saved.quantization[number]).reshape(8, 8) for number in (0, 1)]


@pytest.mark.parametrize("quality_factor", range(1, 101))
def test_tables_equal_libjpeg(quality_factor):
    for ours, theirs in zip(
        quantization_tables(quality_factor), _tables_by_pillow(quality_factor), strict=True
    ):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "gray"])
def test_every_quality_factor_is_found_again(subsampling):
    pixels = np.random.default_rng(3).integers(0, 256, (17, 19, 3), dtype=np.uint8)
    gray = subsampling == "gray"
    for quality_factor in range(1, 101):
        encoding = Save(quality_factor, "4:2:0" if gray else subsampling)
        image = encode(pixels, encoding, gray=gray)
        assert image.subsampling == subsampling
        estimate = image.estimated_quality_factor
        assert estimate is not None and estimate.standard
        assert estimate.quality_factor == quality_factor
        assert estimate.confidence == 1
        assert image.luma_table is not None
        luma_table, chroma_table = quantization_tables(quality_factor)
        assert np.array_equal(image.luma_table, luma_table)
        if image.chroma_table is None:
            assert gray
        else:
            assert not gray and np.array_equal(image.chroma_table, chroma_table)


def test_tables_above_255_are_recognized():
    luma_table, chroma_table = (table * 10 for table in (ANNEX_K_LUMA, ANNEX_K_CHROMA))
    assert luma_table.max() > 255
    estimate = estimated_quality_factor(luma_table, chroma_table)
    assert (estimate.quality_factor, estimate.standard) == (5, True)


def test_nearly_standard_tables_say_so():
    luma_table, chroma_table = (table.copy() for table in quantization_tables(40))
    luma_table[7, 7] += 3
    estimate = estimated_quality_factor(luma_table, chroma_table)
    assert estimate.quality_factor == 40
    assert not estimate.standard
    assert 0.9 < estimate.confidence < 1
    assert "non-standard table" in estimate.description


def test_tables_like_none_have_no_quality_factor():
    table = np.ones((8, 8), np.int64)
    table[0, 7] = 20000
    estimate = estimated_quality_factor(table)
    assert estimate.quality_factor is None
    assert estimate.confidence < 0.25
    assert "non-standard table" in estimate.description


def test_flat_tables_are_less_certain_than_nearly_standard_ones():
    flat = estimated_quality_factor(np.full((8, 8), 16), np.full((8, 8), 16))
    assert flat.quality_factor is not None
    assert flat.confidence < 0.8


@pytest.mark.parametrize("wrong", [0, 101, -5, 50.5, float("nan"), "50", None, True])
def test_wrong_quality_factors_are_refused(wrong):
    with pytest.raises(InvalidSetting, match="1 to 100"):
        quantization_tables(wrong)


def test_shared_tables_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        quantization_tables(50)[0][0, 0] = 1


@pytest.mark.parametrize(("luma", "chroma"), [(90, 20), (20, 90), (75, 74), (3, 60), (100, 50), (1, 97)])
def test_luma_and_chroma_may_have_quality_factors_of_their_own(luma, chroma):
    estimate = estimated_quality_factor(quantization_tables(luma)[0], quantization_tables(chroma)[1])
    assert (estimate.quality_factor, estimate.chroma_quality_factor) == (luma, chroma)
    assert estimate.standard and estimate.separate
    assert estimate.confidence == 1
    assert f"{luma} for luma and {chroma} for chroma" in estimate.description


def test_one_quality_factor_for_both_is_not_told_twice():
    estimate = estimated_quality_factor(*quantization_tables(60))
    assert estimate.chroma_quality_factor == 60 and not estimate.separate
    gray = estimated_quality_factor(quantization_tables(60)[0])
    assert gray.chroma_quality_factor is None and not gray.separate
    photoshop = estimated_quality_factor(quantization_tables(60)[0], quantization_tables(60)[0])
    assert photoshop.chroma_quality_factor is None and not photoshop.standard
