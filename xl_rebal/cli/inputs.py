"""What the commands are given on the command line, read into a book and a request."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xl_rebal.cli import amounts, planning_inputs
from xl_rebal.cli.screens import reading
from xl_rebal.costs import CostModel, parse_costs
from xl_rebal.custodians import (
    MapRow,
    Statement,
    Told,
    load_mapping,
    read_account_map,
    read_positions,
)
from xl_rebal.custodians.input_tables import read_table
from xl_rebal.errors import FaultList, FileError, TableError
from xl_rebal.portfolio import cells, tables
from xl_rebal.portfolio.accounts import Account, accounts_from_rows
from xl_rebal.portfolio.book import (
    ALL_TOGETHER,
    Book,
    assign_classes,
    classify,
    together,
    unknown_symbols,
)
from xl_rebal.portfolio.flows import HORIZON
from xl_rebal.portfolio.holdings import LARGEST_VALUE, Holdings
from xl_rebal.portfolio.models import targets_from_rows
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.policy_text import parse_policy
from xl_rebal.portfolio.restrictions import (
    EVERYONE,
    Restriction,
    Rule,
    restrictions_from_rows,
    scopes_of,
)
from xl_rebal.portfolio.securities import Security, securities_from_rows
from xl_rebal.portfolio.targets import Targets, parse_targets
from xl_rebal.rebalance import Request
from xl_rebal.trading.limits import FlowMode, Limits, OrderType, TimeInForce
from xl_rebal.trading.planner import SEARCHED
from xl_rebal.trading.staleness import Freshness


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options that drift, trades and report share, as they were typed."""

    holdings: Path
    targets: str
    policy: str
    custodian: str | None = None
    mapping: Path | None = None
    account_map: Path | None = None
    class_map: Path | None = None
    securities: Path | None = None
    accounts: Path | None = None
    only: tuple[str, ...] = ()
    reserve: float | None = None
    as_of: str | None = None
    together: bool = False
    restrictions: Path | None = None
    costs: str | None = None
    flow: tuple[str, ...] = ()
    flow_mode: FlowMode = FlowMode.HYBRID
    min_trade: float = 0.0
    max_turnover: str | None = None
    flows: Path | None = None
    flow_horizon: int = HORIZON
    fund_rules: Path | None = None
    lots: Path | None = None
    prove: bool = False
    max_age: int = 1
    allow_stale: bool = False
    order_type: OrderType | None = None
    limit: str | None = None
    time_in_force: TimeInForce = TimeInForce.DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Everything that a command needs, validated."""

    statement: Statement
    book: Book
    policy: Policy
    request: Request
    warnings: tuple[str, ...]
    fingerprint: str


def load(options: Options) -> Loaded:
    """Read and check all inputs of a command; raises RebalError, and nothing is written."""
    policy = parse_policy(options.policy)
    models = read_targets(options.targets)
    costs = parse_costs(options.costs) if options.costs is not None else CostModel()
    account_map = read_map(options.account_map)
    statement = read_statement(options.holdings, options.custodian, options.mapping, account_map)
    securities = read_securities(options.securities)
    accounts = read_accounts(options.accounts)
    restrictions = read_restrictions(options.restrictions)
    flows = planning_inputs.read_flow_table(options.flows)
    fund_rules = planning_inputs.read_fund_rules(options.fund_rules)
    lots, lots_off = planning_inputs.read_lots(options.lots, statement, account_map)
    as_of, ordered_at = planning_inputs.trade_moment(options.as_of)
    everyone = statement.holdings.accounts()
    holdings = _selected(statement.holdings, options.only, statement.source)
    if not len(holdings):
        raise FileError.of(
            where=statement.source,
            what="it holds no positions and no cash",
            remedy="export the positions again; there is nothing to weigh",
        )
    holdings = classify(
        holdings,
        class_map=read_class_map(options.class_map),
        securities=securities,
        targets=tuple(models.values()),
    )
    if fund_rules:
        accounts = planning_inputs.with_custodian(accounts, holdings, statement.custodian)
    warnings = (
        *statement.warnings,
        *lots_off,
        *_unmatched(holdings, everyone, accounts, restrictions),
        *_worthless(holdings),
        *without_discretion(holdings, accounts),
        *planning_inputs.unmatched_rules(holdings, everyone, accounts, flows, fund_rules),
        *planning_inputs.idle_tables(options.lots, options.fund_rules),
    )
    if options.together:
        accounts = _joined(accounts, holdings)
        holdings = together(holdings)
    warnings += tuple(repeated_flows(options.flow, holdings))
    accounts = _with_reserve(accounts, holdings, options.reserve)
    book = Book(
        holdings=holdings,
        models=models,
        securities=securities,
        accounts=accounts,
        restrictions=restrictions,
        flows=tuple(flow for flow in flows if flow.account in holdings.accounts()),
        fund_rules=fund_rules,
        lots=None if options.together else lots,
    )
    request = Request(
        policy=policy,
        limits=Limits(
            costs=costs,
            min_trade=amounts.money(options.min_trade, "--min-trade"),
            max_turnover=amounts.optional_share(options.max_turnover, "--max-turnover", most=1.0),
            orders=planning_inputs.order_style(
                options.order_type, options.limit, options.time_in_force
            ),
        ),
        flows=read_flows(options.flow, holdings),
        flow_mode=options.flow_mode,
        search=sys.maxsize if options.prove else SEARCHED,
        as_of=as_of or statement.as_of,
        ordered_at=ordered_at,
        flow_horizon=amounts.days(options.flow_horizon, "--flow-horizon"),
        freshness=Freshness(
            positions_of=statement.as_of,
            max_age=amounts.days(options.max_age, "--max-age"),
            allow_stale=options.allow_stale,
        ),
    )
    return Loaded(
        statement=statement,
        book=book,
        policy=policy,
        request=request,
        warnings=warnings,
        fingerprint=_fingerprint(options),
    )


def without_discretion(holdings: Holdings, accounts: Mapping[str, Account]) -> list[str]:
    """A warning for each account whose trades need the client's word before they are sent."""
    return [
        f"account {name} is not discretionary: its trades need the client's word before they are sent"
        for name in holdings.accounts()
        if name in accounts and not accounts[name].discretionary
    ]


