"""The budget table in Markdown: what every network was trained with, equal runs in the first columns, others apart."""

from models.card import TrainingFacts
from training.data import VALIDATION_CASES
from training.markdown_cells import MISSING, figures, markdown
from training.measured_models import EQUAL_PETAFLOP, MeasuredModel
from training.tables import setting_of

QUALITY_FACTORS = (10, 40)


def budget_table(models: list[MeasuredModel]) -> str:
    """One row per checkpoint: its weights of equal budget, and those of a longer, shorter or GPU run beside them.

    Args:
        models: from measured_models().
    """
    lines = []
    for name in dict.fromkeys(model.card.name for model in models):
        of_name = [model for model in models if model.card.name == name]
        equal = next((model for model in of_name if model.has_equal_budget), None)
        other = next((model for model in of_name if model.trained and not model.has_equal_budget), None)
        cost = f"{of_name[0].card.mmac_per_pixel:.3f}"
        lines.append([f"`{name}`", cost, *_equal_cells(equal), *_other_cells(other)])
    budget = f"{EQUAL_PETAFLOP:g} PFLOP"
    heading = ["network", "MMAC/px", f"{budget}: steps", "Gpx", "minutes", "on", "validation", "LIVE1"]
    heading += ["other run: PFLOP", "minutes", "on", "validation", "LIVE1"]
    intro = (
        f"Same pictures, same degradations, and {budget} of training operations each (6 × MAC/px × pixels of patches), "
        "on a processor. Steps, gigapixels (Gpx) and minutes are those until the weights that validation picked. "
        "Runs of another length, or on a GPU, stand in the columns on the right. Validation: mean PSNR in dB over "
        f"{len(VALIDATION_CASES)} ways of breaking the validation pictures; of RGB, or of luma for networks of single "
        "planes, which says nothing beside the others. LIVE1: PSNR in dB at quality factors "
        f"{' / '.join(map(str, QUALITY_FACTORS))}, comparable throughout."
    )
    return "\n".join([intro, "", *markdown(heading, lines)])


def _equal_cells(model: MeasuredModel | None) -> list[str]:
    if model is None:
        return [MISSING] * 6
    facts = model.trained
    return [
        f"{facts.steps:,}",
        f"{facts.megapixels / 1000:.2f}",
        f"{facts.minutes:.0f}",
        _machines(facts),
        _validation(model, facts),
        _live1(model),
    ]


def _other_cells(model: MeasuredModel | None) -> list[str]:
    if model is None:
        return [MISSING] * 5
    facts = model.trained
    minutes = f"{facts.minutes:.0f}"
    return [f"{facts.run_petaflop:.2f}", minutes, _machines(facts), _validation(model, facts), _live1(model)]


def _machines(facts: TrainingFacts) -> str:
    return ", then ".join(facts.machines)


def _validation(model: MeasuredModel, facts: TrainingFacts) -> str:
    of_luma = model.card.color in ("planes", "coefficients")
    return f"{facts.validation_db:.2f}{' (luma)' if of_luma else ''}"


def _live1(model: MeasuredModel) -> str:
    rows = model.single_saves(setting_of("LIVE1"))
    if not any(factor in rows for factor in QUALITY_FACTORS):
        return MISSING
    return " / ".join(figures(rows, QUALITY_FACTORS))
