"""Models: named target weights from the rows of a table, and models made of other models.

A row's `asset_class` names a class, a security, or another model of the table. The column `kind` says
what a row does:

blank   a weight. The weights of a model sum to 100%; where the row names another model, that model's own
        weights are scaled to it (a hierarchy of sleeves, a blend of two models).
model   the same, and a name that is no model is a mistake, not a class.
fixed   a weight that stays as it is; the rest of the model is scaled around it, and holds none of it else.
tilt    percentage points on top of all that, + or -; the tilts of a model sum to 0.

`60% Growth, 40% Income` with Growth = 80% Stocks, 20% Bonds and Income = 30% Stocks, 70% Bonds is
0.6 x 80% + 0.4 x 30% = 60% Stocks and 40% Bonds; with 5% Cash fixed it is 57%, 38% and 5%.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from xl_rebal.errors import Fault, FaultList, TargetError
from xl_rebal.portfolio import cells, classes, tables
from xl_rebal.portfolio.securities import shipped_securities
from xl_rebal.portfolio.targets import SUM_TOLERANCE, Target, Targets, scaled_weights, spelled

Row = Mapping[str, Any]
_BANDS = (
    "band_abs",
    "min",
    "max",
)  # widths and bounds in weight; band_rel is a share of the target
_LIKE = 0.8  # how like a model's name a class must be to be taken for a slip of the pen


class Kind(StrEnum):
    """What a row of a model does; see the module."""

    WEIGHT = ""
    MODEL = "model"
    FIXED = "fixed"
    TILT = "tilt"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One row that was read: its own target and bands, and the model that it names, if any."""

    kind: Kind
    item: Target
    model: str
    row: Row


def targets_from_rows(rows: Sequence[Row]) -> dict[str, Targets]:
    """Models by name from the rows of the `models` table (one model without a name is called ``), each
    worked out to classes.

    A weight may be typed `60%`, `60` or `0.6`; within one model all are read the same way.
    Raises TargetError for everything that is wrong with them.
    """
    by_model: dict[str, list[Row]] = {}
    for row in rows:
        if not _is_total(row):
            by_model.setdefault(str(row.get("model", "")), []).append(row)
    faults = FaultList()
    lines: dict[str, list[_Line]] = {}
    known = {_key(name): name for name in by_model if name}
    for name, members in by_model.items():
        with faults.collecting():
            lines[name] = _lines(members, name, known)
    circular = _circular(lines, faults)
    found = _worked_out(lines, circular, faults)
    faults.raise_as(TargetError)
    return found


def _is_total(row: Row) -> bool:
    return tables.header_key(row["asset_class"]) in {"total", "sum", "grandtotal"}


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _lines(rows: Sequence[Row], name: str, known: Mapping[str, str]) -> list[_Line]:
    """The rows of one model; weights are fractions, and names of models are spelled as they are."""
    faults = FaultList()
    kinds = [_kind(row, faults) for row in rows]
    models = [
        _named_model(row, kind, name, known, faults) for row, kind in zip(rows, kinds, strict=True)
    ]
    weights = _weights(rows, name, faults)
    faults.raise_as(TargetError)
    return [
        _Line(
            kind=kind,
            item=Target(
                asset_class=model or spelled(str(row["asset_class"])),
                target=weight,
                band_abs=row.get("band_abs"),
                band_rel=row.get("band_rel"),
                min=row.get("min"),
                max=row.get("max"),
            ),
            model=model,
            row=row,
        )
        for row, kind, model, weight in zip(rows, kinds, models, weights, strict=True)
    ]


def _kind(row: Row, faults: FaultList) -> Kind:
    word = str(row.get("kind", "")).strip().casefold()
    try:
        return Kind("" if word in {"weight", "class"} else word)
    except ValueError:
        known = ", ".join(filter(None, Kind))
        what = f"{row['kind']!r} is not known"
        faults.extend(
            [
                tables.fault_at(
                    "targets", row, "kind", what, f"leave it blank, or use one of {known}"
                )
            ]
        )
        return Kind.WEIGHT


def _named_model(
    row: Row, kind: Kind, own: str, known: Mapping[str, str], faults: FaultList
) -> str:
    """The model that a row names, empty for a class; a row that names its own model means a class."""
    text = str(row["asset_class"])
    found = known.get(_key(text), "")
    if found and found != own:
        return found
    others = {key: name for key, name in known.items() if name != own}
    near = difflib.get_close_matches(_key(text), others, n=1, cutoff=_LIKE)
    if kind is Kind.MODEL:
        what = f"{text!r} is no other model of this table"
        remedy = f"models are: {', '.join(others.values()) or 'none but this one'}"
        if near:
            remedy = f"did you mean {others[near[0]]}? {remedy}"
        faults.extend([tables.fault_at("targets", row, "asset_class", what, remedy)])
    elif near and not _is_class(text):
        what = f"{text!r} is no class that is known here, and nearly the model {others[near[0]]!r}"
        remedy = "correct it; for a class of that name write its whole path, as in Stocks/Growth"
        faults.extend([tables.fault_at("targets", row, "asset_class", what, remedy)])
    return ""


