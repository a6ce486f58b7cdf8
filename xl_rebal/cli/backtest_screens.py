"""What the backtest commands show a person."""

from __future__ import annotations

from typing import Any

from xl_rebal.cli.screens import amount, percent, points, say, table

_EVENTS_SHOWN = 40


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def show_backtest(document: dict[str, Any]) -> None:
    """The summary in two columns, then the rebalancings."""
    figures = document["summary"]
    say(document["policy"])
    say(f"{document['targets']}; {document['costs']}")
    say(f"{figures['start']} to {figures['end']}, {figures['days']} rows")
    drawdown = (
        f"{percent(figures['max_drawdown'])} ({figures['drawdown_peak']} to "
        f"{figures['drawdown_trough']}, recovered {figures['drawdown_recovery'] or 'not yet'})"
    )
    lines = [
        ("Final value", amount(figures["final_value"])),
        ("CAGR", percent(figures["cagr"])),
        ("Volatility", percent(figures["volatility"])),
        ("Sharpe, Sortino", f"{_ratio(figures['sharpe'])}, {_ratio(figures['sortino'])}"),
        ("Largest drawdown", drawdown),
        ("Worst month", f"{percent(figures['worst_month'])} ({figures['worst_month_is']})"),
        ("Worst year", f"{percent(figures['worst_year'])} ({figures['worst_year_is']})"),
        (
            "Rebalancings",
            f"{figures['rebalances']} ({figures['rebalances_per_year']:.2f} a year)",
        ),
        ("One-way turnover a year", percent(figures["turnover"])),
        ("Cost", f"{amount(figures['cost'])} ({figures['cost_bps']:.2f} bp a year)"),
        (
            "Average and largest drift",
            f"{percent(figures['average_drift'])}, {percent(figures['max_drift'])}",
        ),
        ("Tracking error to the target", percent(figures["tracking_error"])),
        (
            "CAGR over never rebalancing",
            points(figures["gain_over_never"]),
        ),
    ]
    table("Summary", [("", "left"), ("", "left")], [list(line) for line in lines])
    rows = document["rebalances"]
    if rows:
        shown = rows[:_EVENTS_SHOWN]
        table(
            "Rebalancings",
            [
                ("Date", "left"),
                ("Fired", "left"),
                ("Furthest", "left"),
                ("Drift", "right"),
                ("Turnover", "right"),
                ("Cost", "right"),
            ],
            [
                [
                    row["date"],
                    row["rule"],
                    row["asset_class"],
                    points(row["drift_before"]),
                    percent(row["turnover"]),
                    amount(row["cost"]),
                ]
                for row in shown
            ],
        )
        if len(rows) > len(shown):
            say(f"and {len(rows) - len(shown)} more (--json lists them all)")
    say(f"Conventions: {document['conventions']}.")
    _notes(document["notes"])


def show_comparison(document: dict[str, Any]) -> None:
    """One line per policy."""
    table(
        "Policies",
        [
            ("Policy", "left"),
            ("CAGR", "right"),
            ("Volatility", "right"),
            ("Sharpe", "right"),
            ("Drawdown", "right"),
            ("A year", "right"),
            ("Turnover", "right"),
            ("Cost bp", "right"),
            ("TE", "right"),
            ("CAGR vs first", "right"),
            ("± SE", "right"),
        ],
        [
            [
                row["policy"],
                percent(row["cagr"]),
                percent(row["volatility"]),
                _ratio(row["sharpe"]),
                percent(row["max_drawdown"]),
                f"{row['rebalances_per_year']:.2f}",
                percent(row["turnover"]),
                f"{row['cost_bps']:.2f}",
                percent(row["tracking_error"]),
                points(row["cagr_difference"]),
                percent(row["cagr_error"]),
            ]
            for row in document["rows"]
        ],
    )
    for row in document["rows"][1:]:
        say(f"{row['policy']}: {row['verdict']}{_started(row)}")
    _assumed(document)


