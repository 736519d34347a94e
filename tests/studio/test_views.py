"""Words and rows: signed differences, sizes, escaped names, and scores that may be missing or damaged."""

import json
import math
import os
import time
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.card import ModelCard, TrainingFacts
from models.images import luma
from models.jpeg import Degradation, Resize, Save, degrade, encode, read
from models.jpeg.color import rgb_to_ycbcr
from models.restorer import RestoreOptions
from studio.catalog.cards import cards_markup, training_words
from studio.catalog.scores import KnownScores, known_scores
from studio.engine.engine import Progress
from studio.engine.outputs import RestoreRequest, StageOutputs
from studio.page.block_grids import BlockGrid, grids_of
from studio.page.facts import freshness, notice, tables_say
from studio.page.view import view_of
from studio.page.wording import decibels, file_size, how_broken, settings_slug, signed_decibels, tile_words
from studio.server.files import PictureFolder
from tests.changed_metrics import other_convention
from training.evaluation.score_files import (
    Measurement,
    ScoreFile,
    Setting,
    Weights,
    present_conventions,
    weights_of,
)

CARD = ModelCard(
    name="net", title="<b>Net</b>", architecture="ar_cnn", summary="S & T", paper="P", parameters=106_000,
    mmac_per_pixel=0.107,
)  # fmt: skip
ROWS = [
    {
        "model": "none",
        "condition": "QF 10",
        "quality_factor": 10,
        "psnr_db": 25.69,
        "ssim": 0.743,
        "psnr_b_db": 24.2,
    },
    {
        "model": "net",
        "condition": "QF 10",
        "quality_factor": 10,
        "psnr_db": 26.3,
        "ssim": 0.76,
        "psnr_b_db": 26.1,
    },
]


WEIGHTS = Weights("00", {})


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.113, "+2.11"), (-0.5, "−0.50"), (0.001, "0.00"), (-0.001, "0.00"), (math.nan, "–"), (math.inf, "–")],
)
def test_differences_are_signed(value, text):
    assert signed_decibels(value) == text


def test_numbers_carry_units():
    assert decibels(27.906) == "27.91 dB"
    assert decibels(math.inf) == "identical"
    assert [file_size(count) for count in (999, 9_678, 23_100, 467_000, 2_400_000)] == [
        "999 B", "9.68 kB", "23.1 kB", "467 kB", "2.40 MB",
    ]  # fmt: skip


def test_slugs_differ_where_settings_differ():
    base = RestoreRequest("k", ("a",), Degradation((Save(10),)))
    others = [
        base,
        replace(base, degradation=None),
        replace(base, degradation=Degradation((Save(10, "4:4:4"),))),
        replace(base, degradation=Degradation((Save(10), Save(30)))),
        replace(base, degradation=Degradation((Save(10), Save(30, "4:2:0", (1, 0))))),
        *(replace(base, degradation=Degradation((Save(10), Resize(f), Save(30)))) for f in (0.5, 0.51)),
        replace(base, degradation=Degradation((Resize(0.5), Save(10), Save(30)))),
        replace(base, degradation=Degradation((Save(10), Save(30), Save(30)))),
        replace(base, degradation=Degradation((Save(10, grid_shift=(1, 0)),))),
        replace(base, options=RestoreOptions("pixels")),
        replace(base, options=RestoreOptions("tables")),
        replace(base, options=RestoreOptions("manual", 20)),
        replace(base, options=RestoreOptions(stages=1)),
        replace(base, options=RestoreOptions(effort="best")),
    ]
    assert len({settings_slug(one) for one in others}) == len(others)


def test_a_resize_between_two_saves_is_told():
    twice = (Save(10), Save(30))
    assert how_broken(Degradation(twice)) == (
        "saved at quality 10 (4:2:0), then 30 (4:2:0), grid shifted by 0 and 0"
    )
    assert how_broken(Degradation((twice[0], Resize(0.5), twice[1]))) == (
        "saved at quality 10 (4:2:0), resized to 50%, then 30 (4:2:0), grid shifted by 0 and 0"
    )


def test_tables_are_told_honestly(photograph):
    assert tables_say(photograph.image) == "no JPEG header"
    assert tables_say(encode(photograph.image.pixels, Save(37))) == "37, exact"


def test_progress_tells_the_tile_and_the_time_left():
    assert tile_words(Progress("m", 0, 0, 0.0)) == "starting"
    assert tile_words(Progress("m", 5, 9, 10.0)) == "tile 5 of 9, about 8.00 s left"
    assert tile_words(Progress("m", 5, 9, 0.1)) == "tile 5 of 9"


