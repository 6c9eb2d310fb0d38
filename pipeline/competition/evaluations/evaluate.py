"""Evaluation sets computed: scored tasks in, a row for every part, model and column out.

Tasks come block by block of cycles. Sums and pairs of models add up, so memory does not grow with the tasks; they are
read twice where relative skill is shown, since its error is known only when all of it is, and once more where a set is
of the last cycles.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.evaluations.board import COLUMNS, part_rows, rows_of_excluded
from pipeline.competition.evaluations.declaration import EvaluationSpec
from pipeline.competition.evaluations.skills import Skills
from pipeline.competition.evaluations.tally import Tally
from pipeline.competition.evaluations.tasks import Names, ScoredTasks, Times
from pipeline.competition.peers import are_virtual

_ROUNDING = 1e-9


def evaluate(specs: Sequence[EvaluationSpec], blocks: Iterable[ScoredTasks]) -> pd.DataFrame:
    """Compute evaluation sets.

    A mean is the sum over the tasks of a model by their number; its interval is that of a ratio of sums, cycles being
    the units. Relative skill is of :func:`pipeline.leaderboard.relative_skill`, from the pairs of each part alone,
    with intervals of its logarithm. Models that submitted too little of a set take no part in it; virtual models are
    compared with the real ones and move nobody.

    Parameters
    ----------
    specs : sequence of EvaluationSpec
    blocks : iterable of ScoredTasks
        Each of whole cycles, all of the same models; iterated more than once, so a list, or what reads again.

    Returns
    -------
    DataFrame
        evaluation, by, part, model_id, metric; value, n (tasks that it is of), n_submitted, n_tasks (of the part);
        se, ci_low, ci_high, ci_method; reason (why there is no value; of excluded models in ``overall``, why they
        are); is_ensemble, and of the column that ranks: rank, rank_with_ensembles, rank_lo, rank_hi, tie_group.

    Raises
    ------
    ValueError
        If blocks can be read only once, models differ between them, or a cycle is in two.
    """
    if iter(blocks) is blocks:
        raise ValueError("blocks of tasks are read more than once; give a list, or what begins again when iterated")
    # Matrices are small, and threads that share a small one wait for each other longer than they multiply.
    with threadpool_limits(1, user_api="blas"):
        frames = list(_rows_of_sets(specs, blocks))
    return pd.concat(frames, ignore_index=True)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS)


def _rows_of_sets(specs: Sequence[EvaluationSpec], blocks: Iterable[ScoredTasks]) -> Iterator[pd.DataFrame]:
    cycles = _last_cycles(specs, blocks)
    sets = [_Set(spec, cycles.get(place)) for place, spec in enumerate(specs)]
    for block in _checked(blocks):
        for one in sets:
            one.add(block)
    for one in sets:
        one.settle()
    comparing = [one for one in sets if one.compares]
    for block in blocks if comparing else ():
        for one in comparing:
            one.add_errors(block)
    for one in sets:
        yield from one.rows()


def _last_cycles(specs: Sequence[EvaluationSpec], blocks: Iterable[ScoredTasks]) -> dict[int, Times]:
    """Of sets of the last cycles, by place, which these are."""
    limited = {place: spec for place, spec in enumerate(specs) if spec.cycles.last is not None}
    found: dict[int, Times] = {place: np.zeros(0, dtype="datetime64[us]") for place in limited}
    for block in blocks if limited else ():
        for place, spec in limited.items():
            here = np.union1d(found[place], block.cycles[block.selected(spec)])
            found[place] = here[-(spec.cycles.last or 0) :]
    return found


def _checked(blocks: Iterable[ScoredTasks]) -> Iterable[ScoredTasks]:
    """The blocks, once it is sure that they fit together."""
    models: Names | None = None
    seen = np.zeros(0, dtype="datetime64[us]")
    for block in blocks:
        if models is not None and list(models) != list(block.models):
            raise ValueError("blocks of tasks have different models; give all the same, in the same order")
        models = block.models
        twice = np.intersect1d(seen, block.cycles)
        if twice.size:
            raise ValueError(f"cycle {twice[0]} is in two blocks of tasks; give whole cycles in each")
        seen = np.union1d(seen, block.cycles)
        yield block


class _Set:
    """One evaluation set, added up over blocks."""

    def __init__(self, spec: EvaluationSpec, cycles: Times | None) -> None:
        self._spec = spec
        self._cycles = cycles
        self._models: Names = np.zeros(0, dtype=object)
        self._tallies = [Tally(by, spec.measures, spec.relative_measures) for by in (None, *spec.by)]
        self._skills: list[Skills] = []

    def add(self, block: ScoredTasks) -> None:
        """Take in the tasks of a block."""
        self._models = block.models
        tasks = self._of_set(block)
        if len(tasks):
            for tally in self._tallies:
                tally.add(tasks)

    def _of_set(self, block: ScoredTasks) -> ScoredTasks:
        chosen = block.selected(self._spec)
        if self._cycles is not None:
            chosen &= np.isin(block.cycles, self._cycles)
        return block.part(chosen)

    def settle(self) -> None:
        """Decide who takes part, when all tasks are in."""
        self._tallies = [tally for tally in self._tallies if tally.has_tasks]
        if not self._tallies:
            return
        cells = self._tallies[0].cells()
        self._n_tasks = float(cells.tasks.sum())
        self._submitted: Floats = cells.submitted.sum(axis=0)
        enough = self._submitted >= self._spec.min_submitted * self._n_tasks - _ROUNDING
        takes_part: Bools = (enough | (self._models == self._spec.baseline)) & (self._submitted > 0)
        self._excluded: Bools = (self._submitted > 0) & ~takes_part
        self._kept = np.flatnonzero(takes_part)
        self._names: Names = self._models[self._kept]
        self._skills = [Skills.of(tally.pairs, self._kept, self._names, self._spec) for tally in self._tallies]

    @property
    def compares(self) -> bool:
        """Whether relative skill is shown, so that blocks are read again."""
        return bool(self._skills and self._spec.relative_measures)

    def add_errors(self, block: ScoredTasks) -> None:
        """What the tasks of a block add to the error of relative skill."""
        tasks = self._of_set(block)
        if len(tasks):
            tasks = tasks.of_models(self._names)
            for tally, skills in zip(self._tallies, self._skills, strict=True):
                tally.add_errors(tasks, skills.weights)

    def rows(self) -> Iterable[pd.DataFrame]:
        """The rows of every breakdown, and of who is excluded."""
        is_virtual = are_virtual(self._names) if self._tallies else np.zeros(0, dtype=bool)
        for tally, skills in zip(self._tallies, self._skills, strict=True):
            yield part_rows(self._spec, tally, skills, self._kept, is_virtual)
        if self._tallies and self._excluded.any():
            who = np.flatnonzero(self._excluded)
            yield rows_of_excluded(self._spec, self._models[who], self._submitted[who], self._n_tasks)
