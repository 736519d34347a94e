"""A person's way through the Train tab with the real trainer: start, watch, reload, stop, resume, use it, compare."""

import json
import signal
import subprocess

import psutil
import pytest
import torch

from models.card import ModelCard, read_card
from models.networks.ar_cnn import ArCnn
from models.zoo import save_checkpoint
from tests.browser.conftest import go_to
from tests.browser.server import Server
from tests.present import present
from training.config import TrainConfig
from training.run_state import ProcessFile, ProcessMark

pytestmark = pytest.mark.browser

PATIENCE = 240_000
"""Milliseconds for anything a trainer or a model has to do first."""

TINY = {
    "name": "tiny",
    "architecture": "cascade",
    "hyperparameters": {"widths": [8, 8, 8], "blocks": [1, 1, 1], "embedding": 8, "periods": 2, "summary": 8},
    "card": {"title": "Tiny", "summary": "For tests.", "paper": "None."},
    "data": {
        "train": ["skimage"],
        "validation": "skimage",
        "patch_sizes": [32],
        "batch_sizes": [2],
        "workers": 0,
        "validation_size": 64,
    },
    "optimizer": {"steps": 100_000, "learning_rate": 0.002, "ema": 0.9, "warmup_steps": 5},
    "runtime": {
        "precision": "fp32",
        "compile": False,
        "validate_every": 20,
        "save_every": 20,
        "log_every": 5,
    },
}
OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """One small model, so that pages are there quickly."""
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(3)
    card = ModelCard("ar_cnn", "AR-CNN", "ar_cnn", "Untrained.", "None.", color="planes", mmac_per_pixel=0.1)
    save_checkpoint(folder / "ar_cnn", ArCnn(), card)
    return folder


@pytest.fixture(scope="module")
def server(checkpoints, tmp_path_factory, served):
    server = Server(tmp_path_factory.mktemp("studio"), checkpoints, served)
    server.start()
    yield server
    server.kill(signal.SIGTERM)
    for folder in server.runs.glob("*"):
        trainer = ProcessFile.read(folder / "process.json").trainer
        if trainer is not None and trainer.is_alive():
            psutil.Process(trainer.pid).kill()
    assert "Traceback" not in server.log.read_text(), server.log.read_text()


@pytest.fixture(scope="module")
def address(server):
    return server.address


@pytest.fixture
def open_train(open_page):
    """open_train(width, height) -> a page with the Train tab in front."""

    def open_one(width=1440, height=900, query=""):
        page = open_page(width, height, query)
        page.set_default_timeout(PATIENCE)
        enter(page)
        return page

    return open_one


def enter(page):
    go_to(page, "Train")
    page.wait_for_function("() => document.querySelector('#train-name :is(input, textarea)').value")


