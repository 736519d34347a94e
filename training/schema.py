"""The settings of a configuration as a flat list; python -m training.schema prints them as a reference."""

from training.config import TrainConfig
from training.config_text import ConfigField, settings_of


def fields() -> tuple[ConfigField, ...]:
    """All settings of a configuration, in the order of their definition."""
    return settings_of(TrainConfig)


def reference() -> str:
    """Every setting with its kind, range, default and meaning, as text."""
    lines = []
    for field in fields():
        facts = [field.kind, field.allowed, field.unit, "null: none" if field.optional else ""]
        facts.append("required" if field.required else f"default {field.default!r}")
        lines += [field.path, f"    {field.description}", f"    {'; '.join(filter(None, facts))}"]
    return "\n".join(lines)


if __name__ == "__main__":
    print(reference())
