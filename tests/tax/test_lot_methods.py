"""Lot methods: by hand, and the lowest tax against every possible choice of lots."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import TaxError
from xl_rebal.portfolio.lots import Lots, Term
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.income_tax import Rates, added_tax
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.lot_methods import LotMethod, choose_lots, gains_of, is_collectible, lot_method
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile

D = dt.date
TODAY = D(2026, 11, 24)


def lots(*rows: tuple[str, dt.date, float, float], symbol: str = "M") -> Lots:
    return Lots.from_rows(
        {
            "account": "T",
            "symbol": symbol,
            "lot_id": name,
            "acquired": day,
            "quantity": q,
            "unit_cost": c,
        }
        for name, day, q, c in rows
    )


THREE = lots(
    ("a", D(2020, 1, 2), 100, 30.0), ("b", D(2024, 1, 2), 50, 90.0), ("c", D(2026, 6, 1), 80, 60.0)
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "taken"),
    [
        (LotMethod.FIFO, [("a", 100), ("b", 20)]),
        (LotMethod.LIFO, [("c", 80), ("b", 40)]),
        (LotMethod.HIFO, [("b", 50), ("c", 70)]),
        # At 50: b loses 40 a unit (long), c loses 10 (short), a gains 20 (long).
        (LotMethod.LOWEST_TAX, [("b", 50), ("c", 70)]),
    ],
)
def test_orders_by_hand(method: LotMethod, taken: list[tuple[str, float]]) -> None:
    sold = choose_lots(THREE, 120, method, price=50.0, as_of=TODAY)
    assert [(lot.lot_id, lot.quantity) for lot in sold] == taken


def test_terms_and_gains_of_what_is_sold() -> None:
    sold = choose_lots(THREE, 230, LotMethod.FIFO, price=50.0, as_of=TODAY)
    assert [lot.term for lot in sold] == [Term.LONG, Term.LONG, Term.SHORT]
    assert gains_of(sold) == Gains(short=-800, long=2_000 - 2_000)


def test_average_cost_sells_the_oldest_units() -> None:
    sold = choose_lots(THREE, 120, LotMethod.AVERAGE, price=50.0, as_of=TODAY)
    mean = (100 * 30 + 50 * 90 + 80 * 60) / 230
    assert [(lot.lot_id, lot.unit_cost) for lot in sold] == [("a", mean), ("b", mean)]


def test_specific_lots() -> None:
    sold = choose_lots(THREE, 30, LotMethod.SPECIFIC, price=50.0, named={"c": 10, "a": 20})
    assert [(lot.lot_id, lot.quantity, lot.term) for lot in sold] == [
        ("c", 10, None),
        ("a", 20, None),
    ]
    with pytest.raises(TaxError) as caught:
        choose_lots(THREE, 30, LotMethod.SPECIFIC, price=50.0, named={"x": 10, "a": 200})
    text = str(caught.value)
    assert "lot x: is no lot of it (lots are a, b, c)" in text
    assert "lot a: 200 units are asked for, it holds 100" in text
    assert "add up to 210 units, and 30 are sold" in text


def test_a_custodians_long_term_stands_for_a_tacked_holding_period() -> None:
    row = {
        "account": "T",
        "symbol": "M",
        "acquired": D(2026, 6, 1),
        "quantity": 1,
        "unit_cost": 5.0,
    }
    stated = Lots.from_rows([{**row, "term": "long"}])
    assert choose_lots(stated, 1, LotMethod.FIFO, price=6.0, as_of=TODAY)[0].term is Term.LONG


def test_what_cannot_be_sold() -> None:
    with pytest.raises(
        TaxError, match="quantity: is 231, and the lots add up to 230; sell at most"
    ):
        choose_lots(THREE, 231, LotMethod.FIFO, price=50.0)
    with pytest.raises(TaxError, match="quantity: is 0"):
        choose_lots(THREE, 0, LotMethod.FIFO, price=50.0)
    with pytest.raises(TaxError, match="as_of: is blank"):
        choose_lots(THREE, 1, LotMethod.LOWEST_TAX, price=50.0)
    with pytest.raises(TaxError, match="'random' is not known; use one of fifo, lifo, hifo"):
        lot_method("random")
    unknown = lots(("a", D(2020, 1, 2), 100, float("nan")))
    with pytest.raises(
        Exception, match="column unit_cost: is not known; enter the cost of one unit"
    ):
        choose_lots(unknown, 1, LotMethod.FIFO, price=50.0)
    sold = choose_lots(THREE, 1, LotMethod.FIFO, price=50.0)
    with pytest.raises(TaxError, match="state as_of, the day of the sale"):
        gains_of(sold)


def test_collectibles_and_section_1256() -> None:
    gold = lots(("a", D(2020, 1, 2), 10, 30.0), symbol="GLD")
    sold = choose_lots(gold, 10, LotMethod.FIFO, price=50.0, as_of=TODAY)
    assert gains_of(sold) == Gains(collectible=200)
    assert is_collectible("IAU", {})
    assert not is_collectible("GLD", {"GLD": Security(symbol="GLD", tax_class="ordinary")})
    known = {"GLD": Security(symbol="GLD", tax_class="section_1256")}
    assert gains_of(sold, known) == Gains(section_1256=200)
    young = lots(("a", D(2026, 1, 2), 10, 30.0), symbol="GLD")
    assert gains_of(choose_lots(young, 10, LotMethod.FIFO, price=50.0, as_of=TODAY)) == Gains(
        short=200
    )


def cheapest(held: Lots, quantity: int, price: float, tax: Any) -> float:
    """The least tax of all ways to take whole units from the lots."""
    best = float("inf")
    ranges = [range(int(q) + 1) for q in held.quantity.tolist()]
    for units in itertools.product(*ranges):
        if sum(units) == quantity:
            short = long = 0.0
            for n, cost, day in zip(
                units, held.unit_cost.tolist(), held.acquired.tolist(), strict=True
            ):
                gain = n * (price - cost)
                if day <= D(2025, 11, 23):
                    long += gain
                else:
                    short += gain
            best = min(best, tax(short, long))
    return best


SMALL = st.lists(
    st.tuples(
        st.sampled_from([D(2020, 1, 2), D(2026, 6, 1)]), st.integers(1, 4), st.integers(10, 90)
    ),
    min_size=1,
    max_size=4,
)


@given(SMALL, st.integers(0, 100), st.sampled_from([(0.37, 0.20), (0.24, 0.15), (0.12, 0.0)]))
def test_lowest_tax_is_the_least_of_all_choices_at_given_rates(
    rows: list[tuple[dt.date, int, int]], part: int, at: tuple[float, float]
) -> None:
    held = lots(*((str(i), day, float(q), float(c)) for i, (day, q, c) in enumerate(rows)))
    quantity = max(1, int(held.quantity.sum()) * part // 100)
    rates = Rates(short=at[0], long=at[1], collectible=0.28, ordinary=at[0])
    sold = choose_lots(held, quantity, LotMethod.LOWEST_TAX, price=50.0, as_of=TODAY, tax=rates)
    found = gains_of(sold)
    tax = found.short * at[0] + found.long * at[1]
    assert tax == pytest.approx(cheapest(held, quantity, 50.0, lambda s, g: s * at[0] + g * at[1]))
    assert sum(lot.quantity for lot in sold) == pytest.approx(quantity)


@given(SMALL, st.integers(1, 100), st.integers(-40, 40))
def test_for_a_return_it_is_never_above_the_other_methods(
    rows: list[tuple[dt.date, int, int]], part: int, ytd: int
) -> None:
    held = lots(*((str(i), day, 100.0 * q, float(c)) for i, (day, q, c) in enumerate(rows)))
    quantity = max(1.0, float(held.quantity.sum()) * part / 100)
    profile = TaxProfile(
        year=2026, filing_status=FilingStatus.SINGLE, magi=120_000.0, ytd_short=1_000.0 * ytd
    )

    def tax(method: LotMethod) -> float:
        sold = choose_lots(held, quantity, method, price=50.0, as_of=TODAY, tax=profile)
        return added_tax(profile, gains_of(sold)).total

    least = tax(LotMethod.LOWEST_TAX)
    for method in (LotMethod.FIFO, LotMethod.LIFO, LotMethod.HIFO):
        assert least <= tax(method) + 1e-6
