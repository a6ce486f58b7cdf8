"""Bands: which drifts call for action, and where the edges stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xl_rebal.drift import TOLERANCE, Drift, Matrix, measure
from xl_rebal.errors import PolicyError
from xl_rebal.portfolio import classes
from xl_rebal.portfolio.book import Book
from xl_rebal.portfolio.policies import Band, Combined, OwnBands, Policy, Trigger
from xl_rebal.portfolio.targets import Target, Targets

WITHIN, ABOVE, BELOW = "within", "above", "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """How far each class may drift, as fractions of the weight base.

    down, up   (K,) distance from the target to the lower and the upper edge; infinite without a band.
    """

    down: Matrix
    up: Matrix

    def lower(self, target: Matrix) -> Matrix:
        """(K,) weights of the lower edges, not below 0; NaN without a band."""
        return np.where(np.isfinite(self.down), np.maximum(target - self.down, 0.0), np.nan)

    def upper(self, target: Matrix) -> Matrix:
        """(K,) weights of the upper edges, not above 1; NaN without a band."""
        return np.where(np.isfinite(self.up), np.minimum(target + self.up, 1.0), np.nan)


def widths(policy: Policy, drift: Drift) -> Widths:
    """The effective widths of a policy's bands for a model's classes; cash has none.

    Bands joined by `or` act as the narrower one, joined by `and` as the wider one. A class with a
    band of its own in the targets table keeps it whenever the policy has any band.
    """
    found = _trigger_widths(policy.trigger, drift)
    infinite = np.full(len(drift.classes), np.inf)
    down, up = (infinite, infinite.copy()) if found is None else (found.down, found.up)
    down, up = down.copy(), up.copy()
    for index, name in enumerate(drift.classes):
        if classes.is_cash(name):
            down[index] = up[index] = np.inf
    return Widths(down=down, up=up)


def _trigger_widths(trigger: Trigger, drift: Drift) -> Widths | None:
    if isinstance(trigger, Combined):
        parts = [w for p in trigger.parts if (w := _trigger_widths(p, drift)) is not None]
        if not parts:
            return None
        pick = np.minimum if trigger.operator == "or" else np.maximum
        down, up = parts[0].down, parts[0].up
        for part in parts[1:]:
            down, up = pick(down, part.down), pick(up, part.up)
        return Widths(down=down, up=up)
    if isinstance(trigger, Band):
        return _with_own(drift, trigger.width(drift.target))
    if isinstance(trigger, OwnBands):
        _require_own(drift.targets)
        return _with_own(drift, np.full(len(drift.classes), np.inf))
    return None


def _with_own(drift: Drift, width: Matrix) -> Widths:
    down, up = width.copy(), width.copy()
    items = {item.asset_class: item for item in drift.targets.items}
    for index, name in enumerate(drift.classes):
        item = items.get(name)
        if item is None:
            continue
        own = _own_width(item)
        if own is not None:
            down[index] = up[index] = own
        if item.min is not None:
            down[index] = (
                min(down[index], item.target - item.min) if own is None else item.target - item.min
            )
        if item.max is not None:
            up[index] = (
                min(up[index], item.max - item.target) if own is None else item.max - item.target
            )
    return Widths(down=down, up=up)


def _own_width(item: Target) -> float | None:
    given = []
    if item.band_abs is not None:
        given.append(item.band_abs)
    if item.band_rel is not None:
        given.append(item.band_rel * item.target)
    return min(given) if given else None


def _require_own(targets: Targets) -> None:
    bare = [
        item.asset_class
        for item in targets.items
        if _own_width(item) is None
        and item.min is None
        and item.max is None
        and not classes.is_cash(item.asset_class)
    ]
    if bare:
        raise PolicyError.of(
            where="targets, columns band_abs and band_rel",
            what=f"the policy takes each class's own band, and {', '.join(bare)} has none",
            remedy="fill in a band for each class, or add one to the policy (for example 5pp)",
        )


def breaches(drift: Drift, band: Widths, *, beyond: bool) -> NDArray[np.int8]:
    """(A, K) +1 where a class stands above its band, -1 below, 0 within.

    A band is reached at its edge (`>=`); with `beyond` only past it. No drift is never a breach.
    """
    d = drift.drift
    if beyond:
        above, below = d > band.up + TOLERANCE, d < -band.down - TOLERANCE
    else:
        above, below = d >= band.up - TOLERANCE, d <= -band.down + TOLERANCE
    above &= d > TOLERANCE
    below &= d < -TOLERANCE
    return above.astype(np.int8) - below.astype(np.int8)


def status_word(breach: int) -> str:
    """`within`, `above` or `below`."""
    return ABOVE if breach > 0 else BELOW if breach < 0 else WITHIN


def own_bands_in_words(targets: Targets) -> str:
    """The bands that the targets table sets, for the echo of a policy."""
    parts = []
    for item in targets.items:
        own = _own_width(item)
        if own is not None:
            parts.append(f"{item.asset_class} {own * 100:.6g} pp")
        if item.min is not None or item.max is not None:
            low = "0" if item.min is None else f"{item.min * 100:.6g}"
            high = "100" if item.max is None else f"{item.max * 100:.6g}"
            parts.append(f"{item.asset_class} {low}% to {high}%")
    return ", ".join(parts)


def move_to(weight: float, edge: float) -> float | None:
    """The return of one class alone (others flat) that takes its weight to an edge; None for none.

    w (1 + r) / (1 + w r) = e gives r = (e - w) / (w (1 - e)). No move reaches 100%, or an edge below 0;
    a weight of 0% or 100% does not move. Example (S004): 60% to 65% takes +23.8%, to 70% +55.6%.
    """
    if not (0.0 < weight < 1.0 and 0.0 <= edge < 1.0):
        return None
    return (edge - weight) / (weight * (1.0 - edge))


def moves_to_edges(
    weight: Matrix, target: Matrix, down: Matrix, up: Matrix
) -> list[tuple[float | None, float | None]]:
    """For each of K classes the move of it alone to its lower and to its upper edge.

    down, up  (K,) distances from target to the edges; infinite without a band.
    """
    edges = zip((target - down).tolist(), (target + up).tolist(), weight.tolist(), strict=True)
    return [
        (
            move_to(w, low) if np.isfinite(low) else None,
            move_to(w, high) if np.isfinite(high) else None,
        )
        for low, high, w in edges
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCheck:
    """The drifts of the accounts of one model, held against a policy's bands.

    breach  (A, K) +1 above, -1 below, 0 within.
    """

    book: Book
    drift: Drift
    widths: Widths
    breach: NDArray[np.int8]

    def rows(self) -> list[dict[str, Any]]:
        """One row per account and target class (and cash if there is any), what is held below it
        under `detail`. Weights, drifts, edges and the moves of a class alone that reach them are
        fractions; None stands for "does not apply".
        """
        drift = self.drift
        lower, upper = self.widths.lower(drift.target), self.widths.upper(drift.target)
        relative = drift.relative
        held = drift.base > _HALF_CENT  # an account that holds nothing has no weights
        detail = _details(self.book, drift)
        result = []
        for a, account in enumerate(drift.accounts):
            moves = moves_to_edges(drift.weight[a], drift.target, self.widths.down, self.widths.up)
            for k, name in enumerate(drift.classes):
                if name not in drift.targets.classes and abs(drift.value[a, k]) < _HALF_CENT:
                    continue
                result.append(
                    {
                        "account": account,
                        "asset_class": name,
                        "value": float(drift.value[a, k]),
                        "weight": float(drift.weight[a, k]) if held[a] else None,
                        "target": float(drift.target[k]),
                        "drift": float(drift.drift[a, k]) if held[a] else None,
                        "relative_drift": _number(relative[a, k]) if held[a] else None,
                        "lower": _number(lower[k]),
                        "upper": _number(upper[k]),
                        "status": status_word(int(self.breach[a, k])),
                        "move_to_lower": moves[k][0],
                        "move_to_upper": moves[k][1],
                        "detail": detail.get((account, name), []),
                    }
                )
        return result


_HALF_CENT = 0.005


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _details(book: Book, drift: Drift) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What is held below each class, in the order of the holdings."""
    group = next(each for each in book.groups if each.targets is drift.targets)
    counted = np.flatnonzero(group.cell < drift.value.size)  # what is excluded counts in no class
    row = group.row[counted]
    base = np.where(drift.base > _HALF_CENT, drift.base, np.inf)[group.account[counted]]
    value = book.holdings.value[row]
    columns = zip(
        group.cell[counted].tolist(),
        book.holdings.symbol[row].tolist(),
        book.holdings.asset_class[row].tolist(),
        value.tolist(),
        (value / base + 0.0).tolist(),  # no negative zero where nothing is held
        strict=True,
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for cell, symbol, asset_class, money, weight in columns:
        found.setdefault(cell, []).append(
            {"symbol": symbol, "asset_class": asset_class, "value": money, "weight": weight}
        )
    count = len(drift.classes)
    return {
        (drift.accounts[cell // count], drift.classes[cell % count]): rows
        for cell, rows in found.items()
    }


def check(book: Book, policy: Policy) -> list[BandCheck]:
    """Every account's drift against the policy's bands, one result per model."""
    return [check_drift(book, drift, policy) for drift in measure(book)]


def check_drift(book: Book, drift: Drift, policy: Policy) -> BandCheck:
    """A drift of the book against the policy's bands."""
    band = widths(policy, drift)
    breach = breaches(drift, band, beyond=policy.beyond)
    return BandCheck(book=book, drift=drift, widths=band, breach=breach)
