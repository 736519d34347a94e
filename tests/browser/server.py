"""A studio of its own for tests that kill it."""

import os
import signal
import socket
import subprocess
import sys

from tests.paths import REPOSITORY


class Server:
    """The studio as `python app.py` starts it, with runs of its own; it can be killed and started again."""

    def __init__(self, folder, checkpoints, wait):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.runs, self.log, self._wait = folder / "runs", folder / "studio.log", wait
        self._command = [sys.executable, "app.py", "--port", str(self.port), "--device", "cpu"]
        self._command += ["--checkpoints", str(checkpoints), "--runs", str(self.runs)]
        self._environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "gradio"), "OMP_NUM_THREADS": "1"}
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self):
        with self.log.open("a") as stream:
            self.process = subprocess.Popen(
                self._command, cwd=REPOSITORY, env=self._environment, stdout=stream, stderr=stream
            )
        self._wait(f"{self.address}/", self.process, self.log)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait(30)
