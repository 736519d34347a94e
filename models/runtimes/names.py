"""The runtimes that may be asked for, and the option of commands for it; imports nothing that takes time."""

import argparse
from typing import Literal, get_args

RuntimeName = Literal["automatic", "pytorch", "openvino"]
"""Automatic takes OpenVINO where it is installed, computes the same and is not slower."""


def add_runtime_option(parser: argparse.ArgumentParser, default: RuntimeName = "automatic") -> None:
    """--runtime."""
    parser.add_argument(
        "--runtime",
        choices=get_args(RuntimeName),
        default=default,
        help="what runs networks on the processor; automatic takes OpenVINO where it is installed and quicker, pytorch "
        f"gives the same bits in every run (default: {default})",
    )
