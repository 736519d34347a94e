"""Every odd, damaged or hostile file: a picture on the page or one clear sentence, and never for long."""

import time
import warnings

import pytest

from models.errors import RestorationError
from studio.session import Run, open_photograph
from studio.settings import RestoreForm
from tests.paths import SHARED, needs_shared_data

SECONDS = 10
FORM = RestoreForm(saves="keep", model_names=["plain"])
FILES = sorted(
    path for path in (SHARED / "hostile").rglob("*") if path.is_file() and path.name != "MANIFEST.csv"
)


@needs_shared_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SHARED / "hostile")))
def test_a_file_is_shown_or_refused_in_one_sentence(desk, path):
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            opened = desk.opened(open_photograph(path.read_bytes(), path.name), Run(), FORM)
        except RestorationError as error:
            assert str(error).endswith(".")
            assert len(str(error)) < 500
        else:
            run = desk.began(opened.session, opened.run, FORM)
            *_, last = desk.restored(opened.session, run.run)
            assert [row["state"] for row in last.results["rows"]] == ["done", "done"]
    assert time.monotonic() - began < SECONDS
