"""The Models tab: numbers equal the score files, printed figures are all there, own models are marked and can go."""

import json
import re
import shutil
import time
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.errors import InvalidSetting, RestorationError
from models.zoo import Zoo
from studio.catalog.cards import linked
from studio.catalog.crops import CROPS_FOLDER, ORIGINAL, Crop, CropSeries, read_crops
from studio.catalog.handlers import CatalogHandlers
from studio.catalog.printed import peers, printed_elsewhere, printed_tables
from studio.catalog.rows import COLOR, catalog_rows
from studio.catalog.view import COLUMNS, COMPARED, NO_CHART, OFFERED, cells_of, cost_chart, crops_markup
from studio.session.examples import EXAMPLES
from studio.train.publish import withdraw
from tests.paths import REPOSITORY
from training.evaluation.metrics import psnr_db
from training.evaluation.published import literature

SHIPPED = REPOSITORY / "checkpoints"


@pytest.fixture(scope="module")
def shipped():
    return Zoo(SHIPPED, "cpu")


@pytest.fixture(scope="module")
def rows(shipped):
    return catalog_rows(shipped, shipped.cards())


@pytest.fixture
def own(checkpoints, tmp_path):
    """A zoo with one model that was trained here, and its folder."""
    shutil.copytree(checkpoints / "ar_cnn", tmp_path / "own" / "mine")
    card = tmp_path / "own" / "mine" / "card.yaml"
    card.write_text(card.read_text().replace("name: ar_cnn", "name: mine").replace("AR-CNN", "<i>Mine</i>"))
    return Zoo(checkpoints, "cpu", own_folder=tmp_path / "own")


@pytest.fixture
def handlers(own):
    return CatalogHandlers(own, {}, partial(withdraw, own.own_folder))


def scored(name: str) -> dict[int, dict]:
    """A model's rows of single saves at 4:2:0, straight from its file."""
    measured = json.loads((SHIPPED / name / "scores.json").read_text())["measurements"][COLOR.key]["rows"]
    singles = [
        row for row in measured if row["model"] == name and row["condition"] == f"QF {row['quality_factor']}"
    ]
    return {row["quality_factor"]: row for row in singles}


def body_of(markup: str, name: str) -> str:
    found = re.search(f"<tbody data-name='{name}'>.*?</tbody>(?=<tbody data-name|</table>)", markup)
    assert found is not None
    return found[0]


def models_of(handlers) -> str:
    markup = handlers.entered("seconds").models
    assert markup is not None
    return markup


def test_the_tables_numbers_are_those_of_the_score_files(rows):
    networks = [row for row in rows if row.card.architecture]
    assert len(networks) == len(list(SHIPPED.glob("*/scores.json")))
    for row in networks:
        found, cells = scored(row.card.name), {cell.label: cell for cell in cells_of(row)}
        assert [cell.label for cell in cells_of(row)][:3] == [f"QF {quality}" for quality in COMPARED]
        for quality in COMPARED:
            assert cells[f"QF {quality}"].value == found[quality]["gain_db"]
            assert float(cells[f"QF {quality}"].text.replace("−", "-")) == pytest.approx(
                found[quality]["gain_db"], abs=0.006
            )
        assert cells["Worse, QF 90"].value == found[90]["share_worse"]
        assert f"{abs(found[90]['worst_gain_db']):.2f} dB" in cells["Worse, QF 90"].more
        times = sorted(each["milliseconds_per_megapixel"] / 1000 for each in found.values())
        assert times[0] <= cells["s/MP"].value <= times[-1]
        size = (SHIPPED / row.card.name / "weights.safetensors").stat().st_size
        assert cells["MB"].value == pytest.approx(size / 1e6)


def test_the_table_comes_sorted_by_the_first_gain_and_unknown_ones_are_last(rows):
    gains = [row.gain_db(COMPARED[0]) for row in rows]
    known = [gain for gain in gains if gain is not None]
    assert gains == [*sorted(known, reverse=True), *[None] * (len(gains) - len(known))]
    assert [column.sorted for column in COLUMNS] == ["none", "descending", *["none"] * (len(COLUMNS) - 2)]


