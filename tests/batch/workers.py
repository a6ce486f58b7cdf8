"""Work that misbehaves, in a module of its own so that worker processes can import it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from xl_rebal.batch.chunks import Done, Task
from xl_rebal.batch.work import plan_chunk


def dies_over(household: str) -> None:
    """End this process as the system does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def plan_or_die_over_h003(task: Task) -> Done:
    """The usual work, but H003 takes its process with it."""
    if "H003" in task.households:
        dies_over("H003")
    return plan_chunk(task)


def plan_or_die_once(mark: Path, task: Task) -> Done:
    """The usual work, but the first process that meets H003 dies over it; the next one does not."""
    if "H003" in task.households and not mark.exists():
        mark.touch()
        dies_over("H003")
    return plan_chunk(task)


def plan_slowly(begun: Path, task: Task) -> Done:
    """The usual work after a pause, so that a worker can be killed in the midst of it."""
    begun.touch()
    time.sleep(0.5)
    return plan_chunk(task)


def plan_or_kill_the_starter_once(mark: Path, task: Task) -> Done:
    """The usual work, but the first process that meets H003 ends the one that starts processes."""
    if "H003" in task.households and not mark.exists():
        mark.touch()
        os.kill(os.getppid(), signal.SIGKILL)
    return plan_chunk(task)


def sleep_and_say_where(told: Path, task: Task) -> Done:
    """Work that takes long; its process is named in a file of its own."""
    (told / str(os.getpid())).touch()
    time.sleep(60)
    return plan_chunk(task)