def test_sentences_are_escaped():
    assert "<img" not in notice("<img src=x>")
    assert notice("") == freshness("") == ""


def known(*rows: dict, data: str = "LIVE1", **more) -> KnownScores:
    conventions = present_conventions("rgb", {"psnr_db", "ssim", "psnr_b_db"})
    return KnownScores((Measurement(Setting(data), WEIGHTS, conventions, rows, **more),))


def test_model_cards_show_scores_and_escapes_cards():
    page = cards_markup((CARD,), {"net": known(*ROWS, data="LIVE1 <x>")}, {"bad<": "Broken & sad."})
    assert "<b>Net</b>" not in page
    assert "LIVE1 &lt;x&gt;" in page
    assert "26.30" in page
    assert "+0.61" in page
    assert "Broken &amp; sad." in page
    assert "Not measured here" in cards_markup((CARD,), {"net": KnownScores()}, {})


def test_plain_decoding_has_the_scores_it_was_measured_with_beside_another_model():
    plain = replace(CARD, name="plain", architecture="", parameters=0)
    page = cards_markup((plain,), {"plain": KnownScores(), "net": known(*ROWS)}, {})
    assert "25.69" in page and "26.30" not in page


def test_further_data_sets_double_saves_and_untouched_pictures_are_there():
    double = {"condition": "twice", "quality_factor": None, "double": [10, 30, 4, 4]}
    change = {"model": "net", "cost_db": 0.01234, "worst_cost_db": 0.5}
    first = known(*ROWS, *(row | double for row in ROWS), never_compressed=change)
    both = KnownScores(first.measurements + known(*ROWS, data="Classic5").measurements)
    page = cards_markup((CARD,), {"net": both}, {})
    for said in (
        "10, 30 (4, 4)",
        "0.012 dB",
        "<summary>Classic5</summary>",
        "<summary>LIVE1, saved twice</summary>",
    ):
        assert said in page
    assert page.count("<table>") == 3


def test_saves_of_one_quality_factor_and_other_tables_are_told_apart():
    others = (
        {"condition": "QF 97", "quality_factor": 97, "subsampling": "4:2:0"},
        {"condition": "QF 97, 4:4:4", "quality_factor": 97, "subsampling": "4:4:4"},
        {"condition": "tables: phone, 4:2:0", "quality_factor": None, "tables": "phone"},
    )
    page = cards_markup((CARD,), {"net": known(*(row | other for other in others for row in ROWS))}, {})
    for said in ("97", "97, 4:4:4", "tables: phone, 4:2:0"):
        assert page.count(f"<th scope='row'>{said}</th>") == 1


