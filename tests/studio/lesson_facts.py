"""What the lessons claim, measured with the engine: a claim names one of the public methods of Scene.

A claim is about the lesson's own settings (the query string that sets the studio up), or about them with some changed.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage, luma
from models.jpeg import Degradation, Degraded, JpegComponent, Save, degrade
from models.jpeg.color import split_ycbcr
from models.jpeg.dct import BLOCK, plane_to_blocks
from models.jpeg.encoder_planes import encoder_coefficients
from models.restorer import Restorer
from models.zoo import Zoo
from studio.anatomy.taken_apart import cell_share
from studio.lessons.lessons import Claim, Lesson
from studio.session.examples import example
from studio.session.form import RestoreForm
from studio.session.link import from_query
from studio.session.visitor import open_photograph
from tests.present import present
from training.evaluation.metrics import Measured, measure

WHITE = 255
SATURATED = 0.7
"""Share of the strongest colour from which a pixel counts as a coloured letter's, not as its soft edge."""
CLEAR_WAVE = 4.0
"""Smallest coefficient, in its own units, that counts as a wave put back: half a grey level in its block."""


class LessonFacts:
    """Measures claims; pictures and restorations are made once for all claims about the same settings."""

    def __init__(self, zoo: Zoo) -> None:
        """The zoo holds the models that the lessons' links name."""
        self._zoo = zoo
        self._scenes: dict[tuple[tuple[str, str], ...], Scene] = {}

    def value(self, lesson: Lesson, claim: Claim) -> float:
        """What the claim's words are about, measured.

        Raises:
            ValueError: where the link or the measure cannot be used.
        """
        settings = lesson.settings | claim.settings
        key = tuple(sorted(settings.items()))
        if key not in self._scenes:
            self._scenes[key] = scene_of(settings, self._zoo)
        if claim.measure.startswith("_") or not callable(getattr(Scene, claim.measure, None)):
            raise ValueError(f"there is no measure called {claim.measure}")
        return float(getattr(self._scenes[key], claim.measure)(**claim.arguments))


def scene_of(settings: Mapping[str, str], zoo: Zoo) -> "Scene":
    """The picture a link names, broken as it says.

    Raises:
        ValueError: where the link names no example, keeps the file, or holds something that cannot be used.
    """
    link = from_query(settings, RestoreForm(), tuple(card.name for card in zoo.cards()))
    degradation = link.form.degradation()
    if link.problems or degradation is None or not link.picture:
        raise ValueError(f"{settings} cannot be measured. {' '.join(link.problems)}")
    one = example(link.picture)
    image = open_photograph(one.read_bytes(), one.file_name).image
    degraded = degrade(image.pixels, degradation, gray=image.is_gray)
    return Scene(degraded, degradation, zoo.load(link.form.model_names[0]))


