"""fit(): the training loop, from a configuration to a run folder with validated, averaged weights."""

import copy
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from models.color_tensors import pixels_to_ycbcr, ycbcr_to_pixels
from models.memory import keep_freed_buffers
from models.steering import whole_picture_summary
from models.zoo import ARCHITECTURES, color_of
from training.clock import Clock, Throughput
from training.config import TrainConfig
from training.data import Batch, DegradedPatches, clean_images, validation_batches
from training.losses import RestorationLoss
from training.optimizers import make_optimizer
from training.run import TrainRun

KEPT_BYTES = 2**31 - 1
"""Freed memory that stays with the process between steps."""

SAMPLES_PER_PIXEL = 1.5
"""Of a 4:2:0 picture, whose pixel is what the cost of networks of single planes refers to."""

OnStep = Callable[[int, float, dict[str, float]], None]
"""Called as on_step(step, progress 0..1, values) whenever a training event is written."""


def learning_rate(config: TrainConfig, step: int, progress: float) -> float:
    """Linear warm-up by steps, then a cosine by progress."""
    optimizer = config.optimizer
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    rate = optimizer.final_learning_rate + (optimizer.learning_rate - optimizer.final_learning_rate) * cosine
    return rate * min(1.0, (step + 1) / max(optimizer.warmup_steps, 1))


