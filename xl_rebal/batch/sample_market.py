"""The securities and models of the invented book, as arrays to draw from."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from xl_rebal.portfolio import tables
from xl_rebal.portfolio.models import targets_from_rows
from xl_rebal.portfolio.targets import Targets

Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMarket:
    """What the accounts of the invented book can hold.

    securities  S rows of the table securities, `models` the rows of the table models.
    symbol, price, step, class_of  (S,) of each security; class_of is a place in `classes`.
    classes     K target classes, in the order in which the first model has them, cash left out.
    weight      (M, K) target weights of the models; cash is what is left of 1.
    core, other, stock, piece  by class, the securities that fill it.
    """

    securities: Rows
    models: Rows
    names: tuple[str, ...]
    classes: tuple[str, ...]
    weight: NDArray[np.float64]
    symbol: NDArray[np.object_]
    price: NDArray[np.float64]
    step: NDArray[np.float64]
    core: tuple[NDArray[np.int64], ...]
    other: tuple[NDArray[np.int64], ...]
    stock: NDArray[np.int64]
    piece: NDArray[np.int64]

    def place(self, symbol: str) -> int:
        """Where a security stands."""
        return int(np.flatnonzero(self.symbol == symbol)[0])

    def column(self, name: str) -> int:
        """Where a class stands."""
        return self.classes.index(name)


def sample_market() -> SampleMarket:
    """The packaged securities and models."""
    securities, models = _rows("sample_securities.csv"), _rows("sample_models.csv")
    cells = ((line, list(row.values())) for line, row in enumerate(models, start=1))
    typed = tables.read_rows(tables.MODELS, list(models[0]), cells, where="sample_models.csv")
    targets = targets_from_rows(typed)
    names = tuple(targets)
    classes = tuple(name for name in targets[names[0]].classes if name != "Cash")
    members = [
        [
            place
            for place, row in enumerate(securities)
            if targets[names[0]].find(row["asset_class"]) == name
        ]
        for name in classes
    ]

    def filled(word: str) -> tuple[NDArray[np.int64], ...]:
        return tuple(
            np.array([p for p in places if securities[p]["fill"] == word], dtype=np.int64)
            for places in members
        )

    return SampleMarket(
        securities=[{k: v for k, v in row.items() if k != "fill"} for row in securities],
        models=models,
        names=names,
        classes=classes,
        weight=np.array([_weights(targets[name], classes) for name in names]),
        symbol=np.array([row["symbol"] for row in securities], dtype=object),
        price=np.array([float(row["price"]) for row in securities]),
        step=np.array([float(row["quantity_step"]) for row in securities]),
        core=filled("core"),
        other=filled("other"),
        stock=np.concatenate(filled("stock")),
        piece=np.concatenate(filled("piece")),
    )


def _weights(targets: Targets, classes: tuple[str, ...]) -> list[float]:
    by_class = {item.asset_class: item.target for item in targets.items}
    return [by_class.get(name, 0.0) for name in classes]


def _rows(name: str) -> Rows:
    text = (resources.files("xl_rebal.batch") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
