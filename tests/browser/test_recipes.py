"""A way to damage a picture is chosen by name, saved to a file, and opened again."""

import json

import pytest

from studio.restore.recipes import RECIPES

pytestmark = pytest.mark.browser


def test_a_recipe_is_chosen_saved_and_opened_again(open_page):
    page = open_page()
    recipe = page.locator("#recipe")
    recipe.get_by_label("Recipe").select_option("resized")
    words = RECIPES["resized"].degradation.words()
    page.locator("#bench-facts").get_by_text(words).wait_for(timeout=60_000)
    assert page.get_by_label("number input for Second quality factor", exact=True).input_value() == "60"
    assert "saves=twice" in page.url and "resize=50" in page.url
    with page.expect_download() as waiting:
        recipe.get_by_role("button", name="Save as recipe").click()
    with open(waiting.value.path(), encoding="utf-8") as stream:
        saved = stream.read()
    assert [step.get("factor") for step in json.loads(saved)["steps"]] == [None, 0.5, None]

    recipe.get_by_label("Recipe").select_option("messenger")
    page.locator("#bench-facts").get_by_text("then 70").wait_for(timeout=60_000)
    chooser = recipe.locator("input[type=file]")
    chooser.set_input_files({"name": "mine.json", "mimeType": "application/json", "buffer": saved.encode()})
    page.locator("#bench-facts").get_by_text(words).wait_for(timeout=60_000)
    chooser.set_input_files({"name": "no.json", "mimeType": "application/json", "buffer": b"[3"})
    recipe.locator(".trouble").get_by_text("The file is no recipe").wait_for()
    assert page.get_by_label("number input for Second quality factor", exact=True).input_value() == "60"