class Trainer:
    """The moving parts of one run: networks, optimizer, loss and data."""

    def __init__(self, config: TrainConfig, data_root: Path, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.data_root, self.device = config, data_root, device
        self.color = color_of(config.architecture)
        plane_by_plane = self.color in ("planes", "coefficients")
        self.layout = torch.channels_last if config.runtime.channels_last else torch.contiguous_format
        self.network = ARCHITECTURES[config.architecture](**config.hyperparameters)
        if config.start_from:
            from safetensors.torch import load_file

            self.network.load_state_dict({k: v.float() for k, v in load_file(config.start_from).items()})
        self.network.to(device, memory_format=self.layout)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.mac_per_pixel = (
            self.averaged.mmac_per_pixel() * 1e6 / (SAMPLES_PER_PIXEL if plane_by_plane else 1)
        )
        self.forward = torch.compile(self.network.forward) if config.runtime.compile else self.network.forward
        self.loss = RestorationLoss(config.loss).to(device)
        self.optimizer = make_optimizer(config.optimizer, self.network.parameters())
        self.images = [image for folder in config.data.train for image in clean_images(folder, data_root)]
        validation = clean_images(config.data.validation, data_root, validation=True)
        self.validation = validation_batches(config, validation)
        self.generator = torch.Generator().manual_seed(config.seed)

    def batches(self, phase: int, first_step: int) -> Iterator[Batch]:
        """Batches from first_step on, drawn by the configured number of workers."""
        patches = DegradedPatches(self.config, self.images, phase)
        loader = DataLoader(
            patches,
            batch_size=None,
            sampler=range(first_step, self.config.optimizer.steps),
            num_workers=self.config.data.workers,
            prefetch_factor=4 if self.config.data.workers else None,
            pin_memory=self.device.type == "cuda",
        )
        return iter(loader)

    def to_device(self, pixels: Tensor) -> Tensor:
        """uint8 -> float32 0..1 on the device in the chosen memory format."""
        moved = pixels.to(self.device, non_blocking=True)
        return moved.to(torch.float32, memory_format=self.layout).div_(255)

    def restore(
        self, network: nn.Module, forward: Callable, batch: Batch, *, mixed: bool
    ) -> tuple[list, Tensor | None]:
        """All stages' pictures, and the estimated quality factor of networks that have one.

        Args:
            network: whose summary and condition are used.
            forward: its forward pass, compiled or not.
            batch: patches.
            mixed: hide tables and give the true quality factor at random, as in training; otherwise the network
                sees the tables and steers by its own estimate.
        """
        autocast = torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.config.runtime.precision == "bf16"
        )
        inputs, predicted = self.inputs(batch), None
        if hasattr(network, "predicted_quality_factor"):
            condition, predicted = self.estimated_condition(network, inputs, batch, mixed)
            with autocast:
                pictures = forward(inputs, condition)
        elif hasattr(network, "condition"):
            tables = batch.tables.to(self.device)
            if mixed:
                kept = torch.rand(len(tables), generator=self.generator) >= self.config.tables_dropped_share
                tables = tables * kept.to(self.device)[:, None]
            summary = whole_picture_summary(network, inputs)
            with autocast:
                pictures = forward(inputs, network.condition(summary, tables))
        else:
            with autocast:
                pictures = forward(inputs)
        pictures = [picture.float() for picture in (pictures if isinstance(pictures, list) else [pictures])]
        if self.color == "ycbcr":
            pictures = [ycbcr_to_pixels(picture) for picture in pictures]
        return pictures, predicted

    def inputs(self, batch: Batch) -> Tensor:
        """What the network is called with; see models.network_protocols."""
        if self.color == "coefficients":
            return batch.coefficients.to(self.device, memory_format=self.layout)
        pixels = self.to_device(batch.degraded)
        if self.color == "ycbcr":
            return pixels_to_ycbcr(pixels).contiguous(memory_format=self.layout)
        return pixels

    def estimated_condition(
        self, network: nn.Module, pixels: Tensor, batch: Batch, mixed: bool
    ) -> tuple[Tensor, Tensor]:
        """The condition of a network that estimates the quality factor, and its estimate; see restore()."""
        summary = network.summarize(pixels)
        predicted = network.predicted_quality_factor(summary)
        tables, steering = batch.tables.to(self.device), predicted.detach()
        if mixed:
            draw = torch.rand(2, len(pixels), generator=self.generator).to(self.device)
            tables = tables * (draw[0] >= self.config.tables_dropped_share)[:, None]
            truth = batch.quality_factor.to(self.device)
            steering = torch.where(draw[1] < self.config.true_quality_share, truth, steering)
        return network.condition(summary, steering, tables), predicted

    def step(self, batch: Batch, *, rate: float, step: int, squared: bool) -> dict[str, Tensor]:
        """One update of the weights and of their average; returns the loss terms."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        pictures, predicted = self.restore(self.network, self.forward, batch, mixed=True)
        total, terms = self.loss(
            pictures[-len(self.config.loss.stage_weights) :],
            self.to_device(batch.clean),
            predicted_quality_factor=predicted,
            quality_factor=batch.quality_factor.to(self.device),
            squared=squared,
        )
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimizer.clip)
        if torch.isfinite(norm):
            self.optimizer.step()
        decay = min(self.config.optimizer.ema, (step + 1) / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.network.parameters()), 1 - decay)
            for average, current in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
                if average.is_floating_point():  # running statistics of batch normalization
                    average.lerp_(current, 1 - decay)
                else:
                    average.copy_(current)
        return {
            "loss": total.detach(),
            "gradient_norm": norm.detach(),
            **{k: v.detach() for k, v in terms.items()},
        }

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """PSNR in dB of the averaged weights on every validation case, of each stage on the first, and the score.

        The score, by which the best weights are picked, is the mean over all cases.
        """
        values: dict[str, float] = {}
        for name, batches in self.validation.items():
            rows, errors = [], []
            for batch in batches:
                pictures, predicted = self.restore(self.averaged, self.averaged.forward, batch, mixed=False)
                clean = self.to_device(batch.clean)
                rows.append(
                    [_psnr_db(picture, clean) for picture in (self.to_device(batch.degraded), *pictures)]
                )
                if predicted is not None:
                    errors.append((predicted.cpu() - batch.quality_factor).abs().item())
            means = torch.tensor(rows).mean(0).tolist()
            values[f"{name}_input_db"], values[f"{name}_db"] = means[0], means[-1]
            if len(means) > 2 and name == next(iter(self.validation)):
                values |= {f"{name}_stage_{i}_db": value for i, value in enumerate(means[1:], 1)}
            if errors:
                values[f"{name}_quality_error"] = sum(errors) / len(errors)
        values["score_db"] = sum(values[f"{name}_db"] for name in self.validation) / len(self.validation)
        return {name: round(value, 4) for name, value in values.items()}

    def state(self, step: int, clock: Clock, best: float) -> dict:
        """Everything that an exact continuation needs."""
        return {
            "step": step,
            "seconds": clock.seconds,
            "pixels": clock.pixels,
            "best": best,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
        }

    def load_state(self, state: dict) -> None:
        """Undo of state()."""
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])


def _psnr_db(picture: Tensor, clean: Tensor) -> float:
    error = (picture.clamp(0, 1).mul(255).round() - clean * 255).square().mean().item()
    return 10 * math.log10(255**2 / max(error, 1e-6))


def _pixels_by_events(run: TrainRun, step: int) -> int:
    """How much a run was trained on before `step`, for checkpoints from before they kept it themselves."""
    seen = [event for event in run.events() if event.kind == "train" and event.step <= step]
    return round(seen[-1].values["megapixels"] * 1e6) if seen else 0


def fit(
    config: TrainConfig,
    run: TrainRun,
    *,
    data_root: Path,
    resume: bool = False,
    device: torch.device | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_step: OnStep = lambda step, progress, values: None,
) -> bool:
    """Train until a budget of steps, time or operations is used up.

    Args:
        config: what to do; when resuming, the one the run began with.
        run: where everything is kept.
        data_root: the folder that holds the picture folders.
        resume: go on from the run's last.pt.
        device: None chooses CUDA, then the CPU.
        should_stop: asked after every step; True saves and returns.
        on_step: told about progress.

    Returns:
        True when the budget was used up, False when stopped before.

    Raises:
        RestorationError: missing pictures, an existing run, a broken checkpoint.
    """
    if not resume:
        run.begin(config)
    keep_freed_buffers(KEPT_BYTES)
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainer = Trainer(config, data_root, device)
    budget = config.optimizer
    clock = Clock(budget.steps, budget.minutes, petaflop=budget.petaflop, mac_per_pixel=trainer.mac_per_pixel)
    step, best = 0, -math.inf
    if resume:
        state = run.load_last()
        trainer.load_state(state)
        step, best, clock.earlier_seconds = state["step"], state["best"], state["seconds"]
        clock.pixels = state["pixels"] if "pixels" in state else _pixels_by_events(run, step)
    run.write_event(step, "start", resumed=resume, score_db=trainer.validate()["score_db"])
    throughput = Throughput(clock, step, device)
    phases, runtime = len(config.data.patch_sizes), config.runtime
    phase, batches, stopped = -1, iter(()), False
    while not stopped and (progress := clock.progress(step)) < 1:
        if (wanted := min(int(progress * phases), phases - 1)) != phase:
            phase, batches = wanted, trainer.batches(wanted, step)
        batch = throughput.wait_for(batches)
        rate = learning_rate(config, step, progress)
        squared = progress >= 1 - config.loss.squared_share
        terms = trainer.step(batch, rate=rate, step=step, squared=squared)
        step += 1
        clock.pixels += batch.clean[:, 0].numel()
        stopped, progress = should_stop(), clock.progress(step)
        last = stopped or progress >= 1
        if step % runtime.log_every == 0:
            values = {name: round(value.item(), 6) for name, value in terms.items()}
            values |= {"learning_rate": rate, "progress": round(progress, 5), **throughput.report(step)}
            run.write_event(step, "train", **values)
            on_step(step, progress, values)
        if step % runtime.validate_every == 0 or (last and not stopped):
            values = trainer.validate()
            run.write_event(step, "validation", **values)
            if values["score_db"] > best:
                best = values["score_db"]
                run.save_best(trainer.averaged.state_dict(), step, best)
        if step % runtime.save_every == 0 or last:
            run.save_last(trainer.state(step, clock, best))
            run.write_event(step, "saved", minutes=round(clock.seconds / 60, 2))
    run.write_event(step, "end", finished=not stopped, minutes=round(clock.seconds / 60, 2))
    return not stopped
