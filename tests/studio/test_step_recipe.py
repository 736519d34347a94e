"""A new kind of degradation is one class and its control; whatever names a degradation asks the step."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import parse_qsl

import numpy as np
import pytest

from models.jpeg import Degradation, Save, Step, degrade, degrade_pixels
from models.jpeg.degradation import STEPS
from models.restorer import RestoreOptions
from studio.api.api import Api
from studio.engine.outputs import Broken, RestoreRequest
from studio.page.facts import bench_line
from studio.page.wording import how_broken, settings_slug
from studio.restore.__main__ import main
from studio.restore.takeaway import zip_of_results
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm, control
from studio.session.link import Link, from_query, to_query

WORDS = "saved at quality 40 (4:2:0), brightened by 20, then 30 (4:2:0), grid shifted by 4 and 4"
SLUG = "qf40-420_bright20_qf30-420-shift4x4"


@dataclass(frozen=True)
class BrightForm(RestoreForm):
    """The form with a control more."""

    levels: Any = control(0, "levels", "The brightness", low=0, high=100, optional=True)

    def degradation(self) -> Degradation | None:
        plain = super().degradation()
        if plain is None or not self.levels:
            return plain
        first, *rest = plain.as_json()
        return Degradation.from_json([first, {"step": "brighten", "levels": self.checked("levels")}, *rest])


@pytest.fixture
def brighten() -> Iterator[type[Step]]:
    """A throw-away kind of step, known as long as the test lasts."""

    @dataclass(frozen=True)
    class Brighten(Step):
        name = "brighten"
        example = "20"
        levels: int

        def apply(self, pixels: np.ndarray) -> np.ndarray:
            return np.clip(pixels.astype(np.int16) + self.levels, 0, 255).astype(np.uint8)

        def words(self, *, again: bool = False) -> str:
            return f"brightened by {self.levels}"

        def slug(self) -> str:
            return f"bright{self.levels}"

        @classmethod
        def from_text(cls, text: str) -> Self:
            return cls(int(text))

    yield Brighten
    del STEPS["brighten"]


@pytest.fixture
def degradation(brighten) -> Degradation:
    return Degradation((Save(40), brighten(20), Save(30, grid_shift=(4, 4))))


@pytest.fixture
def form(brighten) -> BrightForm:
    saved = {"saves": "twice", "first_quality": 40, "second_quality": 30}
    return BrightForm(door="experiment", model_names=("plain",), levels=20, **saved)


def test_it_is_done_and_its_original_stays_what_it_was(degradation, photograph):
    pixels = photograph.image.pixels
    first = degrade(pixels, Degradation((Save(40),))).image.pixels
    brighter = np.clip(first.astype(int) + 20, 0, 255).astype(np.uint8)
    degraded = degrade(pixels, degradation)
    assert degraded.image.data == degrade(brighter, Degradation(degradation.steps[2:])).image.data
    np.testing.assert_array_equal(degraded.reference, pixels[4:, 4:])
    np.testing.assert_array_equal(degrade_pixels(pixels, degradation)[0], degraded.image.pixels)


def test_words_and_file_names_say_it(degradation, photograph):
    request = RestoreRequest(photograph.key, (), degradation)
    broken = Broken(photograph.image, photograph.image.pixels)
    assert how_broken(degradation) == WORDS and WORDS in bench_line(photograph, broken, degradation)
    assert settings_slug(request) == SLUG
    assert settings_slug(replace(request, options=RestoreOptions("pixels"))) == f"{SLUG}_from-pixels"


def test_form_and_link_carry_it(degradation, form):
    assert form.degradation() == degradation
    query = to_query(Link(form))
    assert "levels=20" in query
    assert from_query(dict(parse_qsl(query)), BrightForm(), ("plain",)).form == form
    assert "levels" not in to_query(Link(replace(form, levels=0)))
    assert from_query({"levels": "101"}, BrightForm(), ()).problems


def test_page_and_report_say_it(visitor, form, degradation, photograph):
    visitor.form = form
    visitor.restore(photograph)
    outputs, panes = visitor.run.outputs, visitor.run.view["panes"]
    assert outputs.request.degradation == degradation
    name, data = zip_of_results(photograph, outputs, panes, weights_hash=lambda model: None)
    assert name == f"whiskers_{SLUG}.zip"
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert f"whiskers_{SLUG}/whiskers_{SLUG}.jpg" in archive.namelist()
    report = json.loads(archive.read(f"whiskers_{SLUG}/report.json"))
    assert report["settings"]["saves"] == degradation.as_json()


def test_programs_send_it_and_read_it(degradation, engine, photograph, tmp_path):
    api = Api(engine, lambda place, name: photograph, PictureFolder(tmp_path, 60))
    answer = api.degrade({"path": "x"}, steps=degradation.as_json())
    assert (answer["degradation"], answer["steps"]) == (WORDS, degradation.as_json())
    assert answer["steps"][1] == {"step": "brighten", "levels": 20}
    with open(answer["file"]["path"], "rb") as file:
        assert file.read() == degrade(photograph.image.pixels, degradation).image.data
    assert answer["file"]["orig_name"] == f"whiskers_{SLUG}.jpg"


def test_the_command_line_takes_it_and_its_report_says_it(
    degradation, checkpoints, photograph, tmp_path, capsys
):
    (tmp_path / "in.png").write_bytes(photograph.image.data)
    words = [str(tmp_path / "in.png"), "-o", str(tmp_path / "out"), "--model", "plain", "--device", "cpu"]
    words += ["--checkpoints", str(checkpoints), "--report", str(tmp_path / "r.json")]
    words += ["--recompress", "40", "--step", "brighten=20", "--recompress", "30"]
    for done in ("1 restored, 0 done before", "0 restored, 1 done before"):
        assert main(words) == 0 and done in capsys.readouterr().out
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert report["settings"]["degradation"]["encodings"][1] == {"step": "brighten", "levels": 20}
    assert main([*words, "--step", "darken=3"]) == 2
    assert "save=30,4:2:0, resize=50, brighten=20" in capsys.readouterr().err