def _is_class(text: str) -> bool:
    """True for a path, a class of the shipped table or a word for one, and a well-known symbol."""
    tops = {
        security.asset_class.split("/")[0].casefold() for security in shipped_securities().values()
    }
    return (
        "/" in text
        or classes.key(text) != text.casefold()
        or text.casefold() in tops | {classes.CASH.casefold(), classes.EXCLUDED.casefold()}
        or text.upper() in shipped_securities()
    )


def _weights(rows: Sequence[Row], name: str, faults: FaultList) -> list[float]:
    weights: list[tuple[float, bool]] = []
    for row in rows:
        raw = row["target"]
        unit = isinstance(raw, str) and raw.strip().endswith("%")
        try:
            weights.append((cells.number(raw) * (100 if unit else 1), unit))
        except ValueError as error:
            what, _, remedy = str(error).partition("; ")
            faults.extend([tables.fault_at("targets", row, "target", what, remedy)])
    if len(weights) < len(rows):
        return [0.0] * len(rows)
    where = f"{rows[0].get('table', 'targets')}{f', model {name}' if name else ''}, column target"
    with faults.collecting():
        return scaled_weights(weights, where)
    return [0.0] * len(rows)


def _circular(lines: Mapping[str, Sequence[_Line]], faults: FaultList) -> set[str]:
    """The models that name each other in a circle; each circle is a fault."""
    done: set[str] = set()
    found: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = (*path[path.index(name) :], name)
            found.update(circle)
            line = next(each for each in lines[circle[-2]] if each.model == name)
            what = f"the models name each other in a circle: {' > '.join(circle)}"
            remedy = "let one of them name classes"
            faults.extend([tables.fault_at("targets", line.row, "asset_class", what, remedy)])
            return
        if name in done:
            return
        for part in dict.fromkeys(each.model for each in lines.get(name, ()) if each.model):
            visit(part, (*path, name))
        done.add(name)

    for name in lines:
        visit(name, ())
    return found


def _worked_out(
    lines: Mapping[str, Sequence[_Line]], circular: set[str], faults: FaultList
) -> dict[str, Targets]:
    """Every model as classes; what is made of a model with a fault is left out, the fault is said once."""
    found: dict[str, Targets] = {}
    failed = set(circular)

    def visit(name: str) -> None:
        if name in found or name in failed:
            return
        parts = [each.model for each in lines.get(name, ()) if each.model]
        for part in parts:
            visit(part)
        if name not in lines or failed.intersection(parts):
            failed.add(name)
            return
        table = str(lines[name][0].row.get("table", ""))
        try:
            found[name] = _targets(name, lines[name], found)
        except TargetError as error:
            failed.add(name)
            faults.extend(_at(fault, table) for fault in error.faults)

    for name in lines:
        visit(name)
    return {name: found[name] for name in lines if name in found}


def _at(fault: Fault, table: str) -> Fault:
    placed = not table or fault.where.startswith(table)
    return fault if placed else replace(fault, where=f"{table}: {fault.where}")


def _targets(name: str, lines: Sequence[_Line], models: Mapping[str, Targets]) -> Targets:
    """The classes of one model, its parts already worked out."""
    if all(line.kind is Kind.WEIGHT and not line.model for line in lines):
        return Targets(tuple(line.item for line in lines), name)
    where = f"targets of model {name}" if name else "targets"
    weights = [line for line in lines if line.kind in (Kind.WEIGHT, Kind.MODEL)]
    fixed = [line for line in lines if line.kind is Kind.FIXED]
    _require_sums(weights, fixed, lines, where)
    blend = _Blend()
    for line in weights:
        blend.add(_members(line, models))
    items = _around(
        blend.items(), [item for line in fixed for item in _members(line, models)], where
    )
    items = _tilted(items, [line for line in lines if line.kind is Kind.TILT], models, where)
    own = {classes.key(line.item.asset_class): line.item for line in lines if not line.model}
    return Targets(tuple(_with_own_bands(item, own) for item in items), name)


def _require_sums(
    weights: Sequence[_Line], fixed: Sequence[_Line], lines: Sequence[_Line], where: str
) -> None:
    """The weights sum to 100%, of the model or of what the fixed rows leave; the tilts to nothing."""
    faults = FaultList()
    kept = sum(line.item.target for line in fixed)
    total = sum(line.item.target for line in weights)
    for line in (*weights, *fixed):
        if not 0.0 <= line.item.target <= 1.0:
            what = f"weight {line.item.target * 100:.10g}% is outside 0% to 100%"
            remedy = (
                "enter a weight between 0% and 100%; more or less of a class is a row of kind tilt"
            )
            faults.extend([tables.fault_at("targets", line.row, "target", what, remedy)])
    if not faults and min(abs(total - 1.0), abs(total + kept - 1.0)) > SUM_TOLERANCE:
        rest = f" beside {kept * 100:.10g}% that is fixed" if fixed else ""
        what = f"the weights sum to {total * 100:.10g}%{rest}, not 100%"
        faults.add(where=where, what=what, remedy="correct a weight, or add what is missing")
    tilts = sum(line.item.target for line in lines if line.kind is Kind.TILT)
    if abs(tilts) > SUM_TOLERANCE:
        what = f"the tilts sum to {tilts * 100:+.10g}%, not 0%"
        faults.add(where=where, what=what, remedy="take from some classes what is added to others")
    faults.raise_as(TargetError)