def test_the_figures_draw_the_measured_gains(rows):
    chart = cost_chart(rows, "seconds")
    assert [each["label"] for each in chart["charts"]] == [str(quality) for quality in OFFERED]
    for quality, each in zip(OFFERED, chart["charts"], strict=True):
        points = {trace["name"]: (trace["x"][0], trace["y"][0]) for trace in each["figure"]["data"]}
        for row in rows:
            if row.card.architecture:
                cost, gain = points.pop(row.card.title)
                assert gain == round(scored(row.card.name)[quality]["gain_db"], 3)
                assert cost == row.seconds_per_megapixel
        assert points == {}, "papers print no seconds"
    assert chart["charts"][0]["figure"]["layout"]["xaxis"]["type"] == "log"


def test_printed_networks_are_hollow_on_the_axis_of_operations(rows):
    plain = next(row for row in rows if row.card.name == "plain")
    traces = cost_chart(rows, "operations")["charts"][0]["figure"]["data"]
    hollow = {trace["name"]: trace for trace in traces if trace["marker"]["symbol"].endswith("-open")}
    filled = [trace["name"] for trace in traces if trace["name"] not in hollow]
    assert filled == [row.card.title for row in rows if row.card.architecture]
    told = {f"{peer.published.method}, printed": peer for peer in peers(10, plain)}
    assert hollow.keys() == told.keys() and "QGCN, printed" in told
    sources = {f"{source.method}, printed": source for source in literature().single_saves["LIVE1"]}
    for name, trace in hollow.items():
        assert trace["x"] == (sources[name].mmac,) or list(trace["x"]) == [sources[name].mmac]
        assert sources[name].source in trace["hovertemplate"]
    assert hollow["QGCN, printed"]["y"][0] == pytest.approx(27.84 - 25.60)


def test_every_printed_figure_is_in_the_tab_with_its_place(shipped, rows):
    markup = models_of(CatalogHandlers(shipped, {}))
    tables = [table for row in rows for table in printed_tables(row)] + printed_elsewhere(rows)
    printed = literature()
    every = [*printed.other_protocols]
    for sources in (*printed.single_saves.values(), *printed.double_saves.values()):
        every += sources
    assert {id(source) for source in every} == {id(table.published) for table in tables}
    for table in tables:
        assert [line.psnr_db for line in table.lines] == list(table.published.psnr_db.values())
    assert markup.count("<figure><table>") == len(tables)
    for said in ("QGCN, Table II", "HR-CNN, Table II", "Zini et al., Table IV", "SwinIR", "10, then 30"):
        assert said in markup
    assert "QGCN, Table II" in body_of(markup, "qcn") and "27.56" in body_of(markup, "qcn")
    qcn = next(table for row in rows if row.card.name == "qcn" for table in printed_tables(row))
    assert qcn.lines[0].here_psnr_db == scored("qcn")[10]["psnr_db"]


def test_own_models_are_marked_and_escaped_and_offer_to_be_withdrawn(handlers, own):
    body = body_of(models_of(handlers), "mine")
    assert "own, unmeasured" in body and "Withdraw for good" in body
    assert "<i>Mine" not in body and "&lt;i&gt;Mine" in body
    others = models_of(handlers)
    assert "Withdraw" not in body_of(others, "ar_cnn")
    public = models_of(CatalogHandlers(own, {}))
    assert "Withdraw" not in body_of(public, "mine")


def test_a_withdrawn_model_leaves_table_and_picker(handlers, own):
    page = handlers.withdrawn({"name": "mine"}, ["plain", "mine"], "seconds")
    assert "data-name='mine'" not in page.models and page.notice == ""
    assert page.model_names["value"] == ["plain"]
    assert "mine" not in [name for _, name in page.model_names["choices"]]
    assert not (own.own_folder / "mine").exists()


@pytest.mark.parametrize(
    "event", [{"name": "ar_cnn"}, {"name": "../own"}, {"name": None}, {}, {"name": ["mine"]}]
)
def test_only_own_models_can_be_withdrawn(handlers, own, event):
    with pytest.raises(RestorationError, match="Nothing was done"):
        handlers.withdrawn(event, None, "seconds")
    assert (own.own_folder / "mine" / "card.yaml").exists() and (own.folder / "ar_cnn" / "card.yaml").exists()


def test_nobody_withdraws_on_a_public_server(own):
    with pytest.raises(InvalidSetting, match="cannot be withdrawn"):
        CatalogHandlers(own, {}).withdrawn({"name": "mine"}, [], "seconds")
    assert (own.own_folder / "mine" / "card.yaml").exists()


