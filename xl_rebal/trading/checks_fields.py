"""Verifier, first of all: every field of a plan is what it must be, so that nothing after it can stumble."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from operator import attrgetter

from xl_rebal.trading.checks_book import Violation
from xl_rebal.trading.limits import OrderType, TimeInForce
from xl_rebal.trading.plan import Action, Plan

_NUMBERS = {
    "trade": (
        "quantity",
        "price",
        "unit_value",
        "value",
        "cost",
        "half_spread",
        "commission",
        "impact",
        "redemption",
    ),
    "class": (
        *("target", "value_before", "weight_before", "drift_before"),
        *("value_after", "weight_after", "drift_after"),
    ),
    "plan": (
        *("base_before", "base_after", "cash_before", "flow", "reserve", "cash_after"),
        *("total_cost", "turnover", "leaving"),
    ),
    "day": ("opening", "arriving", "sells", "buys", "fees", "flows", "closing"),
    "cause": ("drift_pp",),
}
_OPTIONAL = {
    **{"trade": ("limit_price",), "class": ("lower", "upper"), "plan": ("deposit_to_restore",)},
    **{"day": (), "cause": ()},
}
_TEXTS = {
    "trade": ("account", "symbol", "asset_class", "reason", "settles"),
    "class": ("asset_class", "status_before", "status_after", "cause"),
    "plan": ("account", "why"),
    "day": ("when",),
    "cause": ("account", "asset_class", "symbol", "what"),
}
_KINDS = {"action": Action, "order_type": OrderType, "time_in_force": TimeInForce}


def unreadable(plan: Plan) -> list[Violation]:
    """Fields of a plan that are not what they must be: no number, NaN, infinite, no text."""
    where = f"account {getattr(plan, 'account', '?')}"
    found = list(_bad_fields(plan, "plan", where))
    for name in ("trades", "classes", "notes", "remarks", "cash_days", "not_done"):
        if not isinstance(getattr(plan, name, None), tuple):
            found.append(Violation(code="unreadable", where=where, what=f"{name} is not a tuple"))
    if found:
        return found
    for index, trade in enumerate(plan.trades, start=1):
        for name, known in _KINDS.items():
            if not isinstance(getattr(trade, name, None), known):
                what = f"{name} is none of {', '.join(known)}"
                found.append(
                    Violation(
                        code=name.replace("_", "-"), where=f"{where}, trade {index}", what=what
                    )
                )
    for records, kind, word in (
        (plan.trades, "trade", "trade"),
        (plan.classes, "class", "class"),
        (plan.cash_days, "day", "cash day"),
        (plan.not_done, "cause", "cause"),
    ):
        if not _are_sound(records, kind):
            for index, record in enumerate(records, start=1):
                found += _careful(record, kind, f"{where}, {word} {index}")
    if not all(isinstance(text, str) for text in _anything((*plan.notes, *plan.remarks))):
        found.append(Violation(code="unreadable", where=where, what="a note is not a text"))
    if not isinstance(getattr(plan, "triggered", None), bool):
        found.append(Violation(code="unreadable", where=where, what="triggered is not yes or no"))
    return found


def _anything(values: Iterable[object]) -> Iterable[object]:
    """The same values, whatever their declared type: a verifier does not trust declarations."""
    return values


Names = tuple[str, ...]
_GET = {
    names: attrgetter(*names)
    for fields in (_NUMBERS, _OPTIONAL, _TEXTS)
    for names in fields.values()
    if names
}


def _values(records: Sequence[object], names: Names) -> list[object]:
    """The named fields of all records, one after the other."""
    if not names:
        return []
    found = map(_GET[names], records)
    return list(found) if len(names) == 1 else list(itertools.chain.from_iterable(found))


def _are_sound(records: Sequence[object], kind: str) -> bool:
    """True when every field of all records is plainly what it must be; anything unusual gets the
    careful look.
    """
    if not records:
        return True
    try:
        numbers = _values(records, _NUMBERS[kind])
        maybe = [each for each in _values(records, _OPTIONAL[kind]) if each is not None]
        texts = _values(records, _TEXTS[kind])
    except AttributeError:
        return False
    numbers += maybe
    return (
        set(map(type, numbers)) == {float}
        and math.isfinite(sum(numbers))  # type: ignore[arg-type]  # all are float; one that is not finite makes the sum so
        and set(map(type, texts)) == {str}
    )


def _is_sound(record: object, kind: str) -> bool:
    return _are_sound((record,), kind)


def _bad_fields(record: object, kind: str, where: str) -> Iterable[Violation]:
    return () if _is_sound(record, kind) else _careful(record, kind, where)


def _careful(record: object, kind: str, where: str) -> Iterable[Violation]:
    for name in _NUMBERS[kind]:
        if not _is_number(getattr(record, name, None)):
            what = f"{name} is {getattr(record, name, 'missing')!r}, not a finite number"
            yield Violation(code="unreadable", where=where, what=what)
    for name in _OPTIONAL[kind]:
        value = getattr(record, name, "missing")
        if value is not None and not _is_number(value):
            what = f"{name} is {value!r}, not a finite number"
            yield Violation(code="unreadable", where=where, what=what)
    for name in _TEXTS[kind]:
        if not isinstance(getattr(record, name, None), str):
            what = f"{name} is {getattr(record, name, 'missing')!r}, not a text"
            yield Violation(code="unreadable", where=where, what=what)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
