"""What is worked out once for a whole picture: overviews, tables, and how they turn with it."""

import cv2
import numpy as np
import pytest
import torch

from models.jpeg import Save, encode, quantization_tables
from models.jpeg.color import rgb_to_ycbcr
from models.jpeg.dct import forward_dct, plane_to_blocks
from models.orientations import ORIENTATIONS, turn, turn_back, turn_coefficients
from models.steering import steer
from models.tensors import area_weights, pixels_to_tensor, pixels_to_ycbcr, ycbcr_to_pixels
from tests.models.sample_networks import CARDS, lively_network, photograph
from tests.present import present

CPU = torch.device("cpu")


@pytest.mark.parametrize(("size", "side"), [(224, 112), (300, 112), (64, 112), (1, 112), (112, 112)])
def test_area_weights_share_out_every_pixel_evenly(size: int, side: int) -> None:
    weights = area_weights(size, side)
    assert weights.shape == (side, size)
    torch.testing.assert_close(weights.sum(1), torch.ones(side))
    torch.testing.assert_close(weights.sum(0), torch.full((size,), side / size))


def test_an_overview_is_opencvs_resize_by_area() -> None:
    pixels = photograph(336, 250)
    found = lively_network(CARDS["qgcn"]).summarize(pixels_to_tensor(pixels))
    expected = cv2.resize(pixels.astype(np.float32), (112, 112), interpolation=cv2.INTER_AREA) / 255
    np.testing.assert_allclose(found[0].permute(1, 2, 0).numpy(), expected, atol=1e-4)


def test_strips_do_not_change_what_is_seen_of_the_whole(monkeypatch) -> None:
    network, image = lively_network(CARDS["qgcn"]), encode(photograph(70, 90), Save(20))

    def condition() -> torch.Tensor:
        settings = {"quality_factor": None, "use_tables": True, "every_orientation": False}
        return steer(network, image, CPU, **settings).condition((0, False))

    whole = condition()
    monkeypatch.setattr("models.steering.SUMMARY_PIXELS", 900)
    torch.testing.assert_close(condition(), whole)
    tables = torch.from_numpy(
        np.stack([present(image.luma_table), present(image.chroma_table)]).reshape(1, 128)
    ).float()
    at_once = network.summarize(pixels_to_tensor(image.decoded_pixels))
    torch.testing.assert_close(network.condition(at_once, tables=tables), whole)


@pytest.mark.parametrize("gray", [False, True])
def test_a_quality_factor_set_by_hand_becomes_its_tables(gray: bool) -> None:
    pixels = photograph(16, 24)
    image = encode(pixels[..., 0] if gray else pixels, Save(80))
    settings = {"use_tables": True, "every_orientation": False}
    steering = steer(lively_network(CARDS["qcn"]), image, CPU, quality_factor=30, **settings)
    luma, chroma = quantization_tables(30)
    expected = np.stack([luma, chroma * (not gray)]).reshape(128).clip(0, 255) / 255
    np.testing.assert_allclose(steering.condition((0, False))[0].numpy(), expected, atol=1e-6)
    assert steering.applied == 30 and steering.predicted is None
    assert "30 set by hand" in steering.sentence


def test_without_tables_nothing_is_known() -> None:
    image = encode(photograph(16, 24), Save(80))
    settings = {"quality_factor": None, "every_orientation": False}
    blind = steer(lively_network(CARDS["qcn"]), image, CPU, use_tables=False, **settings)
    assert (blind.condition((0, False)) == 0).all()
    assert blind.sentence == "the picture alone" and blind.applied is None
    seen = steer(lively_network(CARDS["qcn"]), image, CPU, use_tables=True, **settings)
    assert (seen.condition((0, False)) > 0).all()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_turning_coefficients_turns_the_plane(orientation) -> None:
    plane = photograph(24, 40)[..., 1].astype(np.float32)

    def coefficients(values: np.ndarray) -> torch.Tensor:
        blocks = forward_dct(plane_to_blocks(values - 128))
        return torch.from_numpy(blocks.reshape(*blocks.shape[:2], 64)).permute(2, 0, 1)[None]

    as_tensor = torch.from_numpy(plane)[None, None]
    turned = turn(as_tensor, orientation)
    expected = coefficients(np.ascontiguousarray(turned[0, 0].numpy()))
    torch.testing.assert_close(
        turn_coefficients(coefficients(plane), orientation), expected, atol=2e-3, rtol=0
    )
    torch.testing.assert_close(turn_back(turned, orientation), as_tensor)


def test_ycbcr_tensors_hold_what_jpeg_holds() -> None:
    pixels = photograph(9, 14)
    found = pixels_to_ycbcr(pixels_to_tensor(pixels))
    np.testing.assert_allclose(found[0].permute(1, 2, 0).numpy() * 255, rgb_to_ycbcr(pixels), atol=1e-3)
    torch.testing.assert_close(ycbcr_to_pixels(found), pixels_to_tensor(pixels), atol=1e-5, rtol=0)
