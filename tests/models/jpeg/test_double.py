"""Evidence of an earlier save: named with its quality and grid where it is evident, and not where it cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from models.jpeg import Degradation, JpegImage, Resize, Save, Step, degrade, read
from models.jpeg.combs import FREQUENCIES, grid_histograms
from models.jpeg.dct import forward_dct, plane_to_blocks
from models.jpeg.double import (
    MOST_BLOCKS,
    EarlierSave,
    Evidence,
    gather,
    judge,
    needed_gain,
    strongest_comb,
)
from studio.session.examples import example
from tests.present import present
from training.experiments.double_rates import BEGIN, END, Case, degradations, main, report

NAMES = ("coffee", "astronaut")


@pytest.fixture(scope="module")
def pictures():
    return {name: read(example(name).read_bytes()).pixels for name in NAMES}


def earlier_save(pixels, *factors, shift=(0, 0), gray=False, resize=None):
    steps: list[Step] = [Save(factor) for factor in factors]
    if len(steps) == 2:
        steps[1:] = [*([Resize(resize)] if resize else []), Save(factors[1], grid_shift=shift)]
    return judge(evidence_in(degrade(pixels, Degradation(tuple(steps)), gray=gray).image))


def evidence_in(image: JpegImage) -> Evidence:
    evidence = gather(image.components[0])
    assert evidence is not None
    return evidence


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quality_factor", [10, 25, 50, 75, 92])
def test_saved_once_is_no_evidence(pictures, name, quality_factor):
    assert earlier_save(pictures[name], quality_factor) is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("first", "second"), [(10, 30), (35, 70), (60, 90)])
def test_saved_twice_on_one_grid(pictures, name, first, second):
    found = present(earlier_save(pictures[name], first, second))
    assert (found.kind, found.grid_shift) == ("aligned", (0, 0))
    assert found.quality_factor == pytest.approx(first, abs=1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("first", "second"), [(10, 30), (25, 40), (35, 70), (60, 80)])
@pytest.mark.parametrize("shift", [(4, 4), (3, 1), (0, 5)])
def test_saved_twice_on_shifted_grids(pictures, name, first, second, shift):
    found = present(earlier_save(pictures[name], first, second, shift=shift))
    assert (found.kind, found.grid_shift) == ("shifted", shift)
    assert found.quality_factor == pytest.approx(first, abs=1)


@pytest.mark.parametrize("name", NAMES)
def test_a_stronger_second_save_leaves_no_evidence(pictures, name):
    assert earlier_save(pictures[name], 90, 20) is None
    assert earlier_save(pictures[name], 90, 20, shift=(4, 4)) is None
    assert earlier_save(pictures[name], 40, 40) is None  # the very same table again changes almost nothing


def test_a_resize_between_the_saves_leaves_no_grid(pictures):
    assert earlier_save(pictures["coffee"], 20, 70, resize=0.75) is None


def test_gray_files_are_examined_too(pictures):
    gray = np.repeat(pictures["coffee"][..., :1], 3, axis=2)
    found = present(earlier_save(gray, 20, 60, shift=(2, 6), gray=True))
    assert (found.kind, found.quality_factor, found.grid_shift) == ("shifted", 20, (2, 6))
    assert found.coarseness == pytest.approx(3.1, abs=0.1)


def test_small_pictures_prove_nothing_and_large_ones_are_examined_in_the_middle(pictures):
    encoding = Degradation((Save(50),))
    assert gather(degrade(pictures["coffee"][:120, :120], encoding).image.components[0]) is None
    for shape in ((3, 1), (1, 4), (2, 2)):
        large = np.tile(pictures["astronaut"], (*shape, 1))
        evidence = evidence_in(degrade(large, encoding).image)
        assert 0.9 * min(MOST_BLOCKS, large.size // 192) <= evidence.blocks <= MOST_BLOCKS
    line = np.tile(pictures["coffee"][:8], (1, 30, 1))
    assert gather(degrade(line, encoding).image.components[0]) is None
    ribbon = np.tile(pictures["coffee"][:16], (1, 30, 1))
    assert evidence_in(degrade(ribbon, encoding).image).blocks == 2 * 30 * 75


@pytest.mark.parametrize("name", NAMES)
def test_what_steers_and_what_anatomy_shows_is_one_judgement(pictures, name):
    def judged(*factors, shift=(0, 0), gray=False):
        saves = [Save(factor) for factor in factors]
        saves[-1] = replace(saves[-1], grid_shift=shift)
        pixels = pictures[name][..., 1] if gray else pictures[name]
        return degrade(pixels, Degradation(tuple(saves)), gray=gray).image.judgement

    for shift, gray in (((4, 4), False), ((3, 1), True)):
        found = judged(25, 40, shift=shift, gray=gray)
        coarser = found.coarser_save
        assert coarser is not None and coarser is found.earlier_save
        assert (coarser.kind, coarser.grid_shift) == ("shifted", shift)
        assert coarser.quality_factor == pytest.approx(25, abs=1)
        assert found.neutral == gray
    aligned = judged(10, 30).coarser_save
    assert aligned is not None and aligned.kind == "aligned"
    assert judged(25).coarser_save is None, "saved once"
    assert judged(60, 55, shift=(4, 4)).coarser_save is None, "the file's own save did more harm"


@pytest.mark.parametrize("name", NAMES)
def test_pixels_without_a_file_are_examined_on_every_grid(pictures, name):
    whole = JpegImage(b"", pictures[name], "PNG")
    assert whole.judgement.earlier_save is None
    saved = degrade(pictures[name], Degradation((Save(40),))).image.pixels
    for top, left in ((0, 0), (3, 6)):
        cropped = JpegImage(b"", np.ascontiguousarray(saved[top:, left:]), "PNG").judgement.earlier_save
        assert cropped is not None
        assert (cropped.kind == "aligned", cropped.grid_shift) == (not top, (top, left))
        assert cropped.quality_factor == pytest.approx(40, abs=1) and cropped.coarseness > 10


def test_the_evidence_says_what_the_conclusion_rests_on(pictures):
    broken = degrade(pictures["coffee"], Degradation((Save(15), Save(50, grid_shift=(1, 2)))))
    evidence = evidence_in(broken.image)
    strength, offset, lead = strongest_comb(evidence)
    assert offset == (7, 6)  # an earlier corner lies 7 rows and 6 columns in, once 1 and 2 were trimmed
    assert strength > 20
    assert lead > 2
    assert evidence.aligned_gain.max() < needed_gain(evidence)
    assert (evidence.shifted_comb[:, 0, 0] == 0).all()


def test_a_wide_gap_around_zero_is_no_comb():
    """Some encoders drop ±1 where nobody would see it; that alone looks like a coarser first save."""
    pixels = read(example("rocket").read_bytes()).pixels
    component = degrade(pixels, Degradation((Save(98),))).image.components[0]
    integers = component.coefficients.copy()
    for row, column in FREQUENCIES:
        if row + column >= 3:
            integers[..., row, column] *= np.abs(integers[..., row, column]) > 1
    evidence = gather(replace(component, coefficients=integers))
    assert evidence is not None and judge(evidence) is None


def test_histograms_count_every_grid():
    rng = np.random.default_rng(5)
    plane = rng.uniform(-128, 128, (40, 56)).astype(np.float32)
    histograms, count = grid_histograms(plane, FREQUENCIES)
    assert count == 4 * 6
    for row, column in ((0, 0), (1, 3)):
        for top, left in ((0, 0), (5, 2)):
            blocks = plane_to_blocks(plane[top : top + 32, left : left + 48])
            exact = np.abs(forward_dct(blocks)[..., row, column]).ravel()
            expected = np.bincount((exact / 0.5 + 0.5).astype(int), minlength=1024)
            counted = histograms[row, column][8 * top + left]
            assert counted.sum() == 24
            assert np.abs(counted - expected).sum() <= 2  # one may lie on the edge of two bins


def test_the_rates_count_what_happened():
    once, twice = Degradation((Save(30),)), Degradation((Save(10), Save(30)))
    shifted = Degradation((Save(10), Save(30, grid_shift=(4, 4))))
    found = [
        Case(1, once, None),
        Case(1, once, EarlierSave("aligned", 40, (0, 0))),
        Case(1, twice, EarlierSave("aligned", 12, (0, 0))),
        Case(1, twice, EarlierSave("aligned", 20, (0, 0))),
        Case(1, shifted, EarlierSave("shifted", 10, (4, 3))),
    ]
    text = report(found)
    assert "1 of 2 (50.0%) were taken for saved twice" in text
    assert "named in 3 of 3 (100.0%), and of these 2 of 3 (66.7%) on the right grid" in text
    assert "within 2 of the truth in 1 of 2 (50.0%)" in text
    assert "| 10 | 0 | 0 | 2 |" in text


def test_the_command_sets_the_rates_in_a_document(tmp_path, pictures, monkeypatch):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, name in enumerate(NAMES):
        (folder / f"{i}.png").write_bytes(example(name).read_bytes())
    few = [one for one in degradations(1) if one.saves[0].quality_factor == 10][:4]
    monkeypatch.setattr("training.experiments.double_rates.degradations", lambda seed: iter(few))
    document = tmp_path / "rates.md"
    document.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n")
    assert main([str(folder), "--write", str(document)]) == 0
    text = document.read_text()
    assert text.startswith(f"before\n{BEGIN}\nMeasured on 1 photographs")
    assert text.endswith(f"{END}\nafter\n")
    assert "stale" not in text
    document.write_text("nothing to set")
    with pytest.raises(SystemExit):
        main([str(folder), "--write", str(document)])


def test_every_way_of_breaking_is_measured():
    kinds = [Case(0, one, None).kind for one in degradations(3)]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "once": 19,
        "aligned": 81,
        "shifted": 81,
        "resized": 36,
    }
    assert list(degradations(3)) == list(degradations(3))
