"""Each press in the Sweep tab and what the page shows after it; the figures, and the files to take away."""

import csv
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models.baselines import PLAIN
from models.errors import InvalidSetting
from studio.engine.cache import ResultCache
from studio.server.answers import DROPPED
from studio.server.files import PictureFolder
from studio.session.crop import swept_picture
from studio.session.examples import example
from studio.session.visitor import Session, open_photograph
from studio.sweep import view as views
from studio.sweep.files import figures_page, points_csv
from studio.sweep.form import SweepForm
from studio.sweep.handlers import BUSY, CHANGED, REPLACED, SweepHandlers, kind_chosen, stopped
from studio.sweep.run import SweepRecord, SweepRun
from studio.sweep.sweeper import QualitySweep, Sweeper, SweepFailure, SweepPoint
from training.evaluation.metrics import convention

FORM = SweepForm(
    lowest=10,
    highest=60,
    step=25,
    model_names=["ar_cnn", "cascade"],
    model_name="cascade",
    steerable_name="cascade",
    reading_quality=35,
)


@pytest.fixture(autouse=True)
def every_point_is_drawn(monkeypatch):
    """However fast they come."""
    monkeypatch.setattr("studio.sweep.handlers.DRAWING_SECONDS", 0)


@pytest.fixture(scope="module")
def sweeper(zoo):
    """Shared, so that every point is measured once for all tests."""
    return Sweeper(zoo, ResultCache(64 * 2**20))


@pytest.fixture
def sweep_handlers(zoo, sweeper, tmp_path):
    return SweepHandlers(zoo, sweeper, PictureFolder(tmp_path, 600))


def swept(handlers, photograph, form=FORM, record=None):
    """Every page from Run to the end, and the record they leave."""
    began = handlers.started(Session(photograph), record, form)
    record, pages = began.record.of(record), [began]
    for page in handlers.swept(record):
        pages.append(page)
        record = page.record.of(record)
    return pages, record


