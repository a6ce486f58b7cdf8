"""Order files: the columns that custodians document, exact text or refused, and nothing dropped."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.custodians.orders.made import at, planned, verified
from tests.household.books import couple, request
from xl_rebal.custodians.orders import (
    Consent,
    OrderFormats,
    OrderWriter,
    Sending,
    VerifiedOrders,
    Why,
    load_formats,
    orders_of_household,
    orders_of_plans,
    orders_of_rebalancing,
    read_line,
    read_orders,
    shipped_formats,
    write_orders,
)
from xl_rebal.custodians.orders.formats import read_format
from xl_rebal.errors import FileError, ReadError, VerificationError
from xl_rebal.household.planner import plan_household
from xl_rebal.trading.limits import OrderStyle, OrderType, TimeInForce
from xl_rebal.trading.order import Order

# Every field name of IBKR's page "Basket Fields" that an order for a share can need.
IBKR_DOCUMENTED = {
    "Symbol", "SecType", "LastTradingDayOrContractMonth", "Strike", "Right", "Currency", "Exchange",
    "Action", "Quantity", "OrderType", "LmtPrice", "AuxPrice", "StopPrice", "TriggerMethod",
    "PercentOffset", "BasketTag", "UsePriceMgmtAlgo", "TimeInForce", "GoodTilDate", "GoodAfter",
    "Account", "Group", "Method", "Percent", "Profile",
}  # fmt: skip
KINDS = (
    OrderStyle(),
    OrderStyle(order_type=OrderType.LIMIT, limit=0.005),
    OrderStyle(order_type=OrderType.LIMIT, limit=0.001, time_in_force=TimeInForce.GTC),
)


def lines(data: bytes) -> list[str]:
    return data.decode().splitlines()


def as_rows(orders: list[Order]) -> Counter:
    return Counter(
        (o.account, o.symbol, o.action, o.quantity, o.order_type, o.limit_price, o.time_in_force)
        for o in orders
    )


def read_back(files: dict[str, bytes], name: str) -> Counter:
    made = shipped_formats().of(name)
    assert made is not None
    found: Counter = Counter()
    for file, data in files.items():
        for r in read_orders(data, made, file):
            found[
                r.account,
                r.symbol,
                r.action,
                r.quantity,
                r.order_type,
                r.limit_price,
                r.time_in_force,
            ] += 1
    return found


@pytest.mark.parametrize("custodian", ["ibkr", "fidelity", "generic"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_each_file_read_back_is_the_plan(custodian: str, kind: OrderStyle) -> None:
    orders = verified(at(custodian, "U1", "U2", "U3"), orders=kind)
    made = write_orders([orders], shipped_formats())
    assert orders.orders
    assert not made.unsendable
    assert read_back(dict(made.files), custodian) == as_rows(list(orders.orders))
    assert [each.order for each in made.sent]
    assert {each.file for each in made.sent} == set(made.files)


def test_the_ibkr_basket_has_documented_columns_and_the_form_of_their_sample(
    shared_data: Path,
) -> None:
    made = write_orders(
        [verified(at("Interactive Brokers", "U1"), orders=KINDS[1])], shipped_formats()
    )
    assert list(made.files) == ["ibkr-orders-1-sells.csv", "ibkr-orders-2-buys.csv"]
    header, *rows = lines(made.files["ibkr-orders-2-buys.csv"])
    assert set(header.split(",")) <= IBKR_DOCUMENTED
    assert header == (
        "Action,Quantity,Symbol,SecType,Exchange,Currency,TimeInForce,OrderType,LmtPrice,BasketTag,Account"
    )
    (row,) = rows
    assert row == "BUY,398,BND,STK,SMART,USD,DAY,LMT,75.39,0123456789abcdef,U1"
    sample = (shared_data / "orders" / "ibkr_basket_docs_sample.csv").read_text().splitlines()
    theirs = next(csv.DictReader(sample[4:6]))  # the section of limit orders
    ours = dict(zip(header.split(","), row.split(","), strict=True))
    for name in ("Action", "SecType", "Currency", "TimeInForce", "OrderType"):
        assert ours[name] == theirs[name], name
    assert set(theirs) <= set(ours)


def test_the_fidelity_file_has_no_header_and_columns_a_to_h() -> None:
    made = write_orders([verified(at("Fidelity", "X12345678"))], shipped_formats())
    # 97,054.40 in all, 60% of it 264.5 VTI at 220.13: 136 are sold, and 29,937.68 buy 398 BND.
    rows = [row for data in made.files.values() for row in lines(data)]
    assert rows == ["X12345678,,S,136,VTI,M,D,", "X12345678,,B,398,BND,M,D,"]
    assert all(data.endswith(b"\r\n") for data in made.files.values())
    (warning,) = made.warnings
    assert "no text of the custodian that we could read confirms them" in warning


def test_fidelity_takes_three_decimals_and_a_basket_whole_shares_only() -> None:
    funds = verified(at("Fidelity", "X1"), bond="VBTLX")
    made = write_orders([funds], shipped_formats())
    assert not made.unsendable
    assert ",B,3496.109," in lines(made.files["fidelity-orders-2-buys.csv"])[0]
    assert any(o.quantity % 1 for o in funds.orders)
    basket = write_orders(
        [verified(at("IBKR", "U1"), shares=400.5, bond="VBTLX")], shipped_formats()
    )
    assert not basket.files
    assert {u.order.symbol: u.why for u in basket.unsendable} == {
        "VTI": Why.ACCOUNT,
        "VBTLX": Why.FRACTION,
    }


def test_what_cannot_be_sent_is_reported_with_its_remedy_and_nothing_is_dropped() -> None:
    accounts: dict[str, dict[str, Any]] = {
        "1001": {"custodian": "Schwab"},
        "1002": {"custodian": "Bank of Nowhere"},
        "1003": {},
        "...632": {"custodian": "ibkr"},
        "1005": {"custodian": "ibkr", "discretionary": False},
        "1006": {"custodian": "TD Ameritrade"},
        "=1007": {"custodian": "ibkr"},
        "1008,9": {"custodian": "ibkr"},
        "1009é": {"custodian": "ibkr"},
        "1010": {"custodian": "ibkr"},
    }
    orders = verified(accounts)
    made = write_orders([orders], shipped_formats())
    why = {u.order.account: u.why for u in made.unsendable if u.why is not Why.ACCOUNT}
    assert why == {
        "1001": Why.TEMPLATE_REQUIRED,
        "1002": Why.UNKNOWN_CUSTODIAN,
        "1003": Why.NO_CUSTODIAN,
        "...632": Why.MASKED,
        "1005": Why.CONSENT,
        "1006": Why.TEMPLATE_REQUIRED,
        "=1007": Why.TEXT,
        "1008,9": Why.TEXT,
        "1009é": Why.TEXT,
    }
    assert all(u.what and u.remedy for u in made.unsendable)
    together = [*(s.order for s in made.sent), *(u.order for u in made.unsendable)]
    assert as_rows(together) == as_rows(list(orders.orders))
    assert {s.order.account for s in made.sent} == {"1010"}
    schwab = next(u for u in made.unsendable if u.order.account == "1001")
    assert schwab.in_words() == (
        f"account 1001, {schwab.order.action} {schwab.order.quantity:f} {schwab.order.symbol}: the format "
        "for Schwab is not known to us; it needs Schwab's current file specification for Web Trading "
        "(Trade Order); declare its columns in a file schwab.toml (docs/orders.md)"
    )
    given_ = write_orders([orders], shipped_formats(), Sending(consent=Consent.GIVEN))
    assert {s.order.account for s in given_.sent} == {"1005", "1010"}


def test_an_account_s_orders_go_together() -> None:
    """BRK.B needs IBKR's own spelling: its sale cannot be sent, so neither can the buy it pays for."""
    orders = verified(at("ibkr", "U1"), stock="BRK.B")
    made = write_orders([orders], shipped_formats())
    assert {u.order.symbol: u.why for u in made.unsendable} == {
        "BRK.B": Why.TEXT,
        "BND": Why.ACCOUNT,
    }
    assert not made.files