def _members(line: _Line, models: Mapping[str, Targets]) -> list[Target]:
    """What a row brings: its class, or the classes of the model that it names, scaled."""
    if not line.model:
        return [line.item]
    return [_scaled(item, line.item.target) for item in models[line.model].items]


def _scaled(item: Target, by: float) -> Target:
    """A class of a sleeve as a part of the whole: 5 pp of a sleeve that is 60% are 3 pp of it."""

    def part(value: float | None) -> float | None:
        return None if value is None else value * by

    return replace(
        item,
        target=item.target * by,
        band_abs=part(item.band_abs),
        min=part(item.min),
        max=part(item.max),
    )


class _Blend:
    """Adds up classes. A band is kept where every part that has the class has one: widths and bounds
    add up, of relative bands the narrowest counts.
    """

    def __init__(self) -> None:
        self._parts: dict[str, list[Target]] = {}

    def add(self, items: Iterable[Target]) -> None:
        """Take the classes of a part."""
        for item in items:
            self._parts.setdefault(classes.key(item.asset_class), []).append(item)

    def items(self) -> list[Target]:
        """The classes in the order of their first part."""
        return [_sum(parts) for parts in self._parts.values()]


def _sum(parts: Sequence[Target]) -> Target:
    if len(parts) == 1:
        return parts[0]
    weighty = [part for part in parts if part.target > 0] or list(parts)

    def total(values: Sequence[float | None]) -> float | None:
        stated = [value for value in values if value is not None]
        return sum(stated) if len(stated) == len(values) else None

    relative = [part.band_rel for part in weighty if part.band_rel is not None]
    return replace(
        parts[0],
        target=sum(part.target for part in parts),
        band_abs=total([part.band_abs for part in weighty]),
        band_rel=min(relative) if len(relative) == len(weighty) else None,
        min=total([part.min for part in weighty]),
        max=total([part.max for part in weighty]),
    )


def _around(items: list[Target], fixed: list[Target], where: str) -> list[Target]:
    """The classes scaled around those that are fixed."""
    if not fixed:
        return items
    kept = {classes.key(item.asset_class) for item in fixed}
    rest = [item for item in items if classes.key(item.asset_class) not in kept]
    have, left = sum(item.target for item in rest), 1.0 - sum(item.target for item in fixed)
    if left < -SUM_TOLERANCE or (left > SUM_TOLERANCE and not have > 0):
        raise TargetError.of(
            where=where,
            what=f"{(1.0 - left) * 100:.10g}% is fixed, and the rest holds {have * 100:.10g}% to scale",
            remedy="fix less than 100%, and give the rest weights",
        )
    by = max(left, 0.0) / have if have > 0 else 0.0
    return [*(_scaled(item, by) for item in rest), *fixed]


def _tilted(
    items: list[Target], tilts: Sequence[_Line], models: Mapping[str, Targets], where: str
) -> list[Target]:
    """The classes with percentage points added and taken."""
    if not tilts:
        return items
    by_class = {classes.key(item.asset_class): item for item in items}
    faults = FaultList()
    for line in tilts:
        for change in _members(line, models):
            key = classes.key(change.asset_class)
            held = by_class.get(key, replace(change, target=0.0, band_abs=None, min=None, max=None))
            by_class[key] = replace(held, target=held.target + change.target)
    for item in by_class.values():
        if not -SUM_TOLERANCE <= item.target <= 1.0 + SUM_TOLERANCE:
            what = f"the tilts leave {item.asset_class} at {item.target * 100:.10g}%"
            faults.add(where=where, what=what, remedy="tilt by no more than there is")
    faults.raise_as(TargetError)
    return [replace(item, target=max(item.target, 0.0)) for item in by_class.values()]


def _with_own_bands(item: Target, own: Mapping[str, Target]) -> Target:
    """The bands that the model itself sets for a class come before those of its parts."""
    mine = own.get(classes.key(item.asset_class))
    if mine is None or (mine.band_abs, mine.band_rel, mine.min, mine.max) == (None,) * 4:
        return replace(item, target=round(item.target, 15))
    return Target(
        asset_class=item.asset_class,
        target=round(item.target, 15),
        band_abs=mine.band_abs,
        band_rel=mine.band_rel,
        min=mine.min,
        max=mine.max,
    )
