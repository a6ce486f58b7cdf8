"""The commands that test policies on past prices: `backtest`, `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

PricesArgument = Annotated[
    Path,
    typer.Argument(
        help="Prices: a column per symbol, or date, symbol and price; CSV, workbook or Parquet."
    ),
]
TargetsOption = Annotated[
    str,
    typer.Option(
        "--targets", help='Weights of price columns: "60% SPY, 40% AGG", or a table file.'
    ),
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy", help="What fires and how far, as in trades: 5pp, annual and 5pp, never."
    ),
]
StartOption = Annotated[
    str | None, typer.Option("--start", help="First day (2010-01-01); else the first common price.")
]
EndOption = Annotated[str | None, typer.Option("--end", help="Last day (2020-12-31).")]
CostOption = Annotated[
    float, typer.Option("--cost-bps", help="Cost of a trade in basis points of its value.")
]
CostsOption = Annotated[
    str | None,
    typer.Option(
        "--costs",
        help='Instead of --cost-bps, as in trades: "spread 10bp, commission 4.95, 0.005 per share".',
    ),
]
RiskFreeOption = Annotated[
    str | None, typer.Option("--risk-free", help="Risk-free rate a year, as in 2%, for Sharpe.")
]
ReturnsOption = Annotated[
    bool, typer.Option("--returns", help="The file holds returns (0.012), not prices.")
]
JumpsOption = Annotated[
    bool, typer.Option("--accept-jumps", help="Jumps that look like splits are real.")
]
NextCloseOption = Annotated[
    bool, typer.Option("--next-close", help="Trade at the close after the day that fires.")
]
WholeOption = Annotated[bool, typer.Option("--whole-shares", help="Trade whole shares only.")]
MinTradeOption = Annotated[
    float, typer.Option("--min-trade", help="Smallest trade in money; smaller ones are not made.")
]
CooldownOption = Annotated[
    int, typer.Option("--cooldown", help="Trading days to wait after a rebalancing.")
]
FlowOption = Annotated[
    list[str] | None,
    typer.Option("--flow", help="monthly:1000, annual:-40000 or 2020-03-31:-50000 (repeatable)."),
]
StartValueOption = Annotated[float, typer.Option("--start-value", help="Money on the first day.")]
HoldingsOption = Annotated[
    str | None,
    typer.Option(
        "--holdings",
        help='Start from units of the classes, cash in money: "100 SPY, 50 AGG, 2500 Cash".',
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write a workbook (.xlsx) with tables and charts.")
]
PngOption = Annotated[
    Path | None,
    typer.Option("--png", help="Write charts as PNG files into this folder; made if missing."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace output files that exist.")
]


def register(app: typer.Typer) -> None:
    """Hang the commands into the command line."""
    app.command("backtest")(backtest)
    app.command("compare")(compare)
    app.command("optimal-band")(optimal_band)
    app.command("drawdowns")(drawdowns)
    app.command("volatility-bands")(volatility_bands)
    app.command("what-if")(what_if)


def backtest(
    prices: PricesArgument,
    targets: TargetsOption,
    policy: PolicyOption = "5pp",
    start: StartOption = None,
    end: EndOption = None,
    cost_bps: CostOption = 0.0,
    costs: CostsOption = None,
    risk_free: RiskFreeOption = None,
    returns: ReturnsOption = False,
    accept_jumps: JumpsOption = False,
    next_close: NextCloseOption = False,
    whole_shares: WholeOption = False,
    min_trade: MinTradeOption = 0.0,
    cooldown: CooldownOption = 0,
    flow: FlowOption = None,
    start_value: StartValueOption = 1_000_000.0,
    holdings: HoldingsOption = None,
    path: Annotated[
        Path | None, typer.Option("--path", help="Write date,value of every day as CSV.")
    ] = None,
    out: OutOption = None,
    png: PngOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """A policy on past prices: what it would have traded, cost and come to."""
    options = dict(locals())
    for name in ("policy", "path", "out", "png", "overwrite", "json"):
        options.pop(name)
    from xl_rebal.backtest.simulator import simulate
    from xl_rebal.cli import backtest_documents, backtest_screens, documents, outputs, price_inputs
    from xl_rebal.files import write_atomically
    from xl_rebal.portfolio.policy_text import parse_policy

    rule = parse_policy(policy)
    pictures = outputs.png_files(png, ("growth.png", "drawdown.png", "drift.png"))
    outputs.check_outputs([path, out, *pictures], prices, overwrite=overwrite)
    outputs.check_workbook(out)
    loaded = price_inputs.load_market(_options(options))
    run = simulate(loaded.market, rule, loaded.settings)
    document = backtest_documents.backtest_document(run)
    drawn: dict[str, bytes] = {}
    if png is not None:  # drawn before anything is written: it may be refused
        from xl_rebal.workbooks.backtest_pictures import backtest_pictures

        drawn = backtest_pictures(run)
    if path is not None:
        write_atomically(path, backtest_documents.path_csv(run), overwrite=overwrite)
        document["path"] = str(path)
    if out is not None:
        from xl_rebal.workbooks.backtest_report import write_backtest_report

        write_backtest_report(run, out, overwrite=overwrite)
        document["workbook"] = str(out)
    if png is not None:
        outputs.write_pictures(png, drawn, document, overwrite=overwrite)
    if json:
        typer.echo(documents.dumps(document))
        return
    backtest_screens.show_backtest(document)


def _options(typed: dict[str, Any]) -> Any:
    from xl_rebal.cli.price_inputs import BacktestOptions

    typed["flow"] = tuple(typed["flow"] or ())
    return BacktestOptions(**typed)


def compare(
    prices: PricesArgument,
    targets: TargetsOption,
    policies: Annotated[
        str, typer.Option("--policies", help='Separated by semicolons: "never; annual; 3pp; 5/25".')
    ] = "never; annual; 3pp; 5pp; 7pp; 10pp; 5/25",
    start: StartOption = None,
    end: EndOption = None,
    cost_bps: CostOption = 0.0,
    costs: CostsOption = None,
    risk_free: RiskFreeOption = None,
    returns: ReturnsOption = False,
    accept_jumps: JumpsOption = False,
    next_close: NextCloseOption = False,
    whole_shares: WholeOption = False,
    min_trade: MinTradeOption = 0.0,
    cooldown: CooldownOption = 0,
    flow: FlowOption = None,
    start_value: StartValueOption = 1_000_000.0,
    holdings: HoldingsOption = None,
    starts: Annotated[
        int,
        typer.Option("--starts", help="Also begin at so many month ends: how much does it matter?"),
    ] = 0,
    out: OutOption = None,
    png: PngOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Several policies on the same prices, each difference with its standard error."""
    options = dict(locals())
    for name in ("policies", "starts", "out", "png", "overwrite", "json"):
        options.pop(name)
    from xl_rebal.backtest.comparison import compare as compared
    from xl_rebal.cli import (
        amounts,
        backtest_documents,
        backtest_screens,
        documents,
        outputs,
        price_inputs,
        screens,
    )

    rules = price_inputs.read_policies(policies)
    amounts.days(starts, "--starts")
    pictures = outputs.png_files(png, ("growth.png", "frontier.png"))
    outputs.check_outputs([out, *pictures], prices, overwrite=overwrite)
    outputs.check_workbook(out)
    loaded = price_inputs.load_market(_options(options))
    with screens.working("comparing") as progress:
        found = compared(loaded.market, rules, loaded.settings, progress=progress)
    document = backtest_documents.comparison_document(found)
    if starts:
        backtest_documents.add_start_dates(document, found, loaded.settings, starts)
    drawn: dict[str, bytes] = {}
    if png is not None:
        from xl_rebal.workbooks.backtest_pictures import comparison_pictures

        drawn = comparison_pictures(found)
    if out is not None:
        from xl_rebal.workbooks.backtest_report import write_comparison_report

        write_comparison_report(found, out, overwrite=overwrite)
        document["workbook"] = str(out)
    if png is not None:
        outputs.write_pictures(png, drawn, document, overwrite=overwrite)
    if json:
        typer.echo(documents.dumps(document))
        return
    backtest_screens.show_comparison(document)


