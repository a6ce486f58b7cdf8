"""Target weights of a model, and how they are written as text (`60% stocks, 40% bonds`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from xl_rebal.errors import FaultList, TargetError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.securities import shipped_securities

SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One asset class's target weight, with bands of its own where the model sets them.

    target     fraction of the weight base, 0 to 1.
    band_abs   half-width of the band as a fraction (0.05 is 5 percentage points), or None.
    band_rel   half-width as a fraction of the target (0.2 is 20% of it), or None.
    min, max   weights that the class must stay between, or None.
    """

    asset_class: str
    target: float
    band_abs: float | None = None
    band_rel: float | None = None
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """A model: classes that do not overlap, with weights that sum to 100%."""

    items: tuple[Target, ...]
    name: str = ""
    classes: tuple[str, ...] = field(init=False, compare=False, repr=False)
    _symbols: dict[str, str] = field(init=False, compare=False, repr=False, default_factory=dict)
    _found: dict[str, str | None] = field(
        init=False, compare=False, repr=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        # Class paths in the order given, kept because every holding asks for them.
        object.__setattr__(self, "classes", tuple(item.asset_class for item in self.items))
        for name in self.classes:
            if classes.key(name) == name.casefold():  # no word for a class: it may be a symbol
                self._symbols.setdefault(name.casefold(), name)
        faults = FaultList()
        where = f"targets{f' of model {self.name}' if self.name else ''}"
        if not self.items:
            faults.add(
                where=where,
                what="there are no target weights",
                remedy='write them as "60% stocks, 40% bonds"',
            )
        for item in self.items:
            _check(item, where, faults)
        total = sum(item.target for item in self.items)
        if self.items and not faults and abs(total - 1.0) > SUM_TOLERANCE:
            faults.add(
                where=where,
                what=f"the weights sum to {total * 100:.10g}%, not 100%",
                remedy="correct a weight, or add the class that is missing (Cash counts as one)",
            )
        _check_overlap(self.items, where, faults)
        faults.raise_as(TargetError)

    @property
    def weights(self) -> NDArray[np.float64]:
        """(K,) target weights as fractions."""
        return np.array([item.target for item in self.items], dtype=np.float64)

    @property
    def cash(self) -> float:
        """The target weight of cash; 0 unless the model has a Cash class."""
        return sum(item.target for item in self.items if classes.is_cash(item.asset_class))

    @property
    def columns(self) -> tuple[str, ...]:
        """The classes that drift is measured in: the targets, and cash when no target is cash."""
        if any(classes.is_cash(name) for name in self.classes):
            return self.classes
        return (*self.classes, classes.CASH)

    def named(self, symbol: str) -> str | None:
        """The target that names a symbol itself, however it is spelled, or None."""
        return self._symbols.get(symbol.casefold()) if symbol else None

    def find(self, asset_class: str) -> str | None:
        """The target class that a holding's class belongs to, or None."""
        if asset_class not in self._found:
            self._found[asset_class] = classes.find_target(asset_class, self.classes)
        return self._found[asset_class]

    def spelled_as(self, symbols: Iterable[str]) -> Targets:
        """These targets, a symbol among them spelled as in `symbols`: `aapl` becomes AAPL."""
        listed = list(symbols)
        spelling = {symbol.casefold(): symbol for symbol in listed}
        items = tuple(
            replace(item, asset_class=spelling[folded])
            if (folded := item.asset_class.casefold()) in spelling
            and classes.key(item.asset_class) == folded
            and item.asset_class not in listed
            else item
            for item in self.items
        )
        return self if items == self.items else replace(self, items=items)

    def in_words(self) -> str:
        """`60% Stocks, 40% Bonds`."""
        return ", ".join(f"{item.target * 100:.10g}% {item.asset_class}" for item in self.items)


def _check(item: Target, where: str, faults: FaultList) -> None:
    place = f"{where}, {item.asset_class}"
    if not item.asset_class:
        faults.add(where=where, what="a weight has no asset class", remedy="name its class")
    if not 0.0 <= item.target <= 1.0:
        faults.add(
            where=place,
            what=f"weight {item.target * 100:.10g}% is outside 0% to 100%",
            remedy="targets are long-only; enter a weight between 0% and 100%",
        )
    for label, band in (("band_abs", item.band_abs), ("band_rel", item.band_rel)):
        if band is not None and not 0.0 <= band < 1.0:
            faults.add(
                where=f"{place}, column {label}",
                what=f"a band of {band * 100:.10g}% is outside 0% to 100%",
                remedy="enter a band such as 5pp or 20%",
            )
    for label, bound, wrong in (
        ("min", item.min, item.min is not None and item.min > item.target),
        ("max", item.max, item.max is not None and item.max < item.target),
    ):
        if bound is not None and (wrong or not 0.0 <= bound <= 1.0):
            faults.add(
                where=f"{place}, column {label}",
                what=f"{label} {bound * 100:.10g}% does not contain the target "
                f"{item.target * 100:.10g}%",
                remedy="set min <= target <= max, each between 0% and 100%",
            )


def _check_overlap(items: Sequence[Target], where: str, faults: FaultList) -> None:
    for i, first in enumerate(items):
        for second in items[i + 1 :]:
            one, two = first.asset_class, second.asset_class
            if classes.key(one) == classes.key(two):
                faults.add(
                    where=where,
                    what=f"{one} is given twice",
                    remedy="add the two weights together",
                )
            elif classes.covers(one, two) or classes.covers(two, one):
                upper, lower = (one, two) if classes.covers(one, two) else (two, one)
                faults.add(
                    where=where,
                    what=f"the target on {upper} already covers {lower}",
                    remedy=f"give each class below {upper} its own target, or only {upper}",
                )


_BEFORE = re.compile(
    r"^\s*(?P<weight>[-+]?[\d.]+)\s*(?P<unit>%|pp)?\s*(?:of\s+|in\s+)?(?P<name>.+?)\s*$"
)
_AFTER = re.compile(
    r"^\s*(?P<name>.+?)(?:\s*[:=]\s*|\s+)(?P<weight>[-+]?[\d.]+)\s*(?P<unit>%|pp)?\s*$"
)
_A_NAME = re.compile(r"[^%]*[^\W\d_][^%]*")  # has a letter; a second % is a separator left out
_LEAD = re.compile(
    r"^\s*(set\s+)?(my\s+)?target(s|\s+allocation|\s+weights)?\s*(to)?\s*:\s*", re.IGNORECASE
)


def parse_targets(text: str) -> Targets:
    """Targets from text: `60% stocks, 30% bonds, 10% real estate`, `VTI 60%; BND: 40%`.

    Weights carry `%` or are fractions that sum to 1. Parts are separated by commas, semicolons, new
    lines or `and`. Raises TargetError naming the part that cannot be read.
    """
    body = _LEAD.sub("", text)
    parts = [p for p in re.split(r"[,;\n]|\s+and\s+", body) if p.strip()]
    faults = FaultList()
    found: list[tuple[str, float, bool]] = []
    for part in parts:
        match = _BEFORE.match(part) or _AFTER.match(part)
        try:
            if match is None or not _A_NAME.fullmatch(match["name"]):
                raise ValueError
            weight = float(match["weight"])
        except ValueError:
            faults.add(
                where="targets",
                what=f"{part.strip()!r} is not a weight and a class",
                remedy='write parts such as "60% stocks", separated by commas',
            )
            continue
        found.append((match["name"].strip(" :="), weight, match["unit"] is not None))
    faults.raise_as(TargetError)
    scaled = scaled_weights([(weight, unit) for _, weight, unit in found], "targets")
    return Targets(
        tuple(
            Target(asset_class=spelled(name), target=weight)
            for (name, _, _), weight in zip(found, scaled, strict=True)
        )
    )


def spelled(name: str) -> str:
    """A class as `classes.clean` spells it; a well-known symbol keeps its capitals (`vti` is VTI)."""
    upper = name.upper()
    if upper in shipped_securities() and classes.key(name) == name.casefold():
        return upper
    return classes.clean(name)


def scaled_weights(weights: Sequence[tuple[float, bool]], where: str) -> list[float]:
    """Fractions from weights with or without `%`: bare numbers are fractions or percent by their sum."""
    united = [unit for _, unit in weights]
    if all(united):
        return [round(weight / 100, 15) for weight, _ in weights]
    bare = sum(weight for weight, unit in weights if not unit)
    if any(united) and any(weight != 0 for weight, unit in weights if not unit):
        raise TargetError.of(
            where=where,
            what="some weights carry % and some do not",
            remedy="write all of them with %, as in 60%",
        )
    if any(united):
        return [round(weight / 100, 15) if unit else 0.0 for weight, unit in weights]
    if abs(bare - 1) < 0.02 or all(weight <= 1 for weight, _ in weights):
        return [weight for weight, _ in weights]
    return [round(weight / 100, 15) for weight, _ in weights]
