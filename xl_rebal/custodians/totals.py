"""Account totals, and whether the totals that a file states are the sums of its rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xl_rebal.custodians.faults import Problems
from xl_rebal.custodians.statement import StatementAccount
from xl_rebal.portfolio.holdings import Holdings


@np.errstate(
    over="ignore", invalid="ignore"
)  # numbers out of all bounds are refused with their row
def counted_values(holdings: Holdings) -> NDArray[np.float64]:
    """(n,) each row's money in the base currency: the file's own value, else the computed one; 0 pending.

    The file's own values are what its own totals are the sum of.
    """
    with np.errstate(all="ignore"):  # what overflows is refused where values are needed
        own = holdings.quantity * holdings.price * holdings.multiplier
        stated = np.where(np.isfinite(holdings.stated_value), holdings.stated_value, own)
        return np.where(holdings.is_pending, 0.0, stated * holdings.fx)


def tolerance(rows: int) -> float:
    """How far a stated total may be from the sum of `rows` values that were rounded to cents."""
    return 0.005 * (rows + 1) + 1e-6


def summarise(
    holdings: Holdings,
    names: Mapping[str, str],
    stated: Mapping[str, float],
    problems: Problems,
) -> tuple[StatementAccount, ...]:
    """One entry per account of the file, in its order; a stated total that differs is a warning.

    `names` lists every account of the file, also those that hold nothing, with its title.
    """
    codes, found = pd.factorize(holdings.account)
    values = counted_values(holdings)
    size = len(found)
    totals = np.bincount(codes, weights=values, minlength=size)
    positions = np.bincount(codes, weights=holdings.is_position, minlength=size)
    rows = np.bincount(codes, minlength=size)
    place = {str(account): i for i, account in enumerate(found)}
    result = []
    for account in dict.fromkeys([*names, *place]):
        i = place.get(account)
        total = 0.0 if i is None else round(float(totals[i]), 6)
        given = stated.get(account)
        count = 0 if i is None else int(rows[i])
        if given is not None and abs(given - total) > tolerance(count):
            problems.warn(
                f"account {account}: the file states a total of {given:,.2f}, "
                f"its rows add up to {total:,.2f}"
            )
        result.append(
            StatementAccount(
                account=account,
                name=names.get(account, ""),
                positions=0 if i is None else int(positions[i]),
                total=total,
                stated_total=given,
            )
        )
    return tuple(result)