def test_the_tab_follows_its_files_and_is_made_once_for_each_of_their_states(handlers, own):
    first = handlers.entered("seconds")
    assert body_of(first.models, "cascade")
    time.sleep(0.2)
    again = handlers.entered("seconds")
    assert handlers.entered("operations").models is again.models
    shutil.copytree(own.own_folder / "mine", own.own_folder / "other")
    card = own.own_folder / "other" / "card.yaml"
    card.write_text(card.read_text().replace("name: mine", "name: other"))
    assert body_of(models_of(handlers), "other")
    shutil.rmtree(own.own_folder / "other")
    assert "data-name='other'" not in models_of(handlers)


def test_try_it_ticks_that_model_alone_and_goes_to_restore(handlers):
    page = handlers.tried({"name": "cascade"})
    assert page.model_names["value"] == ["cascade"] and page.tabs == {"selected": "restore"}
    assert "cascade" in [name for _, name in page.model_names["choices"]]
    for event in ({"name": "none"}, {}, {"name": {}}):
        with pytest.raises(InvalidSetting, match="Choose another one"):
            handlers.tried(event)


def test_without_scores_the_tab_says_how_to_measure(handlers):
    page = handlers.entered(None)
    assert "training.evaluate" in page.intro and page.costs == page.qualities == NO_CHART
    assert page.cost == {"visible": False}


def test_conventions_and_machines_are_named_once(shipped):
    intro = CatalogHandlers(shipped, {}).entered("seconds").intro or ""
    for said in (
        "29 photographs of LIVE1",
        "4:2:0",
        "R, G and B",
        "minus that of plain decoding",
        "2 threads",
    ):
        assert intro.count(said) >= 1
    assert "torch" not in intro


def test_citations_link_to_their_papers(rows):
    links = {row.card.name: row.paper_link for row in rows}
    assert links["ar_cnn"] == "https://arxiv.org/abs/1504.06993" and links["plain"] == ""
    text = linked('<b>"A"</b>, doi:10.1109/X.2020.1; https://example.org/a?b=c, javascript:alert(1).')
    assert "&lt;b&gt;" in text and "href='https://doi.org/10.1109/X.2020.1'" in text
    assert "href='https://example.org/a?b=c'" in text and text.count("<a ") == 2
    assert "<script" not in linked("https://x/'><script>")


# ---------------------------------------------------------------- crops


def test_the_drawn_crops_are_what_their_file_says():
    series = read_crops()
    assert series is not None and series.picture in [each.title for each in EXAMPLES]
    drawn = {path.name for path in CROPS_FOLDER.glob("*.webp")}
    assert drawn == {ORIGINAL, *(crop.file_name for crop in series.crops)}
    assert sum(path.stat().st_size for path in CROPS_FOLDER.iterdir()) < 300_000
    pixels = {name: np.asarray(Image.open(CROPS_FOLDER / name)) for name in drawn}
    chosen = next(each for each in EXAMPLES if each.title == series.picture)
    whole = np.asarray(Image.open(BytesIO(chosen.read_bytes())).convert("RGB"))
    part = whole[series.top : series.top + series.side, series.left : series.left + series.side]
    assert np.array_equal(part, pixels[ORIGINAL])
    for crop in series.crops:
        assert psnr_db(pixels[crop.file_name], pixels[ORIGINAL]) == pytest.approx(crop.psnr_db, abs=0.006)


def test_every_shipped_model_has_a_crop(shipped):
    series = read_crops()
    assert series is not None
    drawn, there = {crop.model for crop in series.crops}, {card.name for card in shipped.cards()}
    assert drawn == there, "draw them anew: python -m assets.draw_crops"


def test_crops_of_replaced_weights_are_named_and_not_shown():
    series = CropSeries(
        "Cat", 10, "4:2:0", 0, 0, 8, (Crop("plain", 26.0), Crop("net", 27.0, "aa"), Crop("gone", 28.0, "bb"))
    )
    addresses = {name: f"at/{name}" for name in (ORIGINAL, "plain.webp", "net.webp", "gone.webp")}
    titles = {"plain": "Plain", "net": "<Net>"}
    shown = crops_markup(series, titles, {"net": "aa"}, addresses)
    assert (
        "at/net.webp" in shown
        and "27.00 dB" in shown
        and "&lt;Net&gt;" in shown
        and "at/gone.webp" not in shown
    )
    assert "changed since" not in shown
    outdated = crops_markup(series, titles, {"net": "cc"}, addresses)
    assert "at/net.webp" not in outdated and "changed since: &lt;Net&gt;" in outdated
    assert crops_markup(series, titles, {}, {}) == crops_markup(None, titles, {}, addresses) == ""
