"""The number columns of a table: one decimal style for a file, every bad cell reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians.columns import MONEY_ROLES
from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.numbers import DecimalStyle, StyleEvidence, parse_column, style_evidence
from xl_rebal.custodians.table import Defaults, Table
from xl_rebal.portfolio.holdings import TextColumn

_READ = ("quantity", "price", "value", "multiplier", "fx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """(n,) numbers, NaN where blank or absent; `faulty` rows had a bad cell and are not judged again.

    `currency` (n,) are ISO codes that stand in the number cells; None when no cell has one.
    """

    quantity: NDArray[np.float64]
    price: NDArray[np.float64]
    value: NDArray[np.float64]
    multiplier: NDArray[np.float64]
    fx: NDArray[np.float64]
    faulty: NDArray[np.bool_]
    currency: TextColumn | None


def read_amounts(table: Table, defaults: Defaults, problems: Problems) -> Amounts:
    """All number columns of a table, with faults for cells that hold no number."""
    styles = decide_styles(table, defaults, problems)
    n = len(table)
    faulty = np.zeros(n, dtype=np.bool_)
    columns: dict[str, NDArray[np.float64]] = {}
    currency: TextColumn | None = None
    for role in _READ:
        cells = table.columns.get(role)
        if cells is None:
            columns[role] = np.full(n, np.nan)
            continue
        percent = role == "price" and defaults.price_percent
        parsed = parse_column(cells, styles[role], percent=percent)
        columns[role] = parsed.values
        for row, reason in parsed.bad.items():
            faulty[row] = True
            problems.fault(table.lines[row], table.label(role), reason, "enter digits only")
        if parsed.currency is not None and role != "fx":
            currency = (
                parsed.currency
                if currency is None
                else np.where(currency == "", parsed.currency, currency)
            )
    _check_signs(table, columns, faulty, problems)
    return Amounts(**columns, faulty=faulty, currency=currency)


def _check_signs(
    table: Table,
    columns: Mapping[str, NDArray[np.float64]],
    faulty: NDArray[np.bool_],
    problems: Problems,
) -> None:
    for role in ("fx", "multiplier"):
        for row in np.flatnonzero(columns[role] <= 0).tolist():
            faulty[row] = True
            problems.fault(
                table.lines[row], table.label(role), f"{columns[role][row]:g} is not above zero",
                f"enter a positive {role}, or leave the cell blank",
            )  # fmt: skip


def decide_styles(table: Table, defaults: Defaults, problems: Problems) -> dict[str, DecimalStyle]:
    """The decimal sign of each number column: one for the file, unless its columns disagree.

    A column that can be read both ways (`1.234` throughout) follows the others; with no other
    evidence the reading under which quantity x price = value wins; else the decimal point, with a
    warning.
    """
    roles = [role for role in MONEY_ROLES if role in table.columns]
    if defaults.decimal is not None:
        return dict.fromkeys(roles, defaults.decimal)
    found = {role: style_evidence(table.columns[role]) for role in roles}
    point = any(e.point for e in found.values())
    comma = any(e.comma for e in found.values())
    if point and comma:
        return _column_by_column(table, found, problems)
    if comma:
        return dict.fromkeys(roles, DecimalStyle.COMMA)
    if not point and any(e.undecided for e in found.values()):
        style = _by_products(table)
        if style is None:
            style = DecimalStyle.POINT
            example = next(e.undecided for e in found.values() if e.undecided)
            problems.warn(
                f"{example!r} can be read in two ways; the point was taken as the decimal sign and "
                "the comma as the thousands sign (a mapping file can say otherwise)"
            )
        return dict.fromkeys(roles, style)
    return dict.fromkeys(roles, DecimalStyle.POINT)


def _column_by_column(
    table: Table, found: Mapping[str, StyleEvidence], problems: Problems
) -> dict[str, DecimalStyle]:
    styles: dict[str, DecimalStyle] = {}
    for role, evidence in found.items():
        styles[role] = DecimalStyle.POINT
        if evidence.point and evidence.comma:
            if role == "cost":
                continue
            problems.fault(
                table.lines[0] if len(table) else 0, table.label(role),
                f"{evidence.point!r} has a decimal point and {evidence.comma!r} a decimal comma",
                "write all numbers of a column in one way",
            )  # fmt: skip
        elif evidence.comma:
            styles[role] = DecimalStyle.COMMA
        elif evidence.undecided and not evidence.point:
            problems.warn(
                f"column {table.label(role)}: {evidence.undecided!r} can be read in two ways; the point "
                "was taken as the decimal sign"
            )
    return styles


def _by_products(table: Table) -> DecimalStyle | None:
    """The reading under which more rows have quantity x price = value; None without a winner."""
    if not all(role in table.columns for role in ("quantity", "price", "value")):
        return None
    ties = {}
    for style in DecimalStyle:
        q, p, v = (
            parse_column(table.columns[role][:5000], style).values
            for role in ("quantity", "price", "value")
        )
        with np.errstate(invalid="ignore"):
            ties[style] = int(np.sum((np.abs(q * p - v) <= 0.005 * np.abs(v)) & (v != 0)))
    point, comma = ties[DecimalStyle.POINT], ties[DecimalStyle.COMMA]
    if point == comma:
        return None
    return DecimalStyle.POINT if point > comma else DecimalStyle.COMMA
