"""Learner: the moving parts of one training run, which are networks, optimizer, loss and data."""

import copy
import math
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from models.errors import BrokenCheckpoint, InvalidSetting
from models.network_restorer import bfloat16_is_fast
from models.networks.base import ColorRule, Network
from models.tensors import placed
from training.checkpoint_files import random_states, restore_random_states, seed_everything
from training.config import TrainConfig
from training.data import Batch, DegradedPatches, validation_batches
from training.failures import GivenUp, RunStopped
from training.losses import RestorationLoss
from training.network_of import network_of
from training.optimizers import make_optimizer
from training.pictures import SMALLEST_VALIDATION_SIDE, Between, go_on, load_photographs, smallest_side
from training.processes import Processes
from training.teacher import load_teacher, weights_to_start_from

MOST_SKIPPED_STEPS = 10
"""Steps in a row whose gradient is no number, after which a run is given up."""

WORKER_START = "fork" if sys.platform == "linux" else None
"""How data workers start: forked ones share the photographs in memory; None is the system's own way."""

LESS_BOLD = (
    "Lower optimizer.learning_rate, or set runtime.precision to fp32, and start again in another folder."
)


class Learner:
    """Networks, optimizer, loss and data of one run, in one of its processes.

    Attributes:
        network: what is trained.
        averaged: the average of its weights, which is validated and shipped.
        teacher: what restores a part of the target, or None.
        reduced_precision: bfloat16 was asked for, and the device has units for it; emulated, it would be slower.
        skipped: steps in a row whose gradient was no number, so that they changed nothing.
        problems: sentences about photographs that were left out.
    """

    def __init__(
        self,
        config: TrainConfig,
        data_root: Path,
        processes: Processes,
        *,
        resumed: bool = False,
        between: Between = go_on,
    ) -> None:
        """Build everything.

        Args:
            config: of the run.
            data_root: the folder that holds the picture folders.
            processes: that train it together.
            resumed: load_state() follows, so config.start_from is not needed.
            between: called between photographs while they are loaded.

        Raises:
            RestorationError: hyperparameters, weights, photographs or processes that do not go together.
            GivenUp: `between` asked for it.
        """
        seed_everything(config.seed)
        torch.backends.cudnn.benchmark = True  # patches of one size again and again
        self.config, self.processes, self.device = config, processes, processes.device
        self.layout = torch.channels_last if config.runtime.channels_last else torch.contiguous_format
        self.reduced_precision = config.runtime.precision == "bf16" and bfloat16_is_fast(self.device)
        self.network = network_of(config)
        if config.start_from and not resumed:
            start = weights_to_start_from(config.start_from, self.network, anew=config.start_anew)
            self.network.load_state_dict(start)
        _freeze(self.network, config.optimizer.frozen)
        placed(self.network, self.device, self.layout)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.mac_per_pixel = self.averaged.mmac_per_pixel() * 1e6 / self.network.color.samples_per_pixel
        self.forward = self.network.forward
        if config.runtime.compile:  # anew for every size of patches: one for all sizes takes minutes on a GPU
            self.forward = torch.compile(self.forward, dynamic=False)
        self.loss = RestorationLoss(config.loss).to(self.device)
        self.teacher: Network | None = None
        if config.loss.teacher:
            planes = self.network.color.plane_by_plane
            self.teacher = load_teacher(config.loss.teacher, self.device, planes=planes)
        self.optimizer = make_optimizer(config.optimizer, self.network.parameters())
        self.skipped = 0
        _check_shares(config, processes.count)
        smallest = smallest_side(min(config.data.patch_sizes))
        training = load_photographs(config.data.train, data_root, smallest=smallest, between=between)
        self.validation_photographs = load_photographs(
            (config.data.validation,),
            data_root,
            smallest=SMALLEST_VALIDATION_SIDE,
            validation=True,
            between=between,
        )
        self.images, self.folders = training.images, training.folders
        self.problems = (*training.problems, *self.validation_photographs.problems)
        self.validation = validation_batches(config, self.network.color, self.validation_photographs.images)
        for phase in range(len(config.data.patch_sizes)):
            self.patches(phase)  # raises now, not after hours, where patches are too large

    def patches(self, phase: int) -> DegradedPatches:
        """This process's share of every batch of a phase."""
        share = self.processes.index, self.processes.count
        color = self.network.color
        return DegradedPatches(self.config, color, self.images, phase, share=share, folders=self.folders)

    def batches(self, phase: int, first_step: int) -> Iterator[Batch]:
        """Batches from first_step on, drawn by the configured number of workers."""
        workers = self.config.data.workers
        loader = DataLoader(
            self.patches(phase),
            batch_size=None,
            sampler=range(first_step, self.config.optimizer.steps),
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            multiprocessing_context=WORKER_START if workers else None,
            worker_init_fn=_in_a_group_of_its_own,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # so that starting a loader draws nothing from the run's own
        )
        return iter(loader)

    def to_device(self, pixels: Tensor) -> Tensor:
        """uint8 -> float32 0..1 on the device in the chosen memory format."""
        moved = pixels.to(self.device, non_blocking=True)
        return moved.to(torch.float32, memory_format=self.layout).div_(255)

    def restore(
        self, network: Network, forward: Callable[..., list[Tensor]], batch: Batch
    ) -> tuple[list[Tensor], Tensor | None]:
        """All stages' pictures, and the estimated quality factor of networks that have one.

        Args:
            network: whose colors, summary and condition are used.
            forward: its forward pass, compiled or not.
            batch: patches; says for each whether its tables are hidden and its true quality factor told.
        """
        inputs = self.inputs(batch, network.color)
        seen = (batch.tables * ~batch.tables_hidden[:, None]).to(self.device)
        summary = network.summarize(inputs)
        predicted, steering = network.predicted_quality_factor(summary), None
        if predicted is not None:
            truth, told = batch.quality_factor.to(self.device), batch.truth_told.to(self.device)
            steering = torch.where(told, truth, predicted.detach())
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.reduced_precision):
            condition = network.condition(summary, quality_factor=steering, tables=seen)
            pictures = forward(inputs, condition)
        return network.color.decode([picture.float() for picture in pictures]), predicted

    def inputs(self, batch: Batch, color: ColorRule) -> Tensor:
        """What a network of that color rule is called with."""
        if color is ColorRule.COEFFICIENTS:
            return batch.coefficients.to(self.device, memory_format=self.layout)
        return color.encode(self.to_device(batch.degraded)).contiguous(memory_format=self.layout)

    @torch.no_grad()
    def target(self, batch: Batch) -> Tensor:
        """What the pictures are to become: the clean ones, moved towards what the teacher makes of the degraded ones.

        The teacher sees every table, and estimates quality factors by itself.
        """
        clean = self.to_device(batch.clean)
        if self.teacher is None:
            return clean
        nothing = torch.zeros_like(batch.tables_hidden)
        shown = replace(batch, tables_hidden=nothing, truth_told=nothing)
        pictures, _ = self.restore(self.teacher, self.teacher.forward, shown)
        return clean.lerp(pictures[-1].clamp(0, 1), self.config.loss.teacher_share)

    def step(self, batch: Batch, *, rate: float, step: int, squared: bool) -> dict[str, Tensor]:
        """One update of the weights and of their average.

        Args:
            batch: this process's share of the patches.
            rate: the learning rate.
            step: how many were done before.
            squared: use the squared error instead of Charbonnier's.

        Returns:
            The loss, its terms and the gradient's norm, over all processes.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        terms = self.gradients(batch, squared)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimizer.clip)
        if torch.isfinite(norm):
            self.skipped = 0
            self.optimizer.step()
            self.average(min(self.config.optimizer.ema, (step + 1) / (step + 10)))
        else:
            self.skip(step)
        return {**terms, "gradient_norm": norm.detach()}

    def skip(self, step: int) -> None:
        """Note a step that changed nothing.

        Raises:
            RunStopped: it was the last of too many in a row.
        """
        self.skipped += 1
        if self.skipped >= MOST_SKIPPED_STEPS:
            raise RunStopped(
                f"The loss or its gradient was no number in {self.skipped} steps in a row, until step {step + 1}. Such "
                f"steps change nothing, and the last checkpoint is from before. {LESS_BOLD}"
            )

    def gradients(self, batch: Batch, squared: bool) -> dict[str, Tensor]:
        """Leave the whole batch's gradient in the parameters; returns the loss and its terms."""
        parts = batch.parts(self.config.optimizer.accumulation)
        sums: dict[str, Tensor] = {}
        for part in parts:
            pictures, predicted = self.restore(self.network, self.forward, part)
            total, terms = self.loss(
                pictures[-len(self.config.loss.stage_weights) :],
                self.target(part),
                predicted_quality_factor=predicted,
                quality_factor=part.quality_factor.to(self.device),
                squared=squared,
            )
            (total / len(parts)).backward()
            for name, value in {"loss": total, **terms}.items():
                sums[name] = sums.get(name, 0) + value.detach() / len(parts)
        gradients = [each.grad for each in self.network.parameters() if each.grad is not None]
        statistics = [buffer for buffer in self.network.buffers() if buffer.is_floating_point()]
        self.processes.average([*gradients, *statistics, *sums.values()])
        return sums

    @torch.no_grad()
    def average(self, decay: float) -> None:
        """Move the averaged weights towards the present ones."""
        averages: list[Tensor] = list(self.averaged.parameters())
        currents: list[Tensor] = list(self.network.parameters())
        # torch.optim is made of such functions, but torch does not list them.
        torch._foreach_lerp_(averages, currents, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]
        for average, current in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
            if average.is_floating_point():  # running statistics of batch normalization
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(current)

    @torch.no_grad()
    def validate(self, between: Between = go_on) -> dict[str, float]:
        """PSNR in dB of the averaged weights on every validation case, of each stage on the first, and the score.

        The score, by which the best weights are picked, is the mean over all cases; score_input_db is that of the
        degraded pictures. Processes share the pictures.

        Args:
            between: called before every picture, in every case, with how many of the photographs are done.

        Raises:
            GivenUp: `between` asked for it, in any of the processes.
        """
        index, count = self.processes.index, self.processes.count
        photographs = list(zip(*self.validation.values(), strict=True))
        jobs = [
            (done, name, batch)
            for done, batches in enumerate(photographs)
            for name, batch in zip(self.validation, batches, strict=True)
        ]
        mine, given_up = [], False
        for done, name, batch in jobs[index::count]:
            given_up = between(done, len(photographs))
            if given_up:
                break
            pictures, predicted = self.restore(self.averaged, self.averaged.forward, batch)
            clean = self.to_device(batch.clean)
            rows = [_psnr_db(picture, clean) for picture in (self.to_device(batch.degraded), *pictures)]
            error = None if predicted is None else (predicted.cpu() - batch.quality_factor).abs().item()
            mine.append((name, rows, error))
        collected = self.processes.collect((mine, given_up))
        if any(gave_up for _, gave_up in collected):
            raise GivenUp
        return _summary([each for found, _ in collected for each in found], list(self.validation))

    def state(self, step: int) -> dict[str, Any]:
        """Everything of this class that an exact continuation needs; every process must ask at the same time.

        Args:
            step: how many were done, for a message.

        Raises:
            RunStopped: a weight is no number, so the state is not worth keeping.
        """
        weights = self.network.state_dict()
        broken = [name for name, each in weights.items() if not bool(torch.isfinite(each).all())]
        if broken:
            raise RunStopped(
                f"{broken[0]} holds values that are no numbers at step {step}. Weights must be finite, so this state "
                f"was not saved, and the last checkpoint is as it was. {LESS_BOLD}"
            )
        return {
            "network": weights,
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random_states": self.processes.collect(random_states()),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Undo of state(); what checkpoints of earlier versions lack keeps its seed.

        Raises:
            BrokenCheckpoint: it belongs to another network or optimizer.
        """
        try:
            self.network.load_state_dict(state["network"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (KeyError, ValueError, RuntimeError) as error:
            raise BrokenCheckpoint(
                f"The checkpoint does not fit {self.config.name} ({str(error).splitlines()[0][:200]}). Network and "
                "optimizer must be those that the run began with. Restore the run's config.yaml, or start anew."
            ) from error
        states = state.get("random_states", [])
        if self.processes.index < len(states):
            restore_random_states(states[self.processes.index])


def _in_a_group_of_its_own(_worker: int) -> None:
    """Ctrl-C and `timeout` signal whole groups; the trainer still needs its workers to end a step and save."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()


def _freeze(network: nn.Module, parts: tuple[str, ...]) -> None:
    """Take the parts out of the training whose parameters' names begin so.

    Raises:
        InvalidSetting: no parameter's name begins so, or none is left to train.
    """
    parameters = dict(network.named_parameters())
    beginnings = list(dict.fromkeys(name.split(".")[0] for name in parameters))
    for part in parts:
        chosen = [each for name, each in parameters.items() if f"{name}.".startswith(f"{part}.")]
        if not chosen:
            raise InvalidSetting(
                f"optimizer.frozen names {part!r}, which is no part of the network. Its parts are "
                f"{', '.join(beginnings)}, and parts of those. Correct optimizer.frozen."
            )
        for each in chosen:
            each.requires_grad_(False)
    if not any(each.requires_grad for each in parameters.values()):
        raise InvalidSetting(
            f"optimizer.frozen holds all parts of the network ({', '.join(parts)}), so nothing would be trained. "
            "At least one must be free. Take one out of optimizer.frozen."
        )


def _check_shares(config: TrainConfig, processes: int) -> None:
    parts = processes * config.optimizer.accumulation
    uneven = [size for size in config.data.batch_sizes if size % parts]
    if uneven:
        raise InvalidSetting(
            f"A batch of {uneven[0]} patches cannot be shared by {processes} processes with "
            f"{config.optimizer.accumulation} parts each. data.batch_sizes must be multiples of {parts}. Change them, "
            "optimizer.accumulation or the number of processes."
        )


def _summary(rows: list[tuple[str, list[float], float | None]], cases: list[str]) -> dict[str, float]:
    """Means by case of every process's rows: (case, PSNR of the input and every stage, error of the estimate)."""
    values: dict[str, float] = {}
    for name in cases:
        found = [(each, error) for case, each, error in rows if case == name]
        means = [sum(column) / len(found) for column in zip(*(each for each, _ in found), strict=True)]
        values[f"{name}_input_db"], values[f"{name}_db"] = means[0], means[-1]
        if len(means) > 2 and name == cases[0]:
            values |= {f"{name}_stage_{i}_db": value for i, value in enumerate(means[1:], 1)}
        errors = [error for _, error in found if error is not None]
        if errors:
            values[f"{name}_quality_error"] = sum(errors) / len(errors)
    for score, kind in (("score_input_db", "input_db"), ("score_db", "db")):
        values[score] = sum(values[f"{name}_{kind}"] for name in cases) / len(cases)
    return {name: round(value, 4) for name, value in values.items()}


def _psnr_db(picture: Tensor, clean: Tensor) -> float:
    error = (picture.clamp(0, 1).mul(255).round() - clean * 255).square().mean().item()
    return 10 * math.log10(255**2 / max(error, 1e-6))
