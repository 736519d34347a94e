"""Community models through a stand-in for spandrel, and through the real one where it can be imported."""

import importlib
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.card import ModelCard, write_card
from models.errors import BrokenCheckpoint, MissingExtra
from models.jpeg import Save, encode
from models.restorer import RestoreOptions
from models.tensors import pixels_to_tensor, tensor_to_pixels
from models.zoo import CARD_FILE, WEIGHTS_FILE, Zoo
from tests.models.sample_networks import loaded
from tests.present import present

CARD = ModelCard("fbcnn", "FBCNN", "spandrel", "For tests.", "None.", steerable=True)


class TinyFbcnn(nn.Module):
    """As FBCNN is built: a picture and 1 - Q/100 in, a picture and its own 1 - Q/100 out."""

    def __init__(self):
        super().__init__()
        self.m_head = nn.Conv2d(3, 4, 3, padding=1)
        self.m_down1, self.m_down2 = nn.Conv2d(4, 4, 2, 2), nn.Conv2d(4, 4, 2, 2)
        self.m_down3, self.m_body_encoder = nn.Conv2d(4, 4, 2, 2), nn.Conv2d(4, 4, 1)
        self.qf_pred = nn.Sequential(
            nn.Conv2d(4, 4, 1), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(4, 1), nn.Sigmoid()
        )
        self.embed = nn.Linear(1, 3)

    def forward(self, x, qf_input=None):
        seen = self.m_body_encoder(self.m_down3(self.m_down2(self.m_down1(self.m_head(x)))))
        qf = self.qf_pred(seen)
        shade = self.embed(qf if qf_input is None else qf_input)[..., None, None]
        return x * 0.9 + 0.05 * torch.tanh(shade), qf


class Descriptor:
    """spandrel.ImageModelDescriptor as far as it is documented."""

    def __init__(self, model, name, call, channels=3, scale=1, multiple=1):
        self.model, self.architecture, self._call = model, SimpleNamespace(id=name), call
        self.input_channels = self.output_channels = channels
        self.scale, self.size_requirements = scale, SimpleNamespace(multiple_of=multiple)

    def __call__(self, pixels):
        return self._call(self.model, pixels).clamp(0, 1)


@pytest.fixture
def spandrel(monkeypatch):
    """A stand-in that makes whatever its `made` says of a state dict."""
    module: Any = ModuleType("spandrel")

    class UnsupportedModelError(Exception):
        """As spandrel's."""

    class ModelLoader:
        def __init__(self, device=None):
            self.device = device

        def load_from_state_dict(self, weights):
            if "unknown" in weights:
                raise UnsupportedModelError("no such architecture")
            made = module.made(weights)
            made.model.load_state_dict(weights)
            return made

    module.UnsupportedModelError, module.ModelLoader = UnsupportedModelError, ModelLoader
    module.made = lambda weights: Descriptor(TinyFbcnn(), "FBCNN", lambda model, x: model(x)[0])
    monkeypatch.setitem(sys.modules, "spandrel", module)
    return module


def dropped(folder, card, network):
    (folder / card.name).mkdir(parents=True)
    write_card(card, folder / card.name / CARD_FILE)
    save_file(network.state_dict(), folder / card.name / WEIGHTS_FILE)
    return Zoo(folder, "cpu")


@pytest.fixture(scope="module")
def image():
    rng = np.random.default_rng(3)
    return encode(rng.integers(0, 256, (64, 96, 3), np.uint8), Save(20))


def test_fbcnn_decides_by_itself_as_its_authors_call_it(spandrel, tmp_path, image):
    torch.manual_seed(0)
    network = TinyFbcnn().eval()
    restoration = dropped(tmp_path, CARD, network).load("fbcnn").restore(image)
    with torch.no_grad():
        expected, quality = network(pixels_to_tensor(image.decoded_pixels))
    np.testing.assert_array_equal(restoration.unguarded, tensor_to_pixels(expected.clamp(0, 1)))
    assert restoration.predicted_quality_factor == pytest.approx(100 * (1 - float(quality)), abs=1e-3)
    assert restoration.applied_quality_factor == restoration.predicted_quality_factor
    assert restoration.steered_by == "its own estimate of the quality factor"


def test_fbcnn_is_told_a_quality_factor_the_way_it_knows_them(spandrel, tmp_path, image):
    torch.manual_seed(0)
    network = TinyFbcnn().eval()
    restoration = dropped(tmp_path, CARD, network).load("fbcnn").restore(image, RestoreOptions("manual", 30))
    with torch.no_grad():
        expected, _ = network(pixels_to_tensor(image.decoded_pixels), torch.tensor([[0.7]]))
    np.testing.assert_array_equal(restoration.pixels, tensor_to_pixels(expected.clamp(0, 1)))
    assert restoration.applied_quality_factor == 30


def test_all_tiles_of_fbcnn_share_one_estimate(spandrel, tmp_path):
    torch.manual_seed(0)
    pixels = np.full((40, 400, 3), 20, np.uint8)
    pixels[:, 200:] = 230
    restorer = loaded(dropped(tmp_path, CARD, TinyFbcnn()), "fbcnn")
    image = encode(pixels, Save(90))
    whole = restorer.restore(image)
    tiled = replace(restorer, longest_tile=2 * 64 + 64).restore(image)
    np.testing.assert_array_equal(tiled.pixels, whole.pixels)


