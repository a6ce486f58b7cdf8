"""Gains, lots, losses worth taking, wash sales and the tax of gains."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xl_rebal.errors import TableError
from xl_rebal.excel import ranges
from xl_rebal.excel.functions.arguments import (
    ACCOUNTS,
    HELD,
    accounts_of,
    first_words,
    in_a_sheet,
    open_lots,
    table_of,
    taxable_lots,
)
from xl_rebal.excel.registry import Argument, Example, Grid, Returns, worksheet_function
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.history import History, history_from_rows
from xl_rebal.portfolio.lots import Lots, lots_from_rows
from xl_rebal.portfolio.securities import Security, securities_from_rows, spelled_as
from xl_rebal.portfolio.tables import Column, TableSpec
from xl_rebal.tax.gains import lot_gains
from xl_rebal.tax.harvesting import Candidate, HarvestRequest, Threshold, harvest
from xl_rebal.tax.income_tax import GainKind, added_tax, marginal_rates
from xl_rebal.tax.lot_methods import LotMethod, LotSale, choose_lots, lot_method
from xl_rebal.tax.netting import Gains
from xl_rebal.tax.profiles import TaxProfile, profiles_from_rows, profiles_of
from xl_rebal.tax.taxpayers import profiles_by_return, taxpayers
from xl_rebal.tax.wash_sales import Sale, ledger
from xl_rebal.tax.wash_window import wash_window

GAIN_COLUMNS = (
    "account", "symbol", "acquired", "quantity", "unit_cost", "price", "value", "gain", "term",
    "days_to_long",
)  # fmt: skip
LOT_COLUMNS = (
    "account", "symbol", "lot_id", "acquired", "quantity", "unit_cost", "price", "gain", "term",
)  # fmt: skip
SALE_COLUMNS = (
    "account", "symbol", "date", "quantity", "gain", "disallowed", "allowed", "term",
)  # fmt: skip
CANDIDATE_COLUMNS = (
    "account", "symbol", "acquired", "quantity", "unit_cost", "price", "loss", "loss_fraction", "term",
    "days_to_long", "tax_value", "verdict", "replacement", "replacement_quantity", "class_change",
    "buy_back_from", "why",
)  # fmt: skip
_ONE_ACCOUNT = "Portfolio"
_MOST_NAMED = 20

LOTS = Argument(
    name="lots",
    help="Open lots with their headers: symbol, acquired, quantity, unit_cost; optionally account, lot_id.",
    table="tblLots",
)
PRICES = Argument(
    name="prices",
    help="Prices with their headers: symbol, price; for harvests also asset_class, substitute, "
    "identical_group.",
    table="tblSecurities",
)
AS_OF = Argument(
    name="as_of",
    help="The day of the sale, such as TODAY(); terms and days to long-term depend on it.",
    optional=True,
)
PROFILE = Argument(
    name="profile",
    help="One row of tax_profiles: tax_profile, year, filing_status, magi (without gains), state, or "
    "ordinary, long_term and niit as rates.",
    table="tblTaxProfile",
)

_LOTS = in_a_sheet(tables.LOTS, "account")
_HISTORY = in_a_sheet(tables.HISTORY, "account")
_PRICES = replace(
    tables.SECURITIES,
    name="prices",
    may_be_empty=False,
    columns=tuple(
        replace(c, required=c.required or c.name == "price") for c in tables.SECURITIES.columns
    ),
)
_GAINS = TableSpec(
    name="gains",
    columns=(
        Column(name="term", required=True, synonyms=("kind",)),
        Column(name="gain", read=cells.number, required=True, synonyms=("amount",)),
        Column(name="allowed", read=cells.number),
    ),
)


def _lots(
    value: Any,
    accounts: Mapping[str, Account] | None = None,
    chosen: Callable[[list[dict[str, Any]], Mapping[str, Account]], Lots] = taxable_lots,
) -> Lots:
    """The lots; where accounts are given, those that `chosen` takes, and no cash."""
    if accounts:
        return ranges.built(value, HELD, "tblLots", lambda rows: chosen(rows, accounts))
    return ranges.built(value, _LOTS, "tblLots", lambda rows: lots_from_rows(_in_one(rows)))


def _accounts(value: Any, rows: Any) -> dict[str, Account]:
    """The accounts; none where the rows name none, for then they are of the one account that there is."""
    header = next(iter(ranges.grid(rows)), [])
    named = any(_LOTS.column_for(cells.text(c)) is _LOTS.columns[0] for c in header)
    return accounts_of(value) if named and ranges.grid(value) else {}


def _history(value: Any, as_of: dt.date | None) -> History:
    def build(rows: list[dict[str, Any]]) -> History:
        return history_from_rows(_in_one(rows), as_of=as_of)

    return ranges.built(value, _HISTORY, "tblHistory", build)


def _in_one(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without an account are of the one that there is."""
    return [{"account": _ONE_ACCOUNT, **row} for row in rows]


