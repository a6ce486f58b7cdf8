"""Verify: a plan that a person edited in the sheet, checked again as strictly as a generated one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xl_rebal.errors import Fault, FaultList, TableError, VerificationError
from xl_rebal.excel.book_inputs import Asked, same
from xl_rebal.excel.plan_sheet import TRADES_TABLE, SheetTrade, quantity_words
from xl_rebal.excel.plan_store import StoredPlan
from xl_rebal.portfolio.book import Book
from xl_rebal.rebalance import plan_by_hand
from xl_rebal.trading.checks import Violation, check_plans
from xl_rebal.trading.plan import Plan, Trade

Key = tuple[str, str]  # account, symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One thing that a person changed: which trade, what it was, what it is."""

    key: Key
    before: str
    after: str

    @property
    def words(self) -> str:
        """`VTI in 1234: SELL 343 → SELL 300`."""
        account, symbol = self.key
        return f"{symbol} in {account}: {self.before} → {self.after}"


def spelled(trades: Sequence[SheetTrade], book: Book) -> tuple[SheetTrade, ...]:
    """The trades with accounts and symbols as the book spells them."""
    names = {name.casefold(): name for name in book.holdings.accounts()}
    known = {s.casefold(): s for s in (*book.securities, *book.holdings.symbol.tolist()) if s}
    return tuple(
        replace(
            trade,
            account=names.get(trade.account.casefold(), trade.account),
            symbol=known.get(trade.symbol.casefold(), trade.symbol),
        )
        for trade in trades
    )


def edits_between(stored: StoredPlan, trades: Sequence[SheetTrade]) -> list[Edit]:
    """What was dropped, resized, added, locked or unlocked; raises TableError for computed cells."""
    known = {(t.account, t.symbol): t for t in stored.trades()}
    faults, found = FaultList(), []
    left = dict(known)
    for trade in trades:
        old = left.pop(trade.key, None)
        now = f"{trade.action} {quantity_words(trade.quantity)}"
        if old is None:
            if trade.quantity:
                found.append(Edit(key=trade.key, before="no trade", after=now))
            continue
        was = f"{old.action} {quantity_words(old.quantity)}"
        resized = not same(old.signed_quantity, trade.signed)
        if not trade.quantity:
            found.append(Edit(key=trade.key, before=was, after="dropped"))
            continue
        if resized:
            found.append(Edit(key=trade.key, before=was, after=now))
        if (trade.key in stored.locked) != trade.locked:
            words = ("unlocked", "locked")
            found.append(
                Edit(key=trade.key, before=words[not trade.locked], after=words[trade.locked])
            )
        _refuse_computed(trade, old, faults, resized=resized)
    found += [
        Edit(key=key, before=f"{t.action} {quantity_words(t.quantity)}", after="dropped")
        for key, t in left.items()
    ]
    faults.raise_as(TableError)
    return found


def _refuse_computed(trade: SheetTrade, old: Trade, faults: FaultList, *, resized: bool) -> None:
    """An edit of a computed cell would be without effect, so it is refused."""
    pairs = [("Price", trade.price, old.price)]
    if not resized:
        pairs += [("Value", trade.value, old.value), ("Cost", trade.cost, old.cost)]
    for name, now, was in pairs:
        if now is not None and not same(now, was):
            faults.add(
                where=f"{trade.where}, {name}",
                what=f"{now:,.6g} was typed over {was:,.6g}, which is computed",
                remedy="put it back; prices come from tblHoldings (or tblSecurities), and only "
                "Quantity, Action and Locked are yours",
            )


