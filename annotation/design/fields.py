"""What a value of a design may be, and sections: tables of a design that stand in a module of their own."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

Problems = list[tuple[str, str]]  # (field, what was received and what is allowed)
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class DesignRefused(ValueError):
    """A design that cannot be used; `problems` holds (field, message) for every fault found."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{field}: {message}" for field, message in problems))
        self.problems = tuple(problems)
        self.field, self.message = self.problems[0]


def canonical_json(data: Any) -> str:
    """One text for one value: sorted keys, no spaces, UTF-8 characters as they are, no NaN.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": ["é"]})
    '{"a":["é"],"b":1}'
    """
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def number_problem(value: Any, least: int, most: int) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        return f"Received {value!r}; give a whole number from {least} to {most}."
    return None


def share_problem(value: Any, least: float, most: float) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        return f"Received {value!r}; give a number from {least:g} to {most:g}."
    return None


def text_problem(value: Any, may_be_empty: bool, most: int) -> str | None:
    if not isinstance(value, str):
        return f"Received {value!r}; give a text."
    if not value.strip() and not may_be_empty:
        return "Received an empty text; write something."
    if len(value) > most:
        return f"Received {len(value)} characters; at most {most} fit."
    return None


def choice_problem(value: Any, choices: tuple[Any, ...]) -> str | None:
    if value not in choices:
        return f"Received {value!r}; choose one of: {', '.join(str(choice) for choice in choices)}."
    return None


def switch_problem(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"Received {value!r}; give true or false."


class Section:
    """A table of a design, a frozen dataclass whose fields all have defaults and stand in one of these tables.

    A section adds rules over several fields in `joint_problems`.
    """

    # field -> smallest and largest allowed value
    RANGES: ClassVar[dict[str, tuple[int, int]]] = {}
    SHARES: ClassVar[dict[str, tuple[float, float]]] = {}
    CHOICES: ClassVar[dict[str, tuple[Any, ...]]] = {}
    TEXTS: ClassVar[dict[str, tuple[bool, int]]] = {}  # may be empty, most characters
    SWITCHES: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def read(cls, place: str, value: Any, problems: Problems) -> Self:
        """The section with these values; every fault found is added to `problems`, and then the result is the default.

        Parameters
        ----------
        place : str
            Name of the section, for the messages.
        value : mapping or an instance
        """
        if isinstance(value, cls):
            value = {field.name: getattr(value, field.name) for field in fields(value)}  # type: ignore[arg-type]
        found = cls._problems(place, value)
        problems += found
        return cls() if found else cls(**value)

    @classmethod
    def _problems(cls, place: str, value: Any) -> Problems:
        if not isinstance(value, Mapping):
            return [(place, f"Received {value!r}; give a table.")]
        known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
        found = [
            (f"{place}.{name}", f"Unknown field; known are: {', '.join(known)}.") for name in value if name not in known
        ]
        for name in known:
            if name in value and (message := cls._problem(name, value[name])):
                found.append((f"{place}.{name}", message))
        return found or [(f"{place}.{name}", message) for name, message in cls(**value).joint_problems()]

    @classmethod
    def _problem(cls, name: str, value: Any) -> str | None:
        if name in cls.RANGES:
            return number_problem(value, *cls.RANGES[name])
        if name in cls.SHARES:
            return share_problem(value, *cls.SHARES[name])
        if name in cls.CHOICES:
            return choice_problem(value, cls.CHOICES[name])
        if name in cls.TEXTS:
            return text_problem(value, *cls.TEXTS[name])
        return switch_problem(value) if name in cls.SWITCHES else cls.other_problem(name, value)

    @classmethod
    def other_problem(cls, name: str, value: Any) -> str | None:
        """For a field that stands in no table, as a list does."""
        raise TypeError(f"{cls.__name__}.{name} stands in none of the tables of allowed values.")

    def joint_problems(self) -> Problems:
        """Faults that show only when the single fields are right."""
        return []
