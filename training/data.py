"""Clean pictures, and batches of patches broken on the fly, each a function of the seed and the step alone."""

import functools
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg import Degradation, Resize, Save, degrade, degrade_pixels, quantization_tables
from models.jpeg.color import rgb_to_ycbcr
from models.jpeg.dct import forward_dct, plane_to_blocks
from models.jpeg.planes import component_plane
from models.networks.base import ColorRule
from training.config import TrainConfig
from training.evaluation.benchmarks import VALIDATION_CASES
from training.grain import as_scanned
from training.pictures import PictureFile, draw_picture, smallest_side

UNCOMPRESSED_QUALITY = 100.0
LARGEST_SHRINK = 1.6
RESIZE_MARGIN = 16
"""Rows and columns cut off around patches that are resized between saves, where the filter saw the edge."""
DRAWINGS = 48
ROUND_HALF_AWAY = 0.5001
"""Coefficients of flat blocks often lie half-way between two steps, where libjpeg rounds away from zero; the rest is
for float error."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Patches and what is known of them.

    Attributes:
        degraded: (batch, channels, side, side) uint8; 3 channels, or 1 for planes.
        clean: like degraded.
        quality_factor: (batch,) float32, of the last save, 100 where there was none.
        tables: (batch, 128) float32 steps of the last save, luma then chroma; zeros where unknown. For planes: 64
            steps of the plane's own table, then zeros.
        coefficients: (batch, 64, side/8, side/8) float32, the dequantized amplitudes of `degraded`; for planes
            only, else empty. In training about one in a thousand lies so near half a step that it is a step off
            the file's own.
        tables_hidden: (batch,) bool, patches whose tables the network must not see; never in validation.
        truth_told: (batch,) bool, patches that are steered by their true quality factor; never in validation.
    """

    degraded: Tensor
    clean: Tensor
    quality_factor: Tensor
    tables: Tensor
    coefficients: Tensor
    tables_hidden: Tensor
    truth_told: Tensor

    def pin_memory(self) -> "Batch":
        """A copy in memory that a GPU fetches from by itself; DataLoader asks for it, and pins nothing otherwise."""
        return Batch(*(each.pin_memory() if each.numel() else each for each in vars(self).values()))

    def parts(self, count: int) -> list["Batch"]:
        """The batch cut into so many equal ones."""
        pieces = [tensor.chunk(count) for tensor in vars(self).values()]
        return [Batch(*each) for each in zip(*pieces, strict=True)]


@dataclass(frozen=True, eq=False)
class Patch:
    """One entry of a batch, as arrays.

    Attributes:
        degraded, clean: (side, side, channels) uint8.
        quality_factor, tables, coefficients, tables_hidden, truth_told: as in Batch, without the batch.
    """

    degraded: np.ndarray
    clean: np.ndarray
    quality_factor: float
    tables: np.ndarray
    coefficients: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    tables_hidden: bool = False
    truth_told: bool = False


def batch_of(patches: list[Patch]) -> Batch:
    """Stack patches of one size."""
    return Batch(
        _as_channels(np.stack([patch.degraded for patch in patches])),
        _as_channels(np.stack([patch.clean for patch in patches])),
        torch.tensor([patch.quality_factor for patch in patches], dtype=torch.float32),
        torch.from_numpy(np.stack([patch.tables for patch in patches])),
        torch.from_numpy(np.stack([patch.coefficients for patch in patches])),
        torch.tensor([patch.tables_hidden for patch in patches]),
        torch.tensor([patch.truth_told for patch in patches]),
    )


