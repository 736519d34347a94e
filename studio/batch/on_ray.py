"""The same batch on Ray Data: one machine or many, each with restorers of its own. Optional: requirements-ray.txt.

Every machine must see the pictures, the checkpoints and the output folder under the same paths. Nothing but paths and
report rows travels; a worker that dies is replaced, what it had finished is found done, and a picture that ends its
worker again and again is passed over, see studio.batch.attempts: Ray itself would repeat it without end.
"""

import importlib
import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from models.errors import InvalidSetting, MissingExtra
from models.places import ROOT, is_installed
from models.runtimes.names import RuntimeName
from models.zoo import Zoo
from studio.batch.files import BatchPicture
from studio.batch.run import BatchRestorer, BatchRow, BatchSettings, restored_or_passed_over

PICTURES_AT_ONCE = 4
"""Handed to a worker together; small, so that the last worker is not waited for long."""
NOT_SHIPPED = ["runs", "tmp", ".git", ".venv", "docs", "tests", "checkpoints"]
"""Left out of the code that other machines receive."""
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing about anybody's work leaves the machine
    "RAY_worker_niceness": "0",  # restoring is what was asked for, no background work
}
"""Read when Ray is imported; what people have set themselves stays."""


@dataclass(frozen=True)
class RayPlan:
    """What every worker needs to know.

    Attributes:
        checkpoints: the models' folder, seen from every machine.
        device: where networks run, such as "cuda"; None lets every worker choose.
        settings: what is done with each file.
        output: where results go, seen from every machine.
        address: of a running cluster, None starts Ray on this machine for the time of the batch.
        workers: restorers at work at a time; each takes a GPU where networks run on CUDA, else a processor core.
        runtime: what runs networks on processors.
    """

    checkpoints: Path
    device: str | None
    settings: BatchSettings
    output: Path
    address: str | None = None
    workers: int = 1
    runtime: RuntimeName = "pytorch"


class RayRestorer:
    """One worker: the restorer of the local engine, built once where it works."""

    def __init__(self, plan: RayPlan) -> None:
        zoo = Zoo(plan.checkpoints, plan.device, runtime=plan.runtime)
        self._restorer = BatchRestorer(zoo, plan.settings, plan.output)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Columns of pictures and their names in, a column of each picture's rows out; Ray's columns hold bytes."""
        pairs = zip(batch["picture"], batch["name"], strict=True)
        return {
            "rows": [pickle.dumps(self._rows(pickle.loads(picture), str(name))) for picture, name in pairs]
        }

    def _rows(self, picture: BatchPicture, name: str) -> list[BatchRow]:
        return [replace(row, picture=name) for row in restored_or_passed_over(self._restorer, picture)]


def run_on_ray(plan: RayPlan, pictures: Sequence[BatchPicture]) -> Iterator[list[BatchRow]]:
    """The Ray engine: the rows of each file as soon as some worker is done with it, in any order.

    Raises:
        MissingExtra: Ray is not installed.
        InvalidSetting: there is no cluster at the address.
    """
    ray = _ray()
    started = not ray.is_initialized()
    if started:
        _connect(ray, plan)
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        on_gpu = _on_gpu(plan)
        plan = replace(plan, checkpoints=plan.checkpoints.resolve(), output=plan.output.resolve())
        items = [
            {"picture": pickle.dumps(_anywhere(picture)), "name": str(picture.source)} for picture in pictures
        ]
        blocks = max(1, len(items) // PICTURES_AT_ONCE)
        done = ray.data.from_items(items, override_num_blocks=min(blocks, len(items))).map_batches(
            RayRestorer,
            fn_constructor_args=(plan,),
            batch_size=PICTURES_AT_ONCE,
            compute=ray.data.ActorPoolStrategy(size=plan.workers),
            num_cpus=None if on_gpu else 1,
            num_gpus=1 if on_gpu else None,
        )
        for item in done.iter_rows():
            yield pickle.loads(item["rows"])
    finally:
        if started:
            ray.shutdown()


def _anywhere(picture: BatchPicture) -> BatchPicture:
    """The picture by paths that hold in every folder."""
    reference = picture.reference.absolute() if picture.reference else None
    return replace(picture, source=picture.source.absolute(), reference=reference)


def _ray() -> ModuleType:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.data")
        logging.getLogger("ray.data").setLevel(logging.ERROR)
    except ImportError as problem:
        raise MissingExtra(
            f"--engine ray was asked for, but Ray Data is not installed ({problem}). It is an optional extra. "
            "Install it with: pip install -r requirements-ray.txt, or use --engine local."
        ) from problem
    return ray


def _connect(ray: ModuleType, plan: RayPlan) -> None:
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    if plan.address is None:
        ray.init(
            address="local",
            num_cpus=max(plan.workers + 1, os.cpu_count() or 1),
            include_dashboard=False,
            **quiet,
        )
        return
    # Of an installed package every machine has its own.
    shipped = {} if is_installed() else {"working_dir": str(ROOT), "excludes": NOT_SHIPPED}
    try:
        ray.init(address=plan.address, runtime_env=shipped, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as problem:
        raise InvalidSetting(
            f"There is no Ray cluster to be reached at {plan.address} ({str(problem).splitlines()[0][:200]}). An "
            "address such as 10.0.0.5:6379 is needed, where 'ray start --head' runs, and where that asks for a token, "
            "RAY_AUTH_MODE=token with the token of the cluster. Correct it, or leave it out to work on this machine."
        ) from problem


def _on_gpu(plan: RayPlan) -> bool:
    if plan.device is not None:
        return plan.device.startswith("cuda")
    return importlib.import_module("ray").cluster_resources().get("GPU", 0) >= 1
