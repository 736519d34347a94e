"""SSIMULACRA 2.1: how far a picture is from its reference in the eyes of people, 100 where they see no difference.

J. Sneyers, "SSIMULACRA 2", Cloudinary, 2022-2023, published with JPEG XL. Three maps of errors are made at six scales
in the planes of XYB: structure lost, edges added (ringing, blocks), edges lost (blur). Two norms of each, weighted,
make the score. The blur is that of D. Charalampidis, "Recursive Implementation of the Gaussian Filter Using Truncated
Cosine Functions", IEEE TSP 64(14), 2016, whose response at this width is nine taps.

Each scale is halved to make the next one, and worked out in strips: 24 megapixels cost some 150 megabytes.
"""

import math
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

SCALES = 6
MIN_SIDE = 113
"""Pixels, from which on the coarsest scale is made of eight; the weights are those of all scales."""
STRIP_ROWS = 64
REACH = 4
"""Rows and columns that the blur takes from each side; beyond the picture it takes zeros."""

TAPS = np.array([0.00941436781, 0.0360111147, 0.109335373, 0.212928592, 0.264621105])
TAPS = np.concatenate([TAPS, TAPS[-2::-1]])
ABSORBANCE = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
    ]
)
BIAS = 0.0037930732552754493
CONTRAST_CONSTANT = 0.0009
WEIGHTS = np.array(  # planes X, Y, B; scales from fine to coarse; mean and 4-norm of structure, edges added, edges lost
    [
        [0, 0.0007376606707406586, 0, 0, 0.0007793481682867309, 0],
        [0, 0.0004371155730107379, 0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752],
        [0, 0.0016406437456599754, 0, 1.8422455520539298, 11.441172603757666, 0],
        [0.0007989109436015163, 0.000176816438078653, 0, 1.8787594979546387, 10.94906990605142, 0],
        [
            0.0007289346991508072,
            0.9677937080626833,
            0,
            0.00014003424285435884,
            0.9981766977854967,
            0.00031949755934435053,
        ],
        [0.0004550992113792063, 0, 0, 0.0013648766163243398, 0, 0],
        [0, 0, 0, 7.466890328078848, 0, 17.445833984131262],
        [0.0006235601634041466, 0, 0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264],
        [225.20515300849274, 0, 0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985],
        [176.39317598450694, 0, 0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408],
        [0, 0, 0, 34.77906344483772, 44.835625328877896, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0.0008680556573291698, 0, 0, 0, 0],
        [0, 0.0005313191874358747, 0, 0.00016533814161379112, 0, 0],
        [0, 0, 0, 0.0004179171803251336, 0.0017290828234722833, 0],
        [0.0020827005846636437, 0, 0, 8.826982764996862, 23.19243343998926, 0],
        [
            95.1080498811086,
            0.9863978034400682,
            0.9834382792465353,
            0.0012286405048278493,
            171.2667255897307,
            0.9807858872435379,
        ],
        [0, 0, 0, 0.0005130064588990679, 0, 0.00010854057858411537],
    ]
).reshape(3, SCALES, 2, 3)

Strip = MatLike
"""(rows, columns, 3) float32"""
LightOf = Callable[[NDArray[np.generic]], Strip]
"""Light 0..1 of rows of a picture."""


def ssimulacra2(restored: NDArray[np.generic], reference: NDArray[np.generic]) -> float:
    """The score of one picture.

    Args:
        restored: (rows, columns, 3) of sRGB, or (rows, columns) of gray, 0..255.
        reference: same shape.

    Returns:
        100 for identical pictures, about 90 where nobody sees a difference, 70 for high quality, 50 medium, 30 low, and
        below zero for what is hardly to be recognized; not a number where a side is shorter than MIN_SIDE.
    """
    if min(reference.shape[:2]) < MIN_SIDE:
        return math.nan
    norms = []
    light_of = _linear
    for _ in range(SCALES):
        sums = sum(_errors(*strips) for strips in _strips(reference, restored, light_of))
        rows, columns = reference.shape[:2]
        means = sums / (rows * columns)
        means[:, 1] **= 0.25
        norms.append(means)
        reference, restored = _halved(reference, light_of), _halved(restored, light_of)
        light_of = np.asarray
    return _score(float((WEIGHTS * np.stack(norms).transpose(3, 0, 2, 1)).sum()))


