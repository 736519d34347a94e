"""The optimizers a run can choose from: AdamW, or Muon for the weights of hidden layers beside AdamW for the rest."""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from training.config import OptimizerConfig

SMALLEST_MATRIX = 32
"""Weights with fewer rows or columns are AdamW's: first and last layers, small heads."""

ORTHOGONALIZING = ((3.4445, -4.7750, 2.0315),) * 5
"""Coefficients of the quintic Newton-Schulz steps, as in torch.optim.Muon."""


class GroupedMuon(torch.optim.Muon):
    """torch.optim.Muon, which orthogonalizes all matrices of one shape together.

    A network of a hundred equal layers takes thousands of small products one by one, which keep a GPU waiting for its
    next order; as batches they are a few dozen. State and results are those of torch.optim.Muon but for rounding.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        """Matrices only; updates are scaled to the size AdamW's would have."""
        super().__init__(parameters, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update from the parameters' gradients."""
        for group in self.param_groups:
            parameters = [each for each in group["params"] if each.grad is not None]
            gradients = [each.grad for each in parameters]
            momenta = [self._momentum(each) for each in parameters]
            # torch.optim is made of such functions, but torch does not list them.
            torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])  # pyright: ignore[reportPrivateImportUsage]
            updates = torch._foreach_lerp(gradients, momenta, group["momentum"])  # pyright: ignore[reportPrivateImportUsage]
            by_shape = defaultdict(list)
            for parameter, update in zip(parameters, updates, strict=True):
                by_shape[update.shape].append((parameter, update))
            for shape, pairs in by_shape.items():
                equal, theirs = zip(*pairs, strict=True)
                directions = orthogonalized(torch.stack(theirs)).to(equal[0].dtype).unbind()
                decay, pace = 1 - group["lr"] * group["weight_decay"], -0.2 * max(shape) ** 0.5 * group["lr"]
                torch._foreach_mul_(equal, decay)  # pyright: ignore[reportPrivateImportUsage]
                torch._foreach_add_(equal, directions, alpha=pace)  # pyright: ignore[reportPrivateImportUsage]

    def _momentum(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        return state["momentum_buffer"]


def orthogonalized(matrices: Tensor) -> Tensor:
    """Matrices (count, rows, columns) with their singular values brought near one, in bfloat16.

    K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    """
    found = matrices.bfloat16()
    tall = found.shape[1] > found.shape[2]
    found = found.mT if tall else found
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for a, b, c in ORTHOGONALIZING:
        gram = found @ found.mT
        found = torch.baddbmm(found, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.mT if tall else found


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
        parameters = list(parameters)
        self.weights = [parameter for parameter in parameters if _is_matrix(parameter)]
        self.matrices = [nn.Parameter(_as_matrix(weight.detach(), weight)) for weight in self.weights]
        chosen = {id(weight) for weight in self.weights}
        others = [parameter for parameter in parameters if id(parameter) not in chosen]
        self.adamw = torch.optim.AdamW(others, weight_decay=weight_decay, **adamw)
        if any(matrix.is_cuda for matrix in self.matrices):
            self.muon = GroupedMuon(self.matrices, lr=0.0, weight_decay=weight_decay)
        else:
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
    """The optimizer that `config.method` names, at a learning rate of 0 until it is set.

    Where no weight that is trained is Muon's to update, AdamW updates all.
    """
    adamw = {"lr": 0.0, "betas": (0.9, 0.99), "fused": True}
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    if config.method == "muon" and any(map(_is_matrix, parameters)):
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
