"""The report's numbers, taken from the engine: drifts as measured, plans as verified."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from xl_rebal.bands import Widths, status_word, widths
from xl_rebal.costs import CostModel
from xl_rebal.drift import TOLERANCE, Drift
from xl_rebal.errors import FaultList, TableError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.book import Book, target_of
from xl_rebal.portfolio.holdings import Kind
from xl_rebal.rebalance import Rebalancing
from xl_rebal.trading.plan import Action, Plan, Trade
from xl_rebal.workbooks.cells import clean_text
from xl_rebal.workbooks.figures import (
    CENT_DUST,
    NOT_COUNTED,
    AccountFigures,
    ClassFigures,
    Figures,
    HoldingFigures,
    TargetFigures,
    TradeFigures,
)
from xl_rebal.workbooks.limits import NAME_CHARACTERS, check_size, units

UNNAMED = "Targets"


def figures_of(result: Rebalancing) -> Figures:
    """The figures of a result. Raises RebalError where Excel could not tell its texts apart."""
    book = result.book
    check_size(len(book.holdings), len(book.holdings.accounts()))
    _require_distinct(result)
    models = _model_names(result)
    plans = {plan.account: plan for plan in result.plans}
    refused = {each.account: each.reason for each in result.refused}
    accounts: dict[str, AccountFigures] = {}
    targets: list[TargetFigures] = []
    for drift in result.drifts:
        band = widths(result.request.policy, drift)
        model = models[drift.targets.name]
        targets += _target_rows(drift, band, model)
        for row, account in enumerate(drift.accounts):
            found = _account(result, drift, band, row, model, plans.get(account))
            accounts[account] = replace(found, refused=refused.get(account, ""))
    ordered = tuple(accounts[name] for name in book.holdings.accounts())
    bases = {each.account: each.base for each in ordered}
    return Figures(
        result=result,
        holdings=tuple(_holding_rows(book, result.drifts, bases)),
        accounts=ordered,
        targets=tuple(targets),
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", clean_text(text)).casefold()


def _require_distinct(result: Rebalancing) -> None:
    """Excel compares text without regard to case: names that differ only so would be added up."""
    faults = FaultList()
    holdings = result.book.holdings
    model_names = [drift.targets.name for drift in result.drifts]
    for what, column, names in (
        ("account", "account", holdings.accounts()),
        ("model", "model", model_names),
        *(("class", "asset_class", drift.classes) for drift in result.drifts),
    ):
        seen: dict[str, str] = {}
        for name in names:
            before = seen.setdefault(_folded(name), name)
            if before != name:
                faults.add(
                    where=f"report, column {column}",
                    what=f"the {what} names {before!r} and {name!r} differ only in case or in form; "
                    "Excel would take them for one",
                    remedy="rename one of them",
                )
    _require_short(holdings.accounts(), "account", faults)
    _require_short(holdings.symbol.tolist(), "symbol", faults)
    _require_short(holdings.asset_class.tolist(), "asset_class", faults)
    for drift in result.drifts:
        _require_short([*drift.classes, drift.targets.name], "asset_class", faults)
    faults.raise_as(TableError)


def _require_short(names: Iterable[str], column: str, faults: FaultList) -> None:
    for name in dict.fromkeys(names):
        if units(name) > NAME_CHARACTERS:
            faults.add(
                where=f"report, column {column}",
                what=f"{name[:40]!r}… has {units(name):,} characters (at most {NAME_CHARACTERS})",
                remedy="shorten it",
            )


def _model_names(result: Rebalancing) -> dict[str, str]:
    names = {drift.targets.name for drift in result.drifts}
    unnamed = UNNAMED if UNNAMED.casefold() not in {n.casefold() for n in names} else "(unnamed)"
    return {name: name or unnamed for name in names}


def _blank(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _holding_rows(
    book: Book, drifts: tuple[Drift, ...], bases: dict[str, float]
) -> Iterable[HoldingFigures]:
    holdings = book.holdings
    drift_of = {account: drift for drift in drifts for account in drift.accounts}
    for index, value in enumerate(holdings.value.tolist()):
        account, symbol = str(holdings.account[index]), str(holdings.symbol[index])
        kind = str(holdings.kind[index])
        target_class = _target_class(
            drift_of[account], symbol, str(holdings.asset_class[index]), kind
        )
        if kind == Kind.PENDING.value:
            counted = "pending"
        elif target_class == classes.EXCLUDED:
            counted = "excluded"
        else:
            counted = "yes"
        base = bases[account]
        weight = None
        if counted == "yes":
            weight = value / base if base > CENT_DUST else 0.0
        numbers = {
            name: _blank(getattr(holdings, name)[index])
            for name in ("quantity", "price", "multiplier", "fx", "stated_value")
        }
        yield HoldingFigures(
            account=account,
            symbol=symbol,
            description=str(holdings.description[index]),
            kind=kind,
            asset_class=str(holdings.asset_class[index]),
            target_class=target_class,
            value=_blank(value),
            counted=counted,
            weight=weight,
            **numbers,
        )


def _target_class(drift: Drift, symbol: str, asset_class: str, kind: str) -> str:
    """The class of the drift table that a holding counts in, as `drift.measure` decides it."""
    if kind == Kind.PENDING.value:
        return NOT_COUNTED
    name = target_of(symbol, asset_class, drift.targets)
    if name == classes.CASH and drift.cash_index is not None:
        return drift.classes[drift.cash_index]
    return name if name is not None else NOT_COUNTED


def _target_rows(drift: Drift, band: Widths, model: str) -> list[TargetFigures]:
    rows = []
    for item in drift.targets.items:
        index = drift.classes.index(item.asset_class)
        down, up = _blank(band.down[index]), _blank(band.up[index])
        own = any(x is not None for x in (item.band_abs, item.band_rel, item.min, item.max))
        if classes.is_cash(item.asset_class):
            origin = "cash has no band"
        elif down is None and up is None:
            origin = "no band in the policy"
        else:
            origin = "the targets table" if own else "the policy"
        rows.append(
            TargetFigures(
                model=model,
                asset_class=item.asset_class,
                target=item.target,
                down=down,
                up=up,
                origin=origin,
            )
        )
    return rows


def _account(
    result: Rebalancing, drift: Drift, band: Widths, row: int, model: str, plan: Plan | None
) -> AccountFigures:
    name = drift.accounts[row]
    book, request = result.book, result.request
    holdings = book.holdings
    mine = holdings.account == name
    counted = mine & ~holdings.is_pending
    value = holdings.value
    flow = plan.flow if plan is not None else 0.0
    reserve = book.account(name).kept_back
    cash_before = float(value[mine & holdings.is_cash].sum())
    trades = plan.trades if plan is not None else ()
    sells = math.fsum(t.value for t in trades if t.action is Action.SELL)
    buys = math.fsum(t.value for t in trades if t.action is Action.BUY)
    costs = math.fsum(t.cost for t in trades)
    return AccountFigures(
        account=name,
        model=model,
        plan=plan,
        total=float(value[counted].sum()),
        base=float(drift.base[row]),
        flow=flow,
        reserve=reserve,
        cash_before=cash_before,
        sells=sells,
        buys=buys,
        costs=costs,
        cash_after=cash_before + flow + sells - buys - costs,
        classes=_class_rows(drift, band, row, model, plan, flow=flow, beyond=request.policy.beyond),
        trades=tuple(_trade_figures(book, request.limits.costs, trade) for trade in trades),
    )


def _class_rows(
    drift: Drift,
    band: Widths,
    row: int,
    model: str,
    plan: Plan | None,
    *,
    flow: float,
    beyond: bool,
) -> tuple[ClassFigures, ...]:
    trades = plan.trades if plan is not None else ()
    traded = [
        math.fsum(-t.cash_effect - t.cost for t in trades if t.asset_class == name)
        for name in drift.classes
    ]
    cash = drift.cash_index
    assert cash is not None  # class_columns always has one
    traded[cash] += math.fsum(t.cash_effect for t in trades)
    after = [v + t for v, t in zip(drift.value[row].tolist(), traded, strict=True)]
    after[cash] += flow
    base_after = math.fsum(after)
    held = base_after > CENT_DUST
    causes = {each.asset_class: each.cause for each in plan.classes} if plan is not None else {}
    rows = []
    for k, name in enumerate(drift.classes):
        target = float(drift.target[k])
        down, up = _blank(band.down[k]), _blank(band.up[k])
        weight_after = after[k] / base_after if held else 0.0
        drift_before = float(drift.drift[row, k])
        drift_after = weight_after - target if held else 0.0
        rows.append(
            ClassFigures(
                account=drift.accounts[row],
                asset_class=name,
                model=model,
                is_cash=k == cash,
                order=k + 1,
                value=float(drift.value[row, k]),
                weight=float(drift.weight[row, k]),
                target=target,
                drift=drift_before,
                relative=drift_before / target if target > 0 else None,
                down=down,
                up=up,
                lower=None if down is None else max(target - down, 0.0),
                upper=None if up is None else min(target + up, 1.0),
                status=status_of(drift_before, down, up, beyond=beyond),
                traded=traded[k],
                value_after=after[k],
                weight_after=weight_after,
                drift_after=drift_after,
                status_after=status_of(drift_after, down, up, beyond=beyond),
                cause=causes.get(name, ""),
            )
        )
    return tuple(rows)


def status_of(drift: float, down: float | None, up: float | None, *, beyond: bool) -> str:
    """`above`, `below` or `within`, as `bands.breaches` decides it and the sheet's formula too."""
    edge = TOLERANCE if beyond else -TOLERANCE
    if up is not None and drift > TOLERANCE and _reached(drift, up + edge, beyond=beyond):
        return status_word(1)
    if down is not None and drift < -TOLERANCE and _reached(-drift, down + edge, beyond=beyond):
        return status_word(-1)
    return status_word(0)


def _reached(drift: float, edge: float, *, beyond: bool) -> bool:
    return drift > edge if beyond else drift >= edge


def _trade_figures(book: Book, costs: CostModel, trade: Trade) -> TradeFigures:
    """What the general settings would charge, against what the engine charged."""
    adv = book.security(trade.symbol).adv
    gross = trade.quantity * trade.unit_value
    commission, _, impact = costs.parts(trade.quantity, gross, adv)
    return TradeFigures(
        trade=trade,
        own_half_spread=None if costs.half_spread == trade.half_spread else trade.half_spread,
        own_commission=None if abs(commission - trade.commission) < 1e-9 else trade.commission,
        own_impact=None if abs(impact - trade.impact) < 1e-9 else trade.impact,
        adv=adv if costs.impact else None,
    )
