"""What was made fast against the plain way to say it: cents, sound fields, tables by account, class steps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tests.trading.books import Case, cases
from xl_rebal.drift import measure
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.targets import parse_targets
from xl_rebal.rebalance import Request, rebalance
from xl_rebal.trading import checks_fields
from xl_rebal.trading.checks_book import BookRows, exact
from xl_rebal.trading.limits import Limits, Timing
from xl_rebal.trading.plan import Plan
from xl_rebal.trading.problem import cents
from xl_rebal.trading.rules import Terms, lines_of_account, positions_by_account
from xl_rebal.trading.settlement import Settlement


def by_fifteen_digits(value: float) -> float:
    """Excel's ROUND(value, 2): halves away from zero on 15 significant digits."""
    scaled = float(f"{abs(value) * 100:.15g}")
    return math.copysign(math.floor(scaled + 0.5) / 100, value)


@given(st.floats(-1e13, 1e13))
@example(1.005)
@example(-1.005)
@example(0.285)
@example(1.115 * 100)
@example(64.725 * 3)
@example(0.0)
@example(9_999_999_999.995)
def test_cents_are_those_of_fifteen_digits(value: float) -> None:
    assert cents(value) == by_fifteen_digits(value)


@given(st.integers(0, 10**9), st.sampled_from([-1, 0, 1]), st.sampled_from([1.0, 3.0, 7.0]))
def test_ties_fall_as_fifteen_digits_say(whole: int, ulps: int, factor: float) -> None:
    value = (whole + 0.5) / 100 / factor * factor  # a tie, or a product that carries dust
    for _ in range(abs(ulps)):
        value = math.nextafter(value, math.inf * ulps)
    assert cents(value) == by_fifteen_digits(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_exact_decimal_is_the_float_again(number: float) -> None:
    assert float(exact(number)) == number


_ODD = st.sampled_from(
    [None, math.nan, math.inf, -math.inf, True, 3, "1", "", 10**400, 1.5, 1e308, b"x"]
)


def _plan() -> Plan:
    rows = [
        {"account": "A", "symbol": s, "quantity": q, "price": 100.0, "asset_class": c}
        for s, q, c in (("S", 700.0, "Stocks"), ("B", 300.0, "Bonds"))
    ]
    book = Book(
        holdings=Holdings.from_rows(rows), models={"": parse_targets("60% stocks, 40% bonds")}
    )
    (plan,) = rebalance(book, Request(policy=parse_policy("5pp"))).plans
    assert plan.trades
    return plan


@given(st.data())
def test_a_sound_record_has_no_bad_field(data: st.DataObject) -> None:
    plan = _plan()
    records: dict[str, Any] = {"plan": plan, "trade": plan.trades[0], "class": plan.classes[0]}
    kind = data.draw(st.sampled_from(sorted(records)))
    record = records[kind]
    changes = data.draw(
        st.dictionaries(st.sampled_from(sorted(record.__slots__)), _ODD, max_size=2)
    )
    changed = replace(record, **changes)
    quick = checks_fields._is_sound(changed, kind)
    careful = list(checks_fields._careful(changed, kind, "here"))
    if quick:
        assert careful == []
    if not changes:
        assert quick


_SCOPES = ["*", "ALL", "book", "A", "a", "B", "H1", "h1", "H2", "nobody", ""]


@given(
    st.lists(st.sampled_from(_SCOPES), max_size=12),
    st.sampled_from(["A", "B", "b", "C"]),
    st.sampled_from(["", "H1", "H2", "a"]),
)
def test_the_restrictions_of_an_account_are_those_that_apply(
    scopes: list[str], name: str, household: str
) -> None:
    rules = [
        Restriction(scope=scope, rule=Rule.NEVER_BUY, symbol=f"S{i}")
        for i, scope in enumerate(scopes)
    ]
    rows = [{"account": name, "symbol": "S0", "quantity": 1.0, "price": 1.0, "asset_class": "X"}]
    book = Book(
        holdings=Holdings.from_rows(rows), models={"": parse_targets("100% X")}, restrictions=rules
    )
    account = Account(account=name, household=household)
    wanted = [
        r.symbol
        for r in rules
        if r.applies(Account(account=name, household=household), symbol=r.symbol, tags=frozenset())
    ]

    def those_of(found: list[Restriction]) -> list[str]:
        return [
            r.symbol
            for r in found
            if r.applies(
                Account(account=name, household=household), symbol=r.symbol, tags=frozenset()
            )
        ]

    terms = Terms(book, Limits(), Settlement(Timing()))
    assert those_of(terms.restrictions(account)) == wanted
    assert sorted(
        set(those_of(BookRows(book, parse_policy("5pp")).restrictions(account)))
    ) == sorted(wanted)


@given(cases())
def test_the_lines_are_the_securities_with_a_class(case: Case) -> None:
    """Every holding and every priced security of the table whose class has a target, once."""
    book = case.book
    terms = Terms(book, case.limits, Settlement(Timing()))
    (drift,) = measure(book)
    lines = lines_of_account(book, book.account("A"), drift, positions_by_account(book)["A"], terms)
    held = list(positions_by_account(book)["A"])
    assert [line.symbol for line in lines] == held
    for line in lines:
        name = drift.targets.find(
            next(
                c
                for s, c in zip(book.holdings.symbol, book.holdings.asset_class, strict=True)
                if s == line.symbol
            )
        )
        assert drift.classes[line.klass] == (name or "Cash")


@given(cases(), st.sampled_from([0.0, 1.0, 2.0, -1.0]), st.booleans())
def test_what_accounts_share_changes_no_line(case: Case, factor: float, away: bool) -> None:
    """Lines from terms that served another account before are those of terms of their own."""
    one = case.book.holdings
    other = replace(
        one,
        account=np.full(len(one), "B", dtype=object),
        quantity=np.where(one.is_position, one.quantity * factor, 1e9),
        price=np.where(one.is_position, one.price * 1.5, one.price),
    )
    book = replace(
        case.book,
        holdings=Holdings.concat(
            [one, other, replace(one, account=np.full(len(one), "C", object))]
        ),
        accounts={**case.book.accounts, "B": Account(account="B", held_away=away)},
    )
    (drift,) = measure(book)
    held = positions_by_account(book)
    shared = Terms(book, case.limits, Settlement(Timing()))
    for name in ("A", "B", "C"):
        own = Terms(book, case.limits, Settlement(Timing()))
        account = book.account(name)
        assert lines_of_account(book, account, drift, held[name], shared) == lines_of_account(
            book, account, drift, held[name], own
        )
