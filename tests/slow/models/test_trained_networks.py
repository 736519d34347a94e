"""Every trained network: tiles without seams."""

import numpy as np
import pytest

from models.jpeg import Save, encode
from models.zoo import Zoo
from tests.models.sample_networks import lively_restorer, loaded, photograph
from tests.paths import REPOSITORY


@pytest.mark.parametrize("name", [path.parent.name for path in REPOSITORY.glob("checkpoints/*/card.yaml")])
def test_tiled_equals_untiled_with_trained_weights(name) -> None:
    image = encode(photograph(456, 640), Save(10))
    shipped = loaded(Zoo(REPOSITORY / "checkpoints", "cpu"), name)
    settings = {"network": shipped.network, "card": shipped.card, "reduced_precision": False}
    whole = lively_restorer(shipped.card.architecture, **settings).restore(image)
    tiled = lively_restorer(shipped.card.architecture, longest_tile=320, **settings).restore(image)
    assert np.abs(whole.pixels.astype(int) - tiled.pixels).max() <= 1
