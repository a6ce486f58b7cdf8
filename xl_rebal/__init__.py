"""Portfolio rebalancing that lives in Excel: drift, bands and cash-true trades.

`import xl_rebal` loads nothing but this file; a public name brings its module when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__"]

# Public name -> the module that it comes from.
_HOMES: dict[str, str] = {}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
