"""The wash-sale ledger: published cases, cases written from the regulation, and a share-by-share oracle."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tax.washes_by_share import Row, work_out
from xl_rebal.errors import TaxError
from xl_rebal.portfolio.accounts import Account, Relationship
from xl_rebal.portfolio.history import Event, History, Transaction, history_from_rows
from xl_rebal.portfolio.lots import Term
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.law import FilingStatus
from xl_rebal.tax.profiles import TaxProfile
from xl_rebal.tax.taxpayers import Reach, Taxpayers, taxpayers
from xl_rebal.tax.wash_sales import Ledger, ledger

D = dt.date


def trade(day: dt.date, units: float, price: float, *, account: str = "T", symbol: str = "M",
          lot: str = "", event: Event | None = None) -> Transaction:  # fmt: skip
    return Transaction(
        account=account,
        symbol=symbol,
        date=day,
        event=event or (Event.BUY if units > 0 else Event.SELL),
        quantity=abs(units),
        price=price,
        lot_id=lot,
    )


HOUSE = {
    "T": Account(account="T", household="H", type="taxable", owner="Ann", tax_return="joint"),
    "IRA": Account(
        account="IRA", household="H", type="traditional", owner="Bob", tax_return="joint"
    ),
    "Bob": Account(account="Bob", household="H", type="taxable", owner="Bob", tax_return="joint"),
    "Kid": Account(account="Kid", household="H", type="taxable", owner="Kim", tax_return="kim"),
    "Other": Account(account="Other", household="X", type="taxable", tax_return="joint"),
}


def run(*trades: Transaction, who: Taxpayers | None = None, **more: object) -> Ledger:
    return ledger(trades, who or taxpayers(HOUSE), **more)  # type: ignore[arg-type]  # passed through


def lots_of(found: Ledger) -> list[tuple[str, float, float]]:
    return [(str(lot.acquired), lot.quantity, lot.unit_cost) for lot in found.lots]


class TestPublishedCases:
    def test_irs_vita_case_study_1(self) -> None:
        # 100 X for $1,000; sold for $750; 100 bought within 30 days for $800: new basis $1,050.
        found = run(
            trade(D(2024, 1, 2), 100, 10),
            trade(D(2024, 5, 1), -100, 7.5),
            trade(D(2024, 5, 20), 100, 8),
        )
        (sale,) = found.sales
        assert (sale.gain, sale.disallowed, sale.allowed) == (-250, 250, 0)
        assert lots_of(found) == [("2024-05-20", 100, 10.5)]

    def test_regulation_example_1(self) -> None:
        # 1.1091-1(h): bought Dec 1 for 10,000 and Dec 15 for 9,000; the first sold Jan 3 for 9,000.
        found = run(
            trade(D(1954, 12, 1), 100, 100),
            trade(D(1954, 12, 15), 100, 90),
            trade(D(1955, 1, 3), -100, 90),
        )
        assert found.sales[0].allowed == 0
        assert lots_of(found) == [("1954-12-15", 100, 100)]

    def test_regulation_example_2_and_publication_550_more_or_less_bought(self) -> None:
        found = run(
            trade(D(1954, 9, 21), 100, 50),
            trade(D(1954, 12, 21), 50, 55),
            trade(D(1954, 12, 27), 25, 45),
            trade(D(1955, 1, 3), -100, 40),
        )
        (sale,) = found.sales
        assert (sale.gain, sale.disallowed, sale.allowed) == (-1_000, 750, -250)
        assert [units * cost for _, units, cost in lots_of(found)] == [3_250, 1_375]
        assert {lot.holding_start for lot in found.lots} == {D(1954, 9, 21)}

    def test_regulation_example_3(self) -> None:
        # Four purchases of 50: the first two replace, their holding period takes the old one over.
        found = run(
            trade(D(1954, 9, 15), 100, 50),
            trade(D(1956, 2, 1), -100, 40),
            *(trade(D(1956, 2, day), 50, 40) for day in (15, 16, 17, 18)),
        )
        assert found.sales[0].allowed == 0
        assert [lot.unit_cost for lot in found.lots] == [50, 50, 40, 40]
        held = D(1956, 2, 1) - D(1954, 9, 15)
        assert [lot.acquired - lot.holding_start for lot in found.lots] == [
            held,
            held,
            dt.timedelta(0),
            dt.timedelta(0),
        ]

    def test_regulation_1_1091_2(self) -> None:
        # Basis of the new share: 100 + (90 - 80) = 110, and 100 - (80 - 70) = 90.
        for price, basis in ((90, 110), (70, 90)):
            found = run(
                trade(D(1935, 5, 1), 1, 100),
                trade(D(1955, 1, 15), -1, 80),
                trade(D(1955, 2, 1), 1, price),
            )
            assert lots_of(found) == [("1955-02-01", 1, basis)]
            assert found.sales[0].term is Term.LONG

    def test_publication_550_loss_and_gain_on_the_same_day(self) -> None:
        # 158, 100 and 95 a share; 300 sold at 125, 250 bought back: the loss of 33 x 100 does not count.
        found = run(
            trade(D(2007, 3, 1), 100, 158, lot="a"), trade(D(2007, 4, 1), 100, 100, lot="b"),
            trade(D(2007, 5, 1), 100, 95, lot="c"),
            trade(D(2012, 12, 27), -300, 125), trade(D(2013, 1, 9), 250, 120),
        )  # fmt: skip
        (sale,) = found.sales
        assert (sale.gain, sale.disallowed, sale.allowed) == (2_200, 3_300, 5_500)
        assert lots_of(found) == [("2013-01-09", 100, 153), ("2013-01-09", 150, 120)]

    def test_bischoff_75_of_100_shares_replaced(self) -> None:
        # MarketWatch: 100 for 2,000; 50 for 1,200 and 25 for 650 within 30 days; sold for 1,300.
        found = run(
            trade(D(2008, 12, 1), 100, 20), trade(D(2009, 3, 1), 50, 24), trade(D(2009, 3, 10), 25, 26),
            trade(D(2009, 3, 27), -100, 13),
        )  # fmt: skip
        assert (found.sales[0].disallowed, found.sales[0].allowed) == (525, -175)
        assert [units * cost for _, units, cost in lots_of(found)] == [1_550, 825]

    def test_bischoff_more_bought_than_sold(self) -> None:
        found = run(
            trade(D(2008, 12, 1), 100, 20), trade(D(2009, 3, 1), 100, 24), trade(D(2009, 3, 10), 50, 26),
            trade(D(2009, 3, 27), -100, 13),
        )  # fmt: skip
        assert found.sales[0].allowed == 0
        assert lots_of(found) == [("2009-03-01", 100, 31), ("2009-03-10", 50, 26)]

    def test_stackexchange_91884_what_is_sold_already_replaces_nothing(self) -> None:
        found = run(
            trade(D(2018, 1, 1), 1, 100), trade(D(2018, 1, 1), -1, 110),
            trade(D(2018, 1, 2), 3, 100), trade(D(2018, 1, 2), -3, 90),
            trade(D(2018, 1, 3), 1, 100), trade(D(2018, 1, 3), -1, 110),
        )  # fmt: skip
        assert [sale.allowed for sale in found.sales] == [10, -20, 0]


class TestFromTheRegulation:
    @pytest.mark.parametrize(
        ("days", "washed"), [(-31, False), (-30, True), (30, True), (31, False)]
    )
    def test_the_61_day_period(self, days: int, washed: bool) -> None:
        sold = D(2025, 6, 1)
        rows = [trade(D(2024, 1, 2), 10, 50), trade(sold, -10, 40)]
        rows.append(trade(sold + dt.timedelta(days=days), 10, 41))
        (sale,) = run(*sorted(rows, key=lambda row: row.date)).sales
        assert (sale.disallowed > 0) is washed

    def test_several_losses_take_a_replacement_in_the_order_of_disposition(self) -> None:
        found = run(
            trade(D(2024, 1, 2), 10, 50), trade(D(2024, 2, 2), 10, 60),
            trade(D(2025, 3, 1), -10, 40), trade(D(2025, 3, 5), -10, 40), trade(D(2025, 3, 20), 10, 41),
        )  # fmt: skip
        assert [sale.disallowed for sale in found.sales] == [100, 0]

    def test_losses_of_one_day_go_by_acquisition(self) -> None:
        # The younger lot stands first in the file; the older one's loss is matched first.
        found = run(
            trade(D(2024, 1, 2), 10, 50, lot="old"), trade(D(2024, 2, 2), 10, 60, lot="new"),
            trade(D(2025, 3, 1), -10, 40, lot="new"), trade(D(2025, 3, 1), -10, 40, lot="old"),
            trade(D(2025, 3, 20), 10, 41),
        )  # fmt: skip
        assert [sale.disallowed for sale in found.sales] == [0, 100]

    def test_a_purchase_replaces_only_once(self) -> None:
        found = run(
            trade(D(2024, 1, 2), 10, 50), trade(D(2025, 3, 1), -5, 40), trade(D(2025, 3, 2), -5, 40),
            trade(D(2025, 3, 20), 5, 41),
        )  # fmt: skip
        assert [sale.disallowed for sale in found.sales] == [50, 0]

    def test_a_chain_carries_the_loss_on(self) -> None:
        found = run(
            trade(D(2025, 1, 2), 10, 50), trade(D(2025, 2, 3), -10, 45), trade(D(2025, 2, 10), 10, 44),
            trade(D(2025, 3, 3), -10, 40), trade(D(2025, 3, 10), 10, 39), trade(D(2025, 6, 2), -10, 39),
        )  # fmt: skip
        first, second, last = found.sales
        assert (first.disallowed, second.gain, second.disallowed) == (50, -90, 90)
        assert (last.gain, last.allowed) == (-90, -90)
        # What counts in the end is the money that was lost.
        money = 10 * (45 - 50 + 40 - 44 + 39 - 39)
        assert sum(sale.allowed or 0 for sale in found.sales) == money == -90

    def test_the_rest_of_a_lot_does_not_replace_its_own_units(self) -> None:
        # Rev. Rul. 56-602: a sale that reduces a holding bought in one lot.
        found = run(trade(D(2025, 1, 2), 10, 50), trade(D(2025, 1, 20), -5, 40))
        assert found.sales[0].allowed == -50

    def test_an_ira_loses_the_loss_for_good(self) -> None:
        # Rev. Rul. 2008-5: disallowed, and the basis of the IRA's shares stays.
        found = run(
            trade(D(2024, 1, 2), 100, 50), trade(D(2025, 3, 1), -100, 40),
            trade(D(2025, 3, 10), 60, 41, account="IRA"),
        )  # fmt: skip
        (sale,) = found.sales
        assert (sale.disallowed, sale.lost, sale.allowed) == (600, 600, -400)
        (lot,) = found.lots
        assert (lot.unit_cost, lot.holding_start) == (41, D(2025, 3, 10))
        assert found.matches[0].reach is Reach.LOSE
        assert "gone for good" in found.matches[0].in_words()

    def test_the_earlier_purchase_comes_first_whether_ira_or_not(self) -> None:
        found = run(
            trade(D(2024, 1, 2), 100, 50), trade(D(2025, 3, 1), -100, 40),
            trade(D(2025, 3, 5), 50, 41, account="Bob"), trade(D(2025, 3, 10), 100, 41, account="IRA"),
        )  # fmt: skip
        assert (found.sales[0].disallowed, found.sales[0].lost) == (1_000, 500)
        assert [lot.unit_cost for lot in found.lots] == [51, 41]

    def test_a_spouse_who_files_separately_counts_too(self) -> None:
        apart = {
            "T": Account(account="T", household="H", tax_return="a", tax_profile="a"),
            "S": Account(account="S", household="H", tax_return="b", tax_profile="b"),
        }
        rows = (
            trade(D(2024, 1, 2), 10, 50),
            trade(D(2025, 3, 1), -10, 40),
            trade(D(2025, 3, 5), 10, 41, account="S"),
        )
        profiles = {
            name: TaxProfile(
                tax_profile=name, year=2025, filing_status=FilingStatus.SEPARATE, magi=1e5
            )
            for name in "ab"
        }
        assert run(*rows, who=taxpayers(apart, profiles)).sales[0].disallowed == 100
        # Without their profiles they could be parent and child: a person is asked to look.
        found = run(*rows, who=taxpayers(apart))
        assert (found.sales[0].disallowed, len(found.alerts)) == (0, 1)

    def test_adult_children_only_warn(self) -> None:
        found = run(
            trade(D(2024, 1, 2), 10, 50),
            trade(D(2025, 3, 1), -10, 40),
            trade(D(2025, 3, 5), 10, 41, account="Kid"),
        )
        assert found.sales[0].allowed == -100
        assert found.matches == ()
        assert "another tax return" in found.alerts[0].in_words()

    def test_another_household_is_nobody(self) -> None:
        found = run(
            trade(D(2024, 1, 2), 10, 50),
            trade(D(2025, 3, 1), -10, 40),
            trade(D(2025, 3, 5), 10, 41, account="Other"),
        )
        assert (found.sales[0].allowed, found.alerts) == (-100, ())

    def test_reinvested_dividends_are_purchases_and_gifts_are_not(self) -> None:
        base = (trade(D(2024, 1, 2), 10, 50), trade(D(2025, 3, 1), -10, 40))
        drip = trade(D(2025, 3, 20), 0.5, 41, event=Event.REINVEST)
        gift = trade(D(2025, 3, 20), 10, 41, event=Event.RECEIVE)
        assert run(*base, drip).sales[0].disallowed == pytest.approx(5)
        assert run(*base, gift).sales[0].disallowed == 0

    def test_groups_of_identical_securities(self) -> None:
        funds = {s: Security(symbol=s, identical_group="sp500") for s in ("VOO", "IVV")}
        rows = (
            trade(D(2024, 1, 2), 10, 50, symbol="VOO"), trade(D(2025, 3, 1), -10, 40, symbol="VOO"),
            trade(D(2025, 3, 5), 10, 41, symbol="IVV"),
        )  # fmt: skip
        assert run(*rows, securities=funds).sales[0].disallowed == 100
        assert run(*rows).sales[0].disallowed == 0

    def test_section_1256_stands_outside(self) -> None:
        known = {"ES": Security(symbol="ES", tax_class="section_1256")}
        rows = (
            trade(D(2024, 1, 2), 1, 50, symbol="ES"),
            trade(D(2025, 3, 1), -1, 40, symbol="ES"),
            trade(D(2025, 3, 5), 1, 41, symbol="ES"),
        )
        assert run(*rows, securities=known).sales[0].allowed == -10

    def test_a_tacked_holding_period_makes_a_gain_long_term(self) -> None:
        found = run(
            trade(D(2024, 1, 2), 10, 50), trade(D(2024, 12, 2), -10, 40), trade(D(2024, 12, 20), 10, 41),
            trade(D(2025, 2, 20), -10, 60),
        )  # fmt: skip
        assert [sale.term for sale in found.sales] == [Term.SHORT, Term.LONG]
        assert found.sales[1].gain == pytest.approx(90)

    def test_short_and_long_lots_of_one_sale_are_two_rows(self) -> None:
        found = run(
            trade(D(2023, 1, 2), 10, 50),
            trade(D(2025, 1, 2), 10, 30),
            trade(D(2025, 6, 2), -15, 40),
        )
        assert [(s.quantity, s.term, s.gain) for s in found.sales] == [
            (10, Term.LONG, -100),
            (5, Term.SHORT, 50),
        ]


def test_a_file_with_its_newest_row_on_top() -> None:
    rows = (
        trade(D(2024, 1, 2), 10, 50),
        trade(D(2025, 3, 1), -10, 40),
        trade(D(2025, 3, 5), 10, 41),
    )
    assert run(*rows) == run(*reversed(rows))


def test_sales_in_an_ira_are_not_taxed() -> None:
    found = run(
        trade(D(2024, 1, 2), 10, 50, account="IRA"), trade(D(2025, 3, 1), -10, 40, account="IRA")
    )
    assert found.sales == ()


def test_a_missing_basis_is_asked_for_everywhere_at_once() -> None:
    rows = (
        trade(D(2024, 1, 2), 10, 50),
        trade(D(2025, 3, 1), -15, 40),
        trade(D(2025, 3, 2), -5, 40, symbol="N"),
    )
    with pytest.raises(TaxError) as caught:
        run(*rows)
    first, second = map(str, caught.value.faults)
    assert "M in T, sold 2025-03-01" in first
    assert "10 were bought before: the basis of 5 is not known; add the earlier purchases" in first
    assert "N in T, sold 2025-03-02" in second
    lenient = ledger(rows, taxpayers(HOUSE), complete=False)
    assert [event.symbol for event in lenient.unknown] == ["M", "N"]
    assert lenient.sales[-1].gain is None


ROW = {
    "account": "T",
    "symbol": "M",
    "date": D(2025, 1, 2),
    "action": "Buy",
    "quantity": 1.0,
    "price": 5.0,
}


def test_bad_rows_of_a_history_are_reported_together() -> None:
    rows = [
        {**ROW, "row": 2, "action": "swap"},
        {**ROW, "row": 3, "quantity": -1.0},
        {**ROW, "row": 4, "price": -1.0},
        {**ROW, "row": 5, "date": D(2026, 12, 1)},
        {**ROW, "row": 6, "action": "YOU SOLD", "quantity": -3.0},
    ]
    with pytest.raises(Exception, match="row 2") as caught:
        history_from_rows(rows, as_of=D(2026, 11, 24))
    text = str(caught.value)
    assert "history row 2, column action: 'swap' is not known; use one of buy, reinvest" in text
    assert "row 3, column quantity: is -1" in text
    assert "row 4, column price: is negative" in text
    assert "row 5, column date: 2026-12-01 is after 2026-11-24" in text
    assert "row 6" not in text
    (sold,) = history_from_rows(rows[4:])
    assert (sold.event, sold.quantity) == (Event.SELL, 3.0)


def test_a_symbol_in_small_letters_is_the_same_security() -> None:
    rows = [{**ROW, "row": 2}, {**ROW, "row": 3, "action": "sell", "symbol": "m"}]
    bought, sold = history_from_rows(rows)
    assert (bought.symbol, sold.symbol) == ("M", "M")


class TestWhoIsTaxedTogether:
    def test_an_ira_without_a_return_is_on_its_owners(self) -> None:
        accounts = dict(HOUSE)
        accounts["Roth"] = Account(account="Roth", household="H", type="roth", owner="Kim")
        who = taxpayers(accounts)
        assert who.return_of("Roth") == "kim"
        assert who.reach("Roth", "Kid") is Reach.LOSE
        assert who.reach("Roth", "T") is Reach.WARN

    def test_a_return_that_cannot_be_told_is_asked_for(self) -> None:
        accounts = dict(HOUSE)
        accounts["Roth"] = Account(account="Roth", household="H", type="roth")
        with pytest.raises(
            TaxError, match="accounts, Roth, column tax_return: is blank, and household H has"
        ):
            taxpayers(accounts)

    def test_owners_may_be_called_what_they_are(self) -> None:
        accounts = {
            "T": Account(account="T", household="H", owner="client", tax_return="a"),
            "S": Account(account="S", household="H", type="roth", owner="Spouse", tax_return="b"),
            "C": Account(account="C", household="H", owner="adult child"),
        }
        who = taxpayers(accounts)
        assert who.reach("S", "T") is Reach.LOSE
        assert who.reach("C", "T") is Reach.WARN
        assert who.return_of("C") == "adult child's own"

    @pytest.mark.parametrize(
        ("stated", "reach"),
        [
            (Relationship.SPOUSE, Reach.LOSE),
            (Relationship.MINOR_CHILD, Reach.LOSE),
            (Relationship.ADULT_CHILD, Reach.WARN),
            (Relationship.OTHER, Reach.WARN),
            (Relationship.SELF, Reach.WARN),
            (None, Reach.WARN),
        ],
    )
    def test_a_stated_relationship_decides_on_another_return(
        self, stated: Relationship | None, reach: Reach
    ) -> None:
        """26 USC 1091 binds the spouse (Pub. 550) and, by Rev. Rul. 2008-5, the IRAs of either; a minor's
        trades are taken for the parent's; an adult child's are its own."""
        accounts = {
            "T": Account(
                account="T", household="H", tax_return="a", relationship=Relationship.SELF
            ),
            "X": Account(
                account="X", household="H", type="roth", owner="Kim", tax_return="b",
                relationship=stated,
            ),
        }  # fmt: skip
        who = taxpayers(accounts)
        assert who.reach("X", "T") is reach
        assert who.guesses == ()

    def test_what_is_stated_comes_before_the_owners_words(self) -> None:
        account = Account(
            account="C", household="H", owner="husband's son", relationship=Relationship.ADULT_CHILD
        )
        accounts = {"T": Account(account="T", household="H", tax_return="a"), "C": account}
        assert taxpayers(accounts).reach("C", "T") is Reach.WARN
        unsaid = taxpayers({**accounts, "C": replace(account, relationship=None)})
        assert unsaid.reach("C", "T") is Reach.DEFER  # its age is not known: the stricter
        assert "say it in the column relationship" in unsaid.notes[0]

    def test_children_and_others_are_on_a_return_of_their_own(self) -> None:
        kinds = (Relationship.MINOR_CHILD, Relationship.ADULT_CHILD, Relationship.OTHER)
        accounts = {"T": Account(account="T", household="H", tax_return="a")}
        for kind in kinds:
            accounts[kind] = Account(account=kind, household="H", owner=kind, relationship=kind)
        who = taxpayers(accounts)
        assert [who.return_of(kind) for kind in kinds] == [f"{kind}'s own" for kind in kinds]
        assert who.reach("minor child", "adult child") is Reach.WARN
        spouse = Account(account="S", household="H", relationship=Relationship.SPOUSE)
        assert taxpayers({**accounts, "S": spouse}).return_of("S") == "a"

    def test_accounts_without_a_row(self) -> None:
        assert taxpayers({}, named=["A", "B"]).reach("A", "B") is Reach.DEFER
        one = {"T": Account(account="T", household="H", tax_return="joint")}
        assert taxpayers(one, named=["B"]).reach("B", "T") is Reach.DEFER
        with pytest.raises(TaxError, match="has no row for Z, and there are 3 tax returns"):
            taxpayers(HOUSE, named=["Z"])


DAY0 = D(2025, 1, 1)


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Trades of three accounts over some months; nothing is sold that is not held."""
    rows: list[Row] = []
    held: Counter[str] = Counter()
    day = 0
    for _ in range(draw(st.integers(2, 14))):
        day += draw(st.integers(0, 25))
        account = draw(st.sampled_from(["T", "Bob", "IRA", "Kid"]))
        price = float(draw(st.integers(1, 20)))
        if held[account] and draw(st.booleans()):
            units = -draw(st.integers(1, held[account]))
        else:
            units = draw(st.integers(1, 6))
        held[account] += units
        rows.append(Row(account, DAY0 + dt.timedelta(days=day), units, price))
    return rows


