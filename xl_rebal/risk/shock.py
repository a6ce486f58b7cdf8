"""What market moves do to weights (S002)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from xl_rebal.drift import Matrix
from xl_rebal.errors import TableError


def shocked(weight: Matrix, returns: Matrix) -> Matrix:
    """(..., K) weights after each class returned what is given (fractions; the total must not vanish).

    Example (S002): 60/40 after -34% and 0%: 39.6 / 79.6 = 49.75% and 50.25%.
    """
    value = weight * (1 + returns)
    total = value.sum(axis=-1, keepdims=True)
    if not (total > 1e-12).all():
        raise ValueError("these returns leave nothing of the portfolio")
    result: Matrix = value / total
    return result


_MOST = 100.0  # a hundredfold: what is more is a slip of the pen
_RETURN = re.compile(r"(.+?)[\s:=]*([+-]?\s*(?:\d+(?:\.\d*)?|\.\d+))\s*%")


def parse_returns(text: str) -> dict[str, float]:
    """`stocks -20%, bonds 5%` as fractions by class; at least one."""
    result: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;\n]", text))):
        match = _RETURN.fullmatch(part)
        if match is None:
            raise TableError.of(
                where="returns",
                what=f"{part!r} is not understood",
                remedy='write them as "stocks -20%, bonds 5%"',
            )
        if match[1] in result:
            raise TableError.of(
                where="returns", what=f"{match[1]!r} stands twice", remedy="give one return a class"
            )
        result[match[1]] = float(match[2].replace(" ", "")) / 100
    if not result:
        raise TableError.of(
            where="returns", what="names no class", remedy='write them as "stocks -20%, bonds 5%"'
        )
    return result


def returns_of(given: Mapping[str, float], classes: Sequence[str]) -> Matrix:
    """(K,) returns of the classes; one that is given for `Stocks` holds for all below it, others are 0.

    Raises TableError for a return below -100% and for a class that is not there.
    """
    result = np.zeros(len(classes))
    paths = [name.casefold() for name in classes]
    for name, value in sorted(given.items(), key=lambda item: item[0].count("/")):
        wanted = name.casefold()
        hit = [i for i, path in enumerate(paths) if path == wanted or path.startswith(f"{wanted}/")]
        if not hit:
            raise TableError.of(
                where="returns",
                what=f"{name!r} is no class here",
                remedy=f"classes are: {', '.join(classes)}",
            )
        if not -1 <= value <= _MOST:
            raise TableError.of(
                where="returns",
                what=f"{name} {value * 100:g}% is not possible",
                remedy=f"give a return from -100% to {_MOST * 100:,.0f}%",
            )
        result[hit] = value
    return result
