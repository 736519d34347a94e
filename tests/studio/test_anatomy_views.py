"""What the Anatomy tab says: careful, complete, and with every string of a file escaped."""

import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.card import ModelCard
from models.jpeg import Degradation, Save, degrade, quantization_tables, read
from models.jpeg.double import EarlierSave, Evidence
from models.jpeg.entropy import BlockBits
from models.restorer import Restoration
from studio.anatomy.block_view import block_value, map_value, number_sheet
from studio.anatomy.histogram import histogram_figure
from studio.anatomy.taken_apart import CellShare, file_histogram, take_apart
from studio.anatomy.view import (
    MOST_ROWS,
    bits_words,
    evidence_words,
    facts_markup,
    hint_markup,
    no_jpeg,
    save_markup,
    shares_markup,
    verdict_words,
)
from studio.engine.outputs import RestoreRequest, StageOutputs
from studio.server.files import PictureFolder
from studio.session.examples import example
from studio.session.visitor import Photograph, Run, open_photograph
from tests.present import present

CAT = read(example("chelsea").read_bytes()).pixels[:96, :144]
CARDS = {
    "bright": ModelCard(
        "bright", "Bright <b>", "ar_cnn", summary="", paper="", parameters=1, mmac_per_pixel=0.1
    )
}


def saved(**settings) -> bytes:
    buffer = BytesIO()
    Image.fromarray(CAT).save(buffer, "JPEG", **settings)
    return buffer.getvalue()


def shown(data: bytes, name="cat"):
    image = read(data)
    photograph = Photograph(name, "key", image)
    return photograph, StageOutputs(RestoreRequest("key", ()), None, image), take_apart(image)


def text_of(markup: str) -> str:
    return re.sub(r"<[^>]+>", " ", markup)


def test_the_facts_of_a_plain_file():
    markup = facts_markup(*shown(saved(quality=30)))
    text = text_of(markup)
    for words in (
        "144 × 96 pixels",
        "Y, Cb and Cr, 4:2:0",
        "baseline, Huffman",
        "30, exact",
        "SOF0",
        "start of image",
    ):
        assert words in text
    assert "Exactly those libjpeg writes for quality 30" in text
    assert "differs" not in markup
    assert "as it is" in text
    assert markup.count("<table") == markup.count("</table>") == 5


def test_steps_that_differ_from_the_nearest_quality_are_marked():
    luma, chroma = quantization_tables(40)
    own = luma.copy()
    own[0, 0], own[3, 4] = 19, 60
    tables = [own.ravel().tolist(), chroma.ravel().tolist()]
    markup = facts_markup(*shown(saved(qtables=tables)))
    assert markup.count("class='differs'") == 2
    assert f"19<small>{luma[0, 0]}</small>" in markup
    assert "Y, 2 of 64 differ from quality 40" in text_of(markup)
    assert "Cb, Cr, 0 of 64 differ" in text_of(markup)
    assert "Like no table of libjpeg" in facts_markup(*shown(saved(qtables=[[255] + [1] * 63])))


def test_restarts_scans_and_metadata_are_told():
    text = text_of(facts_markup(*shown(saved(quality=30, restart_marker_blocks=4, comment=b"<i>x</i>"))))
    assert "every 4 units" in text
    assert "restart markers" in text
    assert "comment" in text
    progressive = text_of(facts_markup(*shown(saved(quality=30, progressive=True))))
    assert "progressive, Huffman, 10 scans" in progressive
    assert "in a baseline file with the standard codes" in progressive


def test_a_name_of_a_file_is_never_markup():
    photograph, outputs, taken = shown(saved(quality=30))
    markup = facts_markup(replace(photograph, name="<script>x"), outputs, taken)
    assert "<script" not in markup
    assert "&lt;script&gt;x" in markup


def test_thousands_of_segments_are_cut_short():
    data = saved(quality=30)
    comments = b"".join(b"\xff\xfe\x00\x03a" + b"\xff\xe5\x00\x03b" for _ in range(500))
    photograph, outputs, taken = shown(data[:2] + comments + data[2:])
    markup = facts_markup(photograph, outputs, taken)
    assert f"The first {MOST_ROWS} kinds" in markup
    assert len(markup) < 40_000
    same = b"\xff\xfe\x00\x03a" * 500
    assert "COM × 500" in facts_markup(*shown(data[:2] + same + data[2:]))


def test_what_bits_are_is_said_in_all_three_cases():
    image = read(saved(quality=30))
    blocks = (np.full((12, 18), 10, np.int64),)
    exact = BlockBits(blocks, True, filler=20, data_bits=2185, padding=7)
    assert exact.accounted
    assert bits_words(image, exact).startswith("Counted with the file's own codes: all 2\u202f185 bits")
    assert "40 bits more than" in bits_words(image, replace(exact, data_bits=2140))
    assert "815 bits fewer than" in bits_words(image, replace(exact, data_bits=2995))
    assert "would cost in a baseline file" in bits_words(
        read(saved(progressive=True)), BlockBits(blocks, False)
    )


def test_a_picture_without_a_header_is_told_what_to_do():
    buffer = BytesIO()
    Image.fromarray(CAT).save(buffer, "PNG")
    words = no_jpeg(open_photograph(buffer.getvalue(), "whiskers.png"))
    assert "whiskers is a PNG picture" in words
    assert "Save once" in words


