"""Photographs every tab of a running studio for docs/images: desktop and phone, light and dark.

python tests/browser/take_screenshots.py [--address http://127.0.0.1:7860] [--to docs/images] [--only repair,sweep]
"""

import argparse
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.browser.conftest import CHROMIUM, go_to, wait_until_idle
from tests.browser.test_lessons import open_tab

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
PATIENCE_SECONDS = 600
WEBP_QUALITY = 90


def repair(page: Page) -> None:
    """The first visit: an example, damaged and repaired."""


def experiment(page: Page) -> None:
    """The same picture, and what several models make of it."""
    go_to(page, "Experiment")
    page.wait_for_function("() => document.documentElement.dataset.door === 'experiment'")
    page.click("#restore-button")
    page.wait_for_function("() => document.querySelectorAll('#results tr[data-state=done]').length > 3")
    wait_until_idle(page, PATIENCE_SECONDS)


def anatomy(page: Page) -> None:
    """The file of the first visit, with a block chosen on the petals of the flower."""
    open_tab(page, "Anatomy")
    page.wait_for_selector("#anatomy-facts table, #anatomy-facts dl", state="visible")


def sweep(page: Page) -> None:
    """A finished sweep over quality factors."""
    open_tab(page, "Sweep")
    page.wait_for_selector("#sweep-plan p")
    page.click("#sweep-run")
    page.wait_for_selector("#sweep-reading .reading")
    page.wait_for_function("() => document.querySelector('#sweep-stop').disabled")


def train(page: Page) -> None:
    """The latest training run, or the recipe alone where there is none."""
    open_tab(page, "Train")
    page.wait_for_selector("#train-button", state="visible")


def lessons(page: Page) -> None:
    """The first lesson."""
    open_tab(page, "Lessons")
    page.wait_for_selector("#lessons-page h2", state="visible")


def models(page: Page) -> None:
    """Figures and table."""
    open_tab(page, "Models")
    page.wait_for_selector("#models-costs .plot[data-drawn]", state="visible")


SCENES: dict[str, Callable[[Page], None]] = {
    scene.__name__: scene for scene in (repair, experiment, anatomy, sweep, train, lessons, models)
}


def main() -> None:
    """Take what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:7860")
    parser.add_argument("--to", type=Path, default=Path("docs/images"))
    parser.add_argument("--only", type=lambda names: names.split(","), default=list(SCENES))
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=options)
        for scene in asked.only:
            for size, (width, height) in SIZES.items():
                for look in ("light", "dark"):
                    page = chromium.new_page(
                        viewport={"width": width, "height": height}, color_scheme=look, device_scale_factor=1
                    )
                    page.set_default_timeout(1000 * PATIENCE_SECONDS)
                    page.goto(f"{asked.address}/?__theme={look}")
                    wait_until_idle(page, PATIENCE_SECONDS)
                    SCENES[scene](page)
                    page.wait_for_timeout(1500)
                    picture = Image.open(BytesIO(page.screenshot()))
                    path = asked.to / f"{scene}-{size}-{look}.webp"
                    picture.convert("RGB").save(path, quality=WEBP_QUALITY, method=6)
                    print(path, path.stat().st_size // 1024, "kB", flush=True)
                    page.close()
        chromium.close()


if __name__ == "__main__":
    main()
