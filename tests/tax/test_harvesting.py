"""Harvests by hand, and what must hold for any: the ledger allows every loss, the class keeps its weight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tax.test_wash_sales import HOUSE, trade
from xl_rebal.errors import TaxError
from xl_rebal.portfolio.history import Event, History
from xl_rebal.portfolio.lots import Lots
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.harvesting import Harvest, HarvestRequest, Threshold, Verdict, harvest
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.tax.taxpayers import taxpayers
from xl_rebal.tax.wash_sales import ledger
from xl_rebal.tax.wash_window import wash_window

D = dt.date
TODAY = D(2026, 11, 24)
WHO = taxpayers(HOUSE)
COUPLE = TaxProfile(year=2026, filing_status=FilingStatus.JOINT, magi=400_000.0)
SECURITIES = {
    "VTI": Security(symbol="VTI", asset_class="Stocks/US", substitute="ITOT; SCHB"),
    "ITOT": Security(symbol="ITOT", asset_class="Stocks/US", substitute="VTI"),
    "SCHB": Security(symbol="SCHB", asset_class="Stocks/US", price=25.0),
    "VXUS": Security(symbol="VXUS", asset_class="Stocks/International", substitute="IXUS"),
    "IXUS": Security(symbol="IXUS", asset_class="Stocks/International"),
}
PRICES = {"VTI": 250.0, "ITOT": 110.0, "SCHB": 25.0, "VXUS": 60.0, "IXUS": 70.0}


def lot(
    symbol: str, day: dt.date, units: float, cost: float, account: str = "T"
) -> dict[str, object]:
    return {
        "account": account,
        "symbol": symbol,
        "acquired": day,
        "quantity": units,
        "unit_cost": cost,
    }


def take(
    *rows: Mapping[str, object], history: History = (), request: HarvestRequest | None = None,
    securities: Mapping[str, Security] = SECURITIES,
) -> Harvest:  # fmt: skip
    lots = Lots.from_rows(rows)
    window = wash_window(history, WHO, as_of=TODAY, securities=securities, lots=lots)
    asked = request or HarvestRequest(
        profiles={("H", "joint"): COUPLE}, values={"T": 1e6, "Bob": 1e6}
    )
    return harvest(lots, PRICES, window, asked)


OLD = D(2023, 5, 2)


def test_a_loss_is_taken_and_replaced_to_a_share() -> None:
    found = take(lot("VTI", OLD, 100, 300.0), lot("VTI", D(2020, 1, 2), 50, 150.0))
    (c,) = found.candidates
    assert (c.verdict, c.loss) == (Verdict.HARVEST, 5_000)
    assert c.loss_fraction == pytest.approx(1 / 6)
    assert (c.replacement, c.replacement_quantity) == ("ITOT", 227)
    assert c.class_change == pytest.approx((227 * 110 - 25_000) / 1e6)
    assert abs(c.class_change or 0) < 110 / 1e6
    assert c.buy_back_from == D(2026, 12, 25)
    # No gains: 3,000 come off income at 24%, the rest is carried.
    assert c.tax_value == pytest.approx(720)
    (saving,) = found.returns
    assert saving.saved_now == pytest.approx(720)
    assert (saving.deducted, saving.carry_long) == (3_000, 2_000)


def test_thresholds_in_money_and_percent() -> None:
    rows = (lot("VTI", OLD, 100, 300.0), lot("VXUS", OLD, 10, 61.0))
    verdicts = lambda t: {  # noqa: E731 - one use each
        c.symbol: c.verdict for c in take(*rows, request=HarvestRequest(threshold=t)).candidates
    }
    assert verdicts(Threshold(money=100))["VXUS"] is Verdict.SMALL
    assert verdicts(Threshold(fraction=0.05))["VXUS"] is Verdict.SMALL
    assert verdicts(Threshold(money=10, fraction=0.01))["VXUS"] is Verdict.HARVEST
    with pytest.raises(TaxError, match="minimum loss"):
        Threshold(fraction=5.0)


def test_a_purchase_in_the_spouses_ira_makes_it_wait() -> None:
    found = take(lot("VTI", OLD, 100, 300.0), lot("VTI", D(2026, 11, 10), 1, 240.0, "IRA"))
    (c,) = found.candidates
    assert c.verdict is Verdict.WAIT
    assert c.why == "1 VTI bought in IRA on 2026-11-10 would replace it: safe from 2026-12-11"
    assert found.returns == ()


def test_a_recent_lot_at_a_loss_goes_with_the_rest() -> None:
    rows = (lot("VTI", OLD, 100, 300.0), lot("VTI", D(2026, 11, 10), 20, 290.0))
    assert [c.verdict for c in take(*rows).candidates] == [Verdict.HARVEST] * 2
    # ... but not when it stays: below the threshold it would replace the other.
    small = HarvestRequest(threshold=Threshold(money=1_000))
    assert [c.verdict for c in take(*rows, request=small).candidates] == [
        Verdict.SMALL,
        Verdict.WAIT,
    ]


def test_nothing_is_sold_and_bought_at_once() -> None:
    found = take(lot("VTI", OLD, 100, 300.0), lot("ITOT", OLD, 100, 115.0, "Bob"))
    by_symbol = {c.symbol: c for c in found.candidates}
    assert by_symbol["VTI"].replacement == "ITOT"
    assert by_symbol["ITOT"].verdict is Verdict.KEEP
    assert by_symbol["ITOT"].why == "it is bought instead of VTI"


def test_the_next_substitute_where_the_first_cannot_be_bought() -> None:
    sold = (trade(D(2026, 11, 2), -5, 100.0, symbol="ITOT"),)
    assert take(lot("VTI", OLD, 100, 300.0), history=sold).candidates[0].replacement == "SCHB"
    rule = Restriction(scope="T", rule=Rule.NEVER_BUY, symbol="ITOT")
    request = HarvestRequest(restrictions=(rule,))
    assert take(lot("VTI", OLD, 100, 300.0), request=request).candidates[0].replacement == "SCHB"


def test_what_is_not_on_the_menu_is_not_bought() -> None:
    account = replace(WHO.accounts["T"], menu=frozenset({"vti", "schb"}))
    who = replace(WHO, accounts={**WHO.accounts, "T": account})
    lots = Lots.from_rows([lot("VTI", OLD, 100, 300.0)])
    window = wash_window((), who, as_of=TODAY, securities=SECURITIES, lots=lots)
    (c,) = harvest(lots, PRICES, window, HarvestRequest()).candidates
    assert (c.verdict, c.replacement) == (Verdict.HARVEST, "SCHB")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"substitute": ""}, "no substitute is listed for it"),
        ({"substitute": "VXUS"}, "VXUS is of class Stocks/International, not Stocks/US"),
        ({"substitute": "ZZZ"}, "ZZZ has no price"),
        ({"substitute": "ITOT", "identical_group": "itot"}, "ITOT is substantially identical"),
    ],
)
def test_without_a_replacement_it_is_kept(change: dict[str, str], why: str) -> None:
    known = {**SECURITIES, "VTI": replace(SECURITIES["VTI"], **change)}  # type: ignore[arg-type]  # texts
    (c,) = take(lot("VTI", OLD, 100, 300.0), securities=known).candidates
    assert (c.verdict, c.why) == (Verdict.KEEP, why)
    assert c.tax_value == pytest.approx(720)  # what it would save


def test_what_must_not_be_sold_is_kept() -> None:
    rule = Restriction(scope="H", rule=Rule.NEVER_SELL, symbol="VTI")
    (c,) = take(
        lot("VTI", OLD, 100, 300.0), request=HarvestRequest(restrictions=(rule,))
    ).candidates
    assert (c.verdict, c.why) == (Verdict.KEEP, "never_sell VTI for H")
    known = {**SECURITIES, "VTI": replace(SECURITIES["VTI"], tradable=False)}
    (c,) = take(lot("VTI", OLD, 100, 300.0), securities=known).candidates
    assert (c.verdict, c.why) == (Verdict.KEEP, "it is not tradable")
    away = {**HOUSE, "T": replace(HOUSE["T"], held_away=True)}
    lots = Lots.from_rows([lot("VTI", OLD, 100, 300.0)])
    window = wash_window((), taxpayers(away), as_of=TODAY, securities=SECURITIES, lots=lots)
    (c,) = harvest(lots, PRICES, window, HarvestRequest()).candidates
    assert c.why == "the account is held away and receives no orders"
    window = wash_window((), WHO, as_of=TODAY, securities=SECURITIES, lots=lots)
    (c,) = harvest(lots, {"VTI": 0.0}, window, HarvestRequest()).candidates
    assert (c.verdict, c.quantity) == (Verdict.KEEP, 100)
    assert "priced at 0" in c.why


def test_harvest_45000_as_asked() -> None:
    # S108: losses of 45,000 and not a share more.
    rows = [lot("VTI", OLD, 1_000, 300.0), lot("VXUS", OLD, 300, 90.0)]
    found = take(*rows, request=HarvestRequest(goal=45_000, profiles={("H", "joint"): COUPLE}))
    assert [(c.symbol, c.quantity) for c in found.taken] == [("VTI", 900)]
    assert sum(c.loss for c in found.taken) == 45_000
    found = take(*rows, request=HarvestRequest(goal=55_000))
    assert [(c.symbol, c.quantity) for c in found.taken] == [("VTI", 1_000), ("VXUS", 166)]


def test_iras_and_gains_are_no_candidates() -> None:
    found = take(lot("VTI", OLD, 100, 300.0, "IRA"), lot("VTI", OLD, 100, 200.0))
    assert found.candidates == ()


def test_the_saving_of_each_return_is_the_sum_of_its_lots() -> None:
    profile = replace(COUPLE, ytd_long=40_000.0, state=0.05)
    rows = [
        lot("VTI", OLD, 100, 300.0),
        lot("VXUS", OLD, 500, 90.0),
        lot("VTI", OLD, 10, 310.0, "Bob"),
    ]
    found = take(*rows, request=HarvestRequest(profiles={("H", "joint"): profile}))
    (saving,) = found.returns
    assert saving.saved_now == pytest.approx(sum(c.tax_value or 0 for c in found.taken))
    assert saving.saved_now == pytest.approx((0.15 + 0.038 + 0.05) * saving.loss)
    assert saving.loss == 5_000 + 15_000 + 600


def test_reinvested_dividends_and_other_returns_are_warned_of() -> None:
    past = (
        trade(D(2026, 9, 30), 0.4, 250, symbol="VTI", event=Event.REINVEST),
        trade(D(2026, 11, 20), 5, 250, symbol="VTI", account="Kid"),
    )
    drip, child = take(lot("VTI", OLD, 100, 300.0), history=past).warnings
    assert drip.startswith("dividends of VTI are reinvested in T: turn that off until 2026-12-25")
    assert "bought on 2026-11-20 in Kid, on another tax return" in child


@st.composite
def books(draw: st.DrawFn) -> list[dict[str, object]]:
    """Lots in four accounts, some bought lately."""
    days = st.one_of(
        st.dates(D(2022, 1, 1), D(2025, 12, 31)),
        st.integers(0, 45).map(lambda n: TODAY - dt.timedelta(days=n)),
    )
    return draw(
        st.lists(
            st.builds(
                lot,
                st.sampled_from(["VTI", "ITOT", "SCHB", "VXUS", "IXUS"]),
                days,
                st.integers(1, 400).map(lambda n: n / 4),
                st.integers(10, 400).map(float),
                st.sampled_from(["T", "Bob", "IRA", "Kid"]),
            ),
            min_size=1,
            max_size=10,
        )
    )


@given(books(), st.sampled_from([None, 1_000.0, 4_000.0]))
def test_every_harvest_holds_before_the_ledger(
    rows: list[dict[str, object]], goal: float | None
) -> None:
    found = take(
        *rows, request=HarvestRequest(goal=goal, values={"T": 1e6, "Bob": 1e6, "Kid": 1e6})
    )
    history = [
        trade(r["acquired"], r["quantity"], r["unit_cost"],  # type: ignore[arg-type]  # rows of lot()
              account=str(r["account"]), symbol=str(r["symbol"]), lot=str(place))
        for place, r in enumerate(rows)
    ]  # fmt: skip
    sales = []
    buys: dict[tuple[str, str], tuple[float, float]] = {}
    for c in found.taken:
        sales.append(
            trade(TODAY, -c.quantity, c.price, account=c.account, symbol=c.symbol, lot=str(c.row))
        )
        money, units = buys.get((c.account, c.replacement), (0.0, 0.0))
        buys[c.account, c.replacement] = (money + c.proceeds, units + c.replacement_quantity)
    bought = [
        trade(TODAY, units, PRICES[symbol], account=account, symbol=symbol)
        for (account, symbol), (_, units) in buys.items()
        if units
    ]
    book = ledger(
        tuple(sorted(history, key=lambda t: t.date)) + tuple(sales) + tuple(bought), WHO, SECURITIES
    )
    assert sum(sale.disallowed for sale in book.sales) == 0
    assert sum(-(s.gain or 0) for s in book.sales) == pytest.approx(
        sum(c.loss for c in found.taken)
    )
    for (_, symbol), (money, units) in buys.items():
        # Proceeds stay in the class to less than one share, and no cent more is spent.
        assert -1e-6 <= money - units * PRICES[symbol] < PRICES[symbol] + 1e-6
    if goal is not None:
        assert sum(c.loss for c in found.taken) <= goal + 1e-6