def verified(
    stored: StoredPlan, trades: Sequence[SheetTrade], edits: Sequence[Edit], asked: Asked, who: str
) -> StoredPlan:
    """The plan with its edits, if the verifier passes it.

    Raises VerificationError naming the rows that break a rule: the plan then stays unverified.
    """
    touched = {edit.key[0] for edit in edits}
    wanted: dict[str, dict[str, float]] = {account: {} for account in touched}
    for trade in trades:
        if trade.account in touched and trade.quantity:
            wanted[trade.account][trade.symbol] = trade.signed
    by_hand = {
        plan.account: _worded(plan, stored, trades, edits)
        for plan in plan_by_hand(asked.book, asked.request, wanted)
        if plan.account in touched
    }
    plans = tuple(by_hand.get(plan.account, plan) for plan in stored.plans)
    known = {plan.account for plan in plans}
    plans += tuple(plan for account, plan in by_hand.items() if account not in known)
    require_checked(plans, asked, trades)
    return StoredPlan(
        inputs=stored.inputs,
        plans=plans,
        locked=frozenset(t.key for t in trades if t.locked and t.quantity),
        edits=(*stored.edits, *(f"{who}: {edit.words}" for edit in edits)),
        parent=stored.plan_id,
        refused=tuple(pair for pair in stored.refused if pair[0] not in by_hand),
    )


def require_checked(plans: Sequence[Plan], asked: Asked, trades: Sequence[SheetTrade]) -> None:
    """Raise VerificationError with the sheet's row for every rule that a plan breaks."""
    rows = {f"account {t.account}, {t.action} {t.symbol}": t.row for t in trades}
    violations = check_plans(
        asked.book,
        asked.request.policy,
        plans,
        asked.request.limits,
        timing=asked.request.timing,
    )
    if violations:
        raise VerificationError(*(_fault(each, rows) for each in violations))


def of_locked(error: VerificationError, locked: Sequence[SheetTrade]) -> VerificationError:
    """The verifier's refusal of a plan around locked trades, in the words of the sheet."""
    rows = {f"account {t.account}, {t.action} {t.symbol}": t.row for t in locked}
    words = "unlock or correct the locked trades and press Generate Trades again"
    return VerificationError(
        *(
            Fault(
                where=f"{TRADES_TABLE} row {rows[f.where]}, {f.where}"
                if f.where in rows
                else f.where,
                what=f"{f.what}; {len(rows)} trades are locked",
                remedy=words,
            )
            for f in error.faults
        )
    )


def _fault(violation: Violation, rows: Mapping[str, int]) -> Fault:
    row = rows.get(violation.where)
    place = f"{TRADES_TABLE} row {row}, " if row is not None else f"{TRADES_TABLE}, "
    return Fault(
        where=f"{place}{violation.where}",
        what=f"{violation.what} ({violation.code})",
        remedy="correct the trades and verify again, or press Generate Trades",
    )


def _worded(
    plan: Plan, stored: StoredPlan, trades: Sequence[SheetTrade], edits: Sequence[Edit]
) -> Plan:
    """The plan with reasons and notes that say what a person did."""
    old = {(t.account, t.symbol): t for t in stored.trades()}
    typed = {t.key: t.reason for t in trades}
    changed = {e.key: e for e in edits if e.after not in {"locked", "unlocked"}}
    new = []
    for trade in plan.trades:
        key = (trade.account, trade.symbol)
        before, reason = old.get(key), typed.get(key, "")
        if before is None:
            text = reason or "added by hand"
        elif key in changed:
            text = f"{changed[key].before} by the plan, edited by hand; {before.reason}"
        else:
            text = before.reason
        new.append(replace(trade, reason=text))
    mine = [edit.words for edit in edits if edit.key[0] == plan.account]
    notes = tuple(f"by hand: {words}" for words in mine)
    if any(key[0] == plan.account for key in changed):
        notes += ("by hand: money that the edits free or take is taken from or left in cash",)
    return replace(plan, trades=tuple(new), notes=notes)


def marks(trades: Sequence[SheetTrade], edits: Sequence[Edit]) -> dict[Key, str]:
    """What the column Edit shows, by trade: what it said before, and the new edits."""
    result: dict[Key, str] = {trade.key: trade.edit for trade in trades if trade.edit}
    for edit in edits:
        text = f"{edit.before} → {edit.after}"
        result[edit.key] = f"{result[edit.key]}; {text}" if edit.key in result else text
    return result
