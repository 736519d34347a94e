"""ZeroGPU of Hugging Face Spaces: a GPU for as long as a restoration takes, through the optional package `spaces`.

There, CUDA exists only inside functions that `spaces.GPU` has wrapped. They run in a forked process that has the models
as they were at the start, gets arguments and gives results by pickling, and is paid by the second.
"""

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import Any

from models.card import ModelCard
from models.errors import RestorationError, UnknownModel
from models.jpeg import JpegImage
from models.jpeg.coefficients import components_from_bitstream
from models.jpeg.metadata import to_srgb
from models.restorer import AUTOMATIC, OnTile, Restoration, RestoreOptions, Restorer
from models.zoo import Zoo
from studio.engine.background import Progress, in_background

logger = logging.getLogger(__name__)

START_SECONDS = 8.0
"""For the process to be ready; longer where it is not warm."""
MODEL_SECONDS, MEGAPIXEL_SECONDS, MEGAPIXEL_MMAC_SECONDS = 1.0, 1.0, 0.5
"""Per model; per megapixel of each; per megapixel and 1e6 multiply-accumulates per pixel. Generous guesses: who asks
for too little is cut off, who asks for too much waits in line behind those who ask for less."""
MOST_SECONDS = 120.0


class ZeroGpuZoo(Zoo):
    """A zoo whose networks lie on the GPU from the start and run in its own process; baselines stay here."""

    def __init__(self, folder: Path, spaces: ModuleType, device: str = "cuda") -> None:
        """Load every sound checkpoint onto CUDA; those that arrive later are not seen.

        Args:
            folder: holds one folder per checkpoint.
            spaces: the package, see studio.server.zero_gpu.
            device: where the networks are put.
        """
        super().__init__(folder, device, self_check=False)  # nothing can be computed there yet
        self._networks: dict[str, Restorer] = {}
        self._remote: dict[str, RemoteRestorer] = {}
        self._broken: dict[str, str] = {}
        for card in super().listing().cards:
            if card.architecture:
                self._place(card)

        def seconds(names: Sequence[str], image: JpegImage, options: RestoreOptions) -> float:
            return seconds_for([self._remote[name].card for name in names], image)

        def on_gpu(
            names: Sequence[str], image: JpegImage, options: RestoreOptions
        ) -> Generator[Any, None, None]:
            yield from restored_in_turn({name: self._networks[name] for name in names}, image, options)

        self._call = spaces.GPU(duration=seconds)(on_gpu)

    def load(self, name: str) -> Restorer:
        """See Zoo.load; networks come as RemoteRestorer."""
        if name in self._broken:
            raise RestorationError(self._broken[name])
        if name in self._remote:
            return self._remote[name]
        loaded = super().load(name)
        if loaded.card.architecture:
            raise UnknownModel(
                f"{name} was put there after the start. On ZeroGPU models are loaded when the Space starts. Restart it."
            )
        return loaded

    def together(
        self, names: Sequence[str], image: JpegImage, options: RestoreOptions
    ) -> Mapping[str, Restorer]:
        """Restorers that share one call to the GPU, to be used once and in the order of the names."""
        wanted = [name for name in names if name in self._remote]
        if len(wanted) < 2:
            return {}
        items = self.call(wanted, image, options)
        return {name: _InTurn(self._remote[name].card, items) for name in wanted}

    def call(
        self, names: Sequence[str], image: JpegImage, options: RestoreOptions
    ) -> Generator[Any, None, None]:
        """One call to the GPU for one picture; see restored_in_turn for what comes back."""
        # Whatever reads and converts here stays here.
        sent = replace(image, read_coefficients=components_from_bitstream, convert_colors=to_srgb)
        return self._call(tuple(names), sent, options)

    def _place(self, card: ModelCard) -> None:
        try:
            self._networks[card.name] = super().load(card.name)
        except RestorationError as error:
            self._broken[card.name] = str(error)
        else:
            self._remote[card.name] = RemoteRestorer(card, self)


@dataclass(frozen=True, eq=False)
class RemoteRestorer:
    """A network of a ZeroGpuZoo as a Restorer: every restoration is one call."""

    card: ModelCard
    zoo: ZeroGpuZoo

    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        """See models.restorer.Restorer.restore."""
        with closing(self.zoo.call([self.card.name], image, options)) as items:
            return _next_result(items, self.card.name, on_tile)


@dataclass(frozen=True, eq=False)
class _InTurn:
    """One of several restorers that read the answers of one call; what it is told was said when that was made."""

    card: ModelCard
    items: Iterator[Any]

    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        """See models.restorer.Restorer.restore."""
        return _next_result(self.items, self.card.name, on_tile)


def restored_in_turn(
    restorers: Mapping[str, Restorer], image: JpegImage, options: RestoreOptions
) -> Iterator[Progress | tuple[str, Restoration | RestorationError]]:
    """What runs on the GPU: one restorer after the other on one picture.

    Yields:
        Progress per tile, and (name, restoration or what went wrong) per restorer, in their order.
    """
    for name, restorer in restorers.items():

        def work(on_tile: OnTile, restorer: Restorer = restorer) -> Restoration:
            return restorer.restore(image, options, on_tile)

        try:
            restoration = yield from in_background(name, work, Event(), in_turn=False)
        except RestorationError as error:
            yield name, error
        else:
            yield name, restoration


def seconds_for(cards: Sequence[ModelCard], image: JpegImage) -> float:
    """How long the GPU is asked for: in proportion to megapixels and models."""
    rows, columns = image.decoded_pixels.shape[:2]
    megapixels = rows * columns / 1e6
    each = [
        MODEL_SECONDS + megapixels * (MEGAPIXEL_SECONDS + MEGAPIXEL_MMAC_SECONDS * card.mmac_per_pixel)
        for card in cards
    ]
    return min(MOST_SECONDS, START_SECONDS + sum(each))


def _next_result(items: Iterator[Any], name: str, on_tile: OnTile | None) -> Restoration:
    """Read until the result of that name, telling progress meanwhile; what is left of others is passed over."""
    while (item := _next_item(items, name)) is not None:
        if isinstance(item, Progress):
            if on_tile is not None and item.model_name == name:
                on_tile(item.done, item.total, item.part)
        elif item[0] == name:
            if isinstance(item[1], RestorationError):
                raise item[1]
            return item[1]
    raise RestorationError(
        f"The GPU ended before {name} was done. It is lent for a limited time. Press the button again, or take fewer "
        "models."
    )


def _next_item(items: Iterator[Any], name: str) -> Any:
    """The next answer, None after the last; refusals of the GPU (quota used up, no time left) become sentences."""
    try:
        return next(items, None)
    except Exception as problem:
        logger.warning("the GPU was not lent for %s: %s", name, problem)
        raise RestorationError(
            f"The GPU was not lent for {name} ({str(problem)[:300]}). Every visitor has a share of it, a larger one "
            "when signed in to Hugging Face. Try again later, or duplicate this Space."
        ) from problem
