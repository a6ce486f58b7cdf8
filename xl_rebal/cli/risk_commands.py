"""The commands of shocks and of volatility-adjusted bands, and what trades and report add of benefits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from xl_rebal.risk.adjusted_bands import BandMode

VolatilitiesOption = Annotated[
    Path | None,
    typer.Option(
        "--volatilities",
        help="A table of volatilities (asset_class, volatility, correlations) or of prices (date, …).",
    ),
]


def register(app: typer.Typer) -> None:
    """Put the commands on the application."""
    app.command("shock")(shock)
    app.command("bands")(bands)


def shock(
    holdings: Annotated[Path, typer.Argument(help="Positions, as for drift.")],
    targets: Annotated[str, typer.Option("--targets", help="Target weights, as for drift.")],
    returns: Annotated[
        str, typer.Option("--returns", help='Returns by class: "stocks -20%, bonds 5%".')
    ],
    policy: Annotated[str, typer.Option("--policy", help="Bands, as for drift.")] = "5pp",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Weights and drift after given returns of each class; classes that are not named stay flat."""
    from xl_rebal.cli import documents, inputs, screens
    from xl_rebal.drift import weighable
    from xl_rebal.risk.shock import parse_returns
    from xl_rebal.shock_table import shock_book, shock_rows

    loaded = inputs.load(
        inputs.Options(holdings=holdings, targets=targets, policy=policy, allow_stale=True)
    )
    given = parse_returns(returns)
    book, debts = weighable(loaded.book)
    rows = shock_rows(shock_book(book, loaded.policy, given))
    document: dict[str, Any] = {
        "returns": given,
        "policy": documents.policy_words(loaded),
        "rows": rows,
        "warnings": list(loaded.warnings),
        "refused": [{"account": name, "reason": str(fault)} for name, fault in debts.items()],
    }
    screens.show_refused(document["refused"], "measured")
    if json:
        typer.echo(documents.dumps(document))
        return
    screens.say(document["policy"])
    columns = (
        "Account",
        "Asset class",
        "Weight",
        "Return",
        "Weight after",
        "Target",
        "Drift after",
    )
    screens.table(
        "After the shock",
        [(name, "left" if name in {"Account", "Asset class"} else "right") for name in columns]
        + [("Status", "left")],
        [
            [
                row["account"],
                row["asset_class"],
                screens.percent(row["weight"]),
                screens.percent(row["return"]),
                screens.percent(row["weight_after"]),
                screens.percent(row["target"]),
                screens.points(row["drift_after"]),
                screens.status(row["status_after"]),
            ]
            for row in rows
        ],
    )
    screens.warn(loaded.warnings)


def bands(
    targets: Annotated[str, typer.Option("--targets", help="Target weights, as for drift.")],
    policy: Annotated[str, typer.Option("--policy", help="Bands, as for drift.")] = "5pp",
    volatilities: VolatilitiesOption = None,
    mode: Annotated[
        BandMode | None,
        typer.Option("--mode", help="Which bands --out is to hold: equal-frequency, equal-risk."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write a targets table (CSV) with these bands, for own bands."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace --out if it exists.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """The band of every class, and with volatilities those hit equally often or equally risky."""
    from xl_rebal.band_table import band_rows
    from xl_rebal.cli import documents, inputs, risk_inputs, screens
    from xl_rebal.errors import TableError
    from xl_rebal.portfolio.policy_text import parse_policy

    rule = parse_policy(policy)
    models = inputs.read_targets(targets)
    if (out is not None or mode is not None) and (
        volatilities is None or mode is None or out is None
    ):
        raise TableError.of(
            where="--out",
            what="a table of adjusted bands needs --volatilities, --mode and --out",
            remedy="give all three, or none of --mode and --out",
        )
    covariance = None
    if volatilities is not None:
        names = dict.fromkeys(name for model in models.values() for name in model.classes)
        covariance = risk_inputs.read_covariance(volatilities, tuple(names))
    words = covariance.words if covariance is not None else ""
    rows = []
    for model in models.values():
        own = covariance.of(model.classes) if covariance is not None else None
        rows += [{"model": model.name, **row} for row in band_rows(model, rule, own)]
    warnings = risk_inputs.flat_words(covariance)
    document = {
        "policy": rule.in_words(),
        "covariance": words or None,
        "rows": rows,
        "warnings": warnings,
    }
    if out is not None and mode is not None:
        _write_bands(rows, mode, out, overwrite=overwrite)
    if json:
        typer.echo(documents.dumps(document))
        return
    screens.say(rule.in_words())
    if words:
        screens.say(f"Volatilities: {words}")
    kinds = [name.removesuffix("lower") for name in rows[0] if name.endswith("lower")]
    screens.table(
        "Bands",
        [
            ("Asset class", "left"),
            ("Target", "right"),
            *((kind.replace("_", " ").strip() or "band", "right") for kind in kinds),
        ],
        [
            [
                row["asset_class"],
                screens.percent(row["target"]),
                *(
                    f"{screens.percent(row[f'{kind}lower'])} to {screens.percent(row[f'{kind}upper'])}"
                    for kind in kinds
                ),
            ]
            for row in rows
        ],
    )
    screens.warn(warnings)
    if out is not None:
        screens.say(f"written: {out}")


def _write_bands(rows: list[dict[str, Any]], mode: BandMode, out: Path, *, overwrite: bool) -> None:
    from xl_rebal.files import write_atomically

    prefix = mode.value.replace("-", "_")
    lines = ["model,asset_class,target,min,max"]
    for row in rows:
        low, high = row[f"{prefix}_lower"], row[f"{prefix}_upper"]
        # A band wider than its target has no lower edge: a `min` of 0 would be reached at a weight of 0.
        edges = (
            "" if edge is None or edge == outside else f"{edge:.12g}"
            for edge, outside in ((low, 0.0), (high, 1.0))
        )
        quoted = (
            f'"{row[key]}"' if "," in row[key] else row[key] for key in ("model", "asset_class")
        )
        lines.append(",".join([*quoted, f"{row['target']:.12g}", *edges]))
    write_atomically(out, ("\n".join(lines) + "\n").encode(), overwrite=overwrite)
