"""Every odd, damaged or hostile file: a picture or one clear sentence, never for long, and a good picture after it."""

import time
import warnings

import pytest

from models.errors import RestorationError
from studio.server.decoder import Decoder
from studio.session.examples import EXAMPLES
from studio.session.form import RestoreForm
from studio.session.visitor import open_photograph
from tests.paths import HOSTILE_FILES, SHARED, needs_shared_data

SECONDS = 10
GOOD = EXAMPLES[0]
FORM = RestoreForm(door="experiment", saves="keep", model_names=["plain"])


@pytest.fixture(scope="module")
def decoder():
    """As the page opens what strangers send."""
    one = Decoder()
    yield one
    one.close()


@needs_shared_data
@pytest.mark.parametrize("path", HOSTILE_FILES, ids=lambda path: str(path.relative_to(SHARED / "hostile")))
def test_a_file_is_shown_or_refused_in_one_sentence(visitor, decoder, path):
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            visitor.form = FORM
            visitor.bring(lambda: open_photograph(path.read_bytes(), path.name, decoder.read))
        except RestorationError as error:
            assert str(error).endswith(".")
            assert len(str(error)) < 500
        else:
            visitor.start()
            *_, last = visitor.work()
            assert [row["state"] for row in last.results["rows"]] == ["done", "done"]
    assert time.monotonic() - began < SECONDS
    assert decoder.read(GOOD.read_bytes()).pixels.shape == (400, 600, 3)
