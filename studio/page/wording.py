"""Numbers and settings in words, the same everywhere on the page."""

import math

from models.jpeg import Degradation, JpegImage
from studio.engine.engine import Progress
from studio.engine.outputs import RestoreRequest

UNDEFINED = "–"


def file_size(count: int) -> str:
    """Bytes in decimal units with three digits."""
    if count < 1000:
        return f"{count} B"
    value, unit = (count / 1e3, "kB") if count < 1e6 else (count / 1e6, "MB")
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f} {unit}"


def decibels(value: float) -> str:
    """PSNR with two digits; identical pictures have no finite one."""
    return "identical" if math.isinf(value) else f"{value:.2f} dB"


def signed_decibels(value: float) -> str:
    """A difference with a true minus sign; zero carries none."""
    if math.isnan(value) or math.isinf(value):
        return UNDEFINED
    text = f"{abs(value):.2f}"
    if text == "0.00":
        return text
    return ("+" if value > 0 else "−") + text


def seconds(value: float) -> str:
    """A duration in milliseconds or seconds."""
    if value < 0.001:
        return "< 1 ms"
    return f"{value * 1000:.0f} ms" if value < 0.1 else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def duration(value: float) -> str:
    """How long something will take, in whole seconds or minutes."""
    if value < 90:
        return f"{max(1, round(value))} s"
    return f"{round(value / 60)} min"


def how_broken(degradation: Degradation | None) -> str:
    """A degradation as people say it."""
    return degradation.words() if degradation else "as it is"


def settings_slug(request: RestoreRequest) -> str:
    """The settings as part of a file name, such as "qf10-420_qf30-420-shift4x4_by-hand-20"."""
    parts = [request.degradation.slug() if request.degradation else "as-brought"]
    options = request.options
    guidance = {
        "tables": "from-tables",
        "pixels": "from-pixels",
        "manual": f"by-hand-{options.quality_factor}",
    }
    if options.guidance in guidance:
        parts.append(guidance[options.guidance])
    if options.stages is not None:
        parts.append(f"stages{options.stages}")
    if options.effort != "standard":
        parts.append(options.effort)
    return "_".join(parts)


def dimensions(image: JpegImage) -> str:
    """Columns by rows."""
    rows, columns = image.pixels.shape[:2]
    return f"{columns} × {rows}"


def tile_words(progress: Progress) -> str:
    """Where a model is, and about how long it will take."""
    if progress.total == 0:
        return "starting"
    words = f"tile {progress.done} of {progress.total}"
    left = progress.seconds / max(progress.done, 1) * (progress.total - progress.done)
    return f"{words}, about {seconds(left)} left" if progress.done and left >= 1 else words