def optimal_band(
    prices: PricesArgument,
    targets: TargetsOption,
    limit: Annotated[
        str,
        typer.Option("--limit", help='What the band must keep: "TE 0.5%" a year, or "drift 6pp".'),
    ] = "",
    bands: Annotated[
        str | None, typer.Option("--bands", help="Widths to try: 2pp, 3pp, 5pp, 10pp.")
    ] = None,
    start: StartOption = None,
    end: EndOption = None,
    cost_bps: CostOption = 0.0,
    costs: CostsOption = None,
    risk_free: RiskFreeOption = None,
    returns: ReturnsOption = False,
    accept_jumps: JumpsOption = False,
    next_close: NextCloseOption = False,
    whole_shares: WholeOption = False,
    min_trade: MinTradeOption = 0.0,
    cooldown: CooldownOption = 0,
    flow: FlowOption = None,
    start_value: StartValueOption = 1_000_000.0,
    holdings: HoldingsOption = None,
    json: JsonOption = False,
) -> None:
    """Bands of every width on the same prices: cost, tracking error, and the best under a limit."""
    options = dict(locals())
    for name in ("limit", "bands", "json"):
        options.pop(name)
    from xl_rebal.backtest.band_search import WIDTHS, parse_limit, search_bands
    from xl_rebal.cli import backtest_documents, backtest_screens, documents, price_inputs, screens

    wanted = parse_limit(limit)
    widths = price_inputs.read_widths(bands) if bands is not None else WIDTHS
    loaded = price_inputs.load_market(_options(options))
    with screens.working("searching") as progress:
        found = search_bands(
            loaded.market, loaded.settings, limit=wanted, widths=widths, progress=progress
        )
    document = backtest_documents.bands_document(found, loaded.settings)
    if json:
        typer.echo(documents.dumps(document))
        return
    backtest_screens.show_bands(document)