def _prices(value: Any) -> dict[str, Security]:
    return ranges.built(value, _PRICES, "tblSecurities", securities_from_rows)


def _of(lots: Lots, known: dict[str, Security]) -> dict[str, float]:
    """Prices of the lots' symbols, spelled as the lots spell them."""
    spelled = spelled_as(known, lots.symbol.tolist())
    return {symbol: s.price for symbol, s in spelled.items() if s.price is not None}


@worksheet_function(
    "REBAL_GAINS",
    arguments=(LOTS, PRICES, AS_OF, ACCOUNTS),
    returns=Returns.TABLE,
    description="One row per lot: its value, its gain (negative for a loss), short or long on the day, and "
    "the days until it is long-term: held more than one year, counted from the day after acquisition. With "
    "accounts, the lots of the taxable ones; cash is left out.",
    example=Example(
        formula='=REBAL_GAINS(tblLots, tblSecurities, "2026-11-24")', result="-5000", column="gain"
    ),
)
def rebal_gains(lots: Any, prices: Any, as_of: Any, accounts: Any) -> Grid:
    """The unrealised gain of every lot."""
    held = _lots(lots, _accounts(accounts, lots))
    day = ranges.date(as_of, "as_of")
    found = lot_gains(held, _of(held, _prices(prices)), day)
    columns = (
        held.account.tolist(),
        held.symbol.tolist(),
        [str(d) for d in held.acquired.tolist()],
        held.quantity.tolist(),
        held.unit_cost.tolist(),
        found.price.tolist(),
        (held.quantity * found.price).tolist(),
        found.gain.tolist(),
        [term or None for term in found.term.tolist()],
        found.days_to_long.tolist(),
    )
    return [list(GAIN_COLUMNS), *(list(row) for row in zip(*columns, strict=True))]


@worksheet_function(
    "REBAL_SELL_LOTS",
    arguments=(
        LOTS,
        Argument(name="symbol", help="The security to sell."),
        Argument(name="quantity", help="Units to sell."),
        Argument(
            name="method",
            help='fifo (default), lifo, hifo, lowest_tax, average (funds), or "specific: A1 100, B7 50" by '
            "lot_id.",
            optional=True,
        ),
        Argument(
            name="price", help="Price of the sale; gains are blank without it.", optional=True
        ),
        AS_OF,
    ),
    returns=Returns.TABLE,
    description="The lots that a sale takes, each with its gain and term. lowest_tax sells first what "
    "costs least at 37% for short-term and 20% for long-term gains; it needs price and as_of.",
    example=Example(
        formula='=REBAL_SELL_LOTS(tblLots, "VTI", 120, "hifo", 250, "2026-11-24")',
        result="2024-01-02",
        column="acquired",
    ),
)
def rebal_sell_lots(
    lots: Any, symbol: Any, quantity: Any, method: Any, price: Any, as_of: Any
) -> Grid:
    """Which lots a sale takes."""
    name = ranges.text(symbol, "symbol")
    held = _lots(lots)
    mine = held.take(
        np.array([s.casefold() == name.casefold() for s in held.symbol.tolist()], bool)
    )
    accounts = list(dict.fromkeys(mine.account.tolist()))
    if len(accounts) != 1:
        where = f"in {first_words(accounts, _MOST_NAMED, ', ')}" if accounts else "nowhere"
        raise TableError.of(
            where="tblLots",
            what=f"holds {name} {where}",
            remedy="give the lots of one account that holds it",
        )
    words = ranges.text(method, "method", LotMethod.FIFO.value)
    chosen, named = _chosen(words)
    paid = ranges.number(price, "price", float("nan"))
    if chosen is LotMethod.LOWEST_TAX and paid != paid:
        raise TableError.of(where="price", what="is blank", remedy="lowest_tax needs the price")
    sold = choose_lots(
        mine,
        ranges.number(quantity, "quantity"),
        chosen,
        price=paid,
        as_of=ranges.date(as_of, "as_of"),
        named=named,
    )
    return table_of(LOT_COLUMNS, [_lot_row(lot) for lot in sold])


