"""Fuzz the way from tables to plans: random tables, some cells garbage, every plan verified.

    .venv/bin/python -m benchmarks.fuzz_plans --cases 10000 --seed 0

A case ends well with verified plans or a refusal (RebalError). Everything else is a find: a plan that
the verifier rejects, another exception, a timeline that does not end at the plan's cash. The seeds of
finds belong into tests/trading/test_fuzz_plans.py.
"""

from __future__ import annotations

import argparse
import collections
import time
import traceback

from tests.trading.random_tables import fault_in, planned, random_tables
from xl_rebal.errors import RebalError, VerificationError


def main() -> int:
    """Run the cases and print what came of them; 1 when there is a find."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    outcomes: collections.Counter[str] = collections.Counter()
    finds: list[tuple[int, str]] = []
    started = time.perf_counter()
    for seed in range(options.seed, options.seed + options.cases):
        try:
            result = planned(random_tables(seed))
        except VerificationError as error:
            finds.append((seed, f"not verified: {error}"))
        except RebalError as error:
            outcomes[f"refused ({type(error).__name__})"] += 1
        except Exception:
            finds.append((seed, traceback.format_exc(limit=-3)))
        else:
            wrong = fault_in(result)
            if wrong:
                finds.append((seed, wrong))
            traded = any(plan.trades for plan in result.plans)
            outcomes["planned, with trades" if traded else "planned, no trades"] += 1
    seconds = time.perf_counter() - started
    print(f"{options.cases} cases from seed {options.seed} in {seconds:.0f} s")
    for outcome, count in outcomes.most_common():
        print(f"  {count:6d} {outcome}")
    print(f"  {len(finds):6d} finds")
    for seed, text in finds:
        print(f"seed {seed}: {text}")
    return 1 if finds else 0


if __name__ == "__main__":
    raise SystemExit(main())
