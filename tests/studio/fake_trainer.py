"""A trainer that only pretends: python fake_trainer.py WAY --run FOLDER ... behaves in one of the ways below.

It takes the real trainer's options, holds the lock and writes events and heartbeats as the real one does.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import psutil

WAY, FOLDER = sys.argv[1], Path(sys.argv[sys.argv.index("--run") + 1])
RESUMED = "--resume" in sys.argv
STEP = 0
stopped = []


def event(kind, **values):
    line = json.dumps({"step": STEP, "kind": kind, "values": values, "time": time.time()}) + "\n"
    with open(FOLDER / "events.jsonl", "a") as file:
        file.write(line)


def begin():
    me = {
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "host": socket.gethostname(),
        "command": "fake",
    }
    (FOLDER / "lock").write_text(json.dumps(me))
    (FOLDER / "heartbeat").touch()
    event("start", resumed=RESUMED, score_db=28.0, score_input_db=28.0)


def train(seconds=60.0):
    """Steps until it is asked to stop."""
    global STEP
    limit = time.monotonic() + seconds
    while not asked_to_stop() and time.monotonic() < limit:
        time.sleep(0.02)
        STEP += 1
        (FOLDER / "heartbeat").touch()
        if STEP % 5 == 0:
            event(
                "train",
                loss=1 / STEP,
                learning_rate=1e-3,
                progress=min(1.0, STEP / 1000),
                minutes=STEP / 3000,
            )
    (FOLDER / "last.pt").write_bytes(b"state")
    event("end", finished=not asked_to_stop(), minutes=STEP / 3000)


def asked_to_stop():
    return bool(stopped) or (FOLDER / "stop").exists()


def listen():
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, frame: stopped.append(number))


if WAY == "trains":
    listen()
    begin()
    train()
elif WAY == "finishes":
    listen()
    begin()
    train(0.5)
elif WAY == "hangs":
    begin()
    event("train", loss=1.0, progress=0.1)
    time.sleep(600)
elif WAY == "ignores":
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    begin()
    (FOLDER / "last.pt").write_bytes(b"state")
    while True:
        time.sleep(0.2)
        (FOLDER / "heartbeat").touch()
elif WAY == "floods":
    listen()
    begin()
    for number in range(1_000_000):
        sys.stdout.write(f"line {number} of a million\n")
    sys.stdout.flush()
    train(0.1)
elif WAY == "scrawls":
    listen()
    begin()
    out = sys.stdout.buffer
    out.write(b"\x1b[31mred\x1b[0m and \x1b]0;title\x07plain\n")
    out.write(b"  1%|#  |\r 50%|## |\r100%|###|\n")
    out.write(b"x" * 100_000 + b"\n" + bytes(range(256)) * 20 + b"\n<script>alert(1)</script>\nlast words\n")
    out.flush()
    train(0.1)
elif WAY == "dies":
    print("There are no pictures in /nowhere. A folder with pictures is needed. Name one.", file=sys.stderr)
    sys.exit(2)
elif WAY == "says":
    begin()
    event("error", sentence="The disk is full. 10 MB are needed. Make room and resume.")
    sys.exit(2)
elif WAY == "killed":
    begin()
    (FOLDER / "last.pt").write_bytes(b"state")
    os.kill(os.getpid(), signal.SIGKILL)
