"""What the backtest commands are given: prices, targets, policies and settings, read and checked."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path

from xl_rebal.backtest.prices import Market, Prices, align
from xl_rebal.backtest.settings import Flow, Settings
from xl_rebal.backtest.simulated_prices import Assumptions
from xl_rebal.backtest.what_if import assumptions_of
from xl_rebal.cli import amounts
from xl_rebal.cli.inputs import read_targets
from xl_rebal.cli.screens import reading
from xl_rebal.costs import CostModel, parse_costs
from xl_rebal.custodians.sheets import Document, Sheet, open_document
from xl_rebal.errors import RebalError, TableError
from xl_rebal.market_data.price_tables import read_prices
from xl_rebal.portfolio import cells
from xl_rebal.portfolio.policies import Calendar, Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.targets import Targets

_MOST_MONEY = 1e15  # beyond it a float no longer holds cents


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOptions:
    """The options that backtest, compare and their like share, as they were typed."""

    prices: Path
    targets: str
    start: str | None = None
    end: str | None = None
    cost_bps: float = 0.0
    costs: str | None = None
    risk_free: str | None = None
    returns: bool = False
    accept_jumps: bool = False
    next_close: bool = False
    whole_shares: bool = False
    min_trade: float = 0.0
    cooldown: int = 0
    flow: tuple[str, ...] = ()
    start_value: float = 1_000_000.0
    holdings: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedMarket:
    """The market and the settings of a backtest."""

    market: Market
    settings: Settings
    fingerprint: str


def load_market(options: BacktestOptions) -> LoadedMarket:
    """Read and check all inputs; raises RebalError, and nothing is written."""
    targets = _one_model(read_targets(options.targets))
    settings = _settings(options)
    prices = read_price_file(options.prices, returns=options.returns)
    market = align(
        prices,
        targets,
        start=_date(options.start, "--start"),
        end=_date(options.end, "--end"),
        accept_jumps=options.accept_jumps,
    )
    _refuse_flows_outside(market, settings.flows)
    digest = hashlib.sha256(options.prices.read_bytes()).hexdigest()
    return LoadedMarket(market=market, settings=settings, fingerprint=digest)


def read_price_file(path: Path, *, returns: bool = False) -> Prices:
    """Prices from a CSV, a workbook (the sheet called Prices, else the first that fits) or Parquet."""
    with reading(path.name) as progress:
        document = open_document(path, progress=progress)
    ordered = sorted(
        document.sheets, key=lambda s: s.name.casefold() not in {"prices", "tblprices"}
    )
    refused: RebalError | None = None
    for sheet in ordered:
        try:
            return _prices_of(document, sheet, returns=returns)
        except TableError as error:
            refused = refused or error
    assert refused is not None  # a document has a sheet
    raise refused


def _prices_of(document: Document, sheet: Sheet, *, returns: bool) -> Prices:
    where = document.name if len(document.sheets) == 1 else f"{document.name} sheet {sheet.name!r}"
    return read_prices(
        sheet.rows, where=where, line=lambda row: document.where(sheet, row), returns=returns
    )


def read_policies(text: str) -> list[tuple[str, Policy]]:
    """Policies, each as typed and as understood, from a text such as `never; annual; 3pp; 5/25`."""
    parts = [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]
    if not parts:
        raise TableError.of(
            where="--policies", what="names no policy", remedy='write "never; annual; 5pp"'
        )
    return [(part, parse_policy(part)) for part in parts]


def _one_model(models: dict[str, Targets]) -> Targets:
    if len(models) > 1:
        raise TableError.of(
            where="targets",
            what=f"there are {len(models)} models ({', '.join(models)})",
            remedy="a backtest takes one; keep its rows",
        )
    return next(iter(models.values()))


def _costs(options: BacktestOptions) -> CostModel:
    bps = options.cost_bps
    if not math.isfinite(bps) or not 0 <= bps < 5000:
        raise TableError.of(
            where="--cost-bps",
            what=f"{bps:g} is not possible",
            remedy="enter the cost of a trade in basis points of its value, 0 or more",
        )
    if options.costs is None:
        return CostModel(half_spread=bps / 1e4)
    if bps:
        raise TableError.of(
            where="--costs",
            what="and --cost-bps both say what a trade costs",
            remedy="leave one of them out",
        )
    found = parse_costs(options.costs)
    if found.impact:
        raise TableError.of(
            where="--costs",
            what="market impact needs volumes, which prices do not carry",
            remedy="leave it out",
        )
    return found


def _settings(options: BacktestOptions) -> Settings:
    amounts.money(options.min_trade, "--min-trade")
    amounts.days(options.cooldown, "--cooldown")
    if not 0 < options.start_value <= _MOST_MONEY:
        raise TableError.of(
            where="--start-value",
            what=f"{options.start_value:g} is not possible",
            remedy="enter an amount of money",
        )
    risk_free = amounts.fraction(
        "0" if options.risk_free is None else options.risk_free, "--risk-free"
    )
    if not -1 < risk_free < 1:
        raise TableError.of(
            where="--risk-free",
            what=f"{options.risk_free} a year is not possible",
            remedy="enter a rate a year such as 2%",
        )
    return Settings(
        costs=_costs(options),
        start_value=options.start_value,
        delay=1 if options.next_close else 0,
        whole_shares=options.whole_shares,
        min_trade=options.min_trade,
        cooldown=options.cooldown,
        flows=tuple(_flow(text) for text in options.flow),
        holdings=None if options.holdings is None else _holdings(options.holdings),
        risk_free=risk_free,
    )


def read_widths(text: str) -> list[float]:
    """Bands from a text such as `2pp, 3pp, 5pp`."""
    found = [amounts.fraction(part, "--bands") for part in re.split(r"[,;]", text) if part.strip()]
    if not found or not all(0 <= width < 1 for width in found):
        raise TableError.of(
            where="--bands",
            what=f"{text!r} holds no widths between 0 and 100%",
            remedy="write 2pp, 3pp, 5pp",
        )
    return sorted(set(found))


def read_model(text: str, market: Market) -> Assumptions | None:
    """What simulated returns are drawn from: None for blocks of history."""
    word = text.strip().casefold()
    if word == "history":
        return None
    if word == "normal":
        return assumptions_of(market)
    if match := re.fullmatch(r"t(\d+(?:\.\d+)?)", word):
        return assumptions_of(market, float(match[1]))
    raise TableError.of(
        where="--model", what=f"{text!r} is not known", remedy="write history, normal or t5"
    )


def _holdings(text: str) -> dict[str, float]:
    """Units by class from `100 SPY, 50 AGG, 2500 Cash`."""
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[,;]", text))):
        quantity, _, name = part.partition(" ")
        try:
            units = cells.number(quantity)
            if (
                not name
                or "%" in quantity
                or not 0 <= units <= _MOST_MONEY
                or name.casefold() in map(str.casefold, found)
            ):
                raise ValueError
        except ValueError:
            raise TableError.of(
                where="--holdings",
                what=f"{part!r} is not understood",
                remedy='write units and class, each class once: "100 SPY, 50 AGG, 2500 Cash"',
            ) from None
        found[name.strip()] = units
    return found


def _refuse_flows_outside(market: Market, flows: tuple[Flow, ...]) -> None:
    """A dated flow that would never move is a mistake, not a choice."""
    first, last = market.day(0), market.day(-1)
    for flow in flows:
        if isinstance(flow.when, dt.date) and not first < flow.when <= last:
            raise TableError.of(
                where=f"--flow, {flow.when}",
                what=f"lies outside the sample, which buys on {first} and ends on {last}",
                remedy="correct the date, or leave the flow out",
            )


def _flow(text: str) -> Flow:
    """`monthly:1000`, `2020-03-31:-50000`."""
    when, _, amount = text.rpartition(":")
    try:
        money = cells.number(amount)
        if abs(money) > _MOST_MONEY or "%" in amount:
            raise ValueError
        if re.match(r"\d{4}-", when):
            return Flow(amount=money, when=dt.date.fromisoformat(when))
        trigger = parse_policy(when).trigger
        if isinstance(trigger, Calendar):
            return Flow(amount=money, when=trigger)
    except (ValueError, RebalError):
        pass
    raise TableError.of(
        where="--flow",
        what=f"{text!r} is not understood",
        remedy="write monthly:1000, annual:-40000 or 2020-03-31:-50000",
    )


def _date(text: str | None, option: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise TableError.of(
            where=option, what=f"{text!r} is not a date", remedy="write it as 2026-11-23"
        ) from None