class DegradedPatches(Dataset):
    """Item `step` is the batch of that step, so a resumed run sees what an uninterrupted one would have.

    Every patch is drawn from the seed, the step and its place in the batch alone, whichever process makes it.
    """

    def __init__(
        self,
        config: TrainConfig,
        color: ColorRule,
        images: Sequence[RgbImage | PictureFile],
        phase: int = 0,
        *,
        share: tuple[int, int] = (0, 1),
        folders: Sequence[int] = (),
    ) -> None:
        """Look at the pictures' sizes.

        Args:
            config: of the run.
            color: of the network, which decides whether patches are pictures or single planes.
            images: clean pictures; those smaller than a patch are passed over.
            phase: an index into patch_sizes.
            share: which part of every batch this process makes, of how many equal parts.
            folders: of each picture, the number of its folder in data.train.

        Raises:
            InvalidSetting: no picture is large enough.
        """
        self.config, self.color = config, color
        self.side = config.data.patch_sizes[phase]
        part, parts = share
        count = config.data.batch_sizes[phase] // parts
        self.places = range(part * count, (part + 1) * count)
        needed = smallest_side(self.side)
        self.images = [image for image in images if _holds(image, needed)]
        if not self.images:
            raise InvalidSetting(
                f"No training picture is as large as {needed} x {needed} pixels, which patches of {self.side} need. "
                "Larger pictures or smaller patches are needed. Name another folder, or lower data.patch_sizes."
            )
        inside = [
            folder
            for image, folder in zip(images, folders or [0] * len(images), strict=True)
            if _holds(image, needed)
        ]
        self.chances, self.spans = _chances(self.images, inside, config.data.folder_shares)
        grainy = config.data.grainy_shares or (0.0,) * len(config.data.train)
        self.grainy_shares = [grainy[number] for number in sorted(set(inside))]
        if config.data.drawn_share:  # once, before the workers are forked, and not once in each
            for number in range(DRAWINGS):
                _drawing(config.seed, number)

    def __len__(self) -> int:
        return self.config.optimizer.steps

    def __getitem__(self, step: int) -> Batch:
        return batch_of([self._patch(step, place) for place in self.places])

    def _patch(self, step: int, place: int) -> Patch:
        rng = np.random.default_rng([self.config.seed, step, place])
        patch = (self._plane_patch if self.color.plane_by_plane else self._color_patch)(rng)
        hidden, told = rng.random(2)
        return replace(
            patch,
            tables_hidden=bool(hidden < self.config.tables_dropped_share),
            truth_told=bool(told < self.config.true_quality_share),
        )

    def _color_patch(self, rng: np.random.Generator) -> Patch:
        """One RGB patch."""
        side, tables = self.side, np.zeros(128, np.float32)
        if rng.random() < self.config.data.uncompressed_share:
            clean = self._crop(rng, side, side)
            return Patch(clean, clean, UNCOMPRESSED_QUALITY, tables)
        degradation = self.config.degradations.sample(rng)
        rows, columns = degradation.total_shift
        factor = math.prod(step.factor for step in degradation.steps if isinstance(step, Resize))
        room = 0 if degradation.keeps_grid else 2 * RESIZE_MARGIN
        clean = self._crop(
            rng, math.ceil((side + rows + room) / factor), math.ceil((side + columns + room) / factor)
        )
        gray = self.config.degradations.sample_gray(rng)
        if gray:
            plane = np.asarray(cv2.cvtColor(clean, cv2.COLOR_RGB2GRAY), np.uint8)
            clean = np.repeat(plane[..., None], 3, axis=2)
        degraded, luma_table, chroma_table = degrade_pixels(clean, degradation, gray=gray)
        tables[:64] = luma_table.ravel()
        if chroma_table is not None:
            tables[64:] = chroma_table.ravel()
        clean = degradation.reference(clean)
        if not degradation.keeps_grid:  # a multiple of 16 from the top left keeps the last save's grid
            clean, degraded = (
                each[RESIZE_MARGIN : RESIZE_MARGIN + side, RESIZE_MARGIN : RESIZE_MARGIN + side]
                for each in (clean, degraded)
            )
        return Patch(degraded, clean, float(degradation.last_save.quality_factor), tables)

    def _plane_patch(self, rng: np.random.Generator) -> Patch:
        """One plane as JPEG stores it: luma, or chroma halved and quantized by the chroma table."""
        side = self.side
        degradation = self.config.degradations.sample(rng)
        rows, columns = degradation.total_shift
        chroma = rng.random() < 0.3
        scale = 2 if chroma and degradation.last_save.subsampling == "4:2:0" else 1
        picture = self._crop(rng, (side + rows) * scale, (side + columns) * scale)
        plane = rgb_to_ycbcr(picture)[..., int(rng.integers(1, 3)) if chroma else 0]
        if scale == 2:
            plane = cv2.resize(
                np.asarray(plane, np.float32), (side + columns, side + rows), interpolation=cv2.INTER_AREA
            )
        clean = np.clip(np.rint(plane), 0, 255).astype(np.uint8)
        before = degraded = clean
        for save in degradation.saves:
            before = save.apply_to_reference(degraded)
            degraded = _saved_plane(before, save, chroma)
        table = quantization_tables(degradation.last_save.quality_factor)[int(chroma)]
        tables = np.zeros(128, np.float32)
        tables[:64] = table.ravel()
        quality_factor = float(degradation.last_save.quality_factor)
        steps = forward_dct(plane_to_blocks(before.astype(np.float32) - 128)) / table
        coefficients = np.sign(steps) * np.floor(np.abs(steps) + ROUND_HALF_AWAY) * table
        return Patch(
            degraded[..., None],
            clean[rows:, columns:, None],
            quality_factor,
            tables,
            _as_frequencies(coefficients),
        )

    def _crop(self, rng: np.random.Generator, rows: int, columns: int) -> RgbImage:
        """A flipped and turned crop (rows, columns, 3) uint8 from a random picture."""
        data = self.config.data
        drawn = rng.random() < data.drawn_share
        shrink = rng.uniform(1, LARGEST_SHRINK) if rng.random() < data.shrunk_share else 1.0
        turned = rng.random() < 0.5
        number = len(self.spans) - 1
        if number:  # of two candidates the more textured one is taken, so both come from one folder
            mark = rng.random()
            number = next((i for i, span in enumerate(self.spans) if mark < span[1]), number)
        low, high = self.spans[number]
        height, width = (columns, rows) if turned else (rows, columns)
        candidates = [
            self._window(rng, drawn, round(height * shrink), round(width * shrink), low, high)
            for _ in range(2 if rng.random() < data.textured_share else 1)
        ]
        window = max(candidates, key=_texture) if len(candidates) > 1 else candidates[0]
        if window.shape[:2] != (height, width):
            window = np.asarray(cv2.resize(window, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        if self.grainy_shares[number] and not drawn and rng.random() < self.grainy_shares[number]:
            window = as_scanned(window, rng)
        window = window[:: -1 if rng.random() < 0.5 else 1, :: -1 if rng.random() < 0.5 else 1]
        return np.ascontiguousarray(window.transpose(1, 0, 2) if turned else window)

    def _window(
        self, rng: np.random.Generator, drawn: bool, rows: int, columns: int, low: float, high: float
    ) -> RgbImage:
        """A rectangle of a random picture, smaller where the picture is smaller."""
        if drawn:
            image = _drawing(self.config.seed, int(rng.integers(DRAWINGS)))
        else:
            mark = low + (high - low) * rng.random()
            image = self.images[min(np.searchsorted(self.chances, mark), len(self.images) - 1)]
        top = rng.integers(max(image.shape[0] - rows, 0) + 1)
        left = rng.integers(max(image.shape[1] - columns, 0) + 1)
        return image[top : top + rows, left : left + columns]


def _holds(image: RgbImage | PictureFile, side: int) -> bool:
    return min(image.shape[:2]) >= side


def _chances(
    images: Sequence[RgbImage | PictureFile], folders: Sequence[int], shares: Sequence[float]
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """How pictures are drawn: by the root of their area, within their folders' shares.

    Args:
        images: in the order of their folders.
        folders: the number of each picture's folder.
        shares: of each folder; empty where only areas count.

    Returns:
        (pictures,) where in 0..1 each picture's span ends; and the span of each folder, one for all without shares.
    """
    weights = np.array([image.shape[0] * image.shape[1] for image in images], dtype=np.float64) ** 0.5
    if not shares:
        return weights.cumsum() / weights.sum(), [(0.0, 1.0)]
    for number, share in enumerate(shares):
        mine = np.equal(folders, number)
        weights[mine] *= share / max(weights[mine].sum(), 1e-9)
    ends = weights.cumsum() / weights.sum()
    lasts = [int(np.flatnonzero(np.equal(folders, number))[-1]) for number in sorted(set(folders))]
    stops = [float(ends[last]) for last in lasts]
    return ends, list(zip([0.0, *stops], stops, strict=False))


@functools.cache
def _drawing(seed: int, number: int) -> RgbImage:
    """One of the rendered pictures of a run, made when it is first needed."""
    return draw_picture(np.random.default_rng([seed, number]))


def _texture(window: RgbImage) -> float:
    green = window[::2, ::2, 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


def _saved_plane(plane: np.ndarray, save: Save, chroma: bool) -> np.ndarray:
    """One plane (rows, columns) uint8 through a gray JPEG with the luma or the chroma table."""
    file = io.BytesIO()
    table = quantization_tables(save.quality_factor)[int(chroma)]
    Image.fromarray(np.ascontiguousarray(plane)).save(file, format="JPEG", qtables=[table.ravel().tolist()])
    return np.asarray(Image.open(file, formats=("JPEG",)))


def _as_frequencies(blocks: np.ndarray) -> np.ndarray:
    """(block rows, block columns, 8, 8) -> (64, block rows, block columns) float32."""
    return np.ascontiguousarray(blocks.reshape(*blocks.shape[:2], 64).transpose(2, 0, 1), np.float32)


def _as_channels(pixels: np.ndarray) -> Tensor:
    """(batch, rows, columns, channels) uint8 -> (batch, channels, rows, columns), channels last in memory."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def validation_batches(
    config: TrainConfig, color: ColorRule, images: Sequence[RgbImage | PictureFile]
) -> dict[str, list[Batch]]:
    """Central crops of the validation pictures, broken in every VALIDATION_CASES, one picture per batch.

    Args:
        config, color: as for DegradedPatches.
        images: clean pictures.
    """
    size, found = config.data.validation_size, {}
    for case in VALIDATION_CASES:
        rows, columns = case.degradation.total_shift
        batches = []
        for image in images:
            clean = central_crop(image, size, (rows, columns))
            make = _validation_plane if color.plane_by_plane else _validation_color
            batches.append(batch_of([make(clean, case.degradation)]))
        found[case.name] = batches
    return found


def central_crop(image: RgbImage | PictureFile, size: int, margin: tuple[int, int] = (0, 0)) -> RgbImage:
    """The middle of a picture.

    Args:
        image: (rows, columns, 3) uint8, at least SMALLEST_VALIDATION_SIDE each way.
        size: its longest rows or columns, a multiple of 16.
        margin: rows above and columns to the left that are kept as well, at most 8.

    Returns:
        (rows, columns, 3) uint8 with rows and columns in multiples of 16, plus the margin.
    """
    height, width = (min(size, side // 16 * 16 - 16) for side in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return np.ascontiguousarray(image[top - margin[0] : top + height, left - margin[1] : left + width])


def _validation_color(clean: RgbImage, degradation: Degradation) -> Patch:
    degraded, luma_table, chroma_table = degrade_pixels(clean, degradation)
    assert chroma_table is not None  # only gray saves have none
    tables = np.concatenate([luma_table.ravel(), chroma_table.ravel()]).astype(np.float32)
    quality_factor = float(degradation.last_save.quality_factor)
    return Patch(degraded, degradation.reference(clean), quality_factor, tables)


def _validation_plane(clean: RgbImage, degradation: Degradation) -> Patch:
    """The luma plane of a colour save, with the coefficients that the file holds."""
    component = degrade(clean, degradation).image.components[0]
    table = component.quantization_table
    luma = [rgb_to_ycbcr(degradation.reference(clean))[..., 0], component_plane(component)]
    original, degraded = (np.rint(plane).astype(np.uint8)[..., None] for plane in luma)
    tables = np.concatenate([table.ravel(), np.zeros(64)]).astype(np.float32)
    quality_factor = float(degradation.last_save.quality_factor)
    coefficients = _as_frequencies(component.coefficients * table)
    return Patch(degraded, original, quality_factor, tables, coefficients)
