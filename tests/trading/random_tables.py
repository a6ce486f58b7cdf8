"""Random input tables as people type them, good and bad: for fuzzing the way from tables to plans."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xl_rebal.costs import CostModel
from xl_rebal.custodians import generic
from xl_rebal.custodians.filetypes import FileType
from xl_rebal.custodians.sheets import Document, Sheet
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.accounts import accounts_from_rows
from xl_rebal.portfolio.book import Book, classify
from xl_rebal.portfolio.flows import flows_from_rows
from xl_rebal.portfolio.fund_rules import fund_rules_from_rows
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.models import targets_from_rows
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import restrictions_from_rows
from xl_rebal.portfolio.securities import securities_from_rows
from xl_rebal.rebalance import Rebalancing, Request, rebalance
from xl_rebal.trading.limits import FlowMode, Limits, OrderStyle, OrderType
from xl_rebal.trading.staleness import Freshness

AS_OF = dt.date(2026, 11, 23)
POLICIES = (
    *("now", "3pp", "5pp", "20%rel", "5/25", "5pp beyond", "monthly or 3pp", "annual and 5pp"),
    *(
        "5pp to halfway",
        "5pp to edge",
        "3pp to 50% of band",
        "5pp breached only",
        "never",
        "own bands",
    ),
)
CLASSES = ("Stocks", "Stocks/US", "Bonds", "Real Estate", "Gold", "Cash")
VEHICLES = ("etf", "mutual_fund", "stock", "bond", "")
RULES = ("never_buy", "never_sell", "never_hold")
SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FUNDX", "OLDFX", "SWVXX", "vti")
ODD = (
    *("", "-", "0", "-1", "1e308", "nan", "#N/A", "abc", "=1+1", "1e-12", "99999999999999999999"),
    *("5%", "(3)", " 7 ", "1,234.5", "\u00a0", "true", "-0", "0.1", "1e3"),
)


@dataclass(frozen=True)
class Tables:
    """The cells of every table of one case, and the options beside them."""

    cells: dict[str, list[list[Any]]]
    request: Request


def random_tables(seed: int) -> Tables:
    """One case: one to three accounts with up to eight rows each; a few cells are garbage."""
    rng = random.Random(seed)
    accounts = [f"A{n}" for n in range(rng.randint(1, 3))]
    price = {s: round(10 ** rng.uniform(-1, 3.2), rng.choice([2, 2, 4])) for s in SYMBOLS}
    price["SWVXX"] = 1.0

    def day(low: int, high: int) -> str:
        return (AS_OF + dt.timedelta(days=rng.randint(low, high))).isoformat()

    holdings: list[list[Any]] = [
        [
            name,
            symbol,
            _quantity(rng),
            price[symbol],
            day(-3, 5) if rng.random() < 0.1 else "",
            rng.choice(CLASSES[:-1]) if symbol != "SWVXX" else "Cash",
            "position",
        ]
        for name in accounts
        for symbol in rng.sample(SYMBOLS, rng.randint(0, 6))
    ]  # fmt: skip
    for name in accounts:
        for settles in ("", day(1, 9))[: rng.randint(1, 2)]:
            money = rng.choice([0, 12.34, 5_000, 40_000, -250])
            holdings.append([name, "CASH", money, 1, settles, "Cash", "cash"])
    names = rng.sample(CLASSES[2:5], rng.randint(0, 3))
    parts: list[int] = [rng.randint(0, 10) for _ in names]
    targets: list[list[Any]] = [
        [n, p / (sum(parts) + 10), rng.choice(["", "3pp"])]
        for n, p in zip(names, parts, strict=True)
    ]
    targets.append(["Stocks", 1 - sum(row[1] for row in targets), ""])
    held = {row[5] for row in holdings}
    targets += [
        [n, 0, ""] for n in ("Bonds", "Real Estate", "Gold") if n in held and n not in names
    ]
    cells: dict[str, list[list[Any]]] = {
        "holdings": [["account", "symbol", "quantity", "price", "settles", "asset_class", "kind"], *holdings],
        "targets": [["asset_class", "target", "band_abs"], *targets],
        "securities": _some(rng, SYMBOLS, [
            ("asset_class", lambda s: next((r[5] for r in holdings if r[1] == s), "Stocks")),
            ("price", lambda s: price[s]),
            ("vehicle", lambda s: "cash" if s == "SWVXX" else rng.choice(VEHICLES)),
            ("quantity_step", lambda s: rng.choice(["", 1, 0.001, 10, 0.25])),
            ("minimum", lambda s: rng.choice(["", "", 250, 5000])),
            ("rank", lambda s: rng.choice(["", 1, 2])),
            ("tradable", lambda s: rng.choice(["", "", "", "no"])),
            ("settlement_days", lambda s: rng.choice(["", "", 0, 1, 2, 3])),
        ]),
        "accounts": _some(rng, accounts, [
            ("cash_reserve", lambda a: rng.choice(["", 0, 100, 20_000])),
            ("custodian", lambda a: rng.choice(["", "schwab", "vanguard"])),
            ("held_away", lambda a: rng.choice(["", "", "", "yes"])),
        ]),
        "restrictions": [["scope", "rule", "symbol"]] + [
            [rng.choice(["*", *accounts]), rng.choice(RULES), rng.choice(SYMBOLS)]
            for _ in range(rng.choice([0, 0, 1, 2]))
        ],
        "flows": [["account", "date", "amount", "kind"]] + [
            [rng.choice(accounts), day(-5, 60), rng.choice([-10, -2_500, -75_000, 900]), "transfer"]
            for _ in range(rng.choice([0, 0, 1, 3]))
        ],
        "fund_rules": _some(rng, ("FUNDX", "OLDFX", "SWVXX", "AAA"), [
            ("custodian", lambda s: rng.choice(["*", "schwab"])),
            ("initial_minimum", lambda s: rng.choice(["", 3_000])),
            ("subsequent_minimum", lambda s: rng.choice(["", 100])),
            ("kept_minimum", lambda s: rng.choice(["", 1_000])),
            ("cut_off", lambda s: rng.choice(["", "16:00 ET"])),
            ("ticket_fee", lambda s: rng.choice(["", 49.95])),
            ("closed_to_new", lambda s: rng.choice(["", "no", "investors", "yes"])),
        ]),
    }  # fmt: skip
    for name in rng.choices(list(cells), k=rng.choice([0, 0, 0, 1])):
        rows = cells[name][1:]
        if rows:
            row = rng.choice(rows)
            row[rng.randrange(len(row))] = rng.choice(ODD)
    return Tables(cells, _request(rng, accounts))


def _quantity(rng: random.Random) -> float:
    if rng.random() < 0.02:
        return -5
    return rng.choice([rng.randint(0, 900), round(rng.uniform(0, 500), 3), 0, 3])


def _some(
    rng: random.Random, keys: Any, columns: list[tuple[str, Callable[[Any], Any]]]
) -> list[list[Any]]:
    """A table of a key and some columns, for some of the keys."""
    picked = [column for column in columns if rng.random() < 0.6]
    first = "account" if str(keys[0]).startswith("A0") else "symbol"
    rows = [[key, *(value(key) for _, value in picked)] for key in keys if rng.random() < 0.6]
    return [[first, *(name for name, _ in picked)], *rows]


def _request(rng: random.Random, accounts: list[str]) -> Request:
    limits = Limits(
        costs=CostModel(
            half_spread=rng.choice([0.0, 0.0005, 0.01]), commission=rng.choice([0.0, 0.0, 4.95])
        ),
        min_trade=rng.choice([0.0, 0.0, 100.0]),
        max_turnover=rng.choice([None, None, None, 0.05]),
        orders=rng.choice([OrderStyle(), OrderStyle(order_type=OrderType.LIMIT, limit=0.01)]),
    )
    zone = dt.timezone(dt.timedelta(hours=-5))
    dated = rng.random() < 0.7
    late = rng.choice([None, 10, 18])
    return Request(
        policy=parse_policy(rng.choice(POLICIES)),
        limits=limits,
        flows={rng.choice(accounts): rng.choice([500.0, -500.0, 30_000.0])} if rng.random() < 0.3 else {},
        flow_mode=rng.choice([FlowMode.HYBRID, FlowMode.HYBRID, *FlowMode]),
        as_of=AS_OF if dated else None,
        ordered_at=dt.datetime(2026, 11, 23, late, tzinfo=zone) if dated and late else None,
        freshness=Freshness(positions_of=rng.choice([None, AS_OF])),
    )  # fmt: skip


def planned(case: Tables) -> Rebalancing:
    """The verified plans of a case; raises RebalError where a table or the plan is refused."""

    def read(name: str, spec: tables.TableSpec) -> list[dict[str, Any]]:
        header, *rows = case.cells[name]
        return tables.read_rows(spec, header, list(enumerate(rows, 2)), where=f"{name}.csv")

    securities = securities_from_rows(read("securities", tables.SECURITIES))
    models = targets_from_rows(read("targets", tables.MODELS))
    book = Book(
        holdings=classify(
            holdings_of(case.cells["holdings"]),
            securities=securities,
            targets=tuple(models.values()),
        ),
        models=models,
        securities=securities,
        accounts=accounts_from_rows(read("accounts", tables.ACCOUNTS)),
        restrictions=restrictions_from_rows(read("restrictions", tables.RESTRICTIONS)),
        flows=flows_from_rows(read("flows", tables.FLOWS)),
        fund_rules=fund_rules_from_rows(read("fund_rules", tables.FUND_RULES)),
    )
    return rebalance(book, case.request)


def holdings_of(cells: list[list[Any]]) -> Holdings:
    """The holdings through the generic reader, as from a sheet."""
    rows = [[str(cell) for cell in row] for row in cells]
    lines = np.arange(1, len(rows) + 1, dtype=np.int64)
    sheet = Sheet(name="holdings", rows=rows, lines=lines)
    document = Document(name="holdings.csv", type=FileType.TEXT, sheets=(sheet,))
    return generic.read(document).holdings


def fault_in(result: Rebalancing) -> str:
    """What a verified plan must hold besides, added up once more; empty when it does."""
    for plan in result.plans:
        ends = plan.cash_days[-1].closing + plan.leaving
        if abs(ends - plan.cash_after) > 0.005:
            return (
                f"{plan.account}: cash by day ends at {ends:.2f}, the plan at {plan.cash_after:.2f}"
            )
        total = sum(row.drift_pp for row in plan.not_done)
        if plan.not_done and abs(total - plan.drift_left_pp) > 1e-6:
            return f"{plan.account}: causes sum to {total}, {plan.drift_left_pp} pp are left"
        worth = sum(t.value if t.action == "SELL" else -t.value for t in plan.trades)
        cash = plan.cash_before + plan.flow + worth - sum(t.cost for t in plan.trades)
        if abs(cash - plan.cash_after) > 0.005:
            return (
                f"{plan.account}: cash after is {plan.cash_after:.2f}, the trades leave {cash:.2f}"
            )
    return ""
