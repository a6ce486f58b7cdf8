"""Policies from text: `5pp`, `20%rel`, `5/25`, `quarterly or 5pp`, `annual and 5pp to halfway`.

Grammar: trigger [`or`|`and` trigger]… [`beyond`] [destination] [`breached only`]; `and` binds tighter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from xl_rebal.errors import PolicyError
from xl_rebal.portfolio.policies import (
    Always,
    Band,
    Calendar,
    Combined,
    Destination,
    EveryDays,
    Frequency,
    Goal,
    Never,
    OwnBands,
    Policy,
    Trigger,
)

EXAMPLES = "5pp, 20%rel, 5/25, quarterly or 5pp, annual and 5pp, monthly on first day, every 10 days, never"

_FREQUENCIES = {
    "daily": Frequency.DAILY,
    "weekly": Frequency.WEEKLY,
    "monthly": Frequency.MONTHLY,
    "quarterly": Frequency.QUARTERLY,
    "semiannual": Frequency.SEMIANNUAL,
    "semi-annual": Frequency.SEMIANNUAL,
    "semiannually": Frequency.SEMIANNUAL,
    "semi-annually": Frequency.SEMIANNUAL,
    "half-yearly": Frequency.SEMIANNUAL,
    "annual": Frequency.ANNUAL,
    "annually": Frequency.ANNUAL,
    "yearly": Frequency.ANNUAL,
}
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_ABSOLUTE = re.compile(
    rf"^(?:\+/-|±)?\s*{_NUMBER}\s*(pp|%|percentage points?|bps?)\s*(?:abs|absolute|band)?$"
)
_RELATIVE = re.compile(
    rf"^(?:\+/-|±)?\s*{_NUMBER}\s*%\s*(?:rel|relative|of (?:the )?target(?: weight)?)(?: band)?$"
)
_SLASH = re.compile(rf"^{_NUMBER}\s*/\s*{_NUMBER}(?: rule)?$")
_BARE = re.compile(rf"^{_NUMBER}$")
_PAIR = re.compile(r"^(?:the )?(smaller|larger) of (.+?) (?:and|&|,) (.+)$")
_EVERY = re.compile(r"^every (\d+) (?:trading |business )?days?$")
_DESTINATION = re.compile(
    r"\b(?:back )?to (?:(target)|(halfway)|(?:the )?(edge)|" + _NUMBER + r"\s*% of (?:the )?band)\b"
)


def parse_policy(text: str) -> Policy:
    """The policy that a text describes. Raises PolicyError naming the part that is not understood."""
    body = re.sub(r"\s+", " ", text.strip().casefold())
    if not body:
        raise _refuse(text, "the policy is blank")
    body, breached_only = _take(body, r"\b(?:trade )?breached(?: classes)? only\b")
    body, beyond = _take(body, r"\bbeyond\b")
    body, reached = _take(body, r"\breached\b")
    if beyond and reached:
        raise _refuse(text, "it says both reached and beyond")
    body, destination = _take_destination(body, text)
    body = body.strip(" ,;")
    if not body:
        raise _refuse(text, "it names no trigger")
    trigger = _parse_trigger(body, text)
    policy = Policy(
        trigger=trigger, beyond=beyond, destination=destination, breached_only=breached_only
    )
    inside = destination.goal in (Goal.EDGE, Goal.INNER)
    if (breached_only or inside) and not policy.has_band:
        what = f"trades {destination.in_words()}" if inside else "says breached only"
        raise _refuse(text, f"it {what}, and names no band")
    return policy


def _refuse(text: str, what: str) -> PolicyError:
    return PolicyError.of(
        where=f"policy {text.strip()!r}",
        what=what,
        remedy=f"write for example: {EXAMPLES}; then optionally: beyond, to target, to halfway, "
        "to edge, to 50% of band, breached only",
    )


def _take(body: str, pattern: str) -> tuple[str, bool]:
    rest, count = re.subn(pattern, " ", body)
    return re.sub(r"\s+", " ", rest).strip(), count > 0


def _take_destination(body: str, text: str) -> tuple[str, Destination]:
    found = list(_DESTINATION.finditer(body))
    if not found:
        return body, Destination()
    if len(found) > 1:
        raise _refuse(text, "it names two destinations")
    match = found[0]
    rest = re.sub(r"\s+", " ", body[: match.start()] + " " + body[match.end() :]).strip()
    if match[1]:
        return rest, Destination(goal=Goal.TARGET)
    if match[2]:
        return rest, Destination(goal=Goal.HALFWAY)
    if match[3]:
        return rest, Destination(goal=Goal.EDGE)
    share = float(match[4]) / 100
    if not 0 < share < 1:
        raise _refuse(text, f"{match[4]}% of the band is not inside it")
    return rest, Destination(goal=Goal.INNER, share=share)


def _parse_trigger(body: str, text: str) -> Trigger:
    # "buy and hold" and "smaller of 5pp and 25%rel" hold an `and` of their own: they come first.
    body = body.replace("buy and hold", "never")
    shielded = re.sub(
        r"((?:smaller|larger) of [^,]+?) and ", lambda m: f"{m[1]} & ", body, flags=re.IGNORECASE
    )
    ors = [_parse_all(part, text) for part in re.split(r"\s+or\s+", shielded)]
    return ors[0] if len(ors) == 1 else Combined(operator="or", parts=tuple(ors))


def _parse_all(body: str, text: str) -> Trigger:
    parts = [_parse_leaf(part.strip(" ,"), text) for part in re.split(r"\s+and\s+", body)]
    return parts[0] if len(parts) == 1 else Combined(operator="and", parts=tuple(parts))


def _parse_leaf(part: str, text: str) -> Trigger:
    if part in {"never", "no rebalancing"}:
        return Never()
    if part in {"now", "always", "manual"}:
        return Always()
    if part in {
        "own bands",
        "per class",
        "per-class bands",
        "per class bands",
        "bands from targets",
    }:
        return OwnBands()
    if (match := _EVERY.match(part)) is not None:
        if int(match[1]) < 1:
            raise _refuse(text, "an interval needs at least one day")
        return EveryDays(days=int(match[1]))
    calendar = _parse_calendar(part)
    return calendar if calendar is not None else _parse_band(part, text)


def _parse_calendar(part: str) -> Calendar | None:
    name, _, rest = part.partition(" ")
    frequency = _FREQUENCIES.get(name)
    if frequency is None or rest not in {
        "",
        "on first day",
        "on the first day",
        "on last day",
        "on the last day",
        "on first trading day",
        "on last trading day",
    }:
        return None
    return Calendar(frequency=frequency, first_day="first" in rest)


def _parse_band(part: str, text: str) -> Band:
    if (match := _PAIR.match(part)) is not None:
        first, second = _parse_band(match[2], text), _parse_band(match[3], text)
        absolute = first.absolute if first.absolute is not None else second.absolute
        relative = first.relative if first.relative is not None else second.relative
        if absolute is None or relative is None:
            raise _refuse(text, f"{part!r} needs one absolute and one relative band")
        return Band(absolute=absolute, relative=relative, larger=match[1] == "larger")
    if (match := _SLASH.match(part)) is not None:
        if float(match[2]) < 1:
            raise _refuse(
                text,
                f"{part!r} would mean {match[1]} percentage points and {match[2]}% of the target "
                "(the rule is written in percent, as in 5/25)",
            )
        return _band(text, absolute=float(match[1]) / 100, relative=float(match[2]) / 100)
    if (match := _RELATIVE.match(part)) is not None:
        return _band(text, relative=float(match[1]) / 100)
    if (match := _ABSOLUTE.match(part)) is not None:
        scale = 1e-4 if match[2].startswith("bp") else 1e-2
        return _band(text, absolute=round(float(match[1]) * scale, 15))
    if (match := _BARE.match(part)) is not None:
        if float(part) >= 1:
            raise _refuse(
                text, f"{part} has no unit (5pp is points of weight, 5%rel is of the target)"
            )
        return _band(text, absolute=float(part))
    raise _refuse(text, f"{part!r} is not understood")


def _band(text: str, absolute: float | None = None, relative: float | None = None) -> Band:
    try:
        return Band(absolute=absolute, relative=relative)
    except ValueError as error:
        raise _refuse(text, str(error)) from None


SETTINGS = {
    "trigger": "trigger",
    "policy": "trigger",
    "rule": "trigger",
    "destination": "destination",
    "scope": "scope",
    "edge": "edge",
    "boundary": "edge",
}


def policy_from_rows(rows: Sequence[Sequence[Any]]) -> Policy:
    """The policy that a two-column table (setting, value) describes; see `text_from_rows`."""
    return parse_policy(text_from_rows(rows))


def text_from_rows(rows: Sequence[Sequence[Any]]) -> str:
    """The policy text that a two-column table (setting, value) spells.

    Settings: trigger (any trigger text), edge (reached or beyond), destination (target, halfway,
    edge, 50% of band), scope (all classes or breached only). A single cell is a policy text.
    """
    filled = [[str(c).strip() for c in row if c is not None and str(c).strip()] for row in rows]
    filled = [row for row in filled if row]
    if len(filled) == 1 and len(filled[0]) == 1:
        return filled[0][0]
    words: dict[str, str] = {}
    for row in filled:
        name = row[0].casefold()
        if name in {"setting", "name"}:
            continue
        if name not in SETTINGS:
            raise _refuse(row[0], f"the policy table has no setting {row[0]!r}")
        if len(row) != 2:
            raise _refuse(row[0], f"setting {row[0]!r} needs one value")
        if SETTINGS[name] in words:
            raise _refuse(row[0], f"setting {row[0]!r} stands twice")
        words[SETTINGS[name]] = row[1].casefold()
    if "trigger" not in words:
        raise _refuse("", "the policy table has no row 'trigger'")
    destination = words.get("destination", "target")
    destination = destination if "to " in destination else f"to {destination}"
    scope = _one_of(
        words, "scope", {"all classes": "", "all": "", "breached only": "breached only"}
    )
    edge = _one_of(words, "edge", {"reached": "", "beyond": "beyond"})
    return " ".join(filter(None, (words["trigger"], edge, destination, scope)))


def _one_of(words: Mapping[str, str], setting: str, choices: Mapping[str, str]) -> str:
    given = words.get(setting)
    if given is None:
        return ""
    if given not in choices:
        raise _refuse(given, f"{setting} {given!r} is not known (use {' or '.join(choices)})")
    return choices[given]
