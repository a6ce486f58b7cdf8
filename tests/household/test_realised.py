"""What given trades realise: lots by the method on file, gains and tax by hand, washes, what is missing."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.household.books import COUPLE, TODAY, book, bought, security
from xl_rebal.household.realised import realised
from xl_rebal.household.request import HouseholdBook
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.history import Transaction
from xl_rebal.portfolio.securities import Vehicle
from xl_rebal.tax.lot_methods import LotMethod
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.trading.plan import Action, Trade

OLD, NEW = dt.date(2020, 1, 6), dt.date(2026, 3, 2)


def trade(account: str, symbol: str, quantity: float, price: float, *, buy: bool = False) -> Trade:
    return Trade(
        account=account, symbol=symbol, asset_class="Stocks",
        action=Action.BUY if buy else Action.SELL, quantity=quantity, price=price,
        unit_value=price, value=quantity * price, cost=0.0, half_spread=0.0, commission=0.0,
        impact=0.0, reason="",
    )  # fmt: skip


def source(
    *,
    lots: bool = True,
    profiles: tuple[TaxProfile, ...] = (COUPLE,),
    lot_instructions: bool = True,
    vehicle: Vehicle = Vehicle.ETF,
    history: tuple[Transaction, ...] = (),
) -> HouseholdBook:
    return book(
        accounts=[
            Account(account="J", household="h", type="taxable", tax_return="r",
                    tax_profile="couple", lot_instructions=lot_instructions),
            Account(account="IRA", household="h", type="traditional", tax_return="r"),
        ],
        cash={"J": 0.0, "IRA": 0.0},
        held=[("J", "VTI", 300.0), ("IRA", "VTI", 100.0)],
        securities=[security("VTI", "Stocks", 100.0, vehicle=vehicle)],
        targets="100% stocks",
        lots=[("J", "VTI", OLD, 100.0, 60.0), ("J", "VTI", NEW, 200.0, 120.0)] if lots else [],
        profiles=profiles,
        history=history,
    )  # fmt: skip


def test_first_in_first_out_by_hand() -> None:
    """150 sold at 100: 100 long at 60 gain 4,000, 50 short at 120 lose 1,000. Netted 3,000 long-term at
    15% + 3.8% = 564.
    """
    found = realised(source(), [trade("J", "VTI", 150, 100)], as_of=TODAY)
    assert [(s.row, s.quantity, s.gain, s.term) for s in found.sales] == [
        (0, 100.0, 4_000.0, "long"),
        (1, 50.0, -1_000.0, "short"),
    ]
    (one,) = found.returns
    assert (one.gains.long, one.gains.short) == (4_000.0, -1_000.0)
    assert one.added.total == pytest.approx(3_000 * 0.188)
    # What each lot adds given the other: the loss saves what the gain would have cost.
    assert [s.tax for s in found.sales] == pytest.approx(
        [4_000 * 0.188 - 1_000 * 0.188 + 240, -188]
    )


def test_other_methods_take_other_lots() -> None:
    hifo = realised(source(), [trade("J", "VTI", 150, 100)], as_of=TODAY, method=LotMethod.HIFO)
    assert [(s.row, s.quantity) for s in hifo.sales] == [(1, 150.0)]
    kept = realised(
        source(lot_instructions=False),
        [trade("J", "VTI", 150, 100)],
        as_of=TODAY,
        method=LotMethod.HIFO,
    )
    assert [s.row for s in kept.sales] == [0, 1]
    fund = realised(
        source(lot_instructions=False, vehicle=Vehicle.MUTUAL_FUND),
        [trade("J", "VTI", 150, 100)],
        as_of=TODAY,
    )
    assert {s.because for s in fund.sales} == {"every unit costs the average of all lots"}
    assert {s.basis / s.quantity for s in fund.sales} == {100.0}  # (100 x 60 + 200 x 120) / 300


def test_accounts_that_are_not_taxed_realise_nothing() -> None:
    found = realised(
        source(), [trade("IRA", "VTI", 50, 100), trade("J", "VTI", 5, 100, buy=True)], as_of=TODAY
    )
    assert not found.sales
    assert not found.returns


def test_missing_lots_and_profiles_are_said_and_stop_nothing() -> None:
    bare = realised(source(lots=False), [trade("J", "VTI", 50, 100)], as_of=TODAY)
    assert not bare.sales
    assert bare.notes == ("VTI sold in J: its gain is not known (lots none is listed)",)
    many = realised(source(), [trade("J", "VTI", 301, 100)], as_of=TODAY)
    assert "is 301, and the lots add up to 300" in many.notes[0]
    poor = realised(source(profiles=()), [trade("J", "VTI", 50, 100)], as_of=TODAY)
    assert len(poor.sales) == 1
    assert not poor.returns
    assert "no tax profile is known" in poor.notes[0]


def test_a_loss_that_a_purchase_washes_is_told() -> None:
    recent = (bought("IRA", "VTI", TODAY - dt.timedelta(days=10), 20.0, 99.0),)
    trades = [trade("J", "VTI", 150, 100)]
    found = realised(source(history=recent), trades, as_of=TODAY)
    assert any("20 VTI in IRA bought 2026-11-15: wash sale" in each for each in found.washes)
    same_day = realised(source(), [*trades, trade("IRA", "VTI", 3, 100, buy=True)], as_of=TODAY)
    assert any("is bought by the same plan" in each for each in same_day.washes)
    assert realised(source(), trades, as_of=TODAY).washes == ()