def _chosen(words: str) -> tuple[LotMethod, dict[str, float]]:
    """The method, and for `specific: A1 100, B7 50` the units of each lot."""
    if not re.match(r"\s*specific\s*:", words, re.IGNORECASE):
        return lot_method(words), {}
    named: dict[str, float] = {}
    for part in re.split(r"[,;]", words.partition(":")[2]):
        lot, _, units = part.strip().rpartition(" ")
        try:
            named[lot.strip(" =:")] = cells.number(units.strip("= "))
        except ValueError:
            raise TableError.of(
                where="method",
                what=f"{part.strip()!r} is no lot with its units",
                remedy="write specific: A1 100, B7 50",
            ) from None
    return LotMethod.SPECIFIC, named


def _lot_row(lot: LotSale) -> dict[str, Any]:
    return {
        "account": lot.account,
        "symbol": lot.symbol,
        "lot_id": lot.lot_id or None,
        "acquired": str(lot.acquired),
        "quantity": lot.quantity,
        "unit_cost": lot.unit_cost,
        "price": lot.price,
        "gain": lot.gain,
        "term": lot.term.value if lot.term is not None else None,
    }


@worksheet_function(
    "REBAL_HARVEST",
    arguments=(
        LOTS,
        PRICES,
        Argument(
            name="history",
            help="Trades of the last 30 days in all accounts: symbol, date, action, quantity, price.",
            optional=True,
            table="tblHistory",
        ),
        Argument(
            name="as_of",
            help="The day of the sale, such as TODAY(); without it nothing can be judged.",
            optional=True,
        ),
        Argument(
            name="minimum",
            help='Smallest loss of a lot worth taking: money, a share of its cost ("5%"), or both '
            '("500, 5%").',
            optional=True,
        ),
        ACCOUNTS,
        replace(PROFILE, optional=True),
    ),
    returns=Returns.TABLE,
    description="Every lot at a loss with its verdict: harvest (with the substitute that is bought instead), "
    "small, wait (a purchase within 30 days would wash the loss; from when it is safe) or keep. With "
    "accounts, IRAs and tax returns are told apart, and with tax_profiles too the tax that each loss saves.",
    example=Example(
        formula='=REBAL_HARVEST(tblLots, tblSecurities, tblHistory, "2026-11-24")',
        result="harvest",
        column="verdict",
    ),
)
def rebal_harvest(
    lots: Any, prices: Any, history: Any, as_of: Any, minimum: Any, accounts: Any, profile: Any
) -> Grid:
    """Losses worth taking, and what must wait."""
    day = ranges.date(as_of, "as_of")
    if day is None:
        raise TableError.of(
            where="as_of", what="is blank", remedy="enter the day of the sale, such as TODAY()"
        )
    owned = _accounts(accounts, lots)
    held, listed = _lots(lots, owned, open_lots), _prices(prices)
    known = dict(spelled_as(listed, held.symbol.tolist()))
    past = _history(history, day) if ranges.grid(history) else ()
    profiles = profiles_of(_profiles(profile), day.year) if ranges.grid(profile) else {}
    named = [*held.account.tolist(), *(event.account for event in past)]
    who = taxpayers(owned, profiles, named=named)
    window = wash_window(past, who, as_of=day, securities=known, lots=held)
    request = HarvestRequest(
        threshold=_threshold(minimum), profiles=profiles_by_return(who, profiles)
    )
    found = harvest(held, _of(held, listed), window, request)
    return table_of(CANDIDATE_COLUMNS, [_candidate_row(c) for c in found.candidates])


def _threshold(minimum: Any) -> Threshold:
    words = ranges.text(minimum, "minimum", "0")
    money, fraction = 0.0, 0.0
    for part in filter(None, (p.strip() for p in re.split(r";|,(?!\d{3}(?:\D|$))|\band\b", words))):
        try:
            if part.endswith(("%", "pp")):
                fraction = cells.fraction(part)
            else:
                money = cells.number(part)
        except ValueError as error:
            what, _, remedy = str(error).partition("; ")
            raise TableError.of(where="minimum", what=what, remedy=remedy) from None
    return Threshold(money=money, fraction=fraction)


def _candidate_row(c: Candidate) -> dict[str, Any]:
    return {
        "account": c.account,
        "symbol": c.symbol,
        "acquired": str(c.acquired),
        "quantity": c.quantity,
        "unit_cost": c.unit_cost,
        "price": c.price,
        "loss": c.loss,
        "loss_fraction": c.loss_fraction,
        "term": c.term.value,
        "days_to_long": c.days_to_long,
        "tax_value": None if c.tax_value is None else c.tax_value + 0.0,  # no -0
        "verdict": c.verdict.value,
        "replacement": c.replacement or None,
        "replacement_quantity": c.replacement_quantity,
        "class_change": c.class_change,
        "buy_back_from": str(c.buy_back_from),
        "why": c.why,
    }


