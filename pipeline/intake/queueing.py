"""Queues as commands, pages and sensors change them: declared runs go in, and runs are cancelled or asked again."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipeline.experiments import Experiment, InputSpec, plan
from pipeline.experiments.running import ENDED, Queue, QueuedRun
from pipeline.intake.experiments import declared_inputs
from pipeline.intake.results import Published, published_of
from pipeline.settings import Settings


def queue_path(name: str, given: Settings) -> Path:
    """Where the queue of an experiment is, or will be."""
    return given.experiments_dir / f"{name}.sqlite"


def open_queue(name: str, given: Settings, *, make: bool = True) -> Queue:
    """The queue of an experiment; errors as of :class:`pipeline.experiments.running.Queue`."""
    return Queue(queue_path(name, given), name, make=make)


def bring_up_to_date(
    experiment: Experiment, queue: Queue, inputs: Sequence[InputSpec], published: Published, given: Settings
) -> int:
    """Put the runs that an experiment declares into its queue, and take those out that it no longer does.

    Returns
    -------
    int
        Runs that are new.

    Raises
    ------
    PlanError, ValueError
        If it cannot be run as it is declared.
    """
    planned = plan(experiment, inputs)
    added = queue.plan(planned, published.ended, _plan_name(experiment, given))
    meanwhile = published_of(experiment.name, given).ended - published.ended if added else frozenset()
    return added - queue.withdraw(meanwhile)  # another process may have seen them published, and forgotten them


def catch_up(experiment: Experiment, queue: Queue, given: Settings) -> Sequence[InputSpec]:
    """Bring a queue up to what is published and what its experiment declares; errors as of :func:`bring_up_to_date`.

    What waits and is published as completed, as when it was imported meanwhile, is taken out.

    Returns
    -------
    sequence of InputSpec
        The experiment's inputs.

    Raises
    ------
    InputsError
        If its file of inputs cannot be read.
    """
    if queue.waiting:
        queue.withdraw_answered(published_of(experiment.name, given).completed)
    inputs = declared_inputs(experiment, given)
    if queue.planned != _plan_name(experiment, given):
        bring_up_to_date(experiment, queue, inputs, published_of(experiment.name, given), given)
    return inputs


def ask_once_more(experiment: Experiment, given: Settings) -> int:
    """Let every configuration be asked every input once more than it ever was: one more repeat of each.

    Returns
    -------
    int
        Runs that were put into the queue.

    Raises
    ------
    QueueError
        If its queue cannot be used.
    InputsError, PlanError
        If it cannot be run as it is declared.
    """
    with open_queue(experiment.name, given) as queue:
        last = dict(published_of(experiment.name, given).repeats)
        for one in queue.runs():
            last[one.config_hash] = max(one.repeat, last.get(one.config_hash, 0))
        inputs = declared_inputs(experiment, given)
        most = max([experiment.repeats, *last.values()]) + 1
        wide = experiment.model_copy(update={"repeats": most, "max_runs": experiment.max_runs * most})
        due = [
            one for one in plan(wide, inputs) if one.repeat == max(last.get(one.config_hash, 0), experiment.repeats) + 1
        ]
        return len(queue.add(due))


def cancel_run(experiment: Experiment, given: Settings, run_id: str) -> QueuedRun | None:
    """Cancel a run that waits or runs, or that is only declared so far; one that has ended stays as it is.

    Returns
    -------
    QueuedRun or None
        As it is now; None where no run that has not ended is known by this id.

    Raises
    ------
    QueueError
        If its queue cannot be used.
    """
    with open_queue(experiment.name, given) as queue:
        catch_up(experiment, queue, given)
        return queue.cancel(run_id)


def cancel_runs(experiment: Experiment, given: Settings) -> int:
    """Cancel everything that waits or runs; how many runs that were. Errors as of :func:`cancel_run`."""
    with open_queue(experiment.name, given) as queue:
        catch_up(experiment, queue, given)
        return queue.cancel_all()


def known_statuses(name: str, given: Settings) -> dict[str, int]:
    """Runs of an experiment by status: as its queue has them, else as they are published."""
    statuses = {run_id: seen.status for run_id, seen in published_of(name, given).runs.items()}
    if queue_path(name, given).exists():
        with open_queue(name, given, make=False) as queue:
            statuses |= {one.run_id: one.status for one in queue.runs()}
    return dict(Counter(statuses.values()))


def retry_runs(experiment: Experiment, given: Settings, statuses: Sequence[str] = ("failed",)) -> int:
    """Let runs wait again that ended so; how many that were. Errors as of :func:`cancel_run`.

    Of published ones those that are declared; one that was put in by itself only while the queue still has it.
    """
    with open_queue(experiment.name, given) as queue:
        n_there = queue.retry(statuses)
        published = published_of(experiment.name, given)
        ended = {run_id for run_id, seen in published.runs.items() if seen.status in statuses and seen.status in ENDED}
        planned = plan(experiment, declared_inputs(experiment, given))
        return n_there + len(queue.add([one for one in planned if one.run_id in ended], is_planned=True))


def _plan_name(experiment: Experiment, given: Settings) -> str:
    """A hash of whatever a plan is made of: it is made anew when that changes."""
    made_of = {"prompts", "models", "parameters", "inputs", "inputs_file", "repeats", "max_runs"}
    parts = [experiment.model_dump_json(include=made_of)]
    if experiment.inputs_file is not None:
        found = (given.data_dir / experiment.inputs_file).stat()
        parts += [str(found.st_mtime_ns), str(found.st_size)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
