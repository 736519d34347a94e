"""The keeper of one training run: starts the trainer and takes down what it prints, whatever becomes of the server.

python -m studio.train.keeper FOLDER COMMAND... is started by train.jobs in a session of its own. It writes log.txt,
which cannot grow, and process.json with its own process, the trainer's, and how the trainer ended. It outlives the
server and hears no signal but KILL: those that stop a run go to the trainer.
"""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from training.log import BoundedLog
from training.run_state import ProcessFile, ProcessMark

CHUNK_BYTES = 64 * 1024


def keep(folder: Path, command: list[str]) -> int:
    """Run the command to its end; returns its exit code.

    Args:
        folder: of the run.
        command: the trainer and its arguments.
    """
    for each in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(
            each, lambda number, frame: None
        )  # unlike SIG_IGN, a handler is not handed down to the trainer
    known = ProcessFile(keeper=ProcessMark.of(os.getpid()))
    known.write(folder / "process.json")
    with BoundedLog(folder / "log.txt") as log:
        try:
            trainer = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            log.write(f"The trainer could not be started ({error}).\n".encode())
            replace(known, exit_code=127).write(folder / "process.json")
            return 127
        assert trainer.stdout is not None  # but a pipe
        known = replace(known, trainer=ProcessMark.of(trainer.pid))
        known.write(folder / "process.json")
        while data := os.read(trainer.stdout.fileno(), CHUNK_BYTES):
            log.write(data)
        code = trainer.wait()
    replace(known, exit_code=code).write(folder / "process.json")
    return code


if __name__ == "__main__":
    keep(Path(sys.argv[1]), sys.argv[2:])
