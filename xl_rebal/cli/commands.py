"""The commands. Exit 0: done; 1: refused (message on stderr, nothing written); 2: usage."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xl_rebal import __version__
from xl_rebal.cli import (
    backtest_commands,
    batch_commands,
    excel_commands,
    household_commands,
    macro_command,
    order_commands,
    risk_commands,
    tax_commands,
)
from xl_rebal.cli.comparing import (
    AversionOption,
    CompareOption,
    PlanOption,
    PricesOption,
    ReturnsOption,
    VolatilitiesOption,
    YearsOption,
)
from xl_rebal.cli.options import (
    AccountMapOption,
    AccountOption,
    AccountsOption,
    AsOfOption,
    CostsOption,
    CustodianOption,
    FlowModeOption,
    FlowOption,
    FlowsOption,
    FundRulesOption,
    Holdings,
    HorizonOption,
    InForceOption,
    JsonOption,
    LimitOption,
    LotsOption,
    MapOption,
    MappingOption,
    MaxAgeOption,
    MinTradeOption,
    OrderTypeOption,
    OverwriteOption,
    PolicyOption,
    ProveOption,
    ReserveOption,
    RestrictionsOption,
    SecuritiesOption,
    StaleOption,
    StrictOption,
    TargetsOption,
    TurnoverOption,
)
from xl_rebal.errors import FileError, RebalError
from xl_rebal.portfolio.flows import HORIZON
from xl_rebal.trading.limits import FlowMode, TimeInForce

if TYPE_CHECKING:  # the engine is for some commands
    from xl_rebal.alternatives import Alternative
    from xl_rebal.cli.inputs import Loaded
    from xl_rebal.rebalance import Rebalancing
    from xl_rebal.risk.asked import RiskAsked

app = typer.Typer(
    name="xl-rebal",
    help="Portfolio rebalancing that lives in Excel: drift, bands and trades that can be sent.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for _group in (excel_commands, macro_command, risk_commands, backtest_commands, tax_commands):
    _group.register(app)
household_commands.register(app)
order_commands.register(app)
batch_commands.register(app)


def run() -> None:
    """Run the command line; errors that a user can mend become one message and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app()
    except RebalError as error:
        _refuse(error)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone: there is nobody to tell.
        sys.stderr.close()
        sys.exit(1)