def test_a_symbol_is_translated_as_the_user_says(tmp_path: Path) -> None:
    ibkr = shipped_formats().of("ibkr")
    assert ibkr is not None
    mine = OrderFormats(
        formats=(replace(ibkr, symbols={"BRK.B": "BRK B"}), *shipped_formats().formats)
    )
    orders = verified(at("ibkr", "U1"), stock="BRK.B")
    made = write_orders([orders], mine)
    assert ",BRK B,STK," in made.files["ibkr-orders-1-sells.csv"].decode()
    found = read_orders(made.files["ibkr-orders-1-sells.csv"], mine.formats[0], "x")
    assert [r.symbol for r in found] == ["BRK.B"]


OWN = """
custodians = ["Schwab"]
header = true
delimiter = ";"
decimal = ","
line_end = "crlf"
encoding = "cp1252"
quotes = "always"
max_rows = 2
extension = "txt"

[[column]]
header = "Konto"
field = "account"

[[column]]
header = "Seite"
field = "action"
codes = { BUY = "K", SELL = "V" }

[[column]]
header = "Stück"
field = "quantity"
decimals = 3

[[column]]
header = "Kürzel"
field = "symbol"

[[column]]
header = "Art"
field = "order_type"
codes = { MARKET = "1", LIMIT = "2" }

[[column]]
header = "Limit"
field = "limit_price"

[[column]]
header = "Dauer"
field = "time_in_force"

[[column]]
header = "Firma"
constant = "42"
"""