def test_other_networks_are_called_through_their_descriptor(spandrel, tmp_path, image):
    torch.manual_seed(1)
    network = nn.Conv2d(3, 3, 3, padding=1).eval()
    called = []

    def call(model, pixels):
        called.append(tuple(pixels.shape))
        return model(pixels)

    spandrel.made = lambda weights: Descriptor(nn.Conv2d(3, 3, 3, padding=1), "SwinIR", call, multiple=64)
    restorer = dropped(tmp_path, replace(CARD, name="swinir", steerable=False), network).load("swinir")
    restoration = restorer.restore(image)
    assert called == [(1, 3, 64, 128)]
    assert restoration.predicted_quality_factor is None
    assert restoration.pixels.shape == image.pixels.shape


def test_gray_networks_restore_plane_by_plane(spandrel, tmp_path, image):
    network = nn.Conv2d(1, 1, 1)
    nn.init.ones_(network.weight)
    nn.init.zeros_(present(network.bias))
    spandrel.made = lambda weights: Descriptor(
        nn.Conv2d(1, 1, 1), "DRUNet", lambda model, x: model(x), channels=1
    )
    card = replace(CARD, name="drunet", steerable=False, color="planes")
    restored = dropped(tmp_path, card, network).load("drunet").restore(image).pixels
    assert np.abs(restored.astype(int) - image.pixels).max() <= 3


@pytest.mark.parametrize(
    ("made", "card", "told"),
    [
        ({"scale": 4}, CARD, "scales by 4"),
        ({"channels": 4}, CARD, "4 channels of 4"),
        ({"channels": 1}, CARD, "color: planes"),
        ({}, replace(CARD, color="planes"), "color: rgb"),
        ({}, replace(CARD, uses_tables=True), "uses_tables true"),
        ({}, replace(CARD, stage_names=("a", "b")), "names 2 stages"),
        ({"name": "SCUNet"}, CARD, "Set steerable to false"),
    ],
)
def test_what_does_not_fit_is_one_sentence(spandrel, tmp_path, made, card, told):
    settings = {"name": "FBCNN", "call": lambda model, x: model(x)[0], **made}
    spandrel.made = lambda weights: Descriptor(TinyFbcnn(), **settings)
    with pytest.raises(BrokenCheckpoint, match=told):
        dropped(tmp_path, card, TinyFbcnn()).load("fbcnn")


def test_unknown_weights_are_one_sentence(spandrel, tmp_path):
    zoo = dropped(tmp_path, CARD, TinyFbcnn())
    save_file({"unknown": torch.zeros(1)}, tmp_path / "fbcnn" / WEIGHTS_FILE)
    with pytest.raises(BrokenCheckpoint, match="spandrel does not know"):
        zoo.load("fbcnn")


@pytest.mark.parametrize(
    "problem", [ImportError("No module named 'spandrel'"), RuntimeError("operator nms\nmore")]
)
def test_without_spandrel_the_card_is_shown_and_loading_says_what_to_install(tmp_path, monkeypatch, problem):
    def absent(name):
        raise problem

    monkeypatch.setattr("models.community.importlib.import_module", absent)
    zoo = dropped(tmp_path, CARD, TinyFbcnn())
    assert "fbcnn" in [card.name for card in zoo.cards()]
    with pytest.raises(MissingExtra, match="pip install -r requirements-spandrel.txt") as caught:
        zoo.load("fbcnn")
    assert "\n" not in str(caught.value)


def real_spandrel():
    try:
        spandrel = importlib.import_module("spandrel")
        fbcnn = importlib.import_module("spandrel.architectures.FBCNN").FBCNN
    except (ImportError, RuntimeError, OSError) as problem:
        pytest.skip(f"spandrel cannot be imported here: {str(problem).splitlines()[0]}")
    return spandrel, fbcnn


def test_the_real_fbcnn_gives_what_its_own_module_gives(tmp_path, image):
    _, architecture = real_spandrel()
    torch.manual_seed(2)
    network = architecture(nb=2, nc=[16, 16, 16, 512]).eval()
    restorer = dropped(tmp_path, CARD, network).load("fbcnn")
    seen = pixels_to_tensor(image.decoded_pixels)
    with torch.inference_mode():
        for told, qf_input in ((None, None), (30, torch.tensor([[0.7]]))):
            expected, quality = network(seen, qf_input)
            restoration = restorer.restore(image, RestoreOptions.of(told))
            np.testing.assert_array_equal(restoration.pixels, tensor_to_pixels(expected.clamp(0, 1)))
            assert restoration.predicted_quality_factor == pytest.approx(100 * (1 - float(quality)), abs=1e-3)


def test_the_real_scunet_runs(tmp_path, image):
    spandrel, _ = real_spandrel()
    torch.manual_seed(2)
    network = (
        importlib.import_module("spandrel.architectures.SCUNet")
        .SCUNet(in_nc=3, config=[1] * 7, dim=64)
        .eval()
    )
    card = replace(CARD, name="scunet", steerable=False)
    restored = dropped(tmp_path, card, network).load("scunet").restore(image)
    expected = spandrel.ModelLoader("cpu").load_from_state_dict(network.state_dict())
    with torch.inference_mode():
        output = expected(pixels_to_tensor(image.decoded_pixels))
    np.testing.assert_array_equal(restored.pixels, tensor_to_pixels(output))
