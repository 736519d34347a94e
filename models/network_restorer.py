"""NetworkRestorer: runs any network of the zoo on pictures of any size, in tiles, with bounded memory."""

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from models.canvas import LUMA_WEIGHTS, Canvas
from models.card import ModelCard
from models.errors import InvalidSetting, OutOfMemory, RestorationCancelled
from models.guard import Guard
from models.images import RgbImage
from models.jpeg import JpegImage
from models.jpeg.double import EarlierSave
from models.jpeg.judgement import MUCH_COARSER
from models.networks.base import Network
from models.orientations import ORIENTATIONS, UPRIGHT, Orientation, turn_back
from models.restorer import (
    AUTOMATIC,
    Box,
    OnTile,
    Restoration,
    RestoredPart,
    RestoreOptions,
    Stage,
    Unfinished,
)
from models.runtimes.choice import Runtimes
from models.runtimes.runtime import PyTorch, Runtime
from models.steering import Steering, steer
from models.tiles import Tile, cut_into_tiles, tiles_from

LONGEST_TILE = {"cuda": 2048, "mps": 1024, "cpu": 1536}
LONGEST_FULL_RESOLUTION_TILE = {"cuda": 1024, "mps": 512, "cpu": 512}
"""Rows or columns that a tile may see, by kind of device, so that a tile takes a few hundred megabytes; the second
for networks that keep their features at the size of the picture."""

SMALLEST_STEP = 64
"""Pixels by which the smallest tiles advance; where even they do not fit, memory is truly exhausted."""

BFLOAT16_PROBES = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
"""Functions of torch.cpu that tell of units for bfloat16."""

UNCHANGED = "nothing: no JPEG tables, and no trace of a save in the pixels, so the picture stays as it is"