def test_a_format_of_one_s_own_takes_the_shipped_one_s_place(tmp_path: Path) -> None:
    (tmp_path / "schwab.toml").write_text(OWN, encoding="utf-8")
    formats = load_formats([tmp_path])
    made = write_orders([verified(at("Charles Schwab", "1"))], formats)
    assert {u.why for u in made.unsendable} == {Why.UNKNOWN_CUSTODIAN}  # it names Schwab alone
    orders = verified(at("schwab", "1", "2", "3"), bond="VBTLX", orders=KINDS[1])
    made = write_orders([orders], formats)
    assert list(made.files) == [
        "schwab-orders-1-sells-01.txt",
        "schwab-orders-1-sells-02.txt",
        "schwab-orders-2-buys-01.txt",
        "schwab-orders-2-buys-02.txt",
    ]
    text = made.files["schwab-orders-2-buys-01.txt"].decode("cp1252")
    header, first = text.split("\r\n")[:2]
    assert header == '"Konto";"Seite";"Stück";"Kürzel";"Art";"Limit";"Dauer";"Firma"'
    assert first.startswith('"1";"K";"3496,109"')
    assert first.endswith('"VBTLX";"1";"";"DAY";"42"')  # a fund trades at its own price
    found = [r for f, d in made.files.items() for r in read_orders(d, formats.formats[0], f)]
    assert Counter((r.account, r.symbol, r.quantity) for r in found) == Counter(
        (o.account, o.symbol, o.quantity) for o in orders.orders
    )


def test_a_format_without_custodians_keeps_those_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "schwab.toml").write_text(OWN.replace('custodians = ["Schwab"]', ""), "utf-8")
    found = load_formats([tmp_path / "schwab.toml"]).of("Charles Schwab & Co.")
    assert found is not None
    assert not found.template


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "is no TOML"),
        ("colour = 1", "colour is not known; did you mean column?|colour is not known"),
        ("header = 1", "header is 1; write true or false"),
        ('delimiter = "ab"', "delimiter is 'ab'"),
        ('[[column]]\nheader = "a"\nfield = "acount"', "which is no field"),
        ('[[column]]\nfield = "account"', "has no column for symbol"),
        ('[[column]]\nfield = "action"\ncodes = {BUY = "B", HOLD = "H"}', "has a code for 'HOLD'"),
        ('[[column]]\nfield = "action"\ncodes = {BUY = "B", SELL = "B"}', "one code for two words"),
        ('[[column]]\nfield = "symbol"\npattern = "["', "pattern that is none"),
        ('name = "../../etc"', "is named '../../etc'"),
        ('extension = "csv/../x"', "extension is"),
        ('[[column]]\nfield = "account"\nmax_lenght = 3', "did you mean max_length"),
    ],
)
def test_a_bad_format_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(ReadError, match=words):
        read_format(text, "mine.toml")


def test_bad_formats_are_reported_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text("header = 1", "utf-8")
    with pytest.raises(ReadError, match=r"a\.toml(?s:.*)b\.toml"):
        load_formats([tmp_path])
    with pytest.raises(ReadError, match=r"none\.toml: cannot be read"):
        load_formats([tmp_path / "none.toml"])
    (tmp_path / "a.toml").write_text(OWN, "utf-8")
    (tmp_path / "b.toml").write_text(OWN, "utf-8")
    with pytest.raises(ReadError, match="is for schwab, as is format a"):
        load_formats([tmp_path])


def test_orders_come_from_verified_plans_only() -> None:
    with pytest.raises(TypeError, match="orders are verified by"):
        VerifiedOrders(object(), ())
    result = planned(at("ibkr", "U1"))
    plan = result.plans[0]
    good = orders_of_plans(result.book, result.request, [plan], plan_id="x")
    assert good == orders_of_rebalancing(result, plan_id="x")
    more = replace(plan.trades[0], quantity=plan.trades[0].quantity + 5)
    bad = replace(plan, trades=(more, *plan.trades[1:]))
    with pytest.raises(VerificationError):
        orders_of_plans(result.book, result.request, [bad])
    source, asked = couple(), request()
    household = plan_household(source, asked, "couple")
    with pytest.raises(VerificationError):
        orders_of_household(source, asked, replace(household, lot_sales=()))


