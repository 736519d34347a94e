"""What the trainer prints: a progress bar in a terminal, one line per event in a log."""

import sys

from tqdm import tqdm

from training.events import TrainEvent


class Console:
    """Prints the events of a run as they happen."""

    def __init__(self, *, quiet: bool = False) -> None:
        """A bar where a person watches, lines where a file does; neither where quiet."""
        self.bar = None
        self.quiet = quiet
        if sys.stderr.isatty() and not quiet:
            shape = "{l_bar}{bar}| {elapsed} {postfix}"
            self.bar = tqdm(total=100, unit="%", bar_format=shape, dynamic_ncols=True)

    def show(self, event: TrainEvent) -> None:
        """Print an event; see training.journal for its values."""
        sentence = "" if self.quiet else _sentence(event)
        if event.kind == "train" and self.bar is not None:
            self.bar.n = round(event.values["progress"] * 100, 2)
            self.bar.set_postfix_str(sentence)
        elif sentence:
            tqdm.write(sentence, file=sys.stdout)
            sys.stdout.flush()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.bar is not None:
            self.bar.close()


def _sentence(event: TrainEvent) -> str:
    """An event in one line; "" for those that need none."""
    values = event.values
    if event.kind == "start":
        begun = "Resumed" if values["resumed"] else "Begun"
        return "\n".join([*values["warnings"], f"{begun} at step {event.step}."])
    if event.kind == "train":
        return (
            f"step {event.step}, loss {_number(values['loss'])}, {values['images_per_second']:.1f} images/s, "
            f"{values['megapixels_per_second']:.3f} MP/s, waiting for data {values['waiting_share']:.1%}, "
            f"{values['memory_mb']:.0f} MB, {_duration(values['seconds_left'])} left"
        )
    if event.kind == "validation":
        gain = values["score_db"] - values["score_input_db"]
        return f"step {event.step}, validation {values['score_db']:.3f} dB, {gain:+.3f} dB over doing nothing"
    return ""


def _number(value: float | None) -> str:
    return "no number" if value is None else f"{value:.5f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
