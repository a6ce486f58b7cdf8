"""Numbers typed as options: what is not possible is refused, naming the option."""

from __future__ import annotations

import math

from xl_rebal.errors import TableError
from xl_rebal.portfolio import cells
from xl_rebal.portfolio.holdings import LARGEST_VALUE

_CENTURY = 36_525  # days


def money(value: float, option: str) -> float:
    """Zero or more, and no more than a double keeps to the cent."""
    return money_or_debt(not_negative(value, option), option)


def money_or_debt(value: float, option: str) -> float:
    """An amount of either sign that a double keeps to the cent."""
    if not math.isfinite(value):
        raise TableError.of(
            where=option, what=f"{value:g} is not possible", remedy="enter an amount of money"
        )
    if abs(value) > LARGEST_VALUE:
        raise TableError.of(
            where=option,
            what=f"{value:g} is more money than can be kept to the cent",
            remedy=f"enter {LARGEST_VALUE:,.0f} or less, or leave it out",
        )
    return value


def days(value: int, option: str) -> int:
    """Zero or more, within a century."""
    not_negative(value, option)
    if value > _CENTURY:
        raise TableError.of(
            where=option,
            what=f"{value} days are more than a century",
            remedy=f"enter {_CENTURY:,} or less",
        )
    return value


def share(text: str, option: str, *, most: float = math.inf) -> float:
    """A fraction from `5%`, `5pp` or `0.05`; zero or more, and `most` or less."""
    value = not_negative(fraction(text, option), option)
    if value > most:
        raise TableError.of(
            where=option,
            what=f"{text} is not possible",
            remedy=f"enter {most * 100:g}% or less, or leave it out",
        )
    return value


def optional_share(text: str | None, option: str, *, most: float = math.inf) -> float | None:
    """The same; None where nothing was typed."""
    return None if text is None else share(text, option, most=most)


def fraction(text: str, option: str) -> float:
    """A fraction from `5%`, `5pp` or `0.05`, of either sign."""
    try:
        return cells.fraction(text.strip())
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise TableError.of(where=option, what=what, remedy=remedy) from None


def not_negative(value: float, option: str) -> float:
    """A finite number, zero or more."""
    if not math.isfinite(value) or value < 0:
        raise TableError.of(
            where=option, what=f"{value:g} is not possible", remedy="enter zero or more"
        )
    return value