def test_a_line_on_disk_keeps_the_orders_and_knows_when_it_was_changed() -> None:
    source, asked = couple(), request()
    plan = plan_household(source, asked, "couple")
    for orders in (
        verified(at("ibkr", "U1"), orders=KINDS[1], bond="VBTLX"),
        orders_of_household(source, asked, plan, plan_id="h", clients={"JOINT": "Familie Ü"}),
    ):
        line = orders.line()
        assert line.count("\n") == 1
        assert read_line(line, "x") == orders
        for bad in (line.replace("VTI", "VXUS"), line[:-1], line[: len(line) // 2], ""):
            with pytest.raises(ReadError, match="changed or cut short"):
                read_line(bad, "run/orders line 1")


def test_lot_instructions_add_up_to_each_sale() -> None:
    source, asked = couple(), request()
    accounts = {n: replace(a, custodian="ibkr") for n, a in source.book.accounts.items()}
    source = replace(source, book=replace(source.book, accounts=accounts))
    plan = plan_household(source, asked, "couple")
    orders = orders_of_household(source, asked, plan, plan_id="abc")
    made = write_orders([orders], shipped_formats())
    rows = list(csv.DictReader(lines(made.files["ibkr-lots.csv"])))
    assert rows
    for order in orders.orders:
        chosen = [r for r in rows if (r["account"], r["symbol"]) == order.key]
        if chosen:
            assert sum(float(r["lot_quantity"]) for r in chosen) == float(order.quantity)
            assert {r["order_quantity"] for r in chosen} == {f"{order.quantity:f}"}
    taxable = {(s.account, s.symbol, s.acquired.isoformat()) for s in plan.lot_sales}
    assert {(r["account"], r["symbol"], r["acquired"]) for r in rows} == taxable


def test_a_custodian_that_takes_no_lot_instructions_gets_none() -> None:
    source, asked = couple(), request()
    accounts = {n: replace(a, lot_instructions=False) for n, a in source.book.accounts.items()}
    plain = replace(source, book=replace(source.book, accounts=accounts))
    plan = plan_household(plain, asked, "couple")
    assert orders_of_household(plain, asked, plan).lots == ()


def test_a_large_run_streams_and_every_chunk_is_placed() -> None:
    writer = OrderWriter(shipped_formats())
    count = 0
    for chunk in range(3):
        orders = verified(at("fidelity", *(f"X{chunk}{n}" for n in range(4))))
        placed = writer.add(orders)
        assert len(placed.sent) + len(placed.unsendable) == len(orders.orders)
        count += len(placed.sent)
    assert sum(len(lines(data)) for data in writer.files().values()) == count == 24


@given(
    st.text(min_size=1, max_size=12),
    st.sampled_from(["ibkr", "fidelity", "generic"]),
)
def test_any_account_name_is_written_exactly_or_refused(name: str, custodian: str) -> None:
    assume(name.strip() and "\0" not in name)
    orders = verified({name: {"custodian": custodian}})
    made = write_orders([orders], shipped_formats())
    if made.unsendable:
        assert len(made.unsendable) == len(orders.orders)
        assert not made.files
    else:
        assert read_back(dict(made.files), custodian) == as_rows(list(orders.orders))
        assert not name.startswith(("=", "+", "-", "@"))


def test_a_file_in_another_format_is_refused() -> None:
    made = write_orders([verified(at("ibkr", "U1"))], shipped_formats())
    fidelity, ibkr = shipped_formats().of("fidelity"), shipped_formats().of("ibkr")
    assert fidelity is not None
    assert ibkr is not None
    data = made.files["ibkr-orders-1-sells.csv"]
    with pytest.raises(ReadError, match=r"line 1: has 11 cells, not 8(?s:.*)line 2"):
        read_orders(data, fidelity, "f.csv")
    with pytest.raises(ReadError, match="its header is not that of ibkr"):
        read_orders(b"a,b\n", ibkr, "f.csv")
    with pytest.raises(FileError, match="'lots' is not known"):
        write_orders([], shipped_formats(), Sending(only="lots"))
    with pytest.raises(FileError, match="needs Schwab's current file specification"):
        write_orders([], shipped_formats(), Sending(only="schwab"))
