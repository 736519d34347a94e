"""The engine of the Anatomy tab agrees with models.jpeg, block by block."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.jpeg import Degradation, Save, degrade, encode, read
from models.jpeg.dct import forward_dct, plane_to_blocks
from models.jpeg.encoder_planes import encoder_plane
from models.jpeg.planes import component_plane
from models.restorer import Restoration
from studio.anatomy.taken_apart import (
    block_parts,
    busiest_block,
    cell_share,
    earlier_save,
    extent,
    file_histogram,
    in_file_grid,
    knows_planes,
    shifted_histogram,
    take_apart,
)
from studio.engine.outputs import RestoreRequest, StageOutputs
from studio.session.examples import example
from tests.present import present

CAT = read(example("chelsea").read_bytes()).pixels[20:221, 40:323]  # 201 x 283, blocks cut off on two sides


def outputs_of(degradation, *, gray=False):
    """A degraded picture with its original and one "restoration", the original made a little brighter."""
    broken = degrade(CAT, degradation, gray=gray)
    brighter = np.clip(broken.reference.astype(int) + 3, 0, 255).astype(np.uint8)
    request = RestoreRequest("cat", ("bright",), degradation)
    return StageOutputs(request, broken.reference, broken.image, {"bright": Restoration(brighter)})


ONCE = [Degradation((Save(20, subsampling),)) for subsampling in ("4:4:4", "4:2:2", "4:2:0")]
TWICE = Degradation((Save(15), Save(40, "4:2:0", (4, 4))))


@pytest.mark.parametrize("degradation", [*ONCE, TWICE], ids=str)
def test_ten_random_blocks_agree_with_the_jpeg_layer(degradation):
    outputs = outputs_of(degradation)
    taken = take_apart(outputs.degraded)
    rows, columns = extent(outputs.degraded)
    rng = np.random.default_rng(4)
    places = [(0, 0), (rows - 1, columns - 1)] + [
        (int(rng.integers(rows)), int(rng.integers(columns))) for _ in range(8)
    ]
    for place in places:
        for part in block_parts(taken, outputs, *place):
            component = outputs.degraded.components[part.number]
            assert (part.row, part.column) == (place[0] // part.factors[0], place[1] // part.factors[1])
            np.testing.assert_array_equal(part.integers, component.coefficients[part.row, part.column])
            np.testing.assert_array_equal(part.table, component.quantization_table)
            assert part.bits == present(taken.bits).components[part.number][part.row, part.column]
            for pixels, coefficients in (
                (present(outputs.original), present(part.original)),
                (outputs.restorations["bright"].pixels, part.restored["bright"]),
            ):
                plane = encoder_plane(pixels, part.number, *part.factors)
                whole = forward_dct(plane_to_blocks(plane - 128))
                np.testing.assert_allclose(coefficients, whole[part.row, part.column], atol=1e-3)
                if part.column and pixels is outputs.original:
                    assert part.previous_dc == pytest.approx(whole[part.row, part.column - 1, 0, 0], abs=1e-3)
            assert part.previous_dc == 0 or part.column > 0


def test_the_originals_coefficients_round_to_the_file():
    outputs = outputs_of(ONCE[2])
    taken = take_apart(outputs.degraded)
    for part in block_parts(taken, outputs, 7, 11):
        distance = np.abs(present(part.original) / part.table - part.integers)
        assert (distance <= 0.5 + 0.2 / part.table).all()


def test_gray_has_one_part_and_no_original_is_none():
    gray = outputs_of(ONCE[0], gray=True)
    assert [part.name for part in block_parts(take_apart(gray.degraded), gray, 3, 3)] == ["Y"]
    kept = StageOutputs(RestoreRequest("cat", ()), None, gray.degraded)
    (part,) = block_parts(take_apart(gray.degraded), kept, 3, 3)
    assert part.original is None
    assert part.restored == {}
    component = gray.degraded.components[0]
    assert part.previous_dc == component.coefficients[3, 2, 0, 0] * component.quantization_table[0, 0]


def share_of(image, name, pixels):
    share = cell_share(image, name, pixels)
    assert share is not None
    return share


def test_the_original_is_inside_every_cell_of_a_file_saved_once():
    outputs = outputs_of(ONCE[2])
    share = share_of(outputs.degraded, "original", outputs.original)
    assert share.share == 1.0
    assert share.kept_share == 1.0
    assert share.by_frequency.shape == (8, 8)
    brighter = share_of(outputs.degraded, "bright", outputs.restorations["bright"].pixels)
    assert brighter.by_frequency[0, 0] < 0.9  # three levels are 24 units of DC, more than half a step
    assert brighter.by_frequency[5, 5] > 0.99


def test_after_two_saves_the_original_contradicts_the_file():
    outputs = outputs_of(TWICE)
    original = share_of(outputs.degraded, "original", outputs.original)
    decoded = share_of(outputs.degraded, "degraded", outputs.degraded.pixels)
    assert original.share < 0.9 < decoded.share
    assert original.kept_share < original.share


def test_a_share_counts_what_a_second_save_would_keep():
    """The cells are those of libjpeg: saved again with the same table, inside means the same integer."""
    outputs = outputs_of(ONCE[0])
    pixels = outputs.restorations["bright"].pixels
    again = encode(pixels, Save(20, "4:4:4"))
    same = np.mean(again.components[0].coefficients == outputs.degraded.components[0].coefficients)
    assert share_of(outputs.degraded, "bright", pixels).share == pytest.approx(same, abs=0.004)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_pictures_are_turned_back(orientation):
    buffer = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(CAT).save(buffer, "JPEG", quality=80, exif=exif)
    image = read(buffer.getvalue())
    assert image.orientation == orientation
    np.testing.assert_array_equal(in_file_grid(image, image.pixels), image.decoded_pixels)
    assert share_of(image, "degraded", image.pixels).share > 0.97


def test_the_busiest_block_has_the_most_bits():
    outputs = outputs_of(ONCE[2])
    taken = take_apart(outputs.degraded)
    place = busiest_block(taken)
    assert block_parts(taken, outputs, *place)[0].bits == present(taken.bits).components[0].max()


def test_a_histogram_counts_every_block():
    component = outputs_of(ONCE[0]).degraded.components[0]
    found = file_histogram(component, 0, 1)
    integers = component.coefficients[..., 0, 1]
    assert found.width == component.quantization_table[0, 1]
    assert found.zeros == (integers == 0).sum()
    for value in (0, 1, -2):
        assert found.counts[found.values == value * found.width] == (integers == value).sum()
    assert integers.size * 0.99 <= found.counts.sum() <= integers.size


@pytest.mark.parametrize("shift", [(4, 4), (0, 3), (7, 1)])
def test_a_shifted_histogram_is_taken_on_the_first_grid(shift):
    image = degrade(CAT, Degradation((Save(10), Save(80, "4:4:4", shift)))).image
    component = image.components[0]
    found = shifted_histogram(component, shift, 1, 0)
    plane = component_plane(component) - 128
    top, left = -shift[0] % 8, -shift[1] % 8
    cut = plane[top : top + (plane.shape[0] - top) // 8 * 8, left : left + (plane.shape[1] - left) // 8 * 8]
    expected = forward_dct(plane_to_blocks(cut))[..., 1, 0]
    assert abs(int(found.zeros) - int((np.abs(expected) < 0.5).sum())) <= 0.05 * expected.size
    values = np.repeat(found.values, found.counts)
    comb = np.cos(2 * np.pi * values / 60).mean()  # 60 is the step of quality 10 at row 1, column 0
    other = shifted_histogram(component, ((shift[0] + 4) % 8, (shift[1] + 4) % 8), 1, 0)
    unaligned = np.cos(2 * np.pi * np.repeat(other.values, other.counts) / 60).mean()
    assert comb > unaligned + 0.2


def test_an_earlier_save_is_found():
    image = degrade(read(example("coffee").read_bytes()).pixels, TWICE).image
    _, found = present(earlier_save(image))
    assert (present(found).kind, present(found).grid_shift) == ("shifted", (4, 4))
    assert abs(present(found).quality_factor - 15) <= 2


def test_cmyk_files_have_blocks_but_are_not_compared():
    buffer = BytesIO()
    Image.fromarray(CAT).convert("CMYK").save(buffer, "JPEG", quality=60)
    image = read(buffer.getvalue())
    assert not knows_planes(image)
    assert earlier_save(image) is None
    assert cell_share(image, "degraded", image.pixels) is None
    kept = StageOutputs(RestoreRequest("cat", ("same",)), None, image, {"same": Restoration(image.pixels)})
    parts = block_parts(take_apart(image), kept, 2, 2)
    assert [part.name for part in parts] == ["C", "M", "Y", "K"]
    assert all(part.restored == {} for part in parts)
