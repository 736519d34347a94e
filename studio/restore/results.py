"""The rows of the results table, and the sentences below it."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.card import ModelCard
from studio.engine.engine import Progress, StageOutputs
from studio.page.view import degraded_label
from studio.page.wording import UNDEFINED, decibels, seconds, signed_decibels, tile_words
from training.evaluation.metrics import Metrics

CONVENTION = (
    "Against the original: PSNR over R, G and B together, peak 255, in dB; Δ to the degraded picture; "
    "SSIM with an 11-tap Gaussian window, mean of R, G and B; PSNR-B also counts 8×8 block edges as error. "
    "Downloads are lossless PNG."
)
STOPPED = "Stopped. Press Restore to run the rest; finished results are kept."
NO_ORIGINAL = (
    "The file is kept as it is, so there is no original to measure against. "
    "Save it once or twice in step 2 to see numbers."
)
NO_RESULTS = {"rows": [], "note": "", "convention": ""}


def table_of(
    outputs: StageOutputs,
    cards: Mapping[str, ModelCard],
    panes: list[dict[str, Any]],
    *,
    waiting: tuple[str, ...] = (),
    progress: Progress | None = None,
    stopped: bool = False,
) -> dict[str, Any]:
    """The table's value: the degraded picture first, results in the order they came, then what is still to do.

    Args:
        outputs: what there is so far.
        cards: by model name.
        panes: the viewer's, for their files.
        waiting: models that have not begun, in order.
        progress: of the model at work.
        stopped: what is left will not run.
    """
    files = {pane["id"]: pane for pane in panes}
    rows = [_measured_row("degraded", degraded_label(outputs), outputs, files)]
    rows += [_measured_row(name, cards[name].title, outputs, files) for name in outputs.restorations]
    rows += [_words_row(name, cards[name].title, "failed", words) for name, words in outputs.failures.items()]
    for name in waiting:
        title = cards[name].title
        if stopped:
            rows.append(_words_row(name, title, "stopped", "stopped"))
        elif progress is not None and progress.model_name == name:
            rows.append(
                {
                    **_words_row(name, title, "running", tile_words(progress)),
                    "done": progress.done,
                    "total": progress.total,
                }
            )
        else:
            rows.append(_words_row(name, title, "waiting", "waiting"))
    note = "" if outputs.original is not None else NO_ORIGINAL
    return {
        "rows": rows,
        "note": STOPPED if stopped and waiting else note,
        "convention": CONVENTION if outputs.original is not None else "",
    }


def waiting_table(
    names: Sequence[str], cards: Mapping[str, ModelCard], *, stopped: bool = False
) -> dict[str, Any]:
    """The table's value before a run has its turn, when nothing is known but what will run.

    Args:
        names: models, in the order they will run.
        cards: by model name.
        stopped: they will not run.
    """
    words = "stopped" if stopped else "waiting"
    rows = [_words_row(name, cards[name].title, words, words) for name in names]
    return {"rows": rows, "note": STOPPED if stopped else "", "convention": ""}


def _measured_row(
    name: str, label: str, outputs: StageOutputs, files: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    metrics = outputs.metrics.get(name)
    restoration = outputs.restorations.get(name)
    speed = UNDEFINED
    if restoration is not None and restoration.seconds >= 0.001:
        speed = f"{restoration.pixels.shape[0] * restoration.pixels.shape[1] / 1e6 / restoration.seconds:.2f}"
    delta, kind = (
        (UNDEFINED, "muted") if restoration is None else _delta(metrics, outputs.metrics.get("degraded"))
    )
    return {
        "id": name,
        "label": label,
        "state": "done",
        "psnr": decibels(metrics.psnr_db) if metrics else UNDEFINED,
        "delta": delta,
        "delta_kind": kind,
        "ssim": f"{metrics.ssim:.4f}" if metrics and metrics.ssim == metrics.ssim else UNDEFINED,
        "psnr_b": decibels(metrics.psnr_b_db) if metrics else UNDEFINED,
        "seconds": seconds(restoration.seconds) if restoration else UNDEFINED,
        "speed": speed,
        "file": files[name]["file"],
        "download": files[name]["download"],
    }


def _delta(metrics: Metrics | None, degraded: Metrics | None) -> tuple[str, str]:
    """The signed difference and whether it is good, bad or neither."""
    if metrics is None or degraded is None:
        return UNDEFINED, "muted"
    text = signed_decibels(metrics.psnr_db - degraded.psnr_db)
    return text, {"+": "good", "−": "bad"}.get(text[0], "muted")


def _words_row(name: str, label: str, state: str, words: str) -> dict[str, Any]:
    return {"id": name, "label": label, "state": state, "words": words, "done": 0, "total": 0}
