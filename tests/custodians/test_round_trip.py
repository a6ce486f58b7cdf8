"""What is written is read back; layout never matters."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_rebal.custodians import Statement, read_positions, write_holdings_csv
from xl_rebal.errors import FileError
from xl_rebal.portfolio.holdings import Holdings

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff"),
    min_size=1,
    max_size=12,
).map(str.strip).filter(lambda t: t and t.casefold() not in {"-", "--", "n/a", "null", "none"})  # fmt: skip
ODD = st.sampled_from(
    ["=1+1", "+A", "-AMAT260424C400", "@x", "'quoted", "'=x", "00123", "a,b", 'say "x"', "Total", "USD",
     "CASH", "1e5", "TRUE", "123.0", "Cash & Cash Investments", "SPY 18DEC26 450 P"]
)  # fmt: skip
MONEY = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False).filter(lambda x: x != 0)


@st.composite
def statements(draw):
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["position", "position", "cash", "pending"]))
        quantity = draw(MONEY)
        row = {
            "account": draw(TEXT | ODD),
            "symbol": "" if kind == "pending" else draw(TEXT | ODD),
            "kind": kind,
            "quantity": quantity,
            "price": draw(MONEY.map(abs)) if kind == "position" else 1.0,
            "stated_value": quantity if kind != "position" else draw(st.just(np.nan) | MONEY),
            "multiplier": draw(st.sampled_from([1.0, 100.0, 0.01])) if kind == "position" else 1.0,
            "currency": "USD",
            "fx": 1.0,
            "asset_class": draw(st.sampled_from(["Stocks/US", "Cash"]))
            if kind != "pending"
            else "",
            "description": draw(TEXT | ODD),
        }
        rows.append(row)
    return Statement(
        custodian="generic", source="x.csv", as_of=None, as_of_text="", base_currency="USD",
        accounts=(), holdings=Holdings.from_rows(rows), warnings=(),
    )  # fmt: skip


COMPARED = [f.name for f in dataclasses.fields(Holdings) if f.name != "line"]


def same(left: Holdings, right: Holdings) -> None:
    for name in COMPARED:
        one, two = getattr(left, name), getattr(right, name)
        if one.dtype == object:
            assert one.tolist() == two.tolist(), name
        else:
            np.testing.assert_array_equal(one, two, err_msg=name)


@given(statements())
@settings(max_examples=150)
def test_written_holdings_are_read_back(tmp_path_factory, statement):
    path = tmp_path_factory.mktemp("trip") / "holdings.csv"
    before = {n: getattr(statement.holdings, n).copy() for n in COMPARED}
    write_holdings_csv(statement, path)
    same(statement.holdings, read_positions(path).holdings)
    for name, column in before.items():  # writing leaves its input alone
        assert repr(column.tolist()) == repr(getattr(statement.holdings, name).tolist())


def test_every_sample_round_trips(tmp_path):
    samples = sorted((Path(__file__).parents[2] / "xl_rebal/samples").glob("*_*.csv"))
    assert len(samples) == 5
    for sample in samples:
        statement = read_positions(sample)
        target = tmp_path / sample.name
        write_holdings_csv(statement, target)
        again = read_positions(target)
        same(statement.holdings, again.holdings)
        assert again.as_of == statement.as_of
        assert again.base_currency == statement.base_currency
        assert [a.total for a in again.accounts] == pytest.approx(
            [a.total for a in statement.accounts]
        )


def test_rates_and_several_statements(tmp_path):
    parts = [
        Statement(
            custodian="generic", source="x", as_of=None, as_of_text="", base_currency="EUR",
            accounts=(), warnings=(),
            holdings=Holdings.from_rows(
                [
                    {"account": a, "symbol": "SPY", "quantity": 1, "price": 2, "currency": "USD", "fx": 0.9},
                    {"account": a, "symbol": "VWCE", "quantity": 1, "price": 2, "currency": "EUR"},
                ]
            ),
        )
        for a in ("A", "B")
    ]  # fmt: skip
    write_holdings_csv(parts, tmp_path / "h.csv")
    again = read_positions(tmp_path / "h.csv")
    same(Holdings.concat([p.holdings for p in parts]), again.holdings)
    assert again.base_currency == "EUR"


def test_no_formula_in_the_file(tmp_path):
    held = Holdings.from_rows(
        [{"account": "=A", "symbol": "-X", "quantity": -2, "price": 1, "description": "@sum"}]
    )
    statement = Statement(
        custodian="generic", source="x", as_of=None, as_of_text="", base_currency="",
        accounts=(), holdings=held, warnings=(),
    )  # fmt: skip
    path = tmp_path / "h.csv"
    write_holdings_csv(statement, path)
    assert path.read_text().splitlines()[1] == "'=A,'-X,position,-2,1,,1,,1,,,'@sum"
    with pytest.raises(FileError, match="exists already"):
        write_holdings_csv(statement, path)
    write_holdings_csv(statement, path, overwrite=True)


AMOUNTS = st.integers(1, 10**8).map(lambda n: n / 100)


@given(
    st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=8),
    st.permutations(["Acct", "Ticker", "Qty", "Last Price", "Note"]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from([".", ","]),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\n", "\r\n"]),
    st.randoms(use_true_random=False),
)
def test_layout_never_matters(
    tmp_path_factory, amounts, order, delimiter, decimal, grouped, titles, encoding, newline, chance
):
    def amount(value: float) -> str:
        text = f"{value:,.2f}" if grouped else f"{value:.2f}"
        text = text if decimal == "." else text.translate(str.maketrans(",.", ".,"))
        return chance.choice(["{}", "{}", "{} ", "€{}", "{} EUR"]).format(text)

    table = [
        {"Acct": "007", "Ticker": f"T{i}", "Qty": amount(q).strip("€EUR "), "Last Price": amount(p),
         "Note": "café"}
        for i, (q, p) in enumerate(amounts)
    ]  # fmt: skip
    lines = ["A title that says nothing"] * titles
    lines.append(delimiter.join(order))
    lines += [delimiter.join(f'"{row[c]}"' for c in order) for row in table]
    path = tmp_path_factory.mktemp("layout") / "x.csv"
    path.write_bytes((newline.join(lines) + newline).encode(encoding))
    held = read_positions(path).holdings
    assert held.quantity.tolist() == [q for q, _ in amounts]
    assert held.price.tolist() == [p for _, p in amounts]
    assert held.symbol.tolist() == [f"T{i}" for i in range(len(amounts))]
    assert held.line.tolist() == list(range(titles + 2, titles + 2 + len(amounts)))


def test_the_order_of_rows_never_matters(tmp_path):
    rows = [f"A{i % 3},S{i},{i + 1},{2.5 * i + 1:.2f}" for i in range(50)]
    totals = []
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        path = tmp_path / f"{seed}.csv"
        path.write_text("account,symbol,quantity,price\n" + "\n".join(rows) + "\n")
        totals.append({a.account: a.total for a in read_positions(path).accounts})
    assert totals[1] == pytest.approx(totals[0])
    assert totals[2] == pytest.approx(totals[0])