def drawdowns(
    prices: PricesArgument,
    targets: TargetsOption,
    asset: Annotated[str, typer.Option("--asset", help="The class whose falls are studied.")],
    policy: PolicyOption = "5pp",
    depth: Annotated[
        str, typer.Option("--depth", help="Falls at least so deep, as in 15%.")
    ] = "15%",
    start: StartOption = None,
    end: EndOption = None,
    cost_bps: CostOption = 0.0,
    returns: ReturnsOption = False,
    accept_jumps: JumpsOption = False,
    json: JsonOption = False,
) -> None:
    """In the falls of one class: a policy against never rebalancing, at the trough and the recovery."""
    from xl_rebal.backtest.drawdowns import drawdown_study
    from xl_rebal.cli import amounts, backtest_documents, backtest_screens, documents, price_inputs
    from xl_rebal.errors import TableError
    from xl_rebal.portfolio.policy_text import parse_policy

    rule = parse_policy(policy)
    deep = amounts.fraction(depth, "--depth")
    options: dict[str, Any] = {
        "prices": prices,
        "targets": targets,
        "start": start,
        "end": end,
        "cost_bps": cost_bps,
        "returns": returns,
        "accept_jumps": accept_jumps,
        "flow": None,
    }
    if not 0 < deep < 1:
        raise TableError.of(
            where="--depth",
            what=f"a fall of {depth} is not possible",
            remedy="enter one such as 15%",
        )
    loaded = price_inputs.load_market(_options(options))
    study = drawdown_study(loaded.market, rule, asset, loaded.settings, depth=deep)
    document = backtest_documents.drawdowns_document(study, rule, loaded.market, loaded.settings)
    if json:
        typer.echo(documents.dumps(document))
        return
    backtest_screens.show_drawdowns(document)


def volatility_bands(
    prices: PricesArgument,
    targets: TargetsOption,
    average: Annotated[
        str, typer.Option("--average", help="The mean of the classes' bands, as in 5pp.")
    ] = "5pp",
    start: StartOption = None,
    end: EndOption = None,
    cost_bps: CostOption = 0.0,
    returns: ReturnsOption = False,
    accept_jumps: JumpsOption = False,
    json: JsonOption = False,
) -> None:
    """A band for each class from how much it moves against the rest: equal frequency, equal risk."""
    from xl_rebal.cli import amounts, backtest_documents, backtest_screens, documents, price_inputs

    width = amounts.fraction(average, "--average")
    loaded = price_inputs.load_market(
        _options(
            {
                "prices": prices,
                "targets": targets,
                "start": start,
                "end": end,
                "cost_bps": cost_bps,
                "returns": returns,
                "accept_jumps": accept_jumps,
                "flow": None,
            }
        )
    )
    document = backtest_documents.volatility_bands_document(loaded.market, loaded.settings, width)
    if json:
        typer.echo(documents.dumps(document))
        return
    backtest_screens.show_volatility_bands(document)


def what_if(
    prices: PricesArgument,
    targets: TargetsOption,
    bands: Annotated[
        str, typer.Option("--bands", help="Widths to try: 2pp, 3pp, 5pp, 10pp.")
    ] = "2pp, 3pp, 5pp, 7pp, 10pp",
    years: Annotated[float, typer.Option("--years", help="Length of each path.")] = 10.0,
    paths: Annotated[int, typer.Option("--paths", help="How many paths.")] = 1000,
    returns_are: Annotated[
        str,
        typer.Option(
            "--model", help="history (its blocks drawn again), normal, or t5 (Student, 5 degrees)."
        ),
    ] = "history",
    seed: Annotated[
        int, typer.Option("--seed", help="The same seed gives the same paths.")
    ] = 20080101,
    start: StartOption = None,
    end: EndOption = None,
    cost_bps: CostOption = 0.0,
    returns: ReturnsOption = False,
    accept_jumps: JumpsOption = False,
    json: JsonOption = False,
) -> None:
    """Bands on many simulated paths that resemble the prices: cost, frequency, spread of returns."""
    from xl_rebal.backtest.what_if import what_if as simulated
    from xl_rebal.cli import (
        amounts,
        backtest_documents,
        backtest_screens,
        documents,
        price_inputs,
        screens,
    )

    widths = price_inputs.read_widths(bands)
    amounts.not_negative(seed, "--seed")
    loaded = price_inputs.load_market(
        _options(
            {
                "prices": prices,
                "targets": targets,
                "start": start,
                "end": end,
                "cost_bps": cost_bps,
                "returns": returns,
                "accept_jumps": accept_jumps,
                "flow": None,
            }
        )
    )
    assumed = price_inputs.read_model(returns_are, loaded.market)
    with screens.working("simulating") as progress:
        found = simulated(
            loaded.market,
            rate=loaded.settings.rate,
            years=years,
            paths=paths,
            widths=widths,
            assumed=assumed,
            seed=seed,
            progress=progress,
        )
    document = backtest_documents.what_if_document(found, loaded.market, loaded.settings)
    if json:
        typer.echo(documents.dumps(document))
        return
    backtest_screens.show_what_if(document)