def write_yaml(page, entries):
    """Into the editor, as somebody who pastes."""
    page.locator("#train-recipe label", has_text="YAML").click()
    page.locator("#train-form").wait_for(state="hidden")
    page.locator("#train-yaml .cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(json.dumps(entries))
    page.locator("#train-recipe label", has_text="Form").click()
    page.locator("#train-yaml").wait_for(state="hidden")


def setting(page, path):
    return page.locator(f"#train-form [data-path='{path}']")


def shows(page, path, value):
    page.wait_for_function(
        "([path, value]) => document.querySelector(`#train-form [data-path='${path}']`)?.value === value",
        arg=[path, value],
    )


def named(page, name):
    page.wait_for_function(
        "(name) => document.querySelector('#train-name :is(input, textarea)').value === name", arg=name
    )


def button(page, words):
    page.wait_for_function(
        "(words) => document.querySelector('#train-button').textContent.trim() === words", arg=words
    )


def state(page, *kinds):
    page.wait_for_selector(", ".join(f"#train-head [data-state={kind}]" for kind in kinds), state="attached")


def steps(page):
    return int(page.locator("#train-facts dt:text-is('Step') + dd").inner_text().replace(",", ""))


def reaches(page, step):
    page.wait_for_function(
        """(step) => [...document.querySelectorAll('#train-facts dt')].some((one) => one.textContent === 'Step'
            && Number(one.nextSibling.textContent.replaceAll(',', '')) >= step)""",
        arg=step,
    )


def row(page, name):
    return page.locator(f"#train-runs tr[data-name='{name}']")


def test_form_and_yaml_stay_in_step_and_name_every_problem(open_train):
    page = open_train()
    assert "press Start" in page.locator("#train-empty").inner_text()
    write_yaml(page, TINY)
    shows(page, "optimizer.steps", "100000")
    named(page, "tiny")
    setting(page, "optimizer.learning_rate").fill("1e-3")
    setting(page, "optimizer.learning_rate").press("Tab")
    page.locator("#train-recipe label", has_text="YAML").click()
    page.locator("#train-yaml .cm-line", has_text="learning_rate: 0.001").wait_for()
    page.locator("#train-recipe label", has_text="Form").click()
    setting(page, "data.patch_sizes").fill("33")
    setting(page, "data.patch_sizes").press("Tab")
    page.wait_for_selector("#train-problems li")
    setting(page, "optimizer.steps").fill("many")
    setting(page, "optimizer.steps").press("Tab")
    page.wait_for_function("() => document.querySelectorAll('#train-problems li').length === 2")
    assert "whole number" in page.locator("#train-problems").inner_text()
    assert setting(page, "data.patch_sizes").get_attribute("aria-invalid") == "true"
    page.click("#train-button")
    page.wait_for_selector("#train-notice .notice", state="visible")
    assert "has problems" in page.locator("#train-notice").inner_text()
    write_yaml(page, {**TINY, "optimiser": {}, "architecture": "cascad"})
    page.wait_for_function(
        "() => document.querySelector('#train-problems').innerText.includes('did you mean optimizer?')"
    )
    assert "did you mean cascade?" in page.locator("#train-problems").inner_text()
    page.locator("#train-recipe label", has_text="YAML").click()
    page.locator("#train-yaml .cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("name: [unclosed")
    page.wait_for_function(
        "() => document.querySelector('#train-problems').innerText.includes('no valid YAML')"
    )
    page.locator("#train-recipe label", has_text="Form").click()
    page.wait_for_selector("#train-form .closed", state="visible")
    assert setting(page, "optimizer.steps").is_disabled()
    assert setting(page, "optimizer.learning_rate").input_value() == "0.002"


def test_networks_and_photographs_change_the_recipe(open_train):
    page = open_train()
    page.locator("#train-network input").click()
    page.get_by_role("option", name="ar_cnn", exact=True).click()
    page.wait_for_function(
        "() => document.querySelector('#train-recipe').innerText.includes('106.6 k parameters')"
    )
    shows(page, "loss.squared_share", "0.4")  # AR-CNN's own
    shows(page, "optimizer.minutes", "1.9")
    assert page.locator("#train-problems li").count() == 0
    page.locator("#train-photographs input").fill("/nowhere/at/all")
    page.locator("#train-photographs input").press("Enter")
    page.wait_for_selector("#train-problems li")
    assert "/nowhere/at/all" in page.locator("#train-problems").inner_text()


def test_the_whole_journey(open_train, server, checkpoints):
    page = open_train()
    write_yaml(page, TINY)
    named(page, "tiny")
    button(page, "Start tiny")
    page.click("#train-button")
    page.wait_for_selector("#train-head [data-state=starting] [data-passed]")
    words = page.locator("#train-head .train-state")
    before = words.inner_text()
    assert any(each in before for each in ("Starting the trainer", "Loading", "Measuring", "First step"))
    assert before.endswith(" s")
    button(page, "Stop")
    state(page, "running")
    reaches(page, 25)
    page.wait_for_selector("#train-charts .plot[data-drawn=Validation]")
    page.wait_for_selector("#train-viewer canvas[data-ready=true]", state="visible")
    trainer = ProcessFile.read(server.runs / "tiny" / "process.json").trainer
    assert trainer is not None and trainer.is_alive()

    page.reload()  # nothing changes for the run
    enter(page)
    state(page, "running")
    assert ProcessFile.read(server.runs / "tiny" / "process.json").trainer == trainer and trainer.is_alive()
    second = open_train()  # a second page sees the same run
    state(second, "running")
    assert second.locator("#train-head h2").inner_text() == "tiny"
    button(second, "Stop")
    second.click("#train-button")
    second.wait_for_function("() => /Saving|stopped/.test(document.querySelector('#train-head').innerText)")
    state(second, "stopped")
    state(page, "stopped")
    button(page, "Resume tiny")
    assert not trainer.is_alive() and (server.runs / "tiny" / "last.pt").exists()
    stopped_at = steps(page)

    page.click("#train-button")
    state(page, "running")
    reaches(page, stopped_at + 25)
    button(page, "Stop")
    page.click("#train-button")
    state(page, "stopped")
    resumed = [json.loads(line) for line in (server.runs / "tiny" / "events.jsonl").read_text().splitlines()]
    starts = [event["step"] for event in resumed if event["kind"] == "start"]
    assert starts == [0, stopped_at]

    row(page, "tiny").get_by_role("button", name="Use it").click()
    page.wait_for_selector("#restore-button", state="visible")
    page.wait_for_function("() => document.activeElement.textContent.trim() === 'Experiment'")
    experiment = page.get_by_role("tab", name="Experiment", exact=True)
    assert experiment.get_attribute("aria-selected") == "true"
    card = read_card(server.runs / "published" / "tiny" / "card.yaml")
    assert card.title == "Tiny (tiny)" and present(card.trained).steps > 0
    tick = page.locator("#steps .models label", has_text="Tiny (tiny)").locator("input")
    assert tick.is_checked()
    page.click("#restore-button")
    page.wait_for_selector("#results tr[data-id=tiny][data-state=done]")
    go_to(page, "Models")
    page.wait_for_selector("#models-page tbody[data-name=tiny]")

    enter(page)
    write_yaml(
        page,
        {**TINY, "name": "other", "optimizer": {**TINY["optimizer"], "steps": 30, "learning_rate": 0.001}},
    )
    named(page, "other")
    page.click("#train-another")
    button(page, "Start other")
    page.click("#train-button")
    state(page, "finished")
    for name in ("tiny", "other"):
        row(page, name).locator("input").check()
    page.get_by_role("button", name="Compare 2").click()
    page.wait_for_selector("#train-comparison .plot[data-drawn=Validation]")
    lines = page.evaluate(
        "() => document.querySelector('#train-comparison .plot').data.map((one) => one.name)"
    )
    assert sorted(lines) == ["other", "tiny"]
    page.wait_for_selector("#train-differences table", state="visible")
    differences = page.locator("#train-differences").inner_text()
    assert (
        "optimizer.learning_rate" in differences
        and "0.001" in differences
        and "optimizer.steps" in differences
    )

    row(page, "other").get_by_role("button", name="Delete").click()
    row(page, "other").get_by_role("button", name="Keep").click()
    row(page, "other").get_by_role("button", name="Delete").click()
    row(page, "other").get_by_role("button", name="for good").click()
    row(page, "other").wait_for(state="detached")
    assert not (server.runs / "other").exists() and (server.runs / "tiny").exists()

    row(page, "tiny").get_by_role("button", name="Delete").click()
    assert "the run and its model" in row(page, "tiny").inner_text()
    row(page, "tiny").get_by_role("button", name="for good").click()
    row(page, "tiny").wait_for(state="detached")
    assert not (server.runs / "tiny").exists() and not (server.runs / "published" / "tiny").exists()
    experiment.click()
    assert tick.count() == 0


def test_a_run_survives_its_server_and_the_next_one_stops_it(open_train, server):
    page = open_train()
    write_yaml(page, {**TINY, "name": "orphan"})
    named(page, "orphan")
    button(page, "Start orphan")
    page.click("#train-button")
    state(page, "running")
    trainer = ProcessFile.read(server.runs / "orphan" / "process.json").trainer
    assert trainer is not None
    page.goto("about:blank")
    server.kill()
    assert ProcessMark.of(trainer.pid) is not None and trainer.is_alive()
    server.start()
    later = open_train()
    state(later, "running")
    before = steps(later)
    reaches(later, before + 10)
    assert trainer.is_alive()
    button(later, "Stop")
    later.click("#train-button")
    state(later, "stopped")
    assert not trainer.is_alive()


def test_the_command_in_the_page_does_the_same_in_a_terminal(open_train, server):
    page = open_train()
    write_yaml(page, {**TINY, "name": "typed", "optimizer": {**TINY["optimizer"], "steps": 20}})
    named(page, "typed")
    page.wait_for_function(
        "() => document.querySelector('#train-command pre').textContent.includes('/typed')"
    )
    page.locator("#train-command button").click()
    page.wait_for_function(
        "() => document.querySelector('#train-command .note').textContent.includes('was written')"
    )
    config = TrainConfig.from_yaml(server.runs / "typed" / "config.yaml")
    assert config.optimizer.steps == 20
    line = page.locator("#train-command pre").inner_text()
    subprocess.run(["sh", "-c", line], check=True, timeout=PATIENCE / 1000, cwd="/", capture_output=True)
    row(page, "typed").locator("th button").click()
    state(page, "finished")


def test_a_run_that_learned_nothing_offers_more_time(open_train, server):
    page = open_train()
    vain = {**TINY["optimizer"], "minutes": 0.02, "learning_rate": 1e-9, "final_learning_rate": 0.0}
    write_yaml(page, {**TINY, "name": "vain", "optimizer": vain})
    named(page, "vain")
    button(page, "Start vain")
    page.click("#train-button")
    state(page, "finished")
    assert "it learned nothing" in page.locator("#train-head").inner_text()
    assert "it learned nothing" in row(page, "vain").inner_text()
    button(page, "10 more minutes")
    page.click("#train-button")
    state(page, "running")
    config = TrainConfig.from_yaml(server.runs / "vain" / "config.yaml")
    assert config.optimizer.minutes == pytest.approx(10.1, abs=0.15)
    button(page, "Stop")
    page.click("#train-button")
    state(page, "stopped")


def test_on_phones_start_needs_no_scrolling(open_train):
    page = open_train(390, 844)
    button(page, "Start tiny-cpu")
    for top in (0, 400, 10_000):
        page.evaluate("(top) => window.scrollTo(0, top)", top)
        box = page.locator("#train-button").bounding_box()
        assert box["height"] >= 44 and box["y"] > 700 and box["y"] + box["height"] <= 844
        hit = "([x, y]) => document.elementFromPoint(x, y).closest('#train-button') !== null"
        assert page.evaluate(hit, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    assert not page.locator("#train-empty").is_visible()
    command = page.locator("#train-command").bounding_box()
    assert command["y"] + command["height"] <= box["y"], "the last of the recipe can be read above it"


def test_phones_show_everything_without_scrolling_sideways(open_train, server):
    page = open_train(390, 844)
    page.locator("#train-runs th button").first.click()
    page.wait_for_selector("#train-charts .plot[data-drawn]")
    assert page.evaluate(OVERFLOW) <= 0
    box = page.locator("#train-button").bounding_box()
    assert box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 390