def rows_of(value):
    with open(value["files"][0]["file"]["path"], encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    table = [line for line in lines if not line.startswith("#")]
    return [line for line in lines if line.startswith("#")], list(csv.DictReader(table))


# ---------------------------------------------------------------- pages


def test_entering_says_what_is_measured_and_what_to_do(sweep_handlers, photograph):
    page = sweep_handlers.checked(Session(photograph), SweepRecord(), FORM)
    assert "the whole picture, 96 × 80 pixels" in page.picture_facts
    assert "3 quality factors × 2 models and plain decoding: 9 pictures" in page.plan
    assert "press Run" in page.empty
    assert page.freshness == ""


@pytest.mark.parametrize("session", [None, Session()])
def test_without_a_photograph_the_way_to_one_is_shown(sweep_handlers, session):
    page = sweep_handlers.checked(session, SweepRecord(), FORM)
    assert "in Experiment" in page.picture_facts
    with pytest.raises(InvalidSetting, match="No photograph"):
        sweep_handlers.started(session, SweepRecord(), FORM)


def test_a_jpeg_is_called_its_own_original(sweep_handlers):
    photograph = open_photograph(example("rocket").read_bytes(), "rocket.jpg")
    facts = sweep_handlers.checked(Session(photograph), SweepRecord(), FORM).picture_facts
    assert "its decoded pixels, artifacts included, serve as the original" in facts


def test_a_crop_says_what_of_the_picture_it_is(sweep_handlers):
    photograph = open_photograph(example("hubble").read_bytes(), "hubble.jpg")
    facts = sweep_handlers.checked(Session(photograph), SweepRecord(), FORM).picture_facts
    found = re.search(
        r"centre crop of (\d+) × (\d+) pixels from row (\d+), column (\d+) of 1000 × 872", facts
    )
    assert found is not None
    columns, rows, row, column = map(int, found.groups())
    assert rows * columns <= 400_000
    assert row % 16 == column % 16 == 0


def test_points_come_one_by_one_and_the_cheapest_model_first(sweep_handlers, photograph):
    pages, record = swept(sweep_handlers, photograph)
    assert pages[0].run == {"interactive": False, "value": "Running"}
    assert pages[0].stop["interactive"] is True
    drawn = [page.curves["charts"][0]["figure"]["data"] for page in pages if page.curves]
    counts = [sum(len(trace["x"]) for trace in traces) for traces in drawn]
    assert counts == [*range(1, 10), 9]
    assert [trace["name"] for trace in drawn[-1]] == [
        "Plain decoding",
        "AR-CNN, untrained",
        "Cascade, untrained",
    ]
    assert record.current.state == "finished"
    assert pages[-1].run == {"interactive": True, "value": "Run"}
    assert pages[-1].progress == ""


def test_a_repeat_shows_no_progress_of_models(sweep_handlers, photograph):
    _, record = swept(sweep_handlers, photograph)
    again, _ = swept(sweep_handlers, photograph, record=record)
    assert [page.progress for page in again[1:] if page.progress] == []


def test_stopping_keeps_the_points(sweep_handlers, photograph):
    record = sweep_handlers.started(Session(photograph), SweepRecord(), FORM).record.of(None)
    pages = []
    for page in sweep_handlers.swept(record):
        pages.append(page)
        record = page.record.of(record)
        if page.curves and len(record.current.points) == 4:
            assert stopped(record).stop == {"interactive": False, "value": "Stopping"}
    page = pages[-1]
    assert len(record.current.points) == 4
    assert views.STOPPED in page.outcome
    assert page.run["interactive"] is True
    assert views.STOPPED in sweep_handlers.checked(Session(photograph), record, FORM).outcome
    comments, rows = rows_of(page.curves)
    assert "# Not complete: 4 of 9 points." in comments
    assert len(rows) == 4


def test_stopping_before_the_first_point_shows_what_to_do(sweep_handlers, photograph):
    record = sweep_handlers.started(Session(photograph), SweepRecord(), FORM).record.of(None)
    stopped(record)  # before any point, cached or not
    (page,) = sweep_handlers.swept(record)
    assert "press Run" in page.empty
    assert page.curves["charts"] == page.rates["charts"] == []


def test_changed_settings_and_other_photographs_make_results_stale(sweep_handlers, photograph):
    _, record = swept(sweep_handlers, photograph)
    session = Session(photograph)
    assert sweep_handlers.settled(session, record, FORM).freshness == ""
    assert CHANGED in sweep_handlers.settled(session, record, replace(FORM, step=10)).freshness
    other = Session(open_photograph(example("text").read_bytes(), "text.png"))
    assert CHANGED in sweep_handlers.checked(other, record, FORM).freshness
    assert sweep_handlers.checked(session, record, replace(FORM, shift_rows=2)).freshness == ""
    assert sweep_handlers.checked(session, record, replace(FORM, kind="twice")).freshness == ""


def test_earlier_results_fade_until_the_first_new_point(sweep_handlers, photograph):
    _, record = swept(sweep_handlers, photograph)
    session = Session(photograph)
    assert sweep_handlers.started(session, record, FORM).freshness == ""
    began = sweep_handlers.started(session, record, replace(FORM, subsampling="4:4:4"))
    assert REPLACED in began.freshness
    pages = [page for page in sweep_handlers.swept(began.record.of(record)) if page.curves]
    assert [page.freshness for page in pages] == ["", *[None] * 8, ""]


def test_the_reading_is_drawn_and_told(sweep_handlers, photograph):
    _, record = swept(sweep_handlers, photograph)
    page = sweep_handlers.read(record, FORM)
    assert "at quality 35" in page.reading
    assert "<b>Cascade, untrained</b>" in page.reading
    beyond = sweep_handlers.read(record, replace(FORM, reading_quality=90))
    assert "this sweep goes from 10 to 60" in beyond.reading
    assert sweep_handlers.read(SweepRecord(), FORM).reading is None


def test_maps_of_two_saves(sweep_handlers, photograph):
    pages, record = swept(sweep_handlers, photograph, replace(FORM, kind="twice"))
    points = {(point.job.model_name, point.job.quality_factors): point for point in record.current.points}
    gains = pages[-1].gains["charts"][0]["figure"]["data"][0]
    assert gains["x"] == ["10", "35", "60"]
    for row, first in enumerate((10, 35, 60)):
        for column, second in enumerate((10, 35, 60)):
            gain = (
                points["cascade", (first, second)].metrics["psnr_db"]
                - points[PLAIN, (first, second)].metrics["psnr_db"]
            )
            assert gains["z"][row][column] == pytest.approx(gain)
    plain = [page.plain_decodings["charts"][0]["figure"]["data"][0]["z"] for page in pages if page.gains]
    filled = [sum(cell is not None for row in rows for cell in row) for rows in plain]
    assert filled == sorted(filled)
    assert filled[0] == 1
    assert filled[-1] == 9


def test_the_strip_is_lossless_and_marks_the_automatic_picture(sweep_handlers, photograph):
    pages, record = swept(sweep_handlers, photograph, replace(FORM, kind="by_hand"))
    panes = pages[-1].strip["panes"]
    steered_by = {
        "automatic": record.current.points[1].applied_quality_factor,
        "told10": 10,
        "told35": 35,
        "told60": 60,
    }
    expected = ["original", "plain", *sorted(steered_by, key=lambda name: steered_by[name])]
    assert [pane["id"] for pane in panes] == expected
    assert [pane["id"] for pane in panes if pane["marked"]] == ["automatic"]
    by_id = {pane["id"]: np.array(Image.open(pane["file"]["path"]).convert("RGB")) for pane in panes}
    np.testing.assert_array_equal(by_id["original"], photograph.image.pixels)
    for point in record.current.points:
        told = point.job.by_hand
        name = "plain" if point.job.model_name == PLAIN else "automatic" if told is None else f"told{told}"
        np.testing.assert_array_equal(by_id[name], point.pixels)
        (pane,) = [pane for pane in panes if pane["id"] == name]
        assert pane["detail"] == f"{point.metrics['psnr_db']:.2f} dB"
    assert len({pane["download"] for pane in panes}) == len(panes)
    assert "steered by the file's quantization tables" in pages[-1].strip["note"]


def test_each_kind_keeps_its_own_results(sweep_handlers, photograph):
    _, record = swept(sweep_handlers, photograph)
    _, record = swept(sweep_handlers, photograph, replace(FORM, kind="twice"), record)
    assert record.current.sweep.kind == "twice"
    assert record.of("quality").state == "finished"
    assert sweep_handlers.checked(Session(photograph), record, FORM).empty == ""
    assert (
        "press Run"
        in sweep_handlers.checked(Session(photograph), record, replace(FORM, kind="by_hand")).empty
    )


# ---------------------------------------------------------------- several sweeps at once


def current(record):
    assert record.current is not None
    return record.current


def arrived(page, record):
    """The record after an answer, and whether the answer reached the page."""
    after = page.record.of(record)
    return (record, False) if after is DROPPED else (after, True)


@pytest.mark.parametrize("kind", ["quality", "twice"])
def test_a_sweep_that_ends_late_never_takes_the_place_of_a_newer_one(sweep_handlers, photograph, kind):
    session = Session(photograph)
    record, _ = arrived(sweep_handlers.started(session, None, FORM), SweepRecord())
    first = sweep_handlers.swept(record)
    while not current(record).points:
        record, _ = arrived(next(first), record)
    late = next(first)  # on its way while Run is pressed again
    second = sweep_handlers.started(session, record, replace(FORM, kind=kind, subsampling="4:4:4"))
    record, _ = arrived(second, record)
    assert current(record).sweep.subsampling == "4:4:4" and current(record).state == "running"
    assert arrived(late, record) == (record, False)
    for page in first:
        after, reached = arrived(page, record)
        assert reached == (kind == "twice")  # the charts of the other kind are still its own
        assert after.current is record.current
        if reached:
            assert (page.run, page.stop, page.progress, page.outcome) == (None, None, None, None)
            assert page.curves["files"] and after.runs[0].state == "stopped"
    assert sweep_handlers.settled(session, record, FORM).run["interactive"] is True


def test_the_end_of_a_stopped_sweep_leaves_the_newer_one_running(sweep_handlers, photograph):
    session = Session(photograph)
    record, _ = arrived(sweep_handlers.started(session, None, FORM), SweepRecord())
    record, _ = arrived(sweep_handlers.started(session, record, replace(FORM, step=10)), record)
    second = sweep_handlers.swept(record)
    record, _ = arrived(next(second), record)
    assert sweep_handlers.settled(session, record, FORM) is None
    second.close()


def test_two_presses_run_one_sweep(sweep_handlers, photograph):
    session = Session(photograph)
    presses = [sweep_handlers.started(session, None, FORM) for _ in range(2)]
    record = presses[1].record.of(presses[0].record.of(None))
    assert len(record.runs) == 1
    first = sweep_handlers.swept(record)
    next(first)
    assert list(sweep_handlers.swept(record)) == []
    first.close()


def test_what_was_deleted_does_not_come_back(sweep_handlers, photograph):
    record = sweep_handlers.started(Session(photograph), None, FORM).record.of(None)
    for page in sweep_handlers.swept(record):
        assert page.record.of(None) is DROPPED


def test_a_sweep_that_was_refused_its_place_says_so(sweep_handlers, photograph):
    record = sweep_handlers.started(Session(photograph), None, FORM).record.of(None)
    page = sweep_handlers.settled(Session(photograph), record, FORM)
    assert BUSY in page.notice and page.run["interactive"] is True


def test_only_what_belongs_to_the_kind_is_shown():
    for kind in ("quality", "twice", "by_hand"):
        page = kind_chosen(kind)
        assert [name for name in ("quality", "twice", "by_hand") if getattr(page, name)] == [kind]
        assert "quality factor" in (page.kind_words or "")
    page = kind_chosen(["twice"])
    assert (page.quality, page.twice, page.by_hand) == (False, False, False)
    assert page.kind_words == "<p class='fact fact-note'></p>"


# ---------------------------------------------------------------- files


def test_the_table_holds_every_point_and_every_setting(sweep_handlers, photograph):
    pages, record = swept(sweep_handlers, photograph)
    comments, rows = rows_of(pages[-1].curves)
    assert pages[-1].curves["files"][0]["download"] == "whiskers_sweep-quality_qf10-60_420.csv"
    assert f"# {convention()}" in comments
    assert any("quality factors 10 to 60 in steps of 25, 4:2:0" in line for line in comments)
    assert any("the whole picture, 96 × 80 pixels" in line for line in comments)
    plain = {
        point.job.quality_factors: point for point in record.current.points if point.job.model_name == PLAIN
    }
    for row, point in zip(rows, record.current.points, strict=True):
        assert row["model"] == point.job.model_name
        assert int(row["quality_factor"]) == point.job.quality_factors[0]
        assert int(row["file_bytes"]) == point.file_bytes
        assert float(row["psnr_db"]) == pytest.approx(point.metrics["psnr_db"], abs=1e-6)
        assert float(row["ssim"]) == pytest.approx(point.metrics["ssim"], abs=1e-7)
        gain = point.metrics["psnr_db"] - plain[point.job.quality_factors].metrics["psnr_db"]
        assert float(row["gain_db"]) == pytest.approx(gain, abs=2e-6)


@pytest.mark.parametrize(
    ("kind", "chart", "columns"),
    [
        ("twice", "gains", ["model", "first_quality_factor", "second_quality_factor"]),
        ("by_hand", "manual_curve", ["model", "quality_factor", "told_by_hand", "steered_by"]),
    ],
)
def test_tables_of_the_other_kinds(sweep_handlers, photograph, kind, chart, columns):
    pages, record = swept(sweep_handlers, photograph, replace(FORM, kind=kind))
    _, rows = rows_of(getattr(pages[-1], chart))
    assert len(rows) == len(record.current.points)
    assert list(rows[0])[: len(columns)] == columns


def test_infinite_and_undefined_numbers_can_be_read_back(photograph):
    sweep = QualitySweep((10, 20), "4:2:0", (PLAIN,))
    points = [
        SweepPoint(job, {"psnr_db": math.inf, "ssim": math.nan, "psnr_b_db": 60.0}, 100, 1.0, "", None, None)
        for job in sweep.jobs()
    ]
    run = SweepRun(swept_picture(photograph, "crop"), sweep, points=tuple(points), state="finished")
    table = [line for line in points_csv(run).splitlines() if not line.startswith("#")]
    row = next(csv.DictReader(table))
    assert math.isinf(float(row["psnr_db"]))
    assert math.isnan(float(row["ssim"]))
    views.curves(run, {PLAIN: "Plain"})
    views.rates(run, [], {PLAIN: "Plain"})


def test_the_page_to_take_away_needs_nothing_else(sweep_handlers, photograph):
    pages, record = swept(sweep_handlers, photograph)
    with open(pages[-1].curves["files"][1]["file"]["path"], encoding="utf-8") as stream:
        text = stream.read()
    assert "Plotly.newPlot" in text
    assert text.count("Plotly.newPlot(") >= 5
    assert re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", text) == []
    hostile = replace(record.current, failures=(SweepFailure("x", "<script>alert(1)</script>"),))
    figures = [chart["figure"] for chart in pages[-1].curves["charts"]]
    assert "<script>alert(1)" not in figures_page(
        hostile, [views.graph_objects.Figure(one) for one in figures]
    )


def test_file_names_tell_picture_kind_and_settings(sweep_handlers, photograph):
    names = []
    for kind in ("quality", "twice", "by_hand"):
        pages, _ = swept(sweep_handlers, photograph, replace(FORM, kind=kind))
        charts = [
            value for value in vars(pages[-1]).values() if isinstance(value, dict) and "charts" in value
        ]
        names += [chart["file_name"] for value in charts for chart in value["charts"]]
        names += [file["download"] for value in charts for file in value["files"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w.\-]+", name) for name in names)
    assert "whiskers_sweep-twice_qf10-60_420_shift4x4_cascade.csv" in names


# ---------------------------------------------------------------- figures


def test_every_figure_has_units_on_its_axes_and_words_for_those_who_cannot_see_it(sweep_handlers, photograph):
    for kind in ("quality", "twice", "by_hand"):
        pages, _ = swept(sweep_handlers, photograph, replace(FORM, kind=kind))
        for value in vars(pages[-1]).values():
            for chart in value["charts"] if isinstance(value, dict) and "charts" in value else ():
                layout = chart["figure"]["layout"]
                assert (
                    "quality factor" in layout["xaxis"]["title"]["text"]
                    or "bits" in layout["xaxis"]["title"]["text"]
                )
                assert layout["yaxis"]["title"]["text"]
                assert "whiskers" in layout["title"]["text"]
                assert "dB" in chart["alt"] or "SSIM" in chart["alt"]
                assert "nothing" not in chart["alt"].lower()


def test_models_keep_their_colours_in_every_figure(sweep_handlers, photograph):
    pages, _ = swept(sweep_handlers, photograph)
    colors = {}
    for value in (pages[-1].curves, pages[-1].rates):
        for chart in value["charts"]:
            for trace in chart["figure"]["data"]:
                colors.setdefault(trace.get("name"), set()).add(trace["line"]["color"])
    named = {name: found for name, found in colors.items() if name}
    assert all(len(found) == 1 for found in named.values())
    assert len({next(iter(found)) for found in named.values()}) == 3
