"""To add a metric one entry in METRICS is enough: every table, file and answer has it at once, and old scores stay."""

import csv
import json
import shutil
import zipfile
from io import StringIO
from pathlib import Path

import pytest

from models.jpeg import Degradation, Save
from models.zoo import Zoo
from studio.api.api import Api
from studio.batch.files import BatchPicture
from studio.batch.report import csv_report, json_report
from studio.batch.run import BatchRestorer, BatchSettings
from studio.catalog.scores import known_scores, scores_markup
from studio.engine.cache import ResultCache
from studio.restore.takeaway_handlers import TakeawayHandlers
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm
from studio.session.visitor import Session, open_photograph
from studio.sweep.form import SweepForm
from studio.sweep.handlers import SweepHandlers
from studio.sweep.run import SweepRecord
from studio.sweep.sweeper import Sweeper
from tests.changed_metrics import another_metric
from tests.paths import REPOSITORY
from training.evaluation.measured_models import measured_models
from training.evaluation.metrics import METRICS
from training.evaluation.score_files import ScoreFile, Setting, weights_of
from training.evaluation.tables import similarity_table

SOURCES = [
    path
    for room in ("models", "studio", "training", "assets")
    for path in (REPOSITORY / room).rglob("*")
    if path.suffix in (".py", ".js", ".html")
]


@pytest.fixture
def metric():
    """The mean absolute error, while a test runs."""
    with another_metric() as metric:
        yield metric


def test_a_metric_is_named_in_one_file_and_in_the_glossary() -> None:
    (newest,) = [metric for metric in METRICS if metric.name == "ssimulacra2"]
    names = newest.name, newest.title
    naming = [path for path in SOURCES if any(name in path.read_text(encoding="utf-8") for name in names)]
    own = {REPOSITORY / "training" / "evaluation" / name for name in ("metrics.py", "ssimulacra2.py")}
    assert set(naming) == own, "the list, and how it is computed"
    assert f"## {newest.title}" in (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")


def test_the_results_table_and_what_is_taken_away_have_it(
    metric, visitor, engine, pictures, photograph
) -> None:
    visitor.form = RestoreForm(door="experiment", saves="once", first_quality=15, model_names=("cascade",))
    pages = visitor.restore(photograph)
    outputs, table = visitor.run.outputs, [page.results for page in pages if page.results is not None][-1]
    expected = metric.compute(outputs.restorations["cascade"].pixels, outputs.original)
    assert [column["title"] for column in table["columns"]].count(metric.title) == 1
    cells = {row["id"]: row["cells"][metric.name]["text"] for row in table["rows"]}
    assert cells["cascade"] == f"{expected:.3f} levels"
    assert metric.brief in table["convention"]
    takeaway = TakeawayHandlers(engine, pictures)
    page = takeaway.make_page({}, visitor.session, visitor.run).takeaway["file"]
    text = Path(page["path"]).read_text(encoding="utf-8")
    assert f'<th scope="col">{metric.title}</th>' in text and f"<td>{expected:.3f} levels</td>" in text
    archive = takeaway.make_zip({}, visitor.session, visitor.run).takeaway["file"]
    with zipfile.ZipFile(archive["path"]) as file:
        (name,) = [name for name in file.namelist() if name.endswith("report.json")]
        report = json.loads(file.read(name))
    (result,) = [result for result in report["results"] if result["name"] == "cascade"]
    assert result["metrics"][metric.name] == expected and metric.convention in report["convention"]


def test_sweeps_draw_it_and_write_it(metric, zoo, photograph, tmp_path) -> None:
    handlers = SweepHandlers(zoo, Sweeper(zoo, ResultCache(2**24)), PictureFolder(tmp_path, 600))
    form = SweepForm(lowest=10, highest=60, step=25, model_names=["cascade"])
    last = handlers.started(Session(photograph), SweepRecord(), form)
    assert last.record is not None
    record = last.record.of(SweepRecord())
    for page in handlers.swept(record):
        assert page.record is not None
        record, last = page.record.of(record), page
    assert last.curves is not None
    assert [chart["label"] for chart in last.curves["charts"]][-1] == metric.title
    with open(last.curves["files"][0]["file"]["path"], encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert any(metric.convention in line for line in lines if line.startswith("#"))
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    points = [point.metrics[metric.name] for point in record.current.points]
    assert [float(row[metric.name]) for row in rows] == pytest.approx(points) and min(points) > 0


def test_reports_of_batches_have_it(metric, checkpoints, photograph, tmp_path) -> None:
    source = tmp_path / "clear.png"
    source.write_bytes(photograph.image.data)
    settings = BatchSettings(("plain",), Degradation((Save(10),)))
    restorer = BatchRestorer(Zoo(checkpoints, "cpu"), settings, tmp_path / "out")
    rows = restorer.restore(BatchPicture(source, "clear"))
    table = csv_report(rows, settings)
    (row,) = csv.DictReader(StringIO("".join(f"{line}\n" for line in table.splitlines() if line[0] != "#")))
    assert float(row[metric.name]) == float(row[f"degraded_{metric.name}"]) > 0
    assert metric.convention in table
    (result,) = json.loads(json_report(rows, settings))["results"]
    assert result["record"]["metrics"]["restored"][metric.name] == float(row[metric.name])


def test_programs_get_it(metric, engine, photograph, tmp_path) -> None:
    api = Api(engine, lambda data, name: open_photograph(data, name), PictureFolder(tmp_path, 600))
    degraded = engine.broken(photograph.key, photograph.image, Degradation((Save(10),)))
    files = [{"path": data, "orig_name": "a"} for data in (degraded.image.data, photograph.image.data)]
    answer = api.measure(*files)
    assert answer["metrics"][metric.name] == metric.compute(degraded.image.pixels, photograph.image.pixels)
    assert metric.convention in answer["convention"]


def test_scores_tables_and_the_catalog_have_it_beside_scores_of_before(checkpoints, tmp_path) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "checkpoints")
    cards = {card.name: card for card in Zoo(folder, "cpu").cards() if card.architecture}
    row = {
        "condition": "QF 10",
        "quality_factor": 10,
        "double": None,
        "psnr_db": 25.5,
        "ssim": 0.75,
        "psnr_b_db": 25.0,
    }
    files = {
        name: ScoreFile(folder / name / "scores.json", weights_of(folder / name, card))
        for name, card in cards.items()
    }
    for name, file in files.items():
        file.add(Setting("LIVE1"), rows=[row | {"model": model} for model in ("none", name)])
    before = similarity_table(measured_models(folder))
    with another_metric() as metric:
        assert similarity_table(measured_models(folder)) == before
        assert "25.50" in scores_markup("cascade", known_scores(folder / "cascade", cards["cascade"]))
        for name, file in files.items():
            file.add(
                Setting("LIVE1"), rows=[row | {"model": model, metric.name: 4.5} for model in ("none", name)]
            )
        table = similarity_table(measured_models(folder))
        assert f"{metric.title} in levels" in table and "0.7500 / 25.00 / 4.500" in table
        markup = scores_markup("cascade", known_scores(folder / "cascade", cards["cascade"]))
        assert f"<th scope='col'>{metric.title}</th>" in markup and "<td>4.500</td>" in markup
    assert similarity_table(measured_models(folder)) == before