class Scene:
    """A picture, the file it was saved to, and what a model makes of it; its public methods are the measures.

    Shares are in percent, positions in rows and columns, differences in grey levels.
    """

    def __init__(self, degraded: Degraded, degradation: Degradation, restorer: Restorer) -> None:
        self._image, self._original = degraded.image, degraded.reference
        self._degradation, self._restorer = degradation, restorer

    # The grid

    def block_side(self) -> int:
        """Samples along a side of a block."""
        return self._luma.coefficients.shape[-1]

    def block_samples(self) -> int:
        """Samples, and coefficients, of a block."""
        return self._luma.coefficients[0, 0].size

    def rows(self) -> int:
        """Of the picture."""
        return self._original.shape[0]

    def columns(self) -> int:
        """Of the picture."""
        return self._original.shape[1]

    def blocks(self) -> int:
        """Blocks of luma."""
        return int(np.prod(self._luma.coefficients.shape[:2]))

    def step_across_borders(self, of: str) -> float:
        """Mean luma difference of neighbouring pixels on either side of a border between blocks."""
        return self._steps(of)[0]

    def step_within_blocks(self, of: str) -> float:
        """Mean luma difference of neighbouring pixels in the same block."""
        return self._steps(of)[1]

    def _steps(self, of: str) -> tuple[float, float]:
        plane = luma(self._picture(of))
        sums, counts = np.zeros(2), np.zeros(2)
        for axis in (0, 1):
            steps = np.abs(np.diff(plane, axis=axis)).swapaxes(0, axis)
            across = np.arange(len(steps)) % BLOCK == BLOCK - 1
            for i, lines in enumerate((steps[across], steps[~across])):
                sums[i], counts[i] = sums[i] + lines.sum(), counts[i] + lines.size
        return tuple(sums / counts)

    # The file

    def kept_coefficients(self, row: int, column: int) -> int:
        """Luma coefficients of one block that are not zero in the file."""
        return int(np.count_nonzero(self._luma.coefficients[row, column]))

    def zero_coefficients(self) -> float:
        """Share of all luma coefficients that are zero in the file."""
        return 100 * float((self._luma.coefficients == 0).mean())

    def quantization_step(self, row: int, column: int) -> int:
        """Of one luma coefficient."""
        return int(self._luma.quantization_table[row, column])

    def file_kilobytes(self) -> float:
        """Size of the file in 1000 bytes."""
        return len(self._image.data) / 1000

    def uncompressed_kilobytes(self) -> float:
        """Three bytes per pixel, in 1000 bytes."""
        return self._original.size / 1000

    def header_quality_factor(self) -> int:
        """What the file's tables say."""
        return present(present(self._image.estimated_quality_factor).quality_factor)

    def pixels_per_chroma_sample(self) -> float:
        """Samples of luma for each sample of Cb."""
        blue = self._image.components[1]
        return self._luma.rows * self._luma.columns / (blue.rows * blue.columns)

    def integers_that_stay(self) -> float:
        """Share of luma integers, those always zero left out, that stay when the decoded picture is saved again."""
        last = self._degradation.last_save
        same = Degradation((Save(last.quality_factor, last.subsampling),))
        before = self._luma.coefficients
        after = degrade(self._image.pixels, same).image.components[0].coefficients
        kept = (before != 0) | (after != 0)
        return 100 * float((after == before)[kept].mean())

    # Damage

    def psnr(self, of: str) -> float:
        """Of "degraded" or "restored", in dB."""
        return self._metrics[of]["psnr_db"]

    def color_kept(self, top: int, bottom: int) -> float:
        """How much of their colour the strongly coloured pixels between two rows keep."""
        before, after = (self._color_strength(of)[top:bottom] for of in ("original", "degraded"))
        colored = before > SATURATED * before.max()
        return 100 * float(after[colored].mean() / before[colored].mean())

    def white_changed(self, inked: bool, levels: int) -> float:
        """Share of white pixels that changed by more than some levels, in blocks with or without anything else."""
        original, degraded = (_color_blocks(self._picture(of)) for of in ("original", "degraded"))
        white = (original == WHITE).all(axis=-1)
        has_ink = ~white.all(axis=(2, 3), keepdims=True)
        changed = np.abs(degraded.astype(int) - original).max(axis=-1) > levels
        chosen = white & (has_ink == inked)
        return 100 * float(changed[chosen].mean())

    # Repair

    def psnr_gain(self) -> float:
        """Of the restored over the degraded picture, in dB."""
        return self._metrics["restored"]["psnr_db"] - self._metrics["degraded"]["psnr_db"]

    def psnr_b_gain(self) -> float:
        """Of the restored over the degraded picture, in dB."""
        return self._metrics["restored"]["psnr_b_db"] - self._metrics["degraded"]["psnr_b_db"]

    def inside_cells(self) -> float:
        """Share of restored luma coefficients that the file's table would round to the file's integers."""
        return 100 * present(cell_share(self._image, "restored", self._restored)).share

    def lost_detail_returned(self) -> float:
        """Share of the energy of the deleted luma waves that the restoration gets right."""
        original, restored = self._deleted_waves
        return 100 * float(1 - np.square(original - restored).sum() / np.square(original).sum())

    def waves_the_wrong_way(self) -> float:
        """Share of the deleted waves that were clearly put back, but with the wrong sign."""
        original, restored = self._deleted_waves
        clear = np.abs(restored) >= CLEAR_WAVE
        return 100 * float((np.sign(original) != np.sign(restored))[clear].mean())

    def blocks_made_worse(self) -> float:
        """Share of whole blocks whose squared error is larger after the restoration than before."""
        errors = [
            np.square(self._picture(of).astype(float) - self._original).sum(axis=-1)
            for of in ("degraded", "restored")
        ]
        before, after = (_whole_blocks(error).sum(axis=(2, 3)) for error in errors)
        return 100 * float((after > before).mean())

    # Pictures

    def _picture(self, of: str) -> RgbImage:
        return {"original": self._original, "degraded": self._image.pixels}.get(of, self._restored)

    @cached_property
    def _restored(self) -> RgbImage:
        return self._restorer.restore(self._image).pixels

    @cached_property
    def _metrics(self) -> dict[str, Measured]:
        return {
            of: measure(restored=self._picture(of), reference=self._original)
            for of in ("degraded", "restored")
        }

    @cached_property
    def _deleted_waves(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(waves,) luma coefficients of the original and of the restoration where the file has a zero; no means."""
        tall, wide = self._luma.coefficients.shape[:2]
        deleted = self._luma.coefficients == 0
        deleted[..., 0, 0] = False
        original, restored = (
            encoder_coefficients(self._picture(of), 0)[:tall, :wide][deleted]
            for of in ("original", "restored")
        )
        return original, restored

    @property
    def _luma(self) -> JpegComponent:
        return self._image.components[0]

    def _color_strength(self, of: str) -> NDArray[np.float32]:
        """(rows, columns): distance of Cb and Cr from gray."""
        _, blue, red = split_ycbcr(self._picture(of))
        return np.hypot(blue - 128, red - 128)


def _whole_blocks(plane: NDArray) -> NDArray:
    """(block rows, block columns, 8, 8): those that the picture's edge does not cut."""
    rows, columns = (length // BLOCK * BLOCK for length in plane.shape)
    return plane_to_blocks(plane[:rows, :columns])


def _color_blocks(pixels: RgbImage) -> NDArray[np.uint8]:
    """(block rows, block columns, 8, 8, 3) uint8."""
    return np.stack([_whole_blocks(pixels[..., channel]) for channel in range(3)], axis=-1)
