"""Pictures and checkpoints that the tests of measuring share; nobody changes them."""

from pathlib import Path

import pytest
import skimage.data

from models.png_files import write_png
from models.zoo import save_checkpoint
from tests.models.sample_networks import CARDS, lively_network


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs of 72 x 96 and 64 x 64 pixels, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("clean")
    write_png(skimage.data.astronaut()[100:172, 180:276], folder / "astronaut.png")
    write_png(skimage.data.coffee()[100:164, 200:264], folder / "coffee.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cascade that changes something, and an AR-CNN that does."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, card in CARDS.items():
        save_checkpoint(folder / name, lively_network(card), card)
    return folder
