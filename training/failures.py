"""What ends a training run before its time, as sentences."""

import errno

import torch

from models.errors import RestorationError


class RunStopped(RestorationError):
    """A training run that cannot go on: its disk, its memory, its numbers or its data have failed."""


class GivenUp(Exception):
    """Photographs were no longer loaded or measured, because the run was asked to stop; nothing has failed."""


def in_words(error: BaseException) -> RestorationError | None:
    """The three-part sentence for what stopped a run; None where it is a bug of the program.

    Args:
        error: what was raised during training.
    """
    if isinstance(error, RestorationError):
        return _without_traceback(error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
        return RunStopped(
            f"The memory was not enough for a training step ({_first_line(error)}). Fewer or smaller patches at a "
            "time need less. Lower data.batch_sizes or data.patch_sizes, or raise optimizer.accumulation."
        )
    if isinstance(error, OSError):
        return _of_the_disk(error)
    if type(error).__module__.startswith(("torch._inductor", "torch._dynamo")):
        return RunStopped(
            f"torch.compile failed ({_first_line(error)}). It needs a C++ compiler on a processor, Triton on a GPU. "
            "Set runtime.compile to false, and start again in another folder."
        )
    if isinstance(error, RuntimeError) and "DataLoader worker" in str(error):
        return RunStopped(
            f"A process that prepares patches ended ({_first_line(error)}). It needs memory for the photographs and "
            "must not be killed. Lower data.workers, or give fewer photographs, and resume the run."
        )
    return None


def _of_the_disk(error: OSError) -> RunStopped:
    where = error.filename or "the run's folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return RunStopped(
            f"The disk is full: {where} could not be written ({error.strerror}). A run needs room for three "
            "checkpoints, four while it saves; the last whole one is kept. Free some space, then resume the run."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENOENT):
        return RunStopped(
            f"{where} cannot be used ({error.strerror}). The run's folder must be one that this account may make "
            "and write to. Choose another folder with --run, or change its permissions."
        )
    return RunStopped(
        f"Reading or writing failed at {where} ({error.strerror or error}). The run's folder and its photographs "
        "must stay reachable; the last whole checkpoint is kept. Look after the disk, then resume the run."
    )


def _without_traceback(error: RestorationError) -> RestorationError:
    """The error itself; of one that a data process passed on with its traceback, the sentence alone."""
    lines = str(error).strip().splitlines()
    if not any("Original Traceback" in line for line in lines):
        return error
    return type(error)(lines[-1].partition(": ")[2])


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
