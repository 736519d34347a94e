"""Gain over plain decoding against the quality factor, of models trained on one and on a range of them.

After figure 6 of J. Li, Y. Wang, H. Xie and K.-K. Ma, "Learning a Single Model with a Wide Range of Quality Factors for
JPEG Image Artifacts Removal". The models of one panel are short trainings of the cascade, all of the same cost
(training/configs/quality-factor); those of the other are the checkpoints.
"""

from pathlib import Path
from typing import Any

from plotly import graph_objects
from plotly.subplots import make_subplots

from training.evaluation.benchmarks import recompressed
from training.evaluation.candidates import Candidate
from training.evaluation.style import (
    Look,
    curve,
    dress,
    look_of,
    look_of_quality_factor,
    mark_zero,
    weakest_first,
)
from training.experiments.measurements import Measurements
from training.experiments.measuring import Request, from_run, scope_of, score_missing
from training.experiments.series import FINISHED, Member, read_series
from training.experiments.tables import Row, gains, table_of_gains

QUALITY_FACTORS = tuple(range(5, 100, 5))
IN_TABLE = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
CONFIGS = Path(__file__).resolve().parent.parent / "configs" / "quality-factor"


def measure(request: Request) -> None:
    """Fill the request's file; says which of the short trainings are not there."""
    folder = request.pictures()
    quality_factors = request.quality_factors or QUALITY_FACTORS
    conditions = recompressed(folder, quality_factors=quality_factors, limit=request.limit)
    measurements = Measurements(request.file, scope_of(folder, conditions))
    where = [({"quality_factor": each.quality_factor}, each) for each in conditions]
    score_missing(measurements, where, candidates_for(request))


def candidates_for(request: Request, configs: Path = CONFIGS) -> list[Candidate]:
    """The finished short trainings and the checkpoints, all of them or those asked for.

    Args:
        request: names models of both kinds.
        configs: the series of short trainings; prints those that are not finished.
    """
    members = read_series(configs, request.runs)
    lacking = [f"{each.config.name} ({each.state})" for each in members if each.state != FINISHED]
    if lacking:
        print(
            f"Left out, because they are not finished in {request.runs}: {', '.join(lacking)}. Train them with: "
            f"python -m training.experiments.series training/configs/{configs.name} --runs {request.runs}"
        )
    trained = {each.config.name: each for each in members if each.state == FINISHED}
    runs = [
        _from_member(member, request.device)
        for name, member in trained.items()
        if not request.models or name in request.models
    ]
    if request.models and set(request.models) <= trained.keys():
        return runs
    return [*runs, *request.candidates(leaving_out=trained)]


def draw(content: dict[str, Any]) -> graph_objects.Figure:
    """Two panels, or one where only checkpoints or only short trainings were measured."""
    rows = content["rows"]
    short, shipped = ([row for row in rows if ("petaflop" in row) == wanted] for wanted in (True, False))
    panels = []
    if short:
        order = sorted({row["model"] for row in short})
        panels.append(
            (f"the cascade, {short[0]['petaflop']:g} PFLOP of training each", "short trainings", short, order)
        )
    if gains(shipped):
        panels.append(("the checkpoints", "checkpoints", shipped, weakest_first(gains(shipped))[::-1]))
    figure = make_subplots(
        1, len(panels), subplot_titles=[title for title, *_ in panels], horizontal_spacing=0.09
    )
    for column, (_, group, of_panel, order) in enumerate(panels, 1):
        for model in order:
            own = sorted(
                (row for row in of_panel if row["model"] == model), key=lambda row: row["quality_factor"]
            )
            points = [row["quality_factor"] for row in own], [row["gain_db"] for row in own]
            trace = curve(own[0].get("title", model), *points, _look(own[0]), unit="quality factor %{x}")
            figure.add_trace(trace.update(legendgroup=group, legendgrouptitle_text=group), row=1, col=column)
        figure.update_xaxes(title_text="quality factor", range=[0, 100], dtick=10, row=1, col=column)
        figure.update_yaxes(title_text="PSNR gain over plain decoding, dB", row=1, col=column)
    mark_zero(figure)
    scope = content["scope"]
    subtitle = f"{scope['data']}, {scope['pictures']} pictures, 4:2:0, PSNR over R, G and B"
    title = "Gain by quality factor, trained on one of them or on a range"
    return dress(figure, title, subtitle, height=600).update_layout(legend_groupclick="toggleitem")


def table(content: dict[str, Any]) -> str:
    """Gains at the quality factors of IN_TABLE that were measured."""
    measured = {row["quality_factor"] for row in content["rows"]}
    columns = [(f"QF{each}", {"quality_factor": each}) for each in IN_TABLE if each in measured]
    return table_of_gains(content["rows"], columns)


def _from_member(member: Member, device: str | None) -> Candidate:
    ranges = member.config.degradations.quality_factors
    facts = {
        "title": member.config.card["title"],
        "petaflop": member.config.optimizer.petaflop,
        "lowest_trained": min(lowest for lowest, _, _ in ranges),
        "highest_trained": max(highest for _, highest, _ in ranges),
        "steered": member.config.hyperparameters.get("use_quality", True),
    }
    return from_run(member.run, device, facts)


def _look(row: Row) -> Look:
    if "petaflop" not in row:
        return look_of(row["model"])
    if row["lowest_trained"] == row["highest_trained"]:
        return look_of_quality_factor(row["lowest_trained"])
    return Look(
        look_of("cascade").color, *(("circle", "solid") if row["steered"] else ("circle-open", "dash"))
    )
