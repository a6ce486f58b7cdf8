"""Made-up households of any size: seeds in, books out."""

from __future__ import annotations

import datetime as dt

import numpy as np

from tests.household.books import TODAY, book, security
from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.accounts import Account
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.profiles import TaxProfile

CLASSES = ("Stocks/US", "Stocks/International", "Bonds/US", "Real Estate", "Bonds/US/Municipal")
TARGETS = "45% Stocks/US, 20% Stocks/International, 25% Bonds, 10% Real Estate"
TYPES = ("taxable", "traditional", "roth", "taxable")


def random_household(
    seed: int, *, accounts: int = 4, securities: int = 30, lots: int = 300, by_law: bool = False
) -> HouseholdBook:
    """A household of some millions: half of its accounts taxable, with about `lots` lots in them."""
    rng = np.random.default_rng(seed)
    price = np.round(rng.uniform(20, 400, securities), 2)
    names = [f"S{i:03d}" for i in range(securities)]
    known = [
        security(
            name,
            CLASSES[i % len(CLASSES)],
            float(price[i]),
            tax_class="municipal" if CLASSES[i % len(CLASSES)].endswith("Municipal") else "",
        )
        for i, name in enumerate(names)
    ]
    rows = [
        Account(
            account=f"A{a}",
            household="h",
            type=TYPES[a % len(TYPES)],
            tax_return="r",
            tax_profile="p" if TYPES[a % len(TYPES)] == "taxable" else "",
        )
        for a in range(accounts)
    ]
    taxable = [a for a, row in enumerate(rows) if row.type == "taxable"]
    held: dict[tuple[str, str], float] = {}
    made = []
    for _ in range(lots):
        a, i = int(rng.choice(taxable)), int(rng.integers(securities))
        units = float(rng.integers(5, 120))
        # Days of the last month would be purchases that wash losses: some, not many.
        day = TODAY - dt.timedelta(days=int(rng.integers(20, 3_500)))
        cost = float(np.round(price[i] * rng.uniform(0.4, 1.25), 2))
        made.append((f"A{a}", names[i], day, units, cost))
        held[f"A{a}", names[i]] = held.get((f"A{a}", names[i]), 0.0) + units
    for a, row in enumerate(rows):
        if a in taxable:
            continue
        for i in rng.choice(securities, size=min(securities, 12), replace=False).tolist():
            if known[i].tax_class != "municipal":
                held[row.account, names[i]] = float(rng.integers(100, 900))
    profile = (
        TaxProfile(tax_profile="p", year=2026, filing_status=FilingStatus.JOINT, magi=235_000.0)
        if by_law
        else TaxProfile(
            tax_profile="p",
            year=2026,
            ordinary=0.35,
            long_term=0.15,
            niit=0.038,
            state=0.05,
            carry_long=float(rng.choice([0.0, 20_000.0])),
        )
    )
    return book(
        accounts=rows,
        cash={row.account: float(np.round(rng.uniform(500, 30_000), 2)) for row in rows},
        held=[(account, symbol, units) for (account, symbol), units in held.items()],
        securities=known,
        targets=TARGETS,
        lots=made,
        profiles=[profile],
    )
