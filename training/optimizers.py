"""The optimizers a run can choose from: AdamW, or Muon for the weights of hidden layers beside AdamW for the rest."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from training.config import OptimizerConfig

SMALLEST_MATRIX = 32
"""Weights with fewer rows or columns are AdamW's: first and last layers, small heads."""


class MuonAndAdamW:
    """Orthogonalized momentum for matrices, AdamW for everything else, behind the interface of one optimizer.

    A convolution's weight is the matrix (outputs, inputs x rows x columns). Its update is scaled to the size AdamW's
    would have (K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; J. Liu et al.,
    "Muon is Scalable for LLM Training", 2025), so one learning rate serves both.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], adamw: dict, weight_decay: float) -> None:
        """Split the parameters.

        Args:
            parameters: all that are trained.
            adamw: keyword arguments of torch.optim.AdamW.
            weight_decay: of both.
        """
        parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.weights = [parameter for parameter in parameters if _is_matrix(parameter)]
        self.matrices = [nn.Parameter(_as_matrix(weight.detach(), weight)) for weight in self.weights]
        chosen = {id(weight) for weight in self.weights}
        others = [parameter for parameter in parameters if id(parameter) not in chosen]
        self.adamw = torch.optim.AdamW(others, weight_decay=weight_decay, **adamw)
        self.muon = torch.optim.Muon(
            self.matrices, lr=0.0, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )

    @property
    def param_groups(self) -> list[dict]:
        """Of both, for setting the learning rate."""
        return [*self.adamw.param_groups, *self.muon.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        self.adamw.zero_grad(set_to_none)
        for weight in self.weights:
            weight.grad = None

    def step(self) -> None:
        """One update from the parameters' gradients."""
        for weight, matrix in zip(self.weights, self.matrices, strict=True):
            matrix.grad = None if weight.grad is None else _as_matrix(weight.grad, weight)
        self.adamw.step()
        self.muon.step()

    def state_dict(self) -> dict:
        """Both states."""
        return {"adamw": self.adamw.state_dict(), "muon": self.muon.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Undo of state_dict()."""
        self.adamw.load_state_dict(state["adamw"])
        self.muon.load_state_dict(state["muon"])


def make_optimizer(config: OptimizerConfig, parameters: Iterable[nn.Parameter]):
    """The optimizer that `config.method` names, at a learning rate of 0 until it is set."""
    adamw = {"lr": 0.0, "betas": (0.9, 0.99), "fused": True}
    if config.method == "muon":
        return MuonAndAdamW(parameters, adamw, config.weight_decay)
    return torch.optim.AdamW(parameters, weight_decay=config.weight_decay, **adamw)


def _is_matrix(parameter: Tensor) -> bool:
    if parameter.ndim < 2:
        return False
    return min(len(parameter), parameter[0].numel()) >= SMALLEST_MATRIX


def _as_matrix(values: Tensor, weight: Tensor) -> Tensor:
    """The weight itself, or its gradient, as (outputs, everything else) in the weight's own order of memory."""
    if values.ndim == 4 and not weight.is_contiguous():
        values = values.permute(0, 2, 3, 1)
    return values.reshape(len(values), -1)
