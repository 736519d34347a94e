"""Metrics other than those that are there, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from training.evaluation import metrics


@contextmanager
def other_convention(name: str) -> Iterator[None]:
    """One metric is computed in another way meanwhile."""
    changed = [
        replace(metric, convention="In another way.") if metric.name == name else metric
        for metric in metrics.METRICS
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "METRICS", tuple(changed))
        yield


@contextmanager
def another_metric() -> Iterator[metrics.Metric]:
    """There is one more metric meanwhile: the mean absolute error."""
    metric = metrics.Metric(
        name="mean_absolute_error",
        title="Mean absolute error",
        unit="levels",
        digits=3,
        higher_is_better=False,
        of_color=" over R, G and B",
        hint="By how many gray levels samples differ",
        brief="the mean absolute error in gray levels",
        convention="Mean absolute error over all channels together, in gray levels.",
        compute=lambda restored, reference: float(
            np.abs(np.subtract(restored, reference, dtype=float)).mean()
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "METRICS", (*metrics.METRICS, metric))
        yield metric