def test_scores_of_replaced_weights_are_told_and_not_shown(tmp_path):
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"first")
    of_these = weights_of(tmp_path, CARD)
    for data in ("LIVE1", "Classic5"):
        ScoreFile(tmp_path / "scores.json", of_these).add(Setting(data), rows=ROWS)
    ScoreFile(tmp_path / "scores.json", of_these).add(Setting("LIVE1", limit=1), rows=ROWS)
    found = known_scores(tmp_path, CARD)
    assert [each.setting.data for each in found.measurements] == ["LIVE1", "Classic5"], (
        "whole sets, LIVE1 first"
    )
    assert found.replaced == ()
    weights.unlink()
    weights.write_bytes(b"second")
    found = known_scores(tmp_path, CARD)
    assert found.measurements == () and set(found.replaced) == {"LIVE1", "Classic5"}
    page = cards_markup((CARD,), {"net": found}, {})
    assert "26.30" not in page and "changed since" in page
    ScoreFile(tmp_path / "scores.json", weights_of(tmp_path, CARD)).add(Setting("LIVE1"), rows=ROWS)
    found = known_scores(tmp_path, CARD)
    assert len(found.measurements) == 1 and found.replaced == ("Classic5",)
    with other_convention("psnr_db"):
        ScoreFile(tmp_path / "scores.json", weights_of(tmp_path, CARD)).add(Setting("LIVE1"), rows=ROWS)
    assert known_scores(tmp_path, CARD).measurements == (), "an older convention is as good as none"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": 3}', '{"measurements": [1]}', "{"])
def test_damaged_scores_are_no_scores(tmp_path, text):
    (tmp_path / "weights.safetensors").write_bytes(b"")
    assert known_scores(tmp_path, CARD).measurements == ()
    (tmp_path / "scores.json").write_text(text)
    assert known_scores(tmp_path, CARD).measurements == ()


def test_scores_with_odd_values_are_drawn():
    row = {"model": "net", "condition": "QF 10", "quality_factor": 10, "psnr_db": None}
    assert "–" in cards_markup((CARD,), {"net": known(row)}, {})


def test_the_facts_of_a_training_are_a_sentence():
    facts = TrainingFacts(
        "net", 11_059, 2597.044, 3.749931, 124.9, 3.749931, ("2 CPU threads", "one H200"), 30.7799
    )
    words = training_words(replace(CARD, trained=facts))
    for said in (
        "11,059 steps",
        "2.60 gigapixels",
        "3.75 PFLOP",
        "125 minutes on 2 CPU threads, then one H200",
    ):
        assert said in words
    assert "(RGB)" in words and "(luma)" in training_words(replace(CARD, trained=facts, color="planes"))
    assert "3.75 of the run's 4.00 PFLOP" in training_words(
        replace(CARD, trained=replace(facts, run_petaflop=4.0))
    )
    assert training_words(CARD) == ""
    assert "11,059 steps" in cards_markup((replace(CARD, trained=facts),), {}, {})


def test_pictures_are_lossless_written_once_and_swept(tmp_path):
    folder = PictureFolder(tmp_path, 100)
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 3), np.uint8)
    path = folder.served("a.png", pixels)["path"]
    np.testing.assert_array_equal(np.array(Image.open(path)), pixels)
    written = os.stat(path).st_ino
    assert folder.served("a.png", pixels.copy())["path"] == path
    assert os.stat(path).st_ino == written
    assert folder.served("a.png", pixels ^ np.uint8(1))["path"] != path
    gray = np.repeat(pixels[..., :1], 3, axis=2)
    with Image.open(folder.served("b.png", gray)["path"]) as stored:
        assert stored.mode == "L"
    assert folder.sweep() == 0
    before = time.time() - 200
    os.utime(path, (before, before))
    assert folder.sweep() == 1
    assert not os.path.exists(path)


def test_pictures_one_after_another_in_the_same_memory_are_told_apart(tmp_path):
    folder, places = PictureFolder(tmp_path, 100), set()
    for value in range(50):
        picture = np.full((40, 40, 3), value, np.uint8)
        places.add(id(picture))
        path = folder.served("a.png", picture)["path"]
        assert np.unique(np.array(Image.open(path))).tolist() == [value]
        os.remove(path)
        assert folder.served("a.png", picture)["path"] == path
        assert os.path.exists(path)
        del picture  # so that the next one may take its place
    assert len(places) < 50  # else nothing was tried


