"""ModelCard: what a checkpoint is, said once; pickers, tables and sliders are drawn from it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class ModelCard:
    """Everything people and programs need to know of one model.

    Attributes:
        name: folder name and identifier, such as "cascade".
        title: for people.
        architecture: key of models.zoo.ARCHITECTURES; "" for baselines without a network.
        summary: one or two sentences.
        paper: full citation.
        color: how colour is treated: "rgb" (network sees RGB) or "planes" (Y, Cb, Cr one by one at their own size).
        stage_names: names of the stages it shows, in order; empty when there is one result only.
        steerable: True where a quality factor can be set by hand.
        uses_tables: True where the file's quantization tables are an input.
        parameters: trainable parameters; 0 for baselines.
        mmac_per_pixel: 1e6 multiply-accumulates per input pixel; 0 for baselines.
        hyperparameters: keyword arguments of the architecture.
        licence: licence of the weights.
        training: data, degradations, duration, machine, in prose; "" for baselines.
    """

    name: str
    title: str
    architecture: str
    summary: str
    paper: str
    color: str = "rgb"
    stage_names: tuple[str, ...] = ()
    steerable: bool = False
    uses_tables: bool = False
    parameters: int = 0
    mmac_per_pixel: float = 0.0
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    training: str = ""
