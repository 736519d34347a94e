"""Clean pictures, and batches of patches broken on the fly, each a function of the seed and the step alone."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg import Degradation, JpegEncoding, degrade, degrade_pixels, quantization_tables
from models.jpeg.color import rgb_to_ycbcr
from models.jpeg.dct import forward_dct, plane_to_blocks
from models.jpeg.planes import component_plane
from training.config import TrainConfig
from training.drawings import draw_picture

PICTURE_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
SKIMAGE_TRAIN = ("astronaut", "coffee", "immunohistochemistry")
SKIMAGE_VALIDATION = ("chelsea",)
UNCOMPRESSED_QUALITY = 100.0
LARGEST_SHRINK = 1.6
ROUND_HALF_AWAY = 0.5001
"""Coefficients of flat blocks often lie half-way between two steps, where libjpeg rounds away from zero; the rest is
for float error."""


def picture_paths(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted by name.

    Raises:
        InvalidSetting: when the folder is missing or holds none.
    """
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise InvalidSetting(
            f"There are no pictures in {folder}. A folder with {', '.join(PICTURE_SUFFIXES)} files is needed. "
            "Name one in the configuration, or give the folder above it with --data."
        )
    return found


def clean_images(folder: str, data_root: Path, *, validation: bool = False) -> list[RgbImage]:
    """Load clean pictures into memory.

    Args:
        folder: below data_root, or "skimage" for the photographs inside the scikit-image package.
        data_root: where folders are looked for.
        validation: with "skimage", the photographs kept apart for validation.

    Returns:
        (rows, columns, 3) uint8 each.
    """
    if folder == "skimage":
        import skimage.data

        names = SKIMAGE_VALIDATION if validation else SKIMAGE_TRAIN
        return [np.ascontiguousarray(getattr(skimage.data, name)()[..., :3]) for name in names]
    return [np.asarray(Image.open(path).convert("RGB")) for path in picture_paths(data_root / folder)]


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
    """

    degraded: Tensor
    clean: Tensor
    quality_factor: Tensor
    tables: Tensor
    coefficients: Tensor


@dataclass(frozen=True, eq=False)
class Patch:
    """One entry of a batch, as arrays.

    Attributes:
        degraded, clean: (side, side, channels) uint8.
        quality_factor, tables, coefficients: as in Batch, without the batch.
    """

    degraded: np.ndarray
    clean: np.ndarray
    quality_factor: float
    tables: np.ndarray
    coefficients: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))


def batch_of(patches: list[Patch]) -> Batch:
    """Stack patches of one size."""
    return Batch(
        _as_channels(np.stack([patch.degraded for patch in patches])),
        _as_channels(np.stack([patch.clean for patch in patches])),
        torch.tensor([patch.quality_factor for patch in patches], dtype=torch.float32),
        torch.from_numpy(np.stack([patch.tables for patch in patches])),
        torch.from_numpy(np.stack([patch.coefficients for patch in patches])),
    )


class DegradedPatches(Dataset):
    """Item `step` is the whole batch of that step, so a resumed run sees what an uninterrupted one would have."""

    def __init__(self, config: TrainConfig, images: list[RgbImage], phase: int = 0) -> None:
        """Args: config; clean images, at least as large as a patch; phase, an index into patch_sizes."""
        self.config = config
        self.side = config.data.patch_sizes[phase]
        self.count = config.data.batch_sizes[phase]
        needed = self.side + 8
        self.images = [image for image in images if min(image.shape[:2]) >= needed]
        if not self.images:
            raise InvalidSetting(
                f"No training picture is as large as {needed} x {needed} pixels, which patches of {self.side} need. "
                "Give larger pictures or a smaller data.patch_sizes."
            )
        areas = np.array([image.shape[0] * image.shape[1] for image in self.images], dtype=np.float64)
        self.chances = (areas**0.5 / (areas**0.5).sum()).cumsum()
        drawings = np.random.default_rng(config.seed)
        self.drawings = [draw_picture(drawings) for _ in range(48 if config.data.drawn_share else 0)]

    def __len__(self) -> int:
        return self.config.optimizer.steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng([self.config.seed, step])
        make = self._plane_patch if self.config.data.planes else self._color_patch
        return batch_of([make(rng) for _ in range(self.count)])

    def _color_patch(self, rng: np.random.Generator) -> Patch:
        """One RGB patch."""
        side, tables = self.side, np.zeros(128, np.float32)
        if rng.random() < self.config.data.uncompressed_share:
            clean = self._crop(rng, side, side)
            return Patch(clean, clean, UNCOMPRESSED_QUALITY, tables)
        degradation = self.config.degradations.sample(rng)
        rows, columns = degradation.total_shift
        clean = self._crop(rng, side + rows, side + columns)
        gray = self.config.degradations.sample_gray(rng)
        if gray:
            clean = np.repeat(cv2.cvtColor(clean, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        degraded, luma_table, chroma_table = degrade_pixels(clean, degradation, gray=gray)
        tables[:64] = luma_table.ravel()
        if chroma_table is not None:
            tables[64:] = chroma_table.ravel()
        quality_factor = float(degradation.encodings[-1].quality_factor)
        return Patch(degraded, clean[rows:, columns:], quality_factor, tables)

    def _plane_patch(self, rng: np.random.Generator) -> Patch:
        """One plane as JPEG stores it: luma, or chroma halved and quantized by the chroma table."""
        side = self.side
        degradation = self.config.degradations.sample(rng)
        rows, columns = degradation.total_shift
        chroma = rng.random() < 0.3
        scale = 2 if chroma and degradation.encodings[-1].subsampling == "4:2:0" else 1
        picture = self._crop(rng, (side + rows) * scale, (side + columns) * scale)
        plane = rgb_to_ycbcr(picture)[..., int(rng.integers(1, 3)) if chroma else 0]
        if scale == 2:
            plane = cv2.resize(
                np.asarray(plane, np.float32), (side + columns, side + rows), interpolation=cv2.INTER_AREA
            )
        clean = np.clip(np.rint(plane), 0, 255).astype(np.uint8)
        degraded = clean
        for encoding in degradation.encodings:
            before = degraded[encoding.grid_shift[0] :, encoding.grid_shift[1] :]
            degraded = _saved_plane(before, encoding, chroma)
        table = quantization_tables(degradation.encodings[-1].quality_factor)[int(chroma)]
        tables = np.zeros(128, np.float32)
        tables[:64] = table.ravel()
        quality_factor = float(degradation.encodings[-1].quality_factor)
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
        height, width = (columns, rows) if turned else (rows, columns)
        candidates = [
            self._window(rng, drawn, round(height * shrink), round(width * shrink))
            for _ in range(2 if rng.random() < data.textured_share else 1)
        ]
        window = max(candidates, key=_texture) if len(candidates) > 1 else candidates[0]
        if window.shape[:2] != (height, width):
            window = cv2.resize(window, (width, height), interpolation=cv2.INTER_AREA)
        window = window[:: -1 if rng.random() < 0.5 else 1, :: -1 if rng.random() < 0.5 else 1]
        return np.ascontiguousarray(window.transpose(1, 0, 2) if turned else window)

    def _window(self, rng: np.random.Generator, drawn: bool, rows: int, columns: int) -> RgbImage:
        """A rectangle of a random picture, smaller where the picture is smaller."""
        if drawn:
            image = self.drawings[rng.integers(len(self.drawings))]
        else:
            image = self.images[min(np.searchsorted(self.chances, rng.random()), len(self.images) - 1)]
        top = rng.integers(max(image.shape[0] - rows, 0) + 1)
        left = rng.integers(max(image.shape[1] - columns, 0) + 1)
        return image[top : top + rows, left : left + columns]


def _texture(window: RgbImage) -> float:
    green = window[::2, ::2, 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


def _saved_plane(plane: np.ndarray, encoding: JpegEncoding, chroma: bool) -> np.ndarray:
    """One plane (rows, columns) uint8 through a gray JPEG with the luma or the chroma table."""
    file = io.BytesIO()
    table = quantization_tables(encoding.quality_factor)[int(chroma)]
    Image.fromarray(np.ascontiguousarray(plane)).save(file, format="JPEG", qtables=[table.ravel().tolist()])
    return np.asarray(Image.open(file, formats=("JPEG",)))


def _as_frequencies(blocks: np.ndarray) -> np.ndarray:
    """(block rows, block columns, 8, 8) -> (64, block rows, block columns) float32."""
    return np.ascontiguousarray(blocks.reshape(*blocks.shape[:2], 64).transpose(2, 0, 1), np.float32)


def _as_channels(pixels: np.ndarray) -> Tensor:
    """(batch, rows, columns, channels) uint8 -> (batch, channels, rows, columns), channels last in memory."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class ValidationCase:
    """One way of breaking the validation pictures; `name` appears in events."""

    name: str
    degradation: Degradation


