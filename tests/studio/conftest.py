"""A zoo that is always there: the baselines, and small untrained networks of every architecture."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from models.card import ModelCard
from models.jpeg import read
from models.networks.ar_cnn import ArCnn
from models.networks.cascade import Cascade
from models.zoo import Zoo, save_checkpoint
from studio.engine.cache import ResultCache
from studio.engine.engine import Engine
from studio.server.files import PictureFolder
from studio.session.examples import example
from studio.session.visitor import Photograph, open_photograph
from tests.studio.visitor import Visitor

CASCADE = ModelCard(
    name="cascade",
    title="Cascade, untrained",
    architecture="cascade",
    summary="For tests.",
    paper="None.",
    stage_names=("stage 1", "stage 2", "stage 3"),
    steerable=True,
    uses_tables=True,
    parameters=1,
    mmac_per_pixel=0.2,
)
AR_CNN = replace(
    CASCADE,
    name="ar_cnn",
    title="AR-CNN, untrained",
    architecture="ar_cnn",
    color="planes",
    stage_names=(),
    steerable=False,
    uses_tables=False,
    mmac_per_pixel=0.1,
)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(7)
    save_checkpoint(folder / "cascade", Cascade(), CASCADE)
    save_checkpoint(folder / "ar_cnn", ArCnn(), AR_CNN)
    return folder


@pytest.fixture(scope="session")
def zoo(checkpoints):
    return Zoo(checkpoints, "cpu")


@pytest.fixture
def engine(zoo):
    return Engine(zoo, ResultCache(256 * 2**20))


@pytest.fixture
def pictures(tmp_path):
    return PictureFolder(tmp_path / "pictures", 600)


@pytest.fixture
def visitor(engine, pictures):
    return Visitor(engine, pictures)


@pytest.fixture(scope="session")
def photograph() -> Photograph:
    """A 96 x 80 crop of an example, as PNG bytes opened the usual way."""
    pixels = read(example("chelsea").read_bytes()).pixels[100:180, 120:216]
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG")
    return open_photograph(buffer.getvalue(), "whiskers.png")
