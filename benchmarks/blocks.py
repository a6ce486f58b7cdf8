"""Blocks and order files of a large firm: time and memory of a million orders, fed chunk by chunk.

    benchmarks/.venv/bin/python -m benchmarks --only blocks

Seconds are the processor's (other work on the machine counts as little as it can), in a process of its own.
The half fill gives each block's units back to its 100,000 accounts; its sums are checked before it counts.
"""

from __future__ import annotations

from benchmarks.measuring import Result, Section, fresh, table

_RUN = """
import json, sys, time
from decimal import Decimal
from xl_rebal.trading.allocation import Fill
from xl_rebal.trading.blocks import BlockBuilder
from xl_rebal.trading.order import Order
from xl_rebal.trading.plan import Action
accounts, each = (int(word) for word in sys.argv[1:3])

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

def chunk(first, last):
    return [
        Order(account=f"{a:08d}", symbol=f"S{s}", action=Action.BUY if s % 2 else Action.SELL,
              quantity=Decimal(a % 97 + 1), price=50.0, value=50.0 * (a % 97 + 1), custodian="Schwab")
        for a in range(first, last) for s in range(each)
    ]

before, builder, adding = peak(), BlockBuilder(), 0.0
for first in range(0, accounts, 1_000):
    orders = chunk(first, min(first + 1_000, accounts))
    start = time.process_time()
    builder.add(orders)
    adding += time.process_time() - start
    del orders
start = time.process_time()
blocks = builder.blocks()
building = time.process_time() - start
fills = [Fill(block=b.block, quantity=b.quantity // 2, price=Decimal("50.01")) for b in blocks.blocks]
start = time.process_time()
given = {}
for a in blocks.allocate(fills):
    given[a.block] = given.get(a.block, Decimal(0)) + a.quantity
giving = time.process_time() - start
assert given == {f.block: f.quantity for f in fills}
print(json.dumps([adding + building, giving, peak() - before]))
"""


def measure(*, quick: bool) -> Section:
    """10 orders an account."""
    sizes = [1_000, 10_000] if quick else [1_000, 10_000, 100_000]
    found = [(n, fresh(_RUN, argv=[str(n), "10"])) for n in sizes]
    rows = [
        [f"{n:,}", f"{n * 10:,}", f"{made:.2f}", f"{giving:.2f}", f"{memory:.0f}"]
        for n, (made, giving, memory) in found
    ]
    largest, (made, giving, memory) = found[-1]
    return Section(
        title="Blocks",
        results=[
            Result(
                work=f"blocks of {largest * 10:,} orders of {largest:,} accounts, and a half fill given back",
                measured=f"{made:.1f} s and {giving:.1f} s, {memory:.0f} MB",
            )
        ],
        text="Orders arrive in chunks of 1,000 accounts; memory is what the peak grows by.\n\n"
        + table(["accounts", "orders", "blocks, s", "half fill given back, s", "memory, MB"], rows),
    )
