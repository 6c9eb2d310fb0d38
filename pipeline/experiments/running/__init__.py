"""Running an experiment: the queue of its runs, the providers that are asked, and the runner between the two.

Nothing here knows settings, the warehouse or Dagster: folders, keys and addresses are handed in.
"""

from pipeline.experiments.running.given import GivenScores, Verdicts
from pipeline.experiments.running.ledger import Ledger, Money
from pipeline.experiments.running.queue import LEASE, MOST_LOSSES, WORKER_LOST, Queue
from pipeline.experiments.running.queue_file import (
    QueueBusyError,
    QueueDamagedError,
    QueueError,
    QueueFile,
    QueueVersionError,
)
from pipeline.experiments.running.records import ENDED, GivenScore, Outcome, QueuedRun, Seen
from pipeline.experiments.running.times import utc_now

__all__ = [
    "ENDED",
    "LEASE",
    "MOST_LOSSES",
    "WORKER_LOST",
    "GivenScore",
    "GivenScores",
    "Ledger",
    "Money",
    "Outcome",
    "Queue",
    "QueueBusyError",
    "QueueDamagedError",
    "QueueError",
    "QueueFile",
    "QueueVersionError",
    "QueuedRun",
    "Seen",
    "Verdicts",
    "utc_now",
]