def _worthless(holdings: Holdings) -> list[str]:
    """A warning for each security at a price of zero: it counts as worthless, by intent or by mistake."""
    zero = holdings.is_position & (holdings.price == 0) & (holdings.quantity != 0)
    return [
        f"{symbol} is priced at 0: it counts as worthless and is not traded; check its price"
        for symbol in dict.fromkeys(holdings.symbol[zero].tolist())
    ]


def read_statement(
    path: Path, custodian: str | None, mapping: Path | None, account_map: Sequence[MapRow] = ()
) -> Statement:
    """A positions file, with a progress line when it takes long."""
    with reading(path.name) as progress:
        return read_positions(
            path,
            custodian=custodian,
            mapping=load_mapping(mapping) if mapping is not None else None,
            told=Told(account_map=account_map),
            progress=progress,
        )


def read_map(path: Path | None) -> tuple[MapRow, ...]:
    """The account map, or none."""
    return read_account_map(path) if path is not None else ()


def with_known_classes(statement: Statement, class_map: Mapping[str, str]) -> Statement:
    """The statement with the classes that are known; a warning lists the symbols that have none."""
    holdings, unknown = assign_classes(statement.holdings, class_map=class_map)
    warnings = statement.warnings
    if unknown:
        warnings = (*warnings, str(unknown_symbols(unknown)))
    return replace(statement, holdings=holdings, warnings=warnings)


def read_targets(text: str) -> dict[str, Targets]:
    """Models from the text of `--targets`, or from the file that it names."""
    if _names_a_file(text):
        return targets_from_rows(read_table(Path(text), tables.MODELS))
    return {"": parse_targets(text)}


def _names_a_file(text: str) -> bool:
    if "%" in text or "\n" in text:
        return False
    path = Path(text)
    if path.suffix.casefold() in {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".parquet"}:
        return True
    try:
        return path.is_file()
    except OSError:  # a text too long to be a name
        return False


def read_securities(path: Path | None) -> dict[str, Security]:
    """The securities table, or none."""
    return securities_from_rows(read_table(path, tables.SECURITIES)) if path is not None else {}


def read_accounts(path: Path | None) -> dict[str, Account]:
    """The accounts table, or none."""
    return accounts_from_rows(read_table(path, tables.ACCOUNTS)) if path is not None else {}


def read_restrictions(path: Path | None) -> tuple[Restriction, ...]:
    """The restrictions table, or none."""
    if path is None:
        return ()
    return restrictions_from_rows(read_table(path, tables.RESTRICTIONS))


def read_class_map(path: Path | None) -> dict[str, str]:
    """The user's own symbol -> asset class map, or none."""
    if path is None:
        return {}
    faults = FaultList()
    result: dict[str, str] = {}
    first: dict[str, str] = {}
    for row in read_table(path, tables.CLASS_MAP):
        symbol, asset_class = row["symbol"], row["asset_class"]
        before = first.setdefault(symbol.casefold(), asset_class)
        if before != asset_class:
            what = f"{symbol} was mapped to {before} above, and is {asset_class} here"
            faults.extend(
                [tables.fault_at("map", row, "asset_class", what, "keep one of the rows")]
            )
        result[symbol] = asset_class
    faults.raise_as(TableError)
    return result


def read_flows(
    texts: Sequence[str], holdings: Holdings, *, option: str = "--flow"
) -> dict[str, float]:
    """`--flow 5000` (one account) or `--flow ACCOUNT:5000`, repeated for several accounts."""
    result: dict[str, float] = {}
    for account, amount in _flow_parts(texts, holdings, option):
        result[account] = result.get(account, 0.0) + amount
    return result


