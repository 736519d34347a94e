"""YAML from anybody: plain values only."""

from typing import Any

import yaml


class _PlainLoader(yaml.SafeLoader):
    """YAML's plain values only: no anchors, which can unfold without end, and no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem="anchors (&) and aliases (*) are not taken", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)


def load_plain_yaml(text: str) -> Any:
    """Mappings, lists, texts, numbers, dates and truth values of a YAML text, whose length the caller has limited.

    Raises:
        ValueError: no YAML, nested too deeply, or with anchors or a key twice.
    """
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506 - a SafeLoader
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (yaml.YAMLError, OverflowError) as error:
        raise ValueError(str(error)) from None
