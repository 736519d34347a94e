"""Figures show what was measured, look the same everywhere, need no network, and go where the document has a place."""

import os
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from plotly import graph_objects

from models.errors import InvalidSetting
from models.zoo import ARCHITECTURES
from tests.paths import REPOSITORY
from tests.present import present
from training.evaluation.style import FAMILIES, look_of, weakest_first
from training.experiments.analyses import ANALYSES, main
from training.experiments.measurements import Measurements, read_measurements
from training.experiments.pages import SCRIPT, WIDTH, put_between
from training.experiments.patches import CLASSES
from training.experiments.picture_sizes import DIVISORS

DOCUMENT = REPOSITORY / "docs" / "analyses.md"
MODELS = {"none": 0.0, "ar_cnn": 0.8, "cascade": 1.6}
needs_browser = pytest.mark.skipif(
    not (os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")),
    reason="no Chromium; set CHROMIUM to one",
)


def conditions(name: str) -> list[dict]:
    """What tells the rows of an analysis apart."""
    if name == "picture-size":
        return [{"divisor": divisor, "quality_factor": each} for divisor in DIVISORS for each in (10, 50)]
    if name == "patches":
        return [
            {"by": kind, "class": each, "patches": 7} for kind in ("frequency", "detail") for each in CLASSES
        ]
    return [{"quality_factor": each} for each in (10, 20, 50)]


def write_content(name: str, path: Path) -> dict:
    """Made-up measurements of plain decoding and two models, with the first models' rows last."""
    scope = {"data": "LIVE1", "pictures": 3} | ({"quality_factor": 10} if name == "patches" else {})
    kept = Measurements(path, scope)
    for model, gain in reversed(MODELS.items()):
        for number, where in enumerate(conditions(name)):
            cost = {
                "parameters": 10**6,
                "mmac_per_pixel": 0.2,
                "megapixels_per_second": 2.0 + number,
                "machine": "M",
            }
            values = {"psnr_db": 30 + gain + number, "gain_db": gain * (1 + number), "ssim": 0.8 + gain / 50}
            kept.add({"model": model, "weights": model, **where}, values | cost)
    return read_measurements(path)


def curves(figure: graph_objects.Figure) -> list[graph_objects.Scatter]:
    traces = list(figure.select_traces())
    found = [trace for trace in traces if isinstance(trace, graph_objects.Scatter)]
    assert len(found) == len(traces)
    return found


@pytest.mark.parametrize("name", ANALYSES)
def test_a_figure_has_titles_units_and_a_trace_per_model(name: str, tmp_path: Path) -> None:
    figure = ANALYSES[name].draw(write_content(name, tmp_path / "x.json"))
    assert figure.layout.title.text and "LIVE1, 3 pictures" in figure.layout.title.subtitle.text
    assert figure.layout.paper_bgcolor == "white"
    traces = curves(figure)
    named = [trace for trace in traces if trace.showlegend is not False]
    expected = ["cascade", "ar_cnn"] + (["plain decoding"] if name == "psnr-ssim" else [])
    assert [trace.name for trace in named] == expected
    for trace in traces:
        drawn = trace.to_plotly_json()
        look = look_of("none" if drawn["name"] == "plain decoding" else drawn["name"])
        assert (drawn["marker"]["color"], drawn["marker"]["symbol"]) == (look.color, look.symbol)
    titles = [axis.title.text for axis in figure.select_yaxes() if axis.title.text]
    assert titles and all(title.endswith("dB") for title in titles)
    assert all(axis.title.text for axis in figure.select_xaxes())


def test_curves_show_the_measured_gains(tmp_path: Path) -> None:
    content = write_content("quality-factor", tmp_path / "x.json")
    [cascade, ar_cnn] = curves(ANALYSES["quality-factor"].draw(content))
    assert cascade.x == (10, 20, 50) and cascade.y == pytest.approx((1.6, 3.2, 4.8))
    assert ar_cnn.y == pytest.approx((0.8, 1.6, 2.4))
    content = write_content("picture-size", tmp_path / "y.json")
    cascade, _ = curves(ANALYSES["picture-size"].draw(content))
    assert cascade.x == ("1/16", "1/9", "1/4", "1") and cascade.y == pytest.approx((2.4, 5.6, 8.8, 12.0))
    content = write_content("patches", tmp_path / "z.json")
    cascade, *_ = curves(ANALYSES["patches"].draw(content))
    assert [label.split("<br>") for label in cascade.to_plotly_json()["x"]][0] == ["low", "30.0 dB"]
    assert cascade.y == pytest.approx([1.6 * (1 + number) for number in range(5)])


def test_short_trainings_have_a_panel_of_their_own(tmp_path: Path) -> None:
    kept = Measurements(tmp_path / "x.json", {"data": "LIVE1", "pictures": 3})
    write_content("quality-factor", tmp_path / "x.json")
    kept = Measurements(tmp_path / "x.json", kept.scope)
    for name, lowest, highest in (("2-range", 5, 95), ("1-only-10", 10, 10)):
        facts = {
            "title": name.title(),
            "petaflop": 0.25,
            "lowest_trained": lowest,
            "highest_trained": highest,
        }
        key = {"model": name, "weights": name, "quality_factor": 10}
        kept.add(key, {"psnr_db": 26.0, "gain_db": 0.5, "ssim": 0.8, "steered": False, **facts})
    content = read_measurements(kept.path)
    figure = ANALYSES["quality-factor"].draw(content)
    traces = curves(figure)
    assert [trace.name for trace in traces] == ["1-Only-10", "2-Range", "cascade", "ar_cnn"]
    assert [trace.xaxis for trace in traces] == ["x", "x", "x2", "x2"]
    assert "the cascade, 0.25 PFLOP of training each" in [each.text for each in figure.layout.annotations]
    assert "| 2-Range | +0.50 | – | – |" in ANALYSES["quality-factor"].table(content)


def test_tables_hold_the_measured_numbers(tmp_path: Path) -> None:
    def lines(name: str) -> list[str]:
        return ANALYSES[name].table(write_content(name, tmp_path / f"{name}.json")).splitlines()

    assert lines("quality-factor")[2:] == [
        "| plain decoding, PSNR | 30.00 | 31.00 | 32.00 |",
        "| `ar_cnn` | +0.80 | +1.60 | +2.40 |",
        "| `cascade` | +1.60 | +3.20 | +4.80 |",
    ]
    assert lines("picture-size")[-1] == "| `cascade` | +2.40 | +5.60 | +8.80 | +12.00 |"
    assert len([line for line in lines("patches") if line.startswith("| `cascade`")]) == 2
    assert lines("psnr-ssim")[2:4] == [
        "| plain decoding | 30.00 / 0.8000 | 31.00 / 0.8000 | 32.00 / 0.8000 |",
        "| `ar_cnn` | 30.80 / 0.8160 | 31.80 / 0.8160 | 32.80 / 0.8160 |",
    ]
    assert lines("cost")[-3] == "| `cascade` | +2.40 | 1.00 | 0.200 | 2.50 |"


def test_models_look_different_and_the_same_everywhere() -> None:
    looks = {name: look_of(name) for name in FAMILIES}
    assert (
        len({look.color for look in looks.values()})
        == len({look.symbol for look in looks.values()})
        == len(looks)
    )
    assert set(ARCHITECTURES) <= set(FAMILIES)
    small = look_of("luma_chroma-small")
    assert (
        small.color == look_of("luma_chroma").color
        and small.symbol.endswith("-open")
        and small.dash != "solid"
    )
    assert look_of("unheard-of") == look_of("unheard-of") and look_of("qcnx").color not in FAMILIES.values()
    assert weakest_first([("a", 1.0), ("b", 0.5), ("a", 0.0), ("b", 0.6)]) == ["a", "b"]


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A document with all places, and a folder of figures."""
    places = [f"<!-- figure: {name} -->\nold\n<!-- end of figure: {name} -->\n" for name in ANALYSES]
    (tmp_path / "page.md").write_text("above\n" + "\n".join(places) + "below\n")
    return ["--figures", str(tmp_path / "figures"), "--document", str(tmp_path / "page.md")]


@needs_browser
def test_one_command_measures_draws_and_documents(arguments, tmp_path, pictures, checkpoints) -> None:
    measured = [
        "--data",
        str(pictures),
        "--checkpoints",
        str(checkpoints),
        "--model",
        "ar_cnn",
        "--device",
        "cpu",
    ]
    command = ["picture-size", *arguments]
    assert main([*command, *measured, "--quality-factors", "10", "--limit", "1"]) == 0
    files = {name: tmp_path / "figures" / name for name in ("picture-size.html", "picture-size.png", SCRIPT)}
    markup = files["picture-size.html"].read_text()
    assert f'src="{SCRIPT}"' in markup and files[SCRIPT].stat().st_size > 1e6
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", markup) and len(markup) < 50_000
    with Image.open(files["picture-size.png"]) as picture:
        assert picture.width == 2 * WIDTH and len(present(picture.convert("RGB").getcolors(10**6))) > 50
    text = (tmp_path / "page.md").read_text()
    assert text.startswith("above") and text.endswith("below\n") and text.count("old") == len(ANALYSES) - 1
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (tmp_path / target).exists()
    numbers = (tmp_path / "figures" / "picture-size.json").read_bytes()
    assert main([*command, "--redraw"]) == 0
    assert (tmp_path / "page.md").read_text() == text
    assert (tmp_path / "figures" / "picture-size.json").read_bytes() == numbers


def test_what_cannot_be_done_is_a_sentence(arguments, tmp_path, capsys) -> None:
    assert main(["cost", "--redraw", *arguments]) == 2
    assert "cannot be read" in capsys.readouterr().err
    Measurements(tmp_path / "figures" / "cost.json", {"data": "A"}).replace(
        [{"model": "none", "weights": ""}]
    )
    assert main(["cost", "--redraw", *arguments]) == 2
    assert "no measured model yet" in capsys.readouterr().err
    assert main(["patches", *arguments]) == 2
    assert "Name one with --data" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["cost", "--limit", "0", *arguments])


def test_without_a_browser_all_but_the_picture_is_made(arguments, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    write_content("cost", tmp_path / "figures" / "cost.json")
    assert main(["cost", "--redraw", *arguments]) == 2
    assert "no Chromium was found" in capsys.readouterr().err
    assert (tmp_path / "figures" / "cost.html").exists()
    assert "| `cascade` |" in (tmp_path / "page.md").read_text()


def test_the_document_has_a_place_for_every_figure(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ANALYSES:
        assert text.count(f"<!-- figure: {name} -->") == text.count(f"<!-- end of figure: {name} -->") == 1
        assert f"python -m training.experiments.analyses {name} " in text
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(InvalidSetting, match="has no place"):
        put_between(page, "<!-- a -->", "<!-- b -->", "text")
    with pytest.raises(InvalidSetting, match="cannot be read"):
        put_between(tmp_path / "none.md", "<!-- a -->", "<!-- b -->", "text")