@given(histories())
def test_share_by_share_it_is_the_same(rows: list[Row]) -> None:
    outcomes, left = work_out(rows, ira=frozenset({"IRA"}), strangers=frozenset({"Kid"}))
    history: History = tuple(trade(r.day, r.units, r.price, account=r.account) for r in rows)
    found = ledger(history, taxpayers(HOUSE))
    gains: dict[tuple[str, dt.date], float] = defaultdict(float)
    away: dict[tuple[str, dt.date], float] = defaultdict(float)
    for number, outcome in outcomes.items():
        if rows[number].account != "IRA":
            key = (rows[number].account, rows[number].day)
            gains[key] += outcome.gain
            away[key] += outcome.disallowed
    mine: dict[tuple[str, dt.date], float] = defaultdict(float)
    mine_away: dict[tuple[str, dt.date], float] = defaultdict(float)
    for sale in found.sales:
        mine[sale.account, sale.date] += sale.gain or 0
        mine_away[sale.account, sale.date] += sale.disallowed
    for key in gains:
        assert mine[key] == pytest.approx(gains[key])
        assert mine_away[key] == pytest.approx(away[key])
    shares: Counter[tuple[object, ...]] = Counter()
    for s in left:
        shares[s.account, s.day, s.start, round(s.cost, 6)] += 1
    lots: Counter[tuple[object, ...]] = Counter()
    for lot in found.lots:
        lots[lot.account, lot.acquired, lot.holding_start, round(lot.unit_cost, 6)] += round(
            lot.quantity
        )
    assert lots == shares


@given(histories())
def test_no_loss_is_made_or_forgotten(rows: list[Row]) -> None:
    """Money: what was allowed, what still sits in open lots' basis and what IRAs lost is all there is."""
    history: History = tuple(
        trade(r.day, r.units, r.price, account=r.account) for r in rows if r.account != "IRA"
    )
    found = ledger(history, taxpayers(HOUSE), complete=True)
    money = sum(
        -e.quantity * e.price if e.event is Event.BUY else e.quantity * e.price for e in history
    )
    held = sum(lot.quantity * lot.unit_cost for lot in found.lots)
    assert sum(sale.allowed or 0.0 for sale in found.sales) == pytest.approx(money + held)
