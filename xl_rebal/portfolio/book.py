"""The book: holdings with classes, what is known of securities and accounts, and the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xl_rebal.errors import ClassificationError, Fault, FaultList, TableError, TargetError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.accounts import Account
from xl_rebal.portfolio.flows import Flow
from xl_rebal.portfolio.fund_rules import FundRule, HeldLots
from xl_rebal.portfolio.groups import Group, group_rows, row_codes
from xl_rebal.portfolio.holdings import Holdings
from xl_rebal.portfolio.restrictions import Restriction, Rule
from xl_rebal.portfolio.securities import Security, default_security, spelled_as
from xl_rebal.portfolio.targets import Targets

ALL_TOGETHER = "All accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One account or many: the engine runs the same code on both.

    holdings      every row has an asset class (or belongs to a target that names its symbol).
    securities    by symbol; what a table said, for held and for not yet held securities. Symbols
                  are spelled as the holdings spell them.
    accounts      by account; accounts without a row here take the defaults.
    flows         dated money that is known to come and go.
    fund_rules    what custodians ask of fund orders.
    lots          tax lots, for fees that depend on how long units are held; None when not known.
    models        target weights by model name.
    groups        accounts and rows by model, worked out from the rest.
    """

    holdings: Holdings
    models: Mapping[str, Targets]
    securities: Mapping[str, Security] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    restrictions: Sequence[Restriction] = ()
    flows: Sequence[Flow] = ()
    fund_rules: Sequence[FundRule] = ()
    lots: HeldLots | None = None
    groups: tuple[Group, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._spell_symbols()
        self.holdings.require_rates()
        self.holdings.require_numbers()
        names = self.holdings.accounts()
        self._require_models(names)
        object.__setattr__(
            self, "groups", group_rows(self.holdings, self.accounts, self.targets_of, target_of)
        )
        self._require_coverage()
        self._require_tags()
        self._require_replacements()

    def _spell_symbols(self) -> None:
        """Let `vti` in a table or a target mean the VTI of the holdings."""
        held = list(dict.fromkeys(self.holdings.symbol.tolist()))
        wanted = {name.casefold() for targets in self.models.values() for name in targets.classes}
        named = [symbol for symbol in held if symbol.casefold() in wanted]
        if named:
            paths = set(self.holdings.asset_class.tolist())
            # A symbol such as CASH or GOLD that reads like a class is meant as the class.
            symbols = [s for s in named if not any(classes.covers(s, path) for path in paths)]
            models = {name: t.spelled_as(symbols) for name, t in self.models.items()}
            object.__setattr__(self, "models", models)
        if self.securities:
            object.__setattr__(self, "securities", spelled_as(self.securities, held))
        if self.restrictions:
            known = {name.casefold(): name for name in (*self.securities, *held)}
            spelled = tuple(
                replace(rule, replacement=known.get(rule.replacement.casefold(), rule.replacement))
                for rule in self.restrictions
            )
            object.__setattr__(self, "restrictions", spelled)

    def security(self, symbol: str) -> Security:
        """What is known of a symbol: its row in the table, else the shipped table, else defaults."""
        known = self.securities.get(symbol)
        return known if known is not None else default_security(symbol)

    def account(self, name: str) -> Account:
        """The account's row, or one of defaults."""
        return self.accounts.get(name) or Account(account=name)

    def targets_of(self, account: str) -> Targets:
        """The model that an account follows."""
        model = self._model_of(account)
        if model:
            return self.models[model]
        return next(iter(self.models.values()))

    def _model_of(self, account: str) -> str:
        known = self.accounts.get(account)
        return known.model if known is not None else ""

    def _require_models(self, names: Sequence[str]) -> None:
        faults = FaultList()
        for account in names:
            model = self._model_of(account)
            if model and model not in self.models:
                faults.add(
                    where=f"accounts, {account}",
                    what=f"follows model {model!r}, which has no targets",
                    remedy=f"models with targets: {', '.join(filter(None, self.models)) or 'none named'}",
                )
            elif not model and len(self.models) != 1:
                faults.add(
                    where=f"accounts, {account}",
                    what=f"has no model, and there are {len(self.models)} ({', '.join(self.models)})",
                    remedy="name its model in the accounts table (--accounts)",
                )
        faults.raise_as(TargetError)

    def _require_coverage(self) -> None:
        faults = FaultList()
        for group in self.groups:
            if not group.is_covered:
                with faults.collecting():
                    _require_covered(group)
        faults.raise_as(TargetError)

    def _require_replacements(self) -> None:
        """What is sold for a substitute must have a substitute that can be bought."""
        rules = [r for r in self.restrictions if r.rule is Rule.SUBSTITUTE]
        if not rules:
            return
        mask = self.holdings.is_position
        held = set(
            zip(
                self.holdings.account[mask].tolist(),
                self.holdings.symbol[mask].tolist(),
                strict=True,
            )
        )
        faults = FaultList()
        bound: dict[str, list[Restriction]] = {}
        for account, symbol in sorted(held):
            if account not in bound:
                known_account = self.account(account)
                bound[account] = [rule for rule in rules if rule.binds(known_account)]
            if not bound[account]:
                continue
            tags = self.security(symbol).tags
            for rule in bound[account]:
                if not rule.covers(symbol, tags):
                    continue
                known = self.securities.get(rule.replacement)
                if (account, rule.replacement) not in held and (
                    known is None or known.price is None
                ):
                    faults.add(
                        where=f"restrictions, {rule.in_words()}",
                        what=f"account {account} would sell {symbol}, and {rule.replacement} has "
                        "no price to buy it at",
                        remedy=f"add a row with a price for {rule.replacement} to the securities "
                        "table (--securities)",
                    )
        faults.raise_as(TableError)

    def _require_tags(self) -> None:
        asked = dict.fromkeys(r.tag for r in self.restrictions if r.tag)
        carried = {tag for s in self.securities.values() for tag in s.tags} if asked else set()
        faults = FaultList()
        for tag in asked:
            if tag not in carried:
                known = f"tags are: {', '.join(sorted(carried))}" if carried else "it has no tags"
                faults.add(
                    where="restrictions, column tag",
                    what=f"no security carries the tag {tag!r}, so the rule would bind nothing",
                    remedy=f"correct it, or tag securities in the securities table ({known})",
                )
        faults.raise_as(TableError)


def target_of(symbol: str, asset_class: str, targets: Targets) -> str | None:
    """The target class that a security counts in; `Cash` or `Excluded` outside the targets; else None.

    A target that names the symbol itself comes first.
    """
    named = targets.named(symbol)
    if named is not None:
        return named
    if not asset_class:
        return None
    if classes.is_excluded(asset_class):
        return classes.EXCLUDED
    found = targets.find(asset_class)
    if found is None and classes.is_cash(asset_class):
        return classes.CASH
    return found


def _require_covered(group: Group) -> None:
    loose: dict[str, list[str]] = {}
    targets = group.targets
    for symbol, asset_class in sorted(group.pairs):
        if target_of(symbol, asset_class, targets) is None:
            loose.setdefault(asset_class, []).append(symbol)
    if loose:
        raise TargetError(
            *(
                Fault(
                    where=f"targets{f' of model {targets.name}' if targets.name else ''}",
                    what=f"no target covers class {name!r}, held as {', '.join(symbols)}",
                    remedy=f'add a target for it (for example "0% {name}" sells it), or map the '
                    "symbols to a class that has one",
                )
                for name, symbols in loose.items()
            )
        )


def classify(
    holdings: Holdings,
    *,
    class_map: Mapping[str, str] | None = None,
    securities: Mapping[str, Security] | None = None,
    targets: Sequence[Targets] = (),
) -> Holdings:
    """Holdings with an asset class on every row: the user's map, then the securities table, the file's
    own column, the shipped table of funds; a target that names the symbol itself needs none.

    Raises ClassificationError that lists every unknown symbol at once; a class is never guessed.
    """
    result, unknown = assign_classes(holdings, class_map=class_map, securities=securities)
    missing = [
        symbol
        for symbol in unknown
        if not targets or any(target_of(symbol, "", each) is None for each in targets)
    ]
    if missing:
        raise ClassificationError(unknown_symbols(missing))
    return result


def unknown_symbols(symbols: Sequence[str]) -> Fault:
    """The fault that names all symbols without a class, and how to map them."""
    return Fault(
        where="holdings, column asset_class",
        what=f"{len(symbols)} symbol{'s have' if len(symbols) > 1 else ' has'} no asset class: "
        + ", ".join(symbols),
        remedy="map them in a file with the columns symbol,asset_class and pass it as --map "
        f"classes.csv (for example a line `{symbols[0]},Stocks/US`)",
    )


def assign_classes(
    holdings: Holdings,
    *,
    class_map: Mapping[str, str] | None = None,
    securities: Mapping[str, Security] | None = None,
) -> tuple[Holdings, list[str]]:
    """Holdings with the classes that are known, and the symbols (in order) that have none."""
    own = {symbol.casefold(): classes.clean(name) for symbol, name in (class_map or {}).items()}
    known = {s.casefold(): security.asset_class for s, security in (securities or {}).items()}
    code, said = row_codes(holdings, "symbol", "kind", "asset_class")
    found = np.empty(len(said), dtype=object)
    unknown: dict[str, None] = {}
    for index, (symbol, kind, stated) in enumerate(said):
        folded = symbol.casefold()
        found[index] = (
            own.get(folded)
            or known.get(folded)
            or (classes.clean(stated) if stated else "")
            or (classes.CASH if kind == "cash" else "")
            or default_security(symbol).asset_class
        )
        if not found[index] and kind == "position":
            unknown[symbol] = None
    return holdings.with_classes(found[code]), list(unknown)


def together(holdings: Holdings) -> Holdings:
    """The same holdings as if one account held them all (for `drift --together`)."""
    account = np.full(len(holdings), ALL_TOGETHER, dtype=object)
    names = {name: getattr(holdings, name) for name in Holdings.__slots__}
    return Holdings(**{**names, "account": account})