VALIDATION_CASES = (
    ValidationCase("qf10", Degradation((JpegEncoding(10),))),
    ValidationCase("qf20", Degradation((JpegEncoding(20),))),
    ValidationCase("qf40", Degradation((JpegEncoding(40),))),
    ValidationCase("qf80", Degradation((JpegEncoding(80),))),
    ValidationCase("double_10_30", Degradation((JpegEncoding(10), JpegEncoding(30, grid_shift=(4, 4))))),
)


def validation_batches(config: TrainConfig, images: list[RgbImage]) -> dict[str, list[Batch]]:
    """Central crops of the validation pictures, broken in every VALIDATION_CASES, one picture per batch."""
    size, found = config.data.validation_size, {}
    for case in VALIDATION_CASES:
        rows, columns = case.degradation.total_shift
        batches = []
        for image in images:
            height, width = (min(size, side // 16 * 16 - 16) for side in image.shape[:2])
            top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
            clean = np.ascontiguousarray(image[top - rows : top + height, left - columns : left + width])
            make = _validation_plane if config.data.planes else _validation_color
            batches.append(batch_of([make(clean, case.degradation)]))
        found[case.name] = batches
    return found


def _validation_color(clean: RgbImage, degradation: Degradation) -> Patch:
    rows, columns = degradation.total_shift
    degraded, luma_table, chroma_table = degrade_pixels(clean, degradation)
    tables = np.concatenate([luma_table.ravel(), chroma_table.ravel()]).astype(np.float32)
    return Patch(degraded, clean[rows:, columns:], float(degradation.encodings[-1].quality_factor), tables)


def _validation_plane(clean: RgbImage, degradation: Degradation) -> Patch:
    """The luma plane of a colour save, with the coefficients that the file holds."""
    rows, columns = degradation.total_shift
    component = degrade(clean, degradation).image.components[0]
    table = component.quantization_table
    luma = [rgb_to_ycbcr(clean[rows:, columns:])[..., 0], component_plane(component)]
    original, degraded = (np.rint(plane).astype(np.uint8)[..., None] for plane in luma)
    tables = np.concatenate([table.ravel(), np.zeros(64)]).astype(np.float32)
    quality_factor = float(degradation.encodings[-1].quality_factor)
    coefficients = _as_frequencies(component.coefficients * table)
    return Patch(degraded, original, quality_factor, tables, coefficients)
