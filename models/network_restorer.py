"""NetworkRestorer: runs any network of the zoo on pictures of any size, in tiles, with bounded memory."""

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.card import ModelCard
from models.color_tensors import pixels_to_ycbcr, ycbcr_to_pixels
from models.errors import InvalidSetting, OutOfMemory
from models.images import RgbImage
from models.jpeg import JpegComponent, JpegImage
from models.jpeg.coefficients import components_from_pixels
from models.jpeg.dct import BLOCK
from models.jpeg.planes import picture_from_planes, planes
from models.orientations import ORIENTATIONS, UPRIGHT, Orientation, turn, turn_back, turn_coefficients
from models.quantization_cells import QuantizationCells, cells_of
from models.restorer import OnTile, Restoration, Stage
from models.steering import Steering, steer
from models.tensors import (
    pixels_to_tensor,
    plane_to_tensor,
    tensor_to_levels,
    tensor_to_pixels,
    tensor_to_plane,
)
from models.tiles import Tile, cut_into_tiles

LONGEST_TILE = {"cuda": 2048, "mps": 1024, "cpu": 1536}
LONGEST_FULL_RESOLUTION_TILE = {"cuda": 1024, "mps": 512, "cpu": 512}
"""Rows or columns that a tile may see, by kind of device, so that a tile takes a few hundred megabytes; the second
for networks that keep their features at the size of the picture, as those of single planes do."""

SMALLEST_STEP = 64
"""Pixels by which the smallest tiles advance; where even they do not fit, memory is truly exhausted."""

BFLOAT16_PROBES = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
"""Functions of torch.cpu that tell of units for bfloat16."""

