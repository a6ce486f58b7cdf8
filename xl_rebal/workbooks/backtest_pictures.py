"""The charts of a backtest as PNG pictures, through matplotlib (the extra `charts`)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from xl_rebal.backtest.comparison import Comparison
from xl_rebal.backtest.metrics import never, under_water
from xl_rebal.backtest.run import Run
from xl_rebal.errors import FileError
from xl_rebal.workbooks.line_charts import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE, _DPI = (9.0, 4.5), 120


def backtest_pictures(run: Run) -> dict[str, bytes]:
    """growth.png, drawdown.png and drift.png of a run, the same bytes for the same run."""
    days = run.market.dates.astype("datetime64[D]").astype(object).tolist()
    left_alone = never(run)

    def two(axes: Axes, mine: Any, other: Any) -> None:
        axes.plot(days, mine, color=_colour(0), linewidth=1.2, label="policy")
        axes.plot(days, other, color=_colour(1), linewidth=1.2, label="never rebalanced")

    def growth(axes: Axes) -> None:
        two(axes, run.growth, left_alone)

    def drawdown(axes: Axes) -> None:
        two(axes, under_water(run.growth) * 100, under_water(left_alone) * 100)
        axes.set_ylabel("%")

    def drift(axes: Axes) -> None:
        for k, name in enumerate(run.market.names[:-1]):
            axes.plot(days, run.drift[k] * 100, color=_colour(k), linewidth=0.9, label=name)
        if run.common_band is not None:
            for edge in (run.common_band, -run.common_band):
                axes.axhline(edge * 100, color="#5B6B7A", linewidth=0.8, linestyle="--")
        worst = np.abs(run.drift[:-1, run.day]).argmax(axis=0)
        marks = run.drift[worst, run.day] * 100
        when = [days[row] for row in run.day.tolist()]
        axes.scatter(when, marks, color="#A61B1B", s=14, zorder=3, label="rebalanced")
        axes.set_ylabel("percentage points")

    return {
        "growth.png": _picture("Growth of 1", growth),
        "drawdown.png": _picture("Drawdown", drawdown),
        "drift.png": _picture("Drift, bands and trades", drift),
    }


def comparison_pictures(found: Comparison) -> dict[str, bytes]:
    """growth.png of every policy, and frontier.png: cost against tracking error."""
    days = found.market.dates.astype("datetime64[D]").astype(object).tolist()
    rows = found.rows()

    def growth(axes: Axes) -> None:
        for place, (name, run) in enumerate(zip(found.names, found.runs, strict=True)):
            axes.plot(days, run.growth, color=_colour(place), linewidth=1.0, label=name)

    def frontier(axes: Axes) -> None:
        named: dict[tuple[float, float], list[str]] = {}
        for place, row in enumerate(rows):
            x, y = row["tracking_error"] * 100, row["cost_bps"]
            axes.scatter([x], [y], color=_colour(place), s=36)
            named.setdefault((round(x, 4), round(y, 4)), []).append(row["policy"])
        for at, names in named.items():  # policies that came to the same share a label
            axes.annotate(", ".join(names), at, xytext=(6, 3), textcoords="offset points")
        axes.set_xlabel("tracking error a year, %")
        axes.set_ylabel("cost, bp a year")

    return {
        "growth.png": _picture("Growth of 1", growth),
        "frontier.png": _picture("Cost against tracking error", frontier),
    }


def _colour(place: int) -> str:
    return f"#{PALETTE[place % len(PALETTE)]}"


def _picture(title: str, draw: Callable[[Axes], None]) -> bytes:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise FileError.of(
            where="--png",
            what="pictures need the package matplotlib, which is not installed",
            remedy="pip install 'xl-rebal[charts]', or write a workbook with --out",
        ) from error
    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    draw(axes)
    axes.set_title(title, loc="left", color="#1F3A5F", fontweight="bold")
    axes.grid(visible=True, color="#E3E7EC", linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, ncols=4, loc="upper left", bbox_to_anchor=(0, -0.08))
    written = io.BytesIO()
    figure.savefig(written, format="png", metadata={"Software": None})
    return written.getvalue()
