"""What waits of one experiment: what its queue has and the publication has not.

A run in the queue counts where the publication does not have it, or knows less of it: it has not ended there, or ended
earlier. Runs that wait or run never replace one that has ended. So nothing is counted twice while files land.
"""

from dataclasses import dataclass
from datetime import datetime

from pipeline.experiments import Experiment, plan
from pipeline.experiments.plan import PlannedRun
from pipeline.experiments.running import GivenScore, QueuedRun
from pipeline.reports.experiments.published_rows import rows_among
from pipeline.reports.experiments.queues import Snapshot
from pipeline.reports.queries.experiment_tables import DeclaredExperiment, ExperimentTables

_SEEN = "SELECT run_id, status, completed_at FROM {runs} SEMI JOIN {wanted} ON id = run_id WHERE experiment = $name"
_PUBLISHED = "SELECT score_id FROM {scores} SEMI JOIN {wanted} ON id = score_id WHERE experiment = $name"


@dataclass(frozen=True, eq=False)
class Waiting:
    """What waits of an experiment.

    Parameters
    ----------
    declared : DeclaredExperiment
    runs : tuple of QueuedRun
        Those that count.
    given : tuple of GivenScore
        Those that are not published.
    planned : tuple of PlannedRun
        Of an experiment that is not published: what nobody has put into the queue yet.
    """

    declared: DeclaredExperiment
    runs: tuple[QueuedRun, ...]
    given: tuple[GivenScore, ...]
    planned: tuple[PlannedRun, ...]

    @classmethod
    def of(cls, tables: ExperimentTables, declared: DeclaredExperiment, held: Snapshot) -> "Waiting":
        """What of a queue's content the published tables lack."""
        name = declared.name
        there = rows_among(tables, _SEEN, name, list(held.runs))
        seen = {run_id: (status, completed_at) for run_id, status, completed_at in there}
        runs = tuple(one for one in held.runs.values() if _counts(one, *seen.get(one.run_id, (None, None))))
        ids = [one.score_id for one in held.scores]
        published = {score_id for (score_id,) in rows_among(tables, _PUBLISHED, name, ids)}
        given = tuple(one for one in held.scores if one.score_id not in published)
        planned = () if declared.is_published else tuple(plan(declared.experiment, done={r.key for r in runs}))
        return cls(declared, runs, given, planned)

    @property
    def n(self) -> int:
        """Runs and scores."""
        return len(self.runs) + len(self.given)

    @property
    def experiment(self) -> Experiment:
        """The declaration."""
        return self.declared.experiment

    @property
    def affected(self) -> list[str]:
        """Runs that are other than published, or scored otherwise."""
        return list(dict.fromkeys([*(one.run_id for one in self.runs), *(one.run_id for one in self.given)]))


def _counts(queued: QueuedRun, status: str | None, completed_at: datetime | None) -> bool:
    """Whether the queue knows more of a run than what is published of it."""
    if status is None:
        return True
    if status in ("pending", "running"):
        return queued.status != status
    return queued.has_ended and (
        completed_at is None or (queued.completed_at is not None and queued.completed_at > completed_at)
    )