def show_bands(document: dict[str, Any]) -> None:
    """One line per band, the best marked."""
    table(
        "Bands",
        [
            ("Band", "right"),
            ("A year", "right"),
            ("Turnover", "right"),
            ("Cost bp", "right"),
            ("TE", "right"),
            ("Largest drift", "right"),
            ("CAGR", "right"),
            ("Volatility", "right"),
            ("", "left"),
        ],
        [
            [
                points(row["band"]).lstrip("+"),
                f"{row['rebalances_per_year']:.2f}",
                percent(row["turnover"]),
                f"{row['cost_bps']:.2f}",
                percent(row["tracking_error"]),
                percent(row["max_drift"]),
                percent(row["cagr"]),
                percent(row["volatility"]),
                "best" if row["best"] else "efficient" if row["efficient"] else "",
            ]
            for row in document["rows"]
        ],
    )
    _assumed(document)


def show_drawdowns(document: dict[str, Any]) -> None:
    """One line per fall."""
    say(document["policy"])
    table(
        "Falls",
        [
            ("Peak", "left"),
            ("Trough", "left"),
            ("Recovery", "left"),
            ("Fall", "right"),
            ("Gain at trough", "right"),
            ("Gain at recovery", "right"),
            ("Made good", "left"),
        ],
        [
            [
                row["peak"],
                row["trough"],
                row["recovery"] or "not yet",
                percent(row["asset_fall"]),
                points(row["gain_at_trough"]),
                points(row["gain_at_recovery"]),
                row["made_good_on"] or "not yet",
            ]
            for row in document["rows"]
        ],
    )
    _assumed(document)


def show_volatility_bands(document: dict[str, Any]) -> None:
    """The bands of each class, then what they would have done."""
    table(
        "Bands",
        [
            ("Class", "left"),
            ("Target", "right"),
            ("Volatility against the rest", "right"),
            ("Equal frequency", "right"),
            ("Equal risk", "right"),
        ],
        [
            [
                row["asset_class"],
                percent(row["target"]),
                percent(row["relative_volatility"]),
                percent(row["equal_frequency"]),
                percent(row["equal_risk"]),
            ]
            for row in document["rows"]
        ],
    )
    for row in document["backtests"]:
        say(
            f"{row['bands']}: {row['rebalances_per_year']:.2f} rebalancings a year, tracking error "
            f"{percent(row['tracking_error'])}, cost {row['cost_bps']:.2f} bp a year"
        )
    _assumed(document)


def show_what_if(document: dict[str, Any]) -> None:
    """One line per band."""
    table(
        "Bands on simulated paths",
        [
            ("Band", "right"),
            ("A year", "right"),
            ("Turnover", "right"),
            ("Cost bp", "right"),
            ("CAGR 5th", "right"),
            ("median", "right"),
            ("95th percentile", "right"),
        ],
        [
            [
                points(row["band"]).lstrip("+"),
                f"{row['rebalances_per_year']:.2f}",
                percent(row["turnover"]),
                f"{row['cost_bps']:.2f}",
                percent(row["cagr_5th"]),
                percent(row["cagr_median"]),
                percent(row["cagr_95th"]),
            ]
            for row in document["rows"]
        ],
    )
    _assumed(document)


def _assumed(document: dict[str, Any]) -> None:
    """What the figures above rest on."""
    say(f"{document['targets']}; {document['costs']}")
    say(f"Conventions: {document['conventions']}.")
    _notes(document["notes"])


def _started(row: dict[str, Any]) -> str:
    spread = row.get("start_dates")
    if spread is None:
        return ""
    return (
        f"; from {spread['starts']} first days ({spread['first_start']} to {spread['last_start']}) its "
        f"CAGR differs by {points(spread['least'])} to {points(spread['largest'])}"
    )


def _notes(notes: list[str]) -> None:
    for note in notes:
        say(f"Note: {note}.")
