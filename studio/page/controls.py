"""Controls that several tabs share: numbered headings, the bar that runs and stops, and the choice of models."""

import gradio as gr

from models.baselines import PLAIN
from models.card import ModelCard
from models.errors import RestorationError
from models.zoo import Zoo
from training.evaluation.measured_models import measured_model
from training.evaluation.score_files import Setting

LIGHT_MMAC = 0.3
"""1e6 multiply-accumulates per pixel that a processor does in about a second per megapixel; more is ticked by hand."""


def heading(number: int, words: str) -> gr.HTML:
    """A step's numbered heading."""
    return gr.HTML(f"<h2 class='step-title'><span>{number}</span>{words}</h2>")


def run_bar(words: str, run_id: str, stop_id: str, notice_id: str) -> tuple[gr.Button, gr.Button, gr.HTML]:
    """The button that runs the models, the one that stops them, and below them the sentence that refuses a press.

    It stays in sight at the bottom of the controls.
    """
    with gr.Column(elem_classes="run-bar"):
        with gr.Row(elem_classes="actions"):
            run = gr.Button(words, variant="primary", elem_id=run_id, elem_classes="run-button")
            stop = gr.Button("Stop", interactive=False, elem_id=stop_id, elem_classes="stop-button")
        notice = gr.HTML("", elem_id=notice_id)
    return run, stop, notice


def model_choices(cards: list[ModelCard]) -> list[tuple[str, str]]:
    """Titles and names for the picker."""
    return [(card.title, card.name) for card in cards]


def first_models(zoo: Zoo) -> list[str]:
    """What is ticked at first: what is light, comes with the studio, and has been measured.

    Not plain decoding, which the first row of the table shows anyway, and no model that somebody trained here.
    """
    light = (card for card in zoo.cards() if card.name != PLAIN and card.mmac_per_pixel <= LIGHT_MMAC)
    return [card.name for card in light if not card.architecture or _is_known(zoo, card)]


def _is_known(zoo: Zoo, card: ModelCard) -> bool:
    """Whether a network comes with the studio, and the weights that lie there were measured on LIVE1."""
    if zoo.is_own(card.name):
        return False
    try:
        return bool(measured_model(zoo.folder_of(card.name), card).single_saves(Setting("LIVE1")))
    except (RestorationError, OSError):
        return False