@worksheet_function(
    "REBAL_WASHSALES",
    arguments=(
        Argument(
            name="history",
            help="All trades with their headers: symbol, date, action, quantity, price; optionally account.",
            table="tblHistory",
        ),
        ACCOUNTS,
        Argument(
            name="securities",
            help="Securities with their headers: symbol, identical_group, tax_class; without them only "
            "the same symbol is identical.",
            optional=True,
            table="tblSecurities",
        ),
    ),
    returns=Returns.TABLE,
    description="One row per sale and term: its gain before disallowance, the loss that purchases within 30 "
    "days before or after it disallow, and what is allowed. With accounts, IRAs (where the loss is gone for "
    "good) and tax returns are told apart.",
    example=Example(formula="=REBAL_WASHSALES(tblHistory)", result="750", column="disallowed"),
)
def rebal_washsales(history: Any, accounts: Any, securities: Any) -> Grid:
    """Losses that wash sales disallow."""
    past = _history(history, None)
    who = taxpayers(_accounts(accounts, history), named=[event.account for event in past])
    known: dict[str, Security] = {}
    if ranges.grid(securities):
        listed = ranges.built(securities, tables.SECURITIES, "tblSecurities", securities_from_rows)
        known = dict(spelled_as(listed, [event.symbol for event in past]))
    return table_of(SALE_COLUMNS, [_sale_row(sale) for sale in ledger(past, who, known).sales])


def _sale_row(sale: Sale) -> dict[str, Any]:
    return {
        "account": sale.account,
        "symbol": sale.symbol,
        "date": str(sale.date),
        "quantity": sale.quantity,
        "gain": sale.gain,
        "disallowed": sale.disallowed,
        "allowed": sale.allowed,
        "term": sale.term.value if sale.term is not None else None,
    }


@worksheet_function(
    "REBAL_TAX",
    arguments=(
        Argument(
            name="gains",
            help="Gains with their headers: term (short, long, collectible, section_1256, ordinary) and "
            "gain; allowed, where it is there, stands for gain.",
            table="tblGains",
        ),
        PROFILE,
    ),
    returns=Returns.TABLE,
    description="What the gains add to the year's tax, after netting with carry-forwards and gains to date: "
    "federal income tax, net investment income tax, state tax; then the losses deducted and carried on, and "
    "the rates of the next dollar.",
    example=Example(formula="=REBAL_TAX(tblGains, tblTaxProfile)", result="11250", column="amount"),
)
def rebal_tax(gains: Any, profile: Any) -> Grid:
    """The tax that gains cost."""
    asked, amounts = _profile(profile), _gains(gains)
    tax = added_tax(asked, amounts)
    rates = marginal_rates(asked, amounts)
    rows = (
        ("income_tax", tax.income),
        ("niit", tax.niit),
        ("state", tax.state),
        ("total", tax.total),
        ("net_short", tax.netted.short),
        ("net_long", tax.netted.long),
        ("deducted_from_income", tax.netted.deducted),
        ("carry_short", tax.netted.carry_short),
        ("carry_long", tax.netted.carry_long),
        ("next_short", rates.short),
        ("next_long", rates.long),
        ("next_collectible", rates.collectible),
        ("next_ordinary", rates.ordinary),
    )
    return [["item", "amount"], *([name, round(value, 8)] for name, value in rows)]


def _gains(value: Any) -> Gains:
    total = Gains()
    for row in ranges.table(value, _GAINS, "tblGains"):
        word = re.sub(r"[^a-z0-9]", "", row["term"].casefold())
        kind = next((k for k in GainKind if k.value.replace("_", "") in (word, word[:-4])), None)
        if kind is None:
            raise TableError.of(
                where=f"tblGains row {row['row']}, term",
                what=f"{row['term']!r} is not known",
                remedy=f"use one of {', '.join(GainKind)}",
            )
        total += kind.of(row.get("allowed", row["gain"]))
    return total


def _profiles(value: Any) -> dict[tuple[str, int], TaxProfile]:
    return ranges.built(value, tables.TAX_PROFILES, "tblTaxProfile", profiles_from_rows)


def _profile(value: Any) -> TaxProfile:
    found = _profiles(value)
    if len(found) != 1:
        raise TableError.of(
            where="tblTaxProfile",
            what=f"has {len(found)} rows",
            remedy="point it at the header and one row",
        )
    return next(iter(found.values()))