def test_the_sweep_spares_what_the_page_needs_and_takes_forgotten_uploads(tmp_path):
    folder = PictureFolder(tmp_path, 100)
    for name in ("thumbnail", "upload"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.png").write_bytes(b"x")
    folder.keep([tmp_path / "thumbnail" / "file.png"])
    before = time.time() - 200
    for path in tmp_path.rglob("*.png"):
        os.utime(path, (before, before))
    assert folder.sweep() == 1
    assert [path.parent.name for path in tmp_path.rglob("*.png")] == ["thumbnail"]


# The viewer's value


def steps_by_phase(pixels):
    """Mean step into rows and into columns, by their position modulo 8."""
    plane = luma(pixels)
    found = []
    for one in (plane, plane.T):
        steps = np.abs(np.diff(one, axis=0)).mean(1)  # steps[i] leads into row i + 1
        found.append([steps[(np.arange(len(steps)) + 1) % 8 == phase].mean() for phase in range(8)])
    return found


def flat_noise(rows, columns):
    """A soft picture, in which only a save makes edges."""
    rough = np.random.default_rng(3).normal(120, 60, (rows // 12 + 2, columns // 12 + 2))
    y, x = np.mgrid[:rows, :columns] / 12.0
    i, j = y.astype(int), x.astype(int)
    fy, fx = y - i, x - j
    top = rough[i, j] * (1 - fx) + rough[i, j + 1] * fx
    bottom = rough[i + 1, j] * (1 - fx) + rough[i + 1, j + 1] * fx
    plane = (top * (1 - fy) + bottom * fy).clip(0, 255).astype(np.uint8)
    return np.repeat(plane[..., None], 3, axis=2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_the_grid_of_a_turned_photograph_is_where_its_edges_are(orientation, subsampling):
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    Image.fromarray(flat_noise(203, 237)).save(buffer, "JPEG", quality=8, subsampling=subsampling, exif=exif)
    image = read(buffer.getvalue())
    (grid,) = grids_of(image, None)
    rows, columns = steps_by_phase(image.pixels)
    assert (grid.row % 8, grid.column % 8) == (int(np.argmax(rows)), int(np.argmax(columns)))
    coarse = {"4:4:4": (8, 8), "4:2:2": (8, 16), "4:2:0": (16, 16)}[subsampling]
    assert (grid.chroma_rows, grid.chroma_columns) == (coarse[::-1] if orientation >= 5 else coarse)
    assert 0 <= grid.row < grid.chroma_rows and 0 <= grid.column < grid.chroma_columns


@pytest.mark.parametrize("orientation", range(1, 9))
def test_chroma_blocks_of_a_turned_photograph_begin_where_the_file_begins(orientation):
    """Every chroma block of the file in a colour of its own; chroma is upsampled, so that its edges are soft."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    colors = np.random.default_rng(2).integers(60, 200, (6, 8, 3), np.uint8)
    picture = colors.repeat(16, 0).repeat(16, 1)[:91, :123]
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95, subsampling="4:2:0", exif=exif)
    image = read(buffer.getvalue())
    (grid,) = grids_of(image, None)
    plane = rgb_to_ycbcr(image.pixels)[..., 1]
    for phase, one in ((grid.row, plane), (grid.column, plane.T)):
        steps = np.abs(np.diff(one, axis=0)).mean(1)  # steps[i] leads into row i + 1
        by_phase = [steps[(np.arange(len(steps)) + 1) % 16 == at].mean() for at in range(16)]
        assert int(np.argmax(by_phase)) == phase


@pytest.mark.parametrize("shift", [(4, 4), (3, 6), (0, 5)])
def test_the_first_grid_of_a_double_save_is_where_its_edges_are(shift):
    degradation = Degradation((Save(6, "4:4:4"), Save(90, "4:4:4", shift)))
    degraded = degrade(flat_noise(203, 237), degradation)
    last, first = grids_of(degraded.image, degradation)
    assert (last.name, last.row, last.column) == ("last save", 0, 0)
    rows, columns = steps_by_phase(degraded.image.pixels)
    assert (first.row, first.column) == (int(np.argmax(rows)), int(np.argmax(columns)))
    assert first.name == "first save"


def test_grids_that_coincide_are_drawn_once_and_resized_ones_not_at_all(photograph):
    pixels = photograph.image.pixels
    for steps in (
        (Save(10), Save(30)),
        (Save(10), Resize(0.5), Save(30, grid_shift=(4, 4))),
        (Resize(0.5), Save(10), Save(30)),
    ):
        degradation = Degradation(steps)
        assert len(grids_of(degrade(pixels, degradation).image, degradation)) == 1
    three = Degradation((Save(10), Save(20, "4:2:0", (1, 2)), Save(30, "4:2:0", (3, 3))))
    names = [(one.name, one.row % 8, one.column % 8) for one in grids_of(degrade(pixels, three).image, three)]
    after = Degradation((Save(10), Resize(0.5), *three.steps[1:]))
    assert [one.name for one in grids_of(degrade(pixels, after).image, after)] == ["last save", "save 2"]
    assert names == [("last save", 0, 0), ("save 2", 5, 5), ("save 1", 4, 3)]


def test_a_picture_that_is_no_jpeg_has_its_blocks_counted_from_the_corner(photograph):
    (grid,) = grids_of(photograph.image, None)
    assert grid == BlockGrid("blocks counted from the corner, this is no JPEG", 0, 0)


def test_the_viewer_compares_with_the_original_where_there_is_one(photograph, tmp_path):
    pictures = PictureFolder(tmp_path, 600)
    degradation = Degradation((Save(10), Save(30, "4:2:0", (4, 3))))
    broken = degrade(photograph.image.pixels, degradation)
    request = RestoreRequest(photograph.key, (), degradation)
    view = view_of(photograph, StageOutputs(request, broken.reference, broken.image), {}, pictures)
    assert [one["id"] for one in view["panes"]] == ["original", "degraded"]
    assert view["reference"] == "original"
    assert [(one["name"], one["row"] % 8, one["column"] % 8) for one in view["grids"]] == [
        ("last save", 0, 0), ("first save", 4, 5),
    ]  # fmt: skip
    assert view["turn"] == {"flip_rows": False, "flip_columns": False, "swap": False}
    kept = StageOutputs(replace(request, degradation=None), None, photograph.image)
    view = view_of(photograph, kept, {}, pictures)
    assert ([one["id"] for one in view["panes"]], view["reference"]) == (["degraded"], "degraded")
    json.dumps(view)