LUMA_WEIGHTS = (0.299, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class NetworkRestorer:
    """A network as a Restorer: pads, tiles on the 8x8 grid, runs, crops, clamps, and times.

    Attributes:
        network: see models.network_protocols; already on `device`, in evaluation mode.
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
        steering = None
        if hasattr(self.network, "condition"):
            steering = steer(
                self.network,
                image,
                self.device,
                quality_factor=quality_factor if self.card.steerable else None,
                use_tables=self.card.uses_tables and not blind,
                every_orientation=self.self_ensemble,
            )
        cells = cells_of(image) if self._keeps_to_cells(steering, stages) else None
        if self._plane_by_plane:
            pictures = self._restore_planes(image, stages, on_tile)
        else:
            pictures = self._restore_color(image, steering, stages, on_tile, cells)
        sentence = steering.sentence if steering and self.card.steerable else ""
        if cells is not None and cells.are_the_pictures_own():
            pictures[-1] = cells.moved
            sentence += " and coefficients"
        pictures = [image.present(picture) for picture in pictures]
        named = zip(self.card.stage_names, pictures, strict=False)
        return Restoration(
            pixels=pictures[-1],
            predicted_quality_factor=steering.predicted if steering else None,
            applied_quality_factor=steering.applied if steering and self.card.steerable else None,
            stages=tuple(Stage(name, picture) for name, picture in named),
            seconds=time.perf_counter() - start,
            condition=sentence,
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

    def _keeps_to_cells(self, steering: Steering | None, stages: int | None) -> bool:
        """Whether the last picture is to be moved into the file's cells: where its tables alone steer the network."""
        wanted = (
            getattr(self.network, "keeps_to_cells", False) and steering is not None and steering.by_tables
        )
        return wanted and stages in (None, self._stage_count())

    def _stage_count(self) -> int:
        return max(1, len(self.card.stage_names))

    @property
    def _plane_by_plane(self) -> bool:
        return self.card.color in ("planes", "coefficients")

    # Tiles.

    def _restore_color(
        self,
        image: JpegImage,
        steering: Steering | None,
        stages: int | None,
        on_tile: OnTile | None,
        cells: QuantizationCells | None,
    ) -> list[RgbImage]:
        """One (rows, columns, 3) uint8 picture per stage; the last one is put into the cells, too."""
        pixels = image.decoded_pixels
        pictures = [np.empty_like(pixels) for _ in range(stages or self._stage_count())]
        to_gray = torch.tensor(LUMA_WEIGHTS, device=self.device)[:, None, None]

        def restore_tile(_plane: int, tile: Tile) -> None:
            outputs = self._forward(pixels_to_tensor(tile.cut(pixels)), steering, stages)
            for picture, output in zip(pictures, outputs, strict=True):
                kept = output[..., tile.rows.inner, tile.columns.inner]
                if image.is_gray:
                    kept = (kept * to_gray).sum(1, keepdim=True).expand_as(kept)
                picture[tile.rows.kept, tile.columns.kept] = tensor_to_pixels(kept)
            if cells is not None:
                cells.put(tensor_to_levels(kept), tile.rows.kept, tile.columns.kept)

        self._in_tiles([pixels.shape], restore_tile, on_tile, grid=cells.grid if cells else 1)
        return pictures

    def _restore_planes(self, image: JpegImage, stages: int | None, on_tile: OnTile | None) -> list[RgbImage]:
        """Each plane at its own size, then chroma at full size and RGB: one (rows, columns, 3) uint8 per stage."""
        if self.card.color == "coefficients":
            components = ycbcr_components(image)
            shapes = [(component.rows, component.columns) for component in components]
        else:
            degraded = planes(image)
            shapes = [plane.shape for plane in degraded]
        count = stages or self._stage_count()
        restored = [[np.empty(shape, np.float32) for shape in shapes] for _ in range(count)]

        def restore_tile(index: int, tile: Tile) -> None:
            if self.card.color == "coefficients":
                seen = _amplitudes(components[index], tile)
            else:
                seen = plane_to_tensor(tile.cut(degraded[index]))
            for stage, output in zip(restored, self._forward(seen, None, stages), strict=True):
                kept = output[..., tile.rows.inner, tile.columns.inner]
                stage[index][tile.rows.kept, tile.columns.kept] = tensor_to_plane(kept)

        self._in_tiles(shapes, restore_tile, on_tile)
        rows, columns = image.decoded_pixels.shape[:2]
        return [picture_from_planes(tuple(stage), rows, columns) for stage in restored]

    def _in_tiles(
        self,
        shapes: Sequence[tuple[int, ...]],
        restore_tile: Callable[[int, Tile], None],
        on_tile: OnTile | None,
        grid: int = 1,
    ) -> None:
        """Call restore_tile(index, tile) for all tiles of all pictures; again smaller without memory."""
        overlap, multiple = self.network.overlap, self.network.multiple
        full_resolution = self._plane_by_plane or getattr(self.network, "full_resolution", False)
        by_device = LONGEST_FULL_RESOLUTION_TILE if full_resolution else LONGEST_TILE
        longest = self.longest_tile or by_device.get(self.device.type, by_device["cpu"])
        floor = 2 * overlap + math.ceil(SMALLEST_STEP / grid) * grid
        while True:
            tiles = [
                (index, tile)
                for index, shape in enumerate(shapes)
                for tile in cut_into_tiles(
                    shape, longest=longest, overlap=overlap, multiple=multiple, grid=grid
                )
            ]
            try:
                for done, (index, tile) in enumerate(tiles, start=1):
                    restore_tile(index, tile)
                    if on_tile is not None:
                        on_tile(done, len(tiles))
                return
            except (MemoryError, RuntimeError) as problem:
                if not is_out_of_memory(problem):
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

    def _forward(self, seen: Tensor, steering: Steering | None, stages: int | None) -> list[Tensor]:
        """The network's pictures of a tile, plainly or as the mean over the tile's eight orientations."""
        seen = seen.to(self.device).contiguous(memory_format=torch.channels_last)
        if not self.self_ensemble:
            return self._run(seen, steering, UPRIGHT, stages)
        turn_tile = turn_coefficients if self.card.color == "coefficients" else turn
        total: list[Tensor] = []
        for orientation in ORIENTATIONS:
            outputs = self._run(turn_tile(seen, orientation), steering, orientation, stages)
            outputs = [turn_back(output, orientation) for output in outputs]
            total = [a + b for a, b in zip(total, outputs, strict=True)] if total else outputs
        return [output / len(ORIENTATIONS) for output in total]

    def _run(
        self, tile: Tensor, steering: Steering | None, orientation: Orientation, stages: int | None
    ) -> list[Tensor]:
        steered_by = () if steering is None else (steering.condition(orientation),)
        chosen = {"stages": stages} if self.card.stage_names else {}
        if self.card.color == "ycbcr":
            tile = pixels_to_ycbcr(tile).contiguous(memory_format=torch.channels_last)
        with self._precision():
            outputs = self.network(tile, *steered_by, **chosen)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        return [ycbcr_to_pixels(output) for output in outputs] if self.card.color == "ycbcr" else outputs

    def _precision(self) -> contextlib.AbstractContextManager:
        wanted = bfloat16_is_fast(self.device) if self.reduced_precision is None else self.reduced_precision
        if not wanted or self.card.color == "planes":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def bfloat16_is_fast(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware: CUDA since Ampere, processors with AMX or AVX-512 BF16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        probes = (getattr(torch.cpu, name, None) for name in BFLOAT16_PROBES)
        return any(probe() for probe in probes if probe)
    return False


def best_device() -> torch.device:
    """CUDA, then MPS, then the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def is_out_of_memory(problem: Exception) -> bool:
    """True for a lack of memory; torch has a class of its own for CUDA only, elsewhere the message tells."""
    if isinstance(problem, MemoryError | torch.OutOfMemoryError):
        return True
    message = str(problem).lower()
    return any(words in message for words in ("out of memory", "can't allocate memory", "not enough memory"))


def ycbcr_components(image: JpegImage) -> tuple[JpegComponent, ...]:
    """Coefficients of Y, or of Y, Cb and Cr: the file's own, or those of its pixels where it holds others."""
    header = image.header
    if header and header.color_model in ("gray", "YCbCr"):
        return image.components
    return components_from_pixels(image.decoded_pixels, is_gray=image.is_gray)


def _amplitudes(component: JpegComponent, tile: Tile) -> Tensor:
    """Dequantized coefficients of the blocks that a tile sees: (1, 64, block rows, block columns) float32."""
    rows, columns = (
        slice(span.seen_start // BLOCK, span.seen_stop // BLOCK) for span in (tile.rows, tile.columns)
    )
    blocks = component.coefficients[rows, columns] * component.quantization_table
    channels_first = blocks.reshape(*blocks.shape[:2], BLOCK * BLOCK).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(channels_first, np.float32))[None]