def test_why_models_are_missing():
    _, outputs, _ = shown(saved(quality=30))
    assert "press Run" in hint_markup(outputs, Run())
    restored = replace(outputs, restorations={"bright": Restoration(CAT)})
    assert "press Run" not in hint_markup(restored, Run())


EVIDENCE = Evidence(
    table=np.full((8, 8), 4),
    blocks=2000,
    coefficients=9000,
    different_integers=400,
    aligned_gain=np.zeros(100),
    shifted_comb=np.zeros((100, 8, 8)),
    residue=np.full((100, 8, 8), np.inf),
)


def test_verdicts_are_careful_and_carry_their_evidence():
    gain = EVIDENCE.aligned_gain.copy()
    gain[34] = 4321.0
    comb = EVIDENCE.shifted_comb.copy()
    comb[34, 4, 4] = 33.0
    assert verdict_words(None) == "No evidence of an earlier save."
    shifted = EarlierSave("shifted", 35, (4, 4))
    assert verdict_words(shifted) == (
        "Saved twice: the first time at a quality of about 35, on a grid shifted by (4, 4) rows and columns."
    )
    assert "33 standard deviations" in evidence_words(replace(EVIDENCE, shifted_comb=comb), shifted)
    aligned = evidence_words(replace(EVIDENCE, aligned_gain=gain), EarlierSave("aligned", 35, (0, 0)))
    assert "4,321 nats" in aligned
    assert "600 are needed" in aligned
    none = save_markup((EVIDENCE, None), Degradation((Save(30),)))
    assert "In truth: saved at quality 30 (4:2:0)." in none
    assert "saved once" not in none.lower()
    assert "Fewer than 256 whole blocks" in save_markup(None, None)
    assert none.count("<td style=") == 64


def test_shares_are_rounded_down_and_twice_saved_files_get_a_caveat():
    frequencies = np.full((8, 8), 0.9996)
    shares = [
        CellShare("original", 1.0, 1.0, frequencies),
        CellShare("bright", 0.99996, float("nan"), frequencies),
    ]
    markup = shares_markup(shares, CARDS, saved_twice=False)
    assert "100.0 %" in markup
    assert "99.9 %" in markup
    assert "Bright &lt;b&gt;" in markup
    assert ">99<" in markup
    assert "saved twice" not in markup
    assert "saved twice" in shares_markup(shares, CARDS, saved_twice=True)
    assert "no reason" in shares_markup([], CARDS, saved_twice=False, why_not="no reason")


def test_the_inspectors_value_is_plain_and_complete():
    broken = degrade(CAT, Degradation((Save(30),)))
    outputs = StageOutputs(
        RestoreRequest("key", ("bright",)), broken.reference, broken.image, {"bright": Restoration(CAT)}
    )
    value = block_value(take_apart(broken.image), outputs, (3, 5), CARDS, "cat")
    assert [part["name"] for part in value["parts"]] == ["Y", "Cb", "Cr"]
    assert value["parts"][1]["factors"] == [2, 2]
    assert (value["parts"][1]["row"], value["parts"][1]["column"]) == (1, 2)
    assert value["models"] == [{"id": "bright", "label": "Bright <b>"}]
    assert value["quality"] == 30
    assert all(len(part[name]) == 64 for part in value["parts"] for name in ("table", "integers", "original"))
    assert all(type(number) is int for number in value["parts"][0]["integers"])
    assert len(value["codes"]["chroma"]["ac"]) == 256


def test_the_maps_numbers_survive_their_picture(tmp_path):
    numbers = np.array([[4, 255, 256], [65535, 70000, 1234]], np.int64)
    sheet = number_sheet(numbers)
    np.testing.assert_array_equal(sheet[..., 0].astype(int) * 256 + sheet[..., 1], np.minimum(numbers, 65535))
    photograph, outputs, taken = shown(saved(quality=30))
    value = map_value(photograph, outputs, taken, (2, 3), PictureFolder(tmp_path, 600))
    for map_, bits in zip(value["maps"], present(taken.bits).components, strict=True):
        written = np.array(Image.open(map_["file"]["path"])).astype(int)
        np.testing.assert_array_equal(written[..., 0] * 256 + written[..., 1], bits)
        assert map_["highest"] <= max(map_["most"], 8)
    assert re.fullmatch("#[0-9a-f]{6}", value["scale"][0])


@pytest.mark.parametrize("first_step", [None, 1, 40])
def test_the_histogram_cuts_its_tower_and_marks_the_comb(first_step):
    component = read(saved(quality=20)).components[0]
    histogram = file_histogram(component, 0, 1)
    figure: Any = histogram_figure(histogram, "title", "subtitle", first_step=first_step)
    bars = figure.data[0]
    assert sum(bars.y) == histogram.counts.sum()
    highest = max(y for x, y in zip(bars.x, bars.y, strict=True) if x != 0)
    assert figure.layout.yaxis.range[1] == pytest.approx(1.1 * highest)
    if first_step == 40:
        assert all(x % first_step == 0 for x in figure.data[1].x)
    else:
        assert len(figure.data) == 1
