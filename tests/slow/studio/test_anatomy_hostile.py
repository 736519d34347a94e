"""The Anatomy tab takes apart whatever opens of the odd, damaged and hostile files."""

import csv

from models.errors import RestorationError
from models.jpeg import read
from models.jpeg.encoder_planes import has_whole_factors
from models.restorer import Restoration
from studio.anatomy.taken_apart import (
    block_parts,
    busiest_block,
    cell_share,
    earlier_save,
    extent,
    file_histogram,
    shifted_histogram,
    take_apart,
)
from studio.engine.outputs import RestoreRequest, StageOutputs
from tests.paths import SHARED, needs_shared_data


def hostile_jpegs():
    manifest = SHARED / "hostile" / "MANIFEST.csv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="") as lines:
        return [row["file"] for row in csv.DictReader(lines)]


@needs_shared_data
def test_hostile_files_have_blocks_or_a_reason():
    opened = 0
    for name in hostile_jpegs():
        try:
            image = read((SHARED / "hostile" / name).read_bytes())
        except RestorationError:
            continue
        if not image.saved_as_jpeg:
            continue
        taken = take_apart(image)
        if taken.bits is None:
            continue
        opened += 1
        same = {"same": Restoration(image.pixels)}
        outputs = StageOutputs(RestoreRequest("x", ("same",)), None, image, same)
        rows, columns = extent(image)
        for place in ((0, 0), (rows - 1, columns - 1), busiest_block(taken)):
            parts = block_parts(taken, outputs, *place)
            assert len(parts) == len(image.components)
            assert has_whole_factors(image.jpeg_header) or all(part.restored == {} for part in parts)
        earlier_save(image)
        cell_share(image, "degraded", image.pixels)
        file_histogram(image.components[0], 0, 1)
        shifted_histogram(image.components[0], (4, 4), 0, 1)
    assert opened >= 90