def _score(error: float) -> float:
    """A weighted sum of norms on the scale of people's opinions, to which this curve was fitted."""
    error *= 0.9562382616834844
    error = 2.326765642916932 * error - 0.020884521182843837 * error**2 + 6.248496625763138e-05 * error**3
    return 100 - 10 * error**0.6276336467831387 if error > 0 else 100.0


def _strips(
    reference: NDArray[np.generic], restored: NDArray[np.generic], light_of: LightOf
) -> Iterator[tuple[Strip, Strip, slice]]:
    """Both pictures in XYB, strip by strip, and which rows are not in another strip too."""
    rows = len(reference)
    for start in range(0, rows, STRIP_ROWS):
        stop = min(start + STRIP_ROWS, rows)
        first, last = max(start - REACH, 0), min(stop + REACH, rows)
        yield (
            _perceived(light_of(reference[first:last])),
            _perceived(light_of(restored[first:last])),
            slice(start - first, stop - first),
        )


def _errors(reference: Strip, restored: Strip, inner: slice) -> NDArray[np.float64]:
    """Sums over the inner rows: (3 maps, 2 powers, 3 planes), the first and the fourth power of every error."""
    mean_first, mean_second = _blurred(reference), _blurred(restored)
    squares = _blurred(reference**2 + restored**2) - (mean_first**2 + mean_second**2)
    covariance = _blurred(reference * restored) - mean_first * mean_second
    contrast = (2 * covariance + CONTRAST_CONSTANT) / (squares + CONTRAST_CONSTANT)
    structure = 1 - (1 - (mean_first - mean_second) ** 2) * contrast
    edges = (1 + np.abs(restored - mean_second)) / (1 + np.abs(reference - mean_first)) - 1
    sums = []
    for error in (structure, edges, -edges):
        positive = np.maximum(error[inner], 0)
        squared = np.square(positive)
        sums.append([cv2.sumElems(power)[:3] for power in (positive, np.square(squared, out=squared))])
    return np.array(sums)


def _blurred(planes: Strip) -> Strip:
    return cv2.sepFilter2D(planes, cv2.CV_32F, TAPS, TAPS, borderType=cv2.BORDER_CONSTANT)


def _linear(picture: NDArray[np.generic]) -> Strip:
    """sRGB 0..255, gray in three planes, as light 0..1."""
    light = (
        cv2.LUT(picture.astype(np.uint8, copy=False), LIGHT) if picture.dtype == np.uint8 else _light(picture)
    )
    return light if light.ndim == 3 else np.repeat(light[..., None], 3, axis=2)


def _light(values: NDArray[np.generic]) -> NDArray[np.float32]:
    share = values.astype(np.float32) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)


LIGHT = _light(np.arange(256))


def _halved(picture: NDArray[np.generic], light_of: LightOf) -> Strip:
    """Means of the light of 2x2 pixels; an odd last row or column counts twice."""
    halved = []
    for start in range(0, len(picture), STRIP_ROWS):
        light = light_of(picture[start : start + STRIP_ROWS])
        odd_rows, odd_columns = (size % 2 for size in light.shape[:2])
        if odd_rows or odd_columns:
            light = cv2.copyMakeBorder(light, 0, odd_rows, 0, odd_columns, cv2.BORDER_REPLICATE)
        halved.append(cv2.resize(light, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return np.concatenate(halved)


def _perceived(light: Strip) -> Strip:
    """XYB with all three planes moved into 0..1."""
    long, middle, short = cv2.split(np.cbrt(np.maximum(cv2.transform(light, ABSORBANCE) + BIAS, 0)))
    offset = BIAS ** (1 / 3)
    green = (long + middle) / 2 - offset
    return cv2.merge([(long - middle) * 7 + 0.42, green + 0.01, short - offset - green + 0.55])
