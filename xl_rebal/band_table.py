"""The bands of a model's classes under a policy, as they are and as volatility would have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from xl_rebal.bands import widths
from xl_rebal.drift import class_columns, drift_of
from xl_rebal.portfolio.policies import Policy
from xl_rebal.portfolio.targets import Targets
from xl_rebal.risk.adjusted_bands import BandMode, adjusted
from xl_rebal.risk.covariance import Covariance


def band_rows(
    model: Targets, policy: Policy, covariance: Covariance | None = None
) -> list[dict[str, Any]]:
    """One row for each target class: asset_class, target, lower and upper edge as weights; with a
    covariance (of the model's classes) also `equal_frequency_lower` and the like. None: no band.
    """
    columns = class_columns(model)
    nothing = drift_of(model, ("",), columns, np.zeros((1, len(columns))))
    band = widths(policy, nothing)
    edges = {"": band}
    if covariance is not None:
        place = [columns.index(name) for name in covariance.classes]
        for mode in BandMode:
            down, up = band.down.copy(), band.up.copy()
            for side in (down, up):
                side[place] = adjusted(side[place], nothing.target[place], covariance, mode)
            edges[f"{mode.value.replace('-', '_')}_"] = replace(band, down=down, up=up)
    rows: list[dict[str, Any]] = []
    for index, name in enumerate(columns):
        if name not in model.classes:
            continue
        row: dict[str, Any] = {"asset_class": name, "target": float(nothing.target[index])}
        for prefix, found in edges.items():
            for side_name, values in (("lower", found.lower), ("upper", found.upper)):
                value = float(values(nothing.target)[index])
                row[f"{prefix}{side_name}"] = value if np.isfinite(value) else None
        rows.append(row)
    return rows
