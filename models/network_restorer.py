"""NetworkRestorer: runs any network of the zoo on pictures of any size, in tiles, with bounded memory."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.card import ModelCard
from models.errors import InvalidSetting, OutOfMemory
from models.images import RgbImage
from models.jpeg import JpegImage
from models.jpeg.planes import picture_from_planes, planes
from models.restorer import OnTile, Restoration, Stage
from models.tensors import (
    pixels_to_tensor,
    plane_to_tensor,
    table_to_tensor,
    tensor_to_pixels,
    tensor_to_plane,
)
from models.tiles import Tile, cut_into_tiles

LONGEST_TILE = {
    "rgb": {"cuda": 2048, "mps": 1024, "cpu": 1536},
    "planes": {"cuda": 1024, "mps": 512, "cpu": 512},
}
"""Rows or columns that a tile may see, by treatment of colour and kind of device: so that a tile takes a few
hundred megabytes. Plane networks keep their features at full resolution, and need little around a tile."""

SMALLEST_STEP = 64
"""Pixels by which the smallest tiles advance; where even they do not fit, memory is truly exhausted."""

SUMMARY_PIXELS = 1 << 19
"""Pixels summarised at once."""

BLOCK = 8
LUMA_WEIGHTS = (0.299, 0.587, 0.114)


class PlaneNetwork(Protocol):
    """A network that restores Y, Cb and Cr one by one (card.color == "planes").

    Attributes:
        multiple: rows and columns must be multiples of this.
        overlap: pixels around a tile that its result depends on.
    """

    multiple: int
    overlap: int

    def __call__(self, plane: Tensor) -> Tensor:
        """(batch, 1, rows, columns) float 0..1 -> the same, not clamped."""
        ...


class ColorNetwork(Protocol):
    """A network that restores RGB in stages (card.color == "rgb") and may be steered.

    Everything that belongs to the whole picture passes through `summarize` and `condition`, so that it is the
    same for every tile. The stages add their correction to a float32 picture, so that all else may run in
    bfloat16.

    Attributes:
        multiple: rows and columns must be multiples of this, itself a multiple of 8.
        overlap: pixels around a tile that its result noticeably depends on.
    """

    multiple: int
    overlap: int

    def summarize(self, pixels: Tensor) -> Tensor:
        """(batch, 3, rows, columns) 0..1 -> (batch, summary), a mean over 8x8 blocks."""
        ...

    def predicted_quality_factor(self, summary: Tensor) -> Tensor:
        """(batch, summary) -> (batch,), 1..100."""
        ...

    def condition(self, summary: Tensor, quality_factor: Tensor | None, tables: Tensor | None) -> Tensor:
        """What steers a picture, from its summary, (batch,) quality factors and (batch, 128) table steps."""
        ...

    def __call__(self, pixels: Tensor, condition: Tensor, stages: int | None = None) -> list[Tensor]:
        """(batch, 3, rows, columns) 0..1 -> one such picture per stage, not clamped."""
        ...


@dataclass(frozen=True, eq=False)
class _Steering:
    """What is known of a whole picture before its first tile.

    Attributes:
        conditions: the network's condition for the picture, and for a self-ensemble also with rows and
            columns exchanged.
        predicted: quality factor as the network sees it.
        applied: quality factor that goes into the condition.
        sentence: what steered the run, for people.
    """

    conditions: tuple[Tensor, ...]
    predicted: float
    applied: float
    sentence: str


@dataclass(frozen=True, eq=False)
class NetworkRestorer:
    """A network as a Restorer: pads, tiles on the 8x8 grid, runs, crops, clamps, and times.

    Attributes:
        network: a PlaneNetwork or ColorNetwork, as card.color says; already on `device`, in evaluation mode.
        card: what the network is.
        device: where it runs.
        longest_tile: rows or columns a tile may see; None chooses by device.
        self_ensemble: average over the eight flips and rotations of every tile (eight times slower).
        reduced_precision: run convolutions in bfloat16; None decides by device. Plane networks never do: they
            have no full-precision path around their convolutions.
    """

    network: nn.Module
    card: ModelCard
    device: torch.device
    longest_tile: int | None = None
    self_ensemble: bool = False
    reduced_precision: bool | None = None

    @torch.inference_mode()
    def restore(
        self,
        image: JpegImage,
        *,
        quality_factor: int | None = None,
        blind: bool = False,
        stages: int | None = None,
        on_tile: OnTile | None = None,
    ) -> Restoration:
        """See models.restorer.Restorer.restore."""
        self._check(quality_factor, stages)
        start = time.perf_counter()
        if self.card.color == "planes":
            steering = None
            pictures = [self._restore_planes(image, on_tile)]
        else:
            steering = self._steer(image, quality_factor if self.card.steerable else None, blind)
            pictures = self._restore_color(image, steering.conditions, stages, on_tile)
        pictures = [image.present(picture) for picture in pictures]
        named = zip(self.card.stage_names, pictures, strict=False)
        return Restoration(
            pixels=pictures[-1],
            predicted_quality_factor=steering.predicted if steering else None,
            applied_quality_factor=steering.applied if steering and self.card.steerable else None,
            stages=tuple(Stage(name, picture) for name, picture in named),
            seconds=time.perf_counter() - start,
            condition=steering.sentence if steering and self.card.steerable else "",
        )

    def _check(self, quality_factor: int | None, stages: int | None) -> None:
        if quality_factor is not None and not 1 <= quality_factor <= 100:
            raise InvalidSetting(
                f"The quality factor was set to {quality_factor}. It lies between 1 and 100. "
                "Choose one in that range, or return to automatic."
            )
        most = self._stage_count()
        if stages is not None and not 1 <= stages <= most:
            raise InvalidSetting(
                f"{stages} stages were asked of {self.card.title}. It has {most}. "
                f"Choose 1 to {most}, or leave the number open to run all."
            )

    def _stage_count(self) -> int:
        return max(1, len(self.card.stage_names))

    # Steering: everything that belongs to the whole picture.

    def _steer(self, image: JpegImage, quality_factor: int | None, blind: bool) -> _Steering:
        """Look at the whole picture once; a quality factor set by hand wins over the file's tables."""
        use_tables = (
            quality_factor is None and self.card.uses_tables and not blind and _has_usual_tables(image)
        )
        if quality_factor is not None:
            sentence = f"quality factor {quality_factor} set by hand"
        elif use_tables:
            sentence = "the file's quantization tables"
        else:
            sentence = "its own estimate of the quality factor"
        scalar = None if quality_factor is None else torch.tensor([float(quality_factor)], device=self.device)
        predicted, conditions = [], []
        for sideways in (False, True) if self.self_ensemble else (False,):
            pixels = image.decoded_pixels.swapaxes(0, 1) if sideways else image.decoded_pixels
            tables = None
            if use_tables:
                tables = table_to_tensor(image.luma_table, image.chroma_table, sideways=sideways)
                tables = tables.to(self.device)
            summary = self._summary(pixels)
            predicted.append(float(self.network.predicted_quality_factor(summary)))
            conditions.append(self.network.condition(summary, scalar, tables))
        applied = predicted[0] if quality_factor is None else float(quality_factor)
        return _Steering(tuple(conditions), predicted[0], applied, sentence)

    def _summary(self, pixels: RgbImage) -> Tensor:
        """Summarise a whole picture in strips of block rows.

        Blocks that the right and lower edge cut through are left out, unless there are no others.

        Args:
            pixels: (rows, columns, 3) uint8.

        Returns:
            (1, summary) float32.
        """
        rows, columns = (size // BLOCK * BLOCK or size for size in pixels.shape[:2])
        pixels = pixels[:rows, :columns]
        padding = [(0, -rows % BLOCK), (0, -columns % BLOCK), (0, 0)]
        if rows < BLOCK or columns < BLOCK:
            pixels = np.pad(pixels, padding, mode="edge")
        strip = max(1, SUMMARY_PIXELS // pixels.shape[1] // BLOCK) * BLOCK
        total = torch.zeros((), device=self.device)
        for top in range(0, len(pixels), strip):
            part = pixels[top : top + strip]
            total = total + self.network.summarize(pixels_to_tensor(part).to(self.device)) * len(part)
        return total / len(pixels)

    # Tiles.

    def _restore_color(
        self, image: JpegImage, conditions: tuple[Tensor, ...], stages: int | None, on_tile: OnTile | None
    ) -> list[RgbImage]:
        """One (rows, columns, 3) uint8 picture per stage."""
        pixels = image.decoded_pixels
        pictures = [np.empty_like(pixels) for _ in range(stages or self._stage_count())]
        to_gray = torch.tensor(LUMA_WEIGHTS, device=self.device)[:, None, None]

        def restore_tile(_plane: int, tile: Tile) -> None:
            seen = pixels_to_tensor(tile.cut(pixels))
            outputs = self._forward(
                lambda turned, sideways: self.network(turned, conditions[sideways], stages), seen
            )
            for picture, output in zip(pictures, outputs, strict=True):
                kept = output[..., tile.rows.inner, tile.columns.inner]
                if image.is_gray:
                    kept = (kept * to_gray).sum(1, keepdim=True).expand_as(kept)
                picture[tile.rows.kept, tile.columns.kept] = tensor_to_pixels(kept)

        self._in_tiles([pixels], restore_tile, on_tile)
        return pictures

    def _restore_planes(self, image: JpegImage, on_tile: OnTile | None) -> RgbImage:
        """Each plane at its own size, then chroma at full size and RGB: (rows, columns, 3) uint8."""
        degraded = planes(image)
        restored = [np.empty(plane.shape, np.float32) for plane in degraded]

        def restore_tile(index: int, tile: Tile) -> None:
            seen = plane_to_tensor(tile.cut(degraded[index]))
            (output,) = self._forward(lambda turned, _sideways: [self.network(turned)], seen)
            kept = output[..., tile.rows.inner, tile.columns.inner]
            restored[index][tile.rows.kept, tile.columns.kept] = tensor_to_plane(kept)

        self._in_tiles(degraded, restore_tile, on_tile)
        return picture_from_planes(tuple(restored), *image.decoded_pixels.shape[:2])

    def _in_tiles(
        self, pictures: Sequence[NDArray], restore_tile: Callable[[int, Tile], None], on_tile: OnTile | None
    ) -> None:
        """Call restore_tile(index, tile) for all tiles of all pictures; again smaller without memory."""
        overlap, multiple = self.network.overlap, self.network.multiple
        by_device = LONGEST_TILE[self.card.color]
        longest = self.longest_tile or by_device.get(self.device.type, by_device["cpu"])
        floor = 2 * overlap + SMALLEST_STEP
        while True:
            tiles = [
                (index, tile)
                for index, picture in enumerate(pictures)
                for tile in cut_into_tiles(picture.shape, longest=longest, overlap=overlap, multiple=multiple)
            ]
            try:
                for done, (index, tile) in enumerate(tiles, start=1):
                    restore_tile(index, tile)
                    if on_tile is not None:
                        on_tile(done, len(tiles))
                return
            except (MemoryError, RuntimeError) as problem:
                if not _is_out_of_memory(problem):
                    raise
            if longest <= floor:
                raise OutOfMemory(
                    f"{self.card.title} ran out of memory on {self.device} even with tiles of {longest} "
                    "pixels. It needs about one free gigabyte. Close other programs, choose a smaller "
                    "model, or start the studio with --device cpu."
                )
            longest = max(floor, longest // 2)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _forward(self, run: Callable[[Tensor, bool], list[Tensor]], seen: Tensor) -> list[Tensor]:
        """run(tile, sideways), plainly or as the mean over the tile's eight flips and rotations."""
        seen = seen.to(self.device).contiguous(memory_format=torch.channels_last)
        with self._precision():
            if not self.self_ensemble:
                return run(seen, False)
            total: list[Tensor] = []
            for turns, flipped in product(range(4), (False, True)):
                outputs = run(_turn(seen, turns, flipped), turns % 2 == 1)
                outputs = [_turn_back(output, turns, flipped) for output in outputs]
                total = [a + b for a, b in zip(total, outputs, strict=True)] if total else outputs
        return [output / 8 for output in total]

    def _precision(self) -> contextlib.AbstractContextManager:
        wanted = bfloat16_is_fast(self.device) if self.reduced_precision is None else self.reduced_precision
        if not wanted or self.card.color == "planes":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def bfloat16_is_fast(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware: CUDA since Ampere, processors with AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
        return bool(probe and probe())
    return False


def best_device() -> torch.device:
    """CUDA, then MPS, then the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _has_usual_tables(image: JpegImage) -> bool:
    """Whether the file has a luma table, and a chroma table if it has colour; files that store RGB do not."""
    return image.luma_table is not None and (image.is_gray or image.chroma_table is not None)


def _is_out_of_memory(problem: Exception) -> bool:
    """Torch has a class of its own for CUDA only; elsewhere the message tells."""
    if isinstance(problem, MemoryError | torch.OutOfMemoryError):
        return True
    message = str(problem).lower()
    return "out of memory" in message or "can't allocate memory" in message


def _turn(picture: Tensor, turns: int, flipped: bool) -> Tensor:
    """Flip (batch, channels, rows, columns) left to right if asked, then turn it by quarter turns."""
    return torch.rot90(picture.flip(3) if flipped else picture, turns, (2, 3))


def _turn_back(picture: Tensor, turns: int, flipped: bool) -> Tensor:
    """Undo _turn."""
    turned = torch.rot90(picture, -turns, (2, 3))
    return turned.flip(3) if flipped else turned