@dataclass(frozen=True, eq=False)
class NetworkRestorer:
    """A network as a Restorer: pads, tiles on the 8x8 grid, runs, crops, clamps, and times.

    Attributes:
        network: already on `device`, in evaluation mode.
        card: what the network is.
        device: where it runs.
        longest_tile: rows or columns a tile may see; None chooses by device.
        self_ensemble: average over the eight flips and rotations of every tile (eight times slower).
        guarded: hold the result to what the file proves, see models.guard; otherwise it is the network's own.
        reduced_precision: run convolutions in bfloat16, unless the network is one of full precision; None decides by
            device.
        runtimes: what else may run the network on the processor; None leaves it to PyTorch.
    """

    network: Network
    card: ModelCard
    device: torch.device
    longest_tile: int | None = None
    self_ensemble: bool = False
    guarded: bool = True
    reduced_precision: bool | None = None
    runtimes: Runtimes | None = None

    @torch.inference_mode()
    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        """See models.restorer.Restorer.restore."""
        begun = options.unfinished
        start = time.perf_counter() - (begun.seconds if begun else 0.0)
        stages = options.most_stages
        self._check(stages)
        eightfold = self.self_ensemble or options.effort == "best"
        quality_factor = options.steering_factor(image)
        if not self.card.steerable:
            quality_factor = None
        earlier = image.judgement.coarser_save
        guarded = self.guarded and quality_factor is None
        if guarded and earlier is None and not image.saved_as_jpeg:
            return self._unchanged(image, start, on_tile)
        seen, told, shift = image, quality_factor, (0, 0)
        if earlier is not None and (earlier.coarseness > MUCH_COARSER or not image.saved_as_jpeg):
            seen, shift = _on_earlier_grid(image, earlier), earlier.grid_shift
            told = told if told is not None or options.blind else earlier.quality_factor
        steering = self._steering(seen, told, options.blind, eightfold=eightfold)
        canvas = begun.canvas if begun else self.network.color.canvas(seen, stages or self._stage_count())
        runtime = self._runtime(seen)
        forward = partial(
            self._forward, runtime=runtime, steering=steering, stages=stages, eightfold=eightfold
        )
        self._in_tiles(canvas, forward, _Told(image, shift, on_tile, start), options)
        pictures, levels = canvas.pictures()
        inside = np.s_[shift[0] :, shift[1] :]
        pictures = [picture[inside] for picture in pictures]
        own = pictures[-1]
        if guarded:
            guard = Guard(image, earlier, cautious=steering.predicted is None)
            pictures[-1] = guard.hold(image.decoded_pixels, levels[inside])
        elif image.judgement.neutral:
            pictures = [_gray(picture) for picture in pictures]
        sentence = steering.sentence if self.card.steerable else ""
        if seen is not image and quality_factor is None and sentence and not options.blind:
            sentence = f"an earlier save at quality factor {told}, on its own grid"
        pictures = [image.present(picture) for picture in pictures]
        named = zip(self.card.stage_names, pictures, strict=False)
        return Restoration(
            pixels=pictures[-1],
            unguarded=image.present(own),
            predicted_quality_factor=steering.predicted,
            applied_quality_factor=steering.applied if self.card.steerable else None,
            stages=tuple(Stage(name, picture) for name, picture in named),
            seconds=time.perf_counter() - start,
            steered_by=sentence,
            computed_by=runtime.words,
        )

    def _steering(
        self, image: JpegImage, quality_factor: int | None, blind: bool, *, eightfold: bool
    ) -> Steering:
        return steer(
            self.network,
            image,
            self.device,
            quality_factor=quality_factor if self.card.steerable or self.card.uses_tables else None,
            use_tables=self.card.uses_tables and not blind,
            every_orientation=eightfold,
        )

    def _unchanged(self, image: JpegImage, start: float, on_tile: OnTile | None) -> Restoration:
        """A picture whose file has no tables and whose pixels prove no save: whatever is in it may be meant."""
        if on_tile is not None:
            on_tile(1, 1)
        pixels = image.pixels
        return Restoration(
            pixels=pixels,
            stages=tuple(Stage(name, pixels) for name in self.card.stage_names),
            seconds=time.perf_counter() - start,
            steered_by=UNCHANGED,
        )

    def _check(self, stages: int | None) -> None:
        most = self._stage_count()
        if stages is not None and not 1 <= stages <= most:
            raise InvalidSetting(
                f"{stages} stages were asked of {self.card.title}. It has {most}. "
                f"Choose 1 to {most}, or leave the number open to run all."
            )

    def _stage_count(self) -> int:
        return max(1, len(self.card.stage_names))

    def _in_tiles(
        self,
        canvas: Canvas,
        forward: Callable[[Tensor], list[Tensor]],
        told: "_Told",
        options: RestoreOptions,
    ) -> None:
        """Put what the network makes of every tile onto the canvas; again in smaller ones where memory runs out."""
        by_device = LONGEST_FULL_RESOLUTION_TILE if self.network.full_resolution else LONGEST_TILE
        longest = self.longest_tile or by_device.get(self.device.type, by_device["cpu"])
        floor = 2 * self.network.overlap + SMALLEST_STEP
        finished = options.unfinished.tiles if options.unfinished else frozenset()
        while True:
            tiles = self._tiles(canvas, longest, told.in_decoded(options.in_sight))
            try:
                for number, (part, tile) in enumerate(tiles, start=1):
                    if (part, tile) not in finished:
                        canvas.put(part, tile, forward(canvas.inputs(part, tile)))
                        finished |= {(part, tile)}
                    told.tile(number, len(tiles), canvas.picture_of(tile), tile)
                return
            except RestorationCancelled as stop:
                stop.unfinished = Unfinished(canvas, finished, len(tiles), time.perf_counter() - told.start)
                raise
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

    def _tiles(self, canvas: Canvas, longest: int, in_sight: Box | None) -> list[tuple[int, Tile]]:
        limits = {"longest": longest, "overlap": self.network.overlap, "multiple": self.network.multiple}
        tiles = [
            (part, tile)
            for part, shape in enumerate(canvas.shapes)
            for tile in cut_into_tiles(shape, **limits)
        ]
        return tiles if in_sight is None else tiles_from(astuple(in_sight), tiles, canvas.shapes, **limits)

    def _forward(
        self, seen: Tensor, *, runtime: Runtime, steering: Steering, stages: int | None, eightfold: bool
    ) -> list[Tensor]:
        """The network's pictures of a tile, plainly or as the mean over the tile's eight orientations."""
        color = self.network.color

        def run(tile: Tensor, orientation: Orientation) -> list[Tensor]:
            outputs = runtime.run(color.encode(tile), steering.condition(orientation), stages)
            return color.decode(list(outputs))

        seen = seen.to(self.device).contiguous(memory_format=torch.channels_last)
        if not eightfold:
            return run(seen, UPRIGHT)
        total: list[Tensor] = []
        for orientation in ORIENTATIONS:
            outputs = run(color.turn(seen, orientation), orientation)
            outputs = [turn_back(output, orientation) for output in outputs]
            total = [a + b for a, b in zip(total, outputs, strict=True)] if total else outputs
        return [output / len(ORIENTATIONS) for output in total]

    def _runtime(self, image: JpegImage) -> Runtime:
        """What runs the network on the whole picture."""
        wanted = bfloat16_is_fast(self.device) if self.reduced_precision is None else self.reduced_precision
        reduced = wanted and not self.network.full_precision
        if self.runtimes is None:
            return PyTorch(self.network, self.device, reduced)
        rows, columns = image.decoded_pixels.shape[:2]
        return self.runtimes.choose(rows * columns, reduced=reduced)