def _refuse(error: RebalError) -> None:
    from xl_rebal.cli.screens import err

    for fault in error.faults:
        err.print(f"error: {fault}", markup=False, style=None)
    sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xl-rebal {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Portfolio rebalancing that lives in Excel."""


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Exports as the custodian wrote them.")],
    custodian: CustodianOption = None,
    mapping: MappingOption = None,
    account_map: AccountMapOption = None,
    account: Annotated[
        str, typer.Option("--account", help="The account of a file that names none.")
    ] = "",
    symbol: Annotated[
        str, typer.Option("--symbol", help="The symbol of a file of lots that names none.")
    ] = "",
    class_map: MapOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the holdings table as CSV.")
    ] = None,
    lots_out: Annotated[
        Path | None, typer.Option("--lots-out", help="Write the table of open lots as CSV.")
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Read positions, lots and realised gains and show what was understood."""
    from xl_rebal.cli import documents, imports, inputs, screens
    from xl_rebal.custodians import write_holdings_csv, write_lots_csv
    from xl_rebal.files import check_target

    classes = inputs.read_class_map(class_map)
    read = imports.read_exports(
        files,
        imports.ImportOptions(
            custodian=custodian,
            mapping=mapping,
            account_map=account_map,
            account=account,
            symbol=symbol,
        ),
    )
    statements = [inputs.with_known_classes(statement, classes) for statement in read]
    for target in (out, lots_out):
        if target is not None:
            check_target(target, overwrite=overwrite)
    if lots_out is not None:
        imports.refuse_repeated_lots(statements)
    if out is not None:
        write_holdings_csv(statements, out, overwrite=overwrite)
    if lots_out is not None:
        write_lots_csv(statements, lots_out, overwrite=overwrite)
    document = documents.import_document(statements, imports.across_files(statements))
    if json:
        typer.echo(documents.dumps(document))
        return
    screens.show_import(statements, document)
    screens.warn(document["warnings"])
    for target in (out, lots_out):
        if target is not None:
            screens.say(f"written: {target}")


@app.command()
def drift(
    holdings: Holdings,
    targets: TargetsOption,
    policy: PolicyOption = "5pp",
    together: Annotated[
        bool, typer.Option("--together", help="Measure all accounts as one portfolio.")
    ] = False,
    custodian: CustodianOption = None,
    mapping: MappingOption = None,
    account_map: AccountMapOption = None,
    class_map: MapOption = None,
    securities: SecuritiesOption = None,
    accounts: AccountsOption = None,
    account: AccountOption = None,
    reserve: ReserveOption = None,
    as_of: AsOfOption = None,
    summary: Annotated[
        bool,
        typer.Option("--summary", help="All accounts at a glance: breaches, the worst first."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Weights against targets: which classes are outside their band."""
    from xl_rebal.bands import check
    from xl_rebal.cli import documents, inputs, screens
    from xl_rebal.drift import weighable
    from xl_rebal.screening import screen

    loaded = inputs.load(
        inputs.Options(
            holdings=holdings,
            targets=targets,
            policy=policy,
            together=together,
            custodian=custodian,
            mapping=mapping,
            account_map=account_map,
            class_map=class_map,
            securities=securities,
            accounts=accounts,
            only=tuple(account or ()),
            reserve=reserve,
            as_of=as_of,
        )
    )
    book, debts = weighable(loaded.book)
    loaded = replace(loaded, book=book)
    if summary:
        found = screen(book, loaded.policy, as_of=loaded.request.as_of)
        document = documents.summary_document(loaded, found)
    else:
        document = documents.drift_document(loaded, check(book, loaded.policy))
    document["refused"] = [{"account": name, "reason": str(fault)} for name, fault in debts.items()]
    screens.show_refused(document["refused"], "measured")
    if json:
        typer.echo(documents.dumps(document))
        return
    (screens.show_summary if summary else screens.show_drift)(document)
    screens.warn(document["warnings"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """What trades and report have worked out."""

    loaded: Loaded
    result: Rebalancing
    found: tuple[Alternative, ...]
    risk: RiskAsked


def _planned(options: dict[str, Any]) -> _Planned:
    from xl_rebal.alternatives import chosen
    from xl_rebal.cli import inputs
    from xl_rebal.cli.comparing import Comparing, compared
    from xl_rebal.cli.risk_inputs import flat_words
    from xl_rebal.rebalance import plan_each

    options = dict(options)
    strict = options.pop("strict", False)
    comparison = Comparing.taken_from(options)

    options["only"] = tuple(options.pop("account") or ())
    options["flow"] = tuple(options["flow"] or ())
    typed = inputs.load(inputs.Options(**options))
    risk = comparison.risk(typed)
    typed = replace(typed, warnings=(*typed.warnings, *flat_words(risk.covariance)))
    loaded = typed
    if comparison.plan is not None:
        request = chosen(typed.request, comparison.plan)
        loaded = replace(typed, request=request, policy=request.policy)
    result = plan_each(loaded.book, loaded.request)
    result = result.complete() if strict else result.usable()
    # Side by side stand the plans of the policy as typed: --plan says which of them is made.
    return _Planned(
        loaded=loaded, result=result, found=compared(typed, comparison, risk), risk=risk
    )


@app.command()
def trades(
    holdings: Holdings,
    targets: TargetsOption,
    policy: PolicyOption = "5pp",
    costs: CostsOption = None,
    flow: FlowOption = None,
    flow_mode: FlowModeOption = FlowMode.HYBRID,
    securities: SecuritiesOption = None,
    accounts: AccountsOption = None,
    restrictions: RestrictionsOption = None,
    min_trade: MinTradeOption = 0.0,
    reserve: ReserveOption = None,
    max_turnover: TurnoverOption = None,
    account_map: AccountMapOption = None,
    class_map: MapOption = None,
    custodian: CustodianOption = None,
    mapping: MappingOption = None,
    account: AccountOption = None,
    as_of: AsOfOption = None,
    flows: FlowsOption = None,
    flow_horizon: HorizonOption = HORIZON,
    fund_rules: FundRulesOption = None,
    lots: LotsOption = None,
    prove: ProveOption = False,
    strict: StrictOption = False,
    max_age: MaxAgeOption = 1,
    allow_stale: StaleOption = False,
    order_type: OrderTypeOption = None,
    limit: LimitOption = None,
    time_in_force: InForceOption = TimeInForce.DAY,
    compare: CompareOption = False,
    plan: PlanOption = None,
    prices: PricesOption = None,
    volatilities: VolatilitiesOption = None,
    risk_aversion: AversionOption = None,
    horizon: YearsOption = None,
    json: JsonOption = False,
) -> None:
    """Whole-share trades whose cash works out after costs, verified."""
    options = dict(locals())
    options.pop("json")
    from xl_rebal.cli import comparing, documents, screens

    planned = _planned(options)
    document = documents.trades_document(
        planned.loaded, planned.result, planned.found, planned.risk
    )
    screens.show_refused(document["refused"])
    if json:
        typer.echo(documents.dumps(document))
        return
    screens.say(document["policy"])
    screens.show_trades(document, planned.result)
    comparing.show_benefits(document["net_benefit"])
    if planned.found:
        comparing.show(planned.found)
    screens.warn(document["warnings"])


@app.command()
def report(
    holdings: Holdings,
    targets: TargetsOption,
    out: Annotated[Path, typer.Option("--out", help="The workbook to write (.xlsx).")],
    policy: PolicyOption = "5pp",
    costs: CostsOption = None,
    flow: FlowOption = None,
    flow_mode: FlowModeOption = FlowMode.HYBRID,
    securities: SecuritiesOption = None,
    accounts: AccountsOption = None,
    restrictions: RestrictionsOption = None,
    min_trade: MinTradeOption = 0.0,
    reserve: ReserveOption = None,
    max_turnover: TurnoverOption = None,
    account_map: AccountMapOption = None,
    class_map: MapOption = None,
    custodian: CustodianOption = None,
    mapping: MappingOption = None,
    account: AccountOption = None,
    as_of: AsOfOption = None,
    flows: FlowsOption = None,
    flow_horizon: HorizonOption = HORIZON,
    fund_rules: FundRulesOption = None,
    lots: LotsOption = None,
    prove: ProveOption = False,
    strict: StrictOption = False,
    max_age: MaxAgeOption = 1,
    allow_stale: StaleOption = False,
    order_type: OrderTypeOption = None,
    limit: LimitOption = None,
    time_in_force: InForceOption = TimeInForce.DAY,
    compare: CompareOption = False,
    plan: PlanOption = None,
    prices: PricesOption = None,
    volatilities: VolatilitiesOption = None,
    risk_aversion: AversionOption = None,
    horizon: YearsOption = None,
    returns: ReturnsOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Drift, breaches and trades in a macro-free workbook whose numbers can be followed."""
    options = dict(locals())
    for name in ("json", "out", "overwrite"):
        options.pop(name)
    _report(options, out, overwrite=overwrite, json=json)


def _report(options: dict[str, Any], out: Path, *, overwrite: bool, json: bool) -> None:
    from xl_rebal.cli import comparing, documents, screens
    from xl_rebal.files import check_target
    from xl_rebal.workbooks.report import ReportSource, write_report

    _check_workbook(out, options)
    check_target(out, overwrite=overwrite)
    planned = _planned(options)
    loaded, result, found = planned.loaded, planned.result, planned.found
    statement = loaded.statement
    source = ReportSource(
        name=statement.source,
        custodian=statement.custodian,
        as_of_text=loaded.request.as_of.isoformat() if loaded.request.as_of else "unknown",
        price_time=statement.as_of_text or "unknown",
        warnings=(*loaded.warnings, *result.notes),
        fingerprint=loaded.fingerprint,
    )
    write_report(
        result,
        source,
        out,
        version=__version__,
        overwrite=overwrite,
        choices=found,
        risk=planned.risk,
    )
    document = {
        **documents.trades_document(loaded, result, found, planned.risk),
        **documents.risk_document(result, planned.risk),
        "workbook": str(out),
    }
    screens.show_refused(document["refused"])
    if json:
        typer.echo(documents.dumps(document))
        return
    from xl_rebal.bands import check_drift

    checks = [check_drift(result.book, drift, loaded.policy) for drift in result.drifts]
    screens.show_drift(documents.drift_document(loaded, checks))
    screens.show_trades(document, result)
    comparing.show_benefits(document["net_benefit"])
    screens.warn(document["warnings"])
    screens.say(f"workbook: {out}")


def _check_workbook(out: Path, options: dict[str, Any]) -> None:
    """Refuse a name that Excel would not open, and one that is an input of the same command."""
    from xl_rebal.files import check_workbook_name

    check_workbook_name(out)
    inputs = [value for value in options.values() if isinstance(value, Path)]
    if any(path.exists() and out.exists() and path.samefile(out) for path in inputs):
        raise FileError.of(
            where=out.name, what="is one of the inputs", remedy="choose another name for --out"
        )


@app.command()
def demo(json: JsonOption = False) -> None:
    """The main job on a sample export that ships with the package; writes demo/report.xlsx."""
    sample = resources.files("xl_rebal") / "samples" / "schwab_positions.csv"
    with resources.as_file(sample) as path:
        options: dict[str, Any] = {
            "holdings": path,
            "targets": "60% stocks, 30% bonds, 10% real estate",
            "policy": "5pp",
            "costs": "half-spread 5bp, commission 0",
            "account": None,
            "flow": None,
        }
        folder = Path("demo")
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise FileError.of(
                where=str(folder),
                what=f"cannot be made a folder ({error.strerror})",
                remedy="run the demo in a folder that you may write to",
            ) from None
        _report(options, folder / "report.xlsx", overwrite=True, json=json)