def repeated_flows(texts: Sequence[str], holdings: Holdings) -> list[str]:
    """A warning for each account that `--flow` names more than once: its amounts are added up."""
    parts = _flow_parts(texts, holdings, "--flow")
    named = [account for account, _ in parts]
    total = read_flows(texts, holdings)
    return [
        f"--flow names account {account} {named.count(account)} times: the amounts are added up to "
        f"{amount:,.2f}"
        for account, amount in total.items()
        if named.count(account) > 1
    ]


def _flow_parts(texts: Sequence[str], holdings: Holdings, option: str) -> list[tuple[str, float]]:
    names = holdings.accounts()
    result = []
    for text in texts:
        account, colon, amount = text.rpartition(":")
        if not colon:
            if len(names) != 1:
                raise TableError.of(
                    where=option,
                    what=f"{text!r} names no account, and there are {len(names)}",
                    remedy=f"write ACCOUNT:AMOUNT, for example {names[0]}:{text}",
                )
            account = names[0]
        if account not in names:
            raise TableError.of(
                where=option,
                what=f"account {account!r} is not in the holdings",
                remedy=f"accounts are: {', '.join(names)}",
            )
        result.append((account, read_money(amount)))
    return result


def _selected(holdings: Holdings, only: tuple[str, ...], source: str) -> Holdings:
    if not only:
        return holdings
    names = holdings.accounts()
    unknown = [name for name in only if name not in names]
    if unknown:
        raise TableError.of(
            where="--account",
            what=f"{', '.join(map(repr, unknown))} is not in {source}",
            remedy=f"accounts are: {', '.join(names)}",
        )
    return holdings.take(np.isin(holdings.account.astype(str), only))


def _unmatched(
    holdings: Holdings,
    everyone: Sequence[str],
    accounts: Mapping[str, Account],
    restrictions: Sequence[Restriction],
) -> tuple[str, ...]:
    """Warnings of rows in the tables that name nothing in the holdings: a slip would go unseen.

    everyone  the accounts of the file, those that --account leaves out too.
    """
    names = holdings.accounts()
    warnings = []
    if accounts and (without := [name for name in names if name not in accounts]):
        warnings.append(
            f"the accounts table has no row for {', '.join(without)}; without one an account keeps "
            f"no reserve and follows the only model (rows are for {', '.join(accounts)})"
        )
    return (*warnings, *bind_nothing(restrictions, everyone, accounts, holdings))


def bind_nothing(
    restrictions: Sequence[Restriction],
    everyone: Iterable[str],
    accounts: Mapping[str, Account],
    holdings: Holdings,
) -> list[str]:
    """Warnings of restrictions whose scope or symbol is nothing here: a slip would go unseen."""
    scopes = {name.casefold() for name in [*everyone, *accounts]} | EVERYONE
    scopes |= {scope for account in accounts.values() for scope in scopes_of(account)}
    held = {"", *(symbol.casefold() for symbol in holdings.symbol.tolist())}
    warnings = []
    for restriction in restrictions:
        if restriction.scope.casefold() not in scopes:
            warnings.append(
                f"restriction {restriction.in_words()!r}: {restriction.scope!r} is no account, "
                "household or model here; it binds nothing"
            )
        elif restriction.rule is Rule.NEVER_SELL and restriction.symbol.casefold() not in held:
            warnings.append(
                f"restriction {restriction.in_words()!r}: {restriction.symbol} is not held; "
                "it binds nothing"
            )
    return warnings


def _joined(accounts: Mapping[str, Account], holdings: Holdings) -> dict[str, Account]:
    accounts = {name: accounts[name] for name in holdings.accounts() if name in accounts}
    reserve = sum(account.cash_reserve for account in accounts.values())
    models = {account.model for account in accounts.values() if account.model}
    model = models.pop() if len(models) == 1 else ""
    return {ALL_TOGETHER: Account(account=ALL_TOGETHER, cash_reserve=reserve, model=model)}


def _with_reserve(
    accounts: Mapping[str, Account], holdings: Holdings, reserve: float | None
) -> dict[str, Account]:
    result = dict(accounts)
    if reserve is None:
        return result
    amounts.money(reserve, "--reserve")
    for name in holdings.accounts():
        result[name] = replace(result.get(name, Account(account=name)), cash_reserve=reserve)
    return result


def _fingerprint(options: Options) -> str:
    """SHA-256 over the contents of every input file and every option, paths left out."""
    digest = hashlib.sha256()
    for name in Options.__slots__:
        value = getattr(options, name)
        path = Path(value) if isinstance(value, Path) else None
        if name == "targets" and _names_a_file(value):
            path = Path(value)
        digest.update(f"{name}=".encode())
        digest.update(path.read_bytes() if path is not None else repr(value).encode())
    return digest.hexdigest()


def read_money(text: str) -> float:
    """An amount of money typed as an option; refuses what is not finite, or too large to keep to the cent."""
    try:
        if "%" not in text and abs(amount := cells.number(text)) <= LARGEST_VALUE:
            return amount
    except ValueError:
        pass
    raise TableError.of(
        where="--flow",
        what=f"{text!r} is not an amount of money",
        remedy="write digits, as in -2500 or 12,500.75",
    )