@dataclass(frozen=True)
class _Told:
    """Who listens to a restoration, and how what is decoded lies in the upright picture that they know.

    Attributes:
        image: the picture.
        shift: rows and columns that were added above and left of it.
        on_tile: see models.restorer.OnTile.
        start: when it began, by time.perf_counter.
    """

    image: JpegImage
    shift: tuple[int, int]
    on_tile: OnTile | None
    start: float

    def in_decoded(self, box: Box | None) -> Box | None:
        """A box of the upright picture in the decoded one; a shift of some pixels does not count."""
        if box is None:
            return None
        top, left, bottom, right = astuple(box)
        if self.image.orientation in (3, 4, 7, 8):
            top, bottom = 1 - bottom, 1 - top
        if self.image.orientation in (2, 3, 6, 7):
            left, right = 1 - right, 1 - left
        return Box(left, top, right, bottom) if self.image.orientation >= 5 else Box(top, left, bottom, right)

    def tile(self, done: int, total: int, picture: RgbImage | None, tile: Tile) -> None:
        """Tell of one more tile."""
        if self.on_tile is None:
            return
        if picture is None:
            self.on_tile(done, total)
            return
        row, column = tile.rows.start - self.shift[0], tile.columns.start - self.shift[1]
        inside = picture[max(0, -row) :, max(0, -column) :]
        self.on_tile(done, total, RestoredPart(*self.image.present_part(inside, max(0, row), max(0, column))))


def _on_earlier_grid(image: JpegImage, earlier: EarlierSave) -> JpegImage:
    """The same pixels as if nothing had been cut off after an earlier save, so that its blocks begin at the corner."""
    rows, columns = earlier.grid_shift
    pixels = np.pad(image.decoded_pixels, ((rows, 0), (columns, 0), (0, 0)), mode="edge")
    return JpegImage(b"", pixels, "PNG", is_gray=image.is_gray)


def _gray(picture: RgbImage) -> RgbImage:
    luma = picture @ np.array(LUMA_WEIGHTS, np.float32)
    return np.repeat(np.rint(luma).astype(np.uint8)[..., None], 3, axis=2)


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
