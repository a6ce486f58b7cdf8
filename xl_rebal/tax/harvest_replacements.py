"""What is bought instead of a security that is sold at a loss: its substitutes, and what forbids them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security
from xl_rebal.tax.harvest_candidates import Candidate, HarvestRequest, Verdict, security_of
from xl_rebal.tax.wash_sales import identical_group
from xl_rebal.tax.wash_window import WashWindow


def with_replacements(
    rows: list[Candidate],
    prices: Mapping[str, float],
    window: WashWindow,
    request: HarvestRequest,
) -> list[Candidate]:
    """A replacement for each security sold, the largest loss first; nothing is both sold and bought."""
    losses: dict[tuple[str, str], float] = {}
    for c in rows:
        if c.verdict is Verdict.HARVEST:
            losses[c.account, c.symbol] = losses.get((c.account, c.symbol), 0.0) + c.loss
    sold: set[tuple[str, str]] = set()
    bought: dict[tuple[str, str], str] = {}
    chosen: dict[tuple[str, str], tuple[str, float, str]] = {}
    for account, symbol in sorted(losses, key=lambda key: (-losses[key], key)):
        group = window.key(account, symbol)
        if group in bought:
            chosen[account, symbol] = ("", 0.0, f"it is bought instead of {bought[group]}")
            continue
        kept = _not_sold(account, symbol, window, request.restrictions)
        if kept:
            chosen[account, symbol] = ("", 0.0, kept)
            continue
        found = _replacement(account, symbol, prices, window, request, sold)
        chosen[account, symbol] = found
        if found[0]:
            sold.add(group)
            bought.setdefault(window.key(account, found[0]), symbol)
    result = []
    for c in rows:
        if c.verdict is Verdict.HARVEST:
            symbol, price, why = chosen[c.account, c.symbol]
            verdict = Verdict.HARVEST if symbol else Verdict.KEEP
            c = replace(c, verdict=verdict, why=why, replacement=symbol, replacement_price=price)
        result.append(c)
    return result


def substitutes_of(security: Security) -> tuple[str, ...]:
    """The substitutes of a security, the preferred one first: `ITOT; SCHB`."""
    return tuple(s.strip() for s in re.split(r"[;,|]", security.substitute) if s.strip())


def _replacement(
    account: str,
    symbol: str,
    prices: Mapping[str, float],
    window: WashWindow,
    request: HarvestRequest,
    sold: set[tuple[str, str]],
) -> tuple[str, float, str]:
    """(symbol, price, why): the first substitute that may be bought, or "" and what stands against all."""
    known = window.securities
    listed = substitutes_of(security_of(known, symbol))
    if not listed:
        return "", 0.0, "no substitute is listed for it"
    reasons = []
    menu = window.who.accounts[account].menu
    for other in listed:
        security = security_of(known, other)
        price = prices.get(other, security.price)
        mine, theirs = security_of(known, symbol).asset_class, security.asset_class
        until = window.blocked_until(other, account)
        if identical_group(known, other) == identical_group(known, symbol):
            reasons.append(f"{other} is substantially identical")
        elif window.key(account, other) in sold:
            reasons.append(f"{other} is sold at a loss itself")
        elif until is not None:
            reasons.append(f"{other} was sold at a loss, buying it is safe from {until}")
        elif mine and theirs and classes.key(mine) != classes.key(theirs):
            reasons.append(f"{other} is of class {theirs}, not {mine}")
        elif menu and other.casefold() not in menu:
            reasons.append(f"{other} is not on the account's menu")
        elif price is None or not price > 0:
            reasons.append(f"{other} has no price")
        elif not security.tradable or _forbidden(account, security, window, request.restrictions):
            reasons.append(f"{other} must not be bought here")
        else:
            return other, price, f"loss of {symbol} taken, {other} holds its place"
    return "", 0.0, "; ".join(reasons)


def _not_sold(
    account: str, symbol: str, window: WashWindow, restrictions: Sequence[Restriction]
) -> str:
    """What forbids the sale itself, or ""."""
    security = security_of(window.securities, symbol)
    if window.who.accounts[account].held_away:
        return "the account is held away and receives no orders"
    if not security.tradable:
        return "it is not tradable"
    for rule in restrictions:
        if rule.rule is Rule.NEVER_SELL and _binds(rule, account, security, window):
            return rule.in_words()
    return ""


def _forbidden(
    account: str, security: Security, window: WashWindow, restrictions: Sequence[Restriction]
) -> bool:
    """True where a rule is against buying the security."""
    return any(
        rule.rule is not Rule.NEVER_SELL and _binds(rule, account, security, window)
        for rule in restrictions
    )


def _binds(rule: Restriction, account: str, security: Security, window: WashWindow) -> bool:
    known = window.who.accounts.get(account) or Account(account=account)
    return rule.applies(known, symbol=security.symbol, tags=security.tags)
