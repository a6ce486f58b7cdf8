"""What trades, report and bands are told of risk: covariances, for whom a benefit counts, a shock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xl_rebal.alternatives import classes_of
from xl_rebal.cli.inputs import Loaded
from xl_rebal.custodians.sheets import open_document
from xl_rebal.errors import RebalError, TableError
from xl_rebal.market_data.covariances import covariance_of_rows
from xl_rebal.risk.asked import RiskAsked
from xl_rebal.risk.covariance import Covariance
from xl_rebal.risk.net_benefit import HORIZON, RISK_AVERSION, Investor
from xl_rebal.risk.shock import parse_returns

_SHEETS = {"prices", "tblprices", "volatilities", "tblvolatilities"}


def read_covariance(path: Path, wanted: Sequence[str]) -> Covariance:
    """Annual covariances of classes from a file of prices or of volatilities; of a workbook the sheet of
    that name, else the first that fits.
    """
    document = open_document(path)
    refused: RebalError | None = None
    for sheet in sorted(document.sheets, key=lambda s: s.name.casefold() not in _SHEETS):
        several = len(document.sheets) > 1
        where = f"{document.name} sheet {sheet.name!r}" if several else document.name
        try:
            return covariance_of_rows(
                sheet.rows,
                wanted,
                where=where,
                line=lambda row, sheet=sheet: document.where(sheet, row),  # type: ignore[misc]
            )
        except TableError as error:
            refused = refused or error
    assert refused is not None  # a document has a sheet
    raise refused


def flat_words(covariance: Covariance | None) -> list[str]:
    """A warning for classes that do not move at all."""
    if covariance is None or not covariance.flat:
        return []
    return [
        f"{', '.join(covariance.flat)} never moves by these numbers (volatility 0): it adds no risk to a "
        "drift, and its band is left as it is; check them"
    ]


def risk_asked(
    loaded: Loaded,
    *,
    prices: Path | None,
    volatilities: Path | None,
    risk_aversion: float | None,
    horizon: float | None,
    returns: str | None,
) -> RiskAsked:
    """What the options ask for. Raises TableError for options without effect and impossible numbers."""
    if prices is not None and volatilities is not None:
        raise TableError.of(
            where="--prices, --volatilities",
            what="both say how the classes move",
            remedy="leave one of them out",
        )
    source = prices or volatilities
    typed = [
        option
        for option, value in (("--risk-aversion", risk_aversion), ("--horizon", horizon))
        if value is not None
    ]
    investor = _investor(risk_aversion, horizon, typed)
    if source is None and typed:
        raise TableError.of(
            where=", ".join(typed),
            what="is for the net benefit, which needs to know how the classes move",
            remedy="add --prices or --volatilities, or leave it out",
        )
    covariance = None
    if source is not None:
        covariance = read_covariance(source, classes_of(loaded.book))
    given = parse_returns(returns) if returns is not None else {}
    return RiskAsked(covariance=covariance, investor=investor, returns=given)


def _investor(risk_aversion: float | None, horizon: float | None, typed: list[str]) -> Investor:
    try:
        return Investor(
            risk_aversion=RISK_AVERSION if risk_aversion is None else risk_aversion,
            horizon=HORIZON if horizon is None else horizon,
        )
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise TableError.of(where=", ".join(typed), what=what, remedy=remedy) from None
