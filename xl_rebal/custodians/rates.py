"""Exchange rates of a file: which currency it counts in, and what the others are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xl_rebal.custodians.faults import Problems
from xl_rebal.portfolio.holdings import TextColumn


def base_currency(
    currency: TextColumn,
    fx: NDArray[np.float64],
    money: NDArray[np.float64],
    stated: str,
) -> str:
    """The currency that the file counts in: stated, the only one, the one whose rate is 1, the largest.

    `money` (n,) are absolute amounts, used only to find the largest currency.
    """
    names = sorted({c for c in currency.tolist() if c})
    if stated:
        return stated
    if len(names) <= 1:
        rated = fx[(currency != "") & np.isfinite(fx)]
        return "" if not names or (rated.size and not (rated == 1.0).any()) else str(names[0])
    ones = sorted({c for c in currency[fx == 1.0].tolist() if c})
    if len(ones) == 1:
        return str(ones[0])
    if np.isfinite(fx).any():
        # Rates are given and none of them is 1: the base is a currency that the file does not hold.
        return ""
    if "USD" in names:
        return "USD"
    sums = {name: float(np.nansum(money[currency == name])) for name in names}
    return str(max(names, key=lambda name: sums[name]))


def rates_for(
    currency: TextColumn, stated: NDArray[np.float64], base: str, problems: Problems
) -> NDArray[np.float64]:
    """(n,) base currency per unit: the stated rate, 1 for the base, NaN (and a warning) where unknown."""
    names = sorted({c for c in currency.tolist() if c})
    fx = stated.copy()
    blank = ~np.isfinite(fx)
    fx[blank & ((currency == base) | (currency == ""))] = 1.0
    for name in names:
        mine = currency == name
        rates = np.unique(stated[mine & np.isfinite(stated)])
        if len(rates) == 1:
            fx[mine & blank] = rates[0]
        elif len(rates) > 1 and rates[-1] - rates[0] > 1e-9 * rates[-1]:
            problems.warn(f"{name} has {len(rates)} different exchange rates in this file")
    unknown = sorted(set(currency[~np.isfinite(fx)].tolist()))
    if unknown:
        problems.warn(
            f"several currencies ({', '.join(names)}) and no exchange rate for {', '.join(unknown)}: "
            f"add a column fx with the price of one unit in {base or 'the base currency'}"
        )
    return fx
