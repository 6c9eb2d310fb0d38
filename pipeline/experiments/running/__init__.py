"""Running an experiment: the queue of its runs, the providers that are asked, and the runner between the two.

Nothing here knows settings, the warehouse or Dagster: folders, keys and addresses are handed in.
"""

from pipeline.experiments.running.asking import Asker, CeilingError, LaterError, Patience
from pipeline.experiments.running.client import OpenAIClient
from pipeline.experiments.running.given import GivenScores, Verdicts
from pipeline.experiments.running.ledger import Ledger, Money
from pipeline.experiments.running.local import LocalProvider
from pipeline.experiments.running.pricing import Providers, most_cost, why_not_run
from pipeline.experiments.running.provider import Call, Provider, ProviderError, Reply, StoppedError, Usage, Vectors
from pipeline.experiments.running.queue import LEASE, MOST_LOSSES, WORKER_LOST, Queue
from pipeline.experiments.running.queue_file import (
    QueueBusyError,
    QueueDamagedError,
    QueueError,
    QueueFile,
    QueueVersionError,
)
from pipeline.experiments.running.records import ENDED, GivenScore, Kind, Outcome, QueuedRun, Seen
from pipeline.experiments.running.runner import Runner, Tally
from pipeline.experiments.running.scorer_calls import Missing, missing_scores, reaching_out, why_not_asked

__all__ = [
    "ENDED",
    "LEASE",
    "MOST_LOSSES",
    "WORKER_LOST",
    "Asker",
    "Call",
    "CeilingError",
    "GivenScore",
    "GivenScores",
    "Kind",
    "LaterError",
    "Ledger",
    "LocalProvider",
    "Missing",
    "Money",
    "OpenAIClient",
    "Outcome",
    "Patience",
    "Provider",
    "ProviderError",
    "Providers",
    "Queue",
    "QueueBusyError",
    "QueueDamagedError",
    "QueueError",
    "QueueFile",
    "QueueVersionError",
    "QueuedRun",
    "Reply",
    "Runner",
    "Seen",
    "StoppedError",
    "Tally",
    "Usage",
    "Vectors",
    "Verdicts",
    "missing_scores",
    "most_cost",
    "reaching_out",
    "why_not_asked",
    "why_not_run",
]
