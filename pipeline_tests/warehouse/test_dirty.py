"""Which cycles must be computed again, for every way in which tables depend on each other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tables import (
    ALL_TABLES,
    BOARDS,
    CHANGES,
    CYCLE_METRICS,
    ENSEMBLE_WEIGHTS,
    FACTORS,
    LEADERBOARD,
    LEDGER,
    MODELS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    TRUTH,
    WHOLE,
    Input,
    TableSpec,
    Via,
)
from pipeline.warehouse import Dirty, Store
from pipeline.warehouse.identifiers import compose
from pipeline_tests.warehouse.counting import counted
from pipeline_tests.warehouse.frames import (
    BOARD,
    START,
    WEEK,
    boards,
    cycle_metrics,
    dirty,
    frame,
    predictions,
    snapshots,
    truth,
    week,
)

CODE = "v1"


def weeks(found: Sequence[Dirty]) -> list[float]:
    return [(entry.cycle - START) / WEEK for entry in found]


def predict(store: Store, *numbers: float, value: float = 1.0, delay: float = 1) -> None:
    store.replace(PREDICTIONS, BOARD, dirty(*numbers), predictions(*numbers, value=value, delay=delay), CODE)


def resolve(store: Store, target: float, *facts: tuple[float, float]) -> None:
    """All that is known of one target: (week when known, value)."""
    rows = truth(*((target, known, value) for known, value in facts))
    store.replace(TRUTH, BOARD, dirty(target), rows, CODE)


def settle(store: Store, spec: TableSpec, code: str = CODE) -> list[float]:
    """Compute what is dirty, without any rows, and say which weeks that was."""
    found = store.dirty(spec, BOARD, code)
    store.replace(spec, BOARD, found, frame(spec, []), code)
    return weeks(found)


class TestFilledFromASource:
    def cycles(self, *numbers: float) -> list[datetime]:
        return [week(number) for number in numbers]

    def test_cycles_are_dirty_until_they_are_in_the_ledger(self, store: Store) -> None:
        assert store.dirty(PREDICTIONS, BOARD, CODE, cycles=self.cycles(1, 0)) == dirty(0, 1)
        predict(store, 0)
        assert weeks(store.dirty(PREDICTIONS, BOARD, CODE, cycles=self.cycles(0, 1))) == [1]
        store.replace(PREDICTIONS, BOARD, dirty(1), predictions(), CODE)
        assert store.dirty(PREDICTIONS, BOARD, CODE, cycles=self.cycles(0, 1)) == []

    def test_other_code_makes_every_cycle_dirty(self, store: Store) -> None:
        predict(store, 0, 1)
        assert weeks(store.dirty(PREDICTIONS, BOARD, "v2", cycles=self.cycles(0, 1))) == [0, 1]

    def test_a_cycle_that_the_source_lost_is_dirty_until_its_rows_are_gone(self, store: Store) -> None:
        predict(store, 0, 1)
        assert store.dirty(PREDICTIONS, BOARD, CODE, cycles=self.cycles(1)) == dirty(0, input_seq=1)
        store.replace(PREDICTIONS, BOARD, dirty(0, input_seq=1), predictions(), CODE)
        assert store.dirty(PREDICTIONS, BOARD, CODE, cycles=self.cycles(1)) == []
        assert weeks(store.dirty(PREDICTIONS, BOARD, "v2", cycles=self.cycles(1))) == [1]

    def test_a_range_and_force(self, store: Store) -> None:
        predict(store, 0, 1, 2)
        cycles = self.cycles(0, 1, 2, 3, 4)

        def ask(first: datetime | None = None, last: datetime | None = None, force: bool = False) -> list[float]:
            found = store.dirty(PREDICTIONS, BOARD, CODE, cycles=cycles, first=first, last=last, force=force)
            return weeks(found)

        assert ask(first=week(4)) == [4]
        assert ask(last=week(3)) == [3]
        assert ask(force=True) == [0, 1, 2, 3, 4]
        assert ask(force=True, first=week(1), last=week(2)) == [1, 2]

    def test_a_table_without_cycles_is_dirty_as_one(self, store: Store) -> None:
        assert store.dirty(BOARDS, BOARD, CODE) == [Dirty(WHOLE, 0)]
        store.replace(BOARDS, BOARD, [Dirty(WHOLE, 0)], boards(), CODE)
        assert store.dirty(BOARDS, BOARD, CODE) == []
        assert store.dirty(BOARDS, BOARD, "v2") == [Dirty(WHOLE, 0)]

    def test_cycles_of_another_board_do_not_count(self, store: Store) -> None:
        predict(store, 0)
        assert weeks(store.dirty(PREDICTIONS, "other", CODE, cycles=self.cycles(0))) == [0]


class TestMisuse:
    def test_a_source_table_needs_its_cycles(self, store: Store) -> None:
        with pytest.raises(ValueError, match=r"competition\.predictions is filled from a source; give `cycles`"):
            store.dirty(PREDICTIONS, BOARD, CODE)

    def test_a_computed_table_takes_no_cycles(self, store: Store) -> None:
        with pytest.raises(ValueError, match=r"competition\.scores is computed from other tables"):
            store.dirty(SCORES, BOARD, CODE, cycles=[week(0)])

    def test_limits_have_no_zone(self, store: Store) -> None:
        with pytest.raises(ValueError, match=r"limit .* has a time zone"):
            store.dirty(SCORES, BOARD, CODE, first=datetime(2020, 1, 1, tzinfo=UTC))

    def test_inputs_must_be_tables_of_the_same_schema(self, store: Store) -> None:
        spec = replace(SCORES, inputs=(Input("prediction"),))
        with pytest.raises(
            ValueError,
            match=r"unknown input 'prediction' of competition\.scores; tables .*models, model_versions, subj",
        ):
            store.dirty(spec, BOARD, CODE)

    def test_known_by_needs_a_time_of_knowledge(self, store: Store) -> None:
        with pytest.raises(ValueError, match=r"competition\.predictions has no known_at column"):
            store.dirty(replace(SNAPSHOTS, inputs=(Input("predictions", Via.KNOWN_BY),)), BOARD, CODE)

    def test_some_input_must_say_which_cycles_there_are(self, store: Store) -> None:
        with pytest.raises(ValueError, match=r"no input of competition\.leaderboard says which cycles"):
            store.dirty(replace(LEADERBOARD, inputs=(Input("snapshots", Via.DAY_BEFORE),)), BOARD, CODE)


class TestSameAndTargetTime:
    """Scores: of predictions cycle by cycle, and of the outcomes of their target times."""

    def test_every_predicted_cycle_is_dirty_at_first_also_before_its_outcome(self, store: Store) -> None:
        predict(store, 0, 1, 2)
        resolve(store, 1, (1, 0.5))
        assert store.dirty(SCORES, BOARD, CODE) == [Dirty(week(0), 2), Dirty(week(1), 1), Dirty(week(2), 1)]

    def test_nothing_is_dirty_once_computed(self, store: Store) -> None:
        predict(store, 0, 1, 2)
        resolve(store, 1, (1, 0.5))
        assert settle(store, SCORES) == [0, 1, 2]
        assert settle(store, SCORES) == []

    def test_a_late_outcome_of_an_old_cycle_dirties_just_that_cycle(self, store: Store) -> None:
        predict(store, *range(20))
        for number in range(2, 20):
            resolve(store, number, (number, 0.5))
        settle(store, SCORES)
        resolve(store, 1, (30, 0.5))
        assert settle(store, SCORES) == [0]

    def test_a_changed_prediction_dirties_its_cycle(self, store: Store) -> None:
        predict(store, 0, 1)
        settle(store, SCORES)
        predict(store, 1, value=2.0)
        assert settle(store, SCORES) == [1]

    def test_an_outcome_that_nobody_predicted_dirties_nothing(self, store: Store) -> None:
        predict(store, 0)
        settle(store, SCORES)
        resolve(store, 7, (7, 0.5))
        assert settle(store, SCORES) == []

    def test_a_target_shared_by_cycles_dirties_them_all(self, store: Store) -> None:
        rows = pd.concat([predictions(0, delay=2, models=["a"]), predictions(1, delay=1, models=["a"])])
        store.replace(PREDICTIONS, BOARD, dirty(0, 1), rows, CODE)
        predict(store, 2)
        settle(store, SCORES)
        resolve(store, 2, (2, 0.5))
        assert settle(store, SCORES) == [0, 1]

    def test_a_changed_target_is_followed(self, store: Store) -> None:
        predict(store, 0)
        resolve(store, 5, (5, 0.5))
        settle(store, SCORES)
        predict(store, 0, delay=5)
        assert settle(store, SCORES) == [0]
        resolve(store, 5, (5, 0.5), (6, 0.6))
        assert settle(store, SCORES) == [0]
        resolve(store, 1, (1, 0.1))
        assert settle(store, SCORES) == []

    def test_predictions_that_vanish_dirty_their_cycle_once(self, store: Store) -> None:
        predict(store, 0, 1)
        settle(store, SCORES)
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(), CODE)
        assert settle(store, SCORES) == [0]
        assert settle(store, SCORES) == []

    def test_other_code_dirties_every_cycle_and_keeps_its_inputs(self, store: Store) -> None:
        predict(store, 0, 1)
        settle(store, SCORES)
        assert store.dirty(SCORES, BOARD, "v2") == dirty(0, 1, input_seq=1)
        assert settle(store, SCORES, "v2") == [0, 1]
        assert settle(store, SCORES, "v2") == []

    def test_a_range_and_force(self, store: Store) -> None:
        predict(store, 0, 1, 2)
        assert weeks(store.dirty(SCORES, BOARD, CODE, first=week(1), last=week(1))) == [1]
        settle(store, SCORES)
        assert weeks(store.dirty(SCORES, BOARD, CODE, first=week(1), force=True)) == [1, 2]

    def test_a_change_further_up_reaches_down_the_chain_only_if_rows_change(self, store: Store) -> None:
        predict(store, 0)
        settle(store, SCORES)
        assert settle(store, CYCLE_METRICS) == [0]
        spec = replace(CYCLE_METRICS, inputs=(Input("scores"),))
        store.replace(spec, BOARD, store.dirty(spec, BOARD, CODE, force=True), frame(spec, []), CODE)
        predict(store, 0, value=3.0)
        assert settle(store, SCORES) == [0]
        assert store.dirty(spec, BOARD, CODE) == []
        assert weeks(store.dirty(CYCLE_METRICS, BOARD, CODE)) == [0]


class TestTablesThatChangeAsOne:
    """Inputs or outputs without cycles."""

    models = frame(MODELS, [{"model_id": "a"}])

    def test_an_input_without_cycles_concerns_every_cycle(self, store: Store) -> None:
        spec = replace(SCORES, inputs=(Input("predictions"), Input("models")))
        predict(store, 0, 1)
        assert settle(store, spec) == [0, 1]
        store.replace(MODELS, BOARD, [Dirty(WHOLE, 0)], self.models, CODE)
        assert settle(store, spec) == [0, 1]
        assert settle(store, spec) == []

    def test_a_table_without_cycles_needs_every_cycle_of_its_inputs(self, store: Store) -> None:
        spec = replace(MODELS, inputs=(Input("predictions"), Input("truth")))
        assert store.dirty(spec, BOARD, CODE) == [Dirty(WHOLE, 0)]
        predict(store, 0, 1)
        resolve(store, 1, (1, 0.5))
        assert store.dirty(spec, BOARD, CODE) == [Dirty(WHOLE, 2)]
        store.replace(spec, BOARD, [Dirty(WHOLE, 2)], self.models, CODE)
        assert store.dirty(spec, BOARD, CODE) == []
        predict(store, 1, value=2.0)
        assert store.dirty(spec, BOARD, CODE) == [Dirty(WHOLE, 4)]


def measure(store: Store, number: float, *facts: tuple[float, float]) -> None:
    """All values of one cycle's metric: (week when known, value)."""
    rows = cycle_metrics(*((number, known, value) for known, value in facts))
    store.replace(CYCLE_METRICS, BOARD, dirty(number), rows, CODE)


class TestKnownBy:
    """Snapshots: one per time at which a metric became known, of all that was known by then."""

    def test_there_is_one_board_per_time_of_knowledge(self, store: Store) -> None:
        measure(store, 0, (1, 0.1))
        measure(store, 1, (2, 0.2), (5, 0.3))
        assert store.dirty(SNAPSHOTS, BOARD, CODE) == [Dirty(week(1), 1), Dirty(week(2), 2), Dirty(week(5), 2)]

    def test_a_new_cycle_dirties_only_its_own_board(self, store: Store) -> None:
        for number in range(10):
            measure(store, number, (number + 1, 0.1))
        assert settle(store, SNAPSHOTS) == list(range(1, 11))
        measure(store, 10, (11, 0.1))
        assert settle(store, SNAPSHOTS) == [11]
        assert settle(store, SNAPSHOTS) == []

    def test_a_revision_dirties_only_boards_from_its_time_of_knowledge_on(self, store: Store) -> None:
        for number in range(10):
            measure(store, number, (number + 1, 0.1))
        settle(store, SNAPSHOTS)
        measure(store, 2, (3, 0.1), (7.5, 0.9))
        assert settle(store, SNAPSHOTS) == [7.5, 8, 9, 10]

    def test_a_correction_of_the_past_dirties_boards_from_then_on(self, store: Store) -> None:
        for number in range(5):
            measure(store, number, (number + 1, 0.1))
        settle(store, SNAPSHOTS)
        measure(store, 2, (3, 0.7))
        assert settle(store, SNAPSHOTS) == [3, 4, 5]

    def test_a_withdrawn_revision_dirties_the_boards_that_used_it(self, store: Store) -> None:
        for number in range(5):
            measure(store, number, (number + 1, 0.1))
        measure(store, 0, (1, 0.1), (4, 0.3))
        settle(store, SNAPSHOTS)
        measure(store, 0, (1, 0.1))
        assert settle(store, SNAPSHOTS) == [4, 5]

    def test_a_board_whose_time_of_knowledge_vanished_is_dirty_while_it_has_rows(self, store: Store) -> None:
        measure(store, 0, (1, 0.1), (2.5, 0.2))
        store.replace(SNAPSHOTS, BOARD, store.dirty(SNAPSHOTS, BOARD, CODE), snapshots((1, 0.1), (2.5, 0.2)), CODE)
        measure(store, 0, (1, 0.1))
        found = store.dirty(SNAPSHOTS, BOARD, CODE)
        assert weeks(found) == [2.5]
        store.replace(SNAPSHOTS, BOARD, found, snapshots(), CODE)
        assert store.dirty(SNAPSHOTS, BOARD, CODE) == []
        measure(store, 0, (1, 0.1), (2.5, 0.2))
        assert weeks(store.dirty(SNAPSHOTS, BOARD, CODE)) == [2.5]

    def test_changes_of_other_boards_and_tables_do_not_count(self, store: Store) -> None:
        measure(store, 0, (1, 0.1))
        settle(store, SNAPSHOTS)
        store.replace(CYCLE_METRICS, "other", dirty(0), cycle_metrics((0, 0.5, 0.3)), CODE)
        resolve(store, 0, (0, 0.1))
        assert settle(store, SNAPSHOTS) == []


class TestDayBefore:
    """The leaderboard: of its own snapshot, and of the newest at least 24 hours older, for the change of rank."""

    def day(self, number: float) -> float:
        return number / 7

    def snap(self, store: Store, *facts: tuple[float, float]) -> None:
        """Snapshots by (day, value)."""
        in_weeks = [(self.day(number), value) for number, value in facts]
        rows = snapshots(*in_weeks)
        store.replace(SNAPSHOTS, BOARD, dirty(*(number for number, _ in in_weeks)), rows, CODE)

    def empty(self, store: Store, *days: float) -> None:
        store.replace(SNAPSHOTS, BOARD, dirty(*(self.day(number) for number in days)), snapshots(), CODE)

    def settle(self, store: Store) -> list[float]:
        return [round(number * 7, 6) for number in settle(store, LEADERBOARD)]

    def test_a_board_needs_its_snapshot_and_the_one_a_day_before(self, store: Store) -> None:
        self.snap(store, (0, 0.1), (0.5, 0.1), (1.5, 0.1), (2, 0.1))
        assert self.settle(store) == [0, 0.5, 1.5, 2]
        self.snap(store, (0.5, 0.7))
        assert self.settle(store) == [0.5, 1.5, 2]
        self.snap(store, (0, 0.7))
        assert self.settle(store) == [0]
        self.snap(store, (1.5, 0.7))
        assert self.settle(store) == [1.5]

    def test_exactly_a_day_counts(self, store: Store) -> None:
        self.snap(store, (0, 0.1), (1, 0.1))
        self.settle(store)
        self.snap(store, (0, 0.2))
        assert self.settle(store) == [0, 1]

    def test_a_snapshot_that_comes_in_between_is_the_new_predecessor(self, store: Store) -> None:
        self.snap(store, (0, 0.1), (7, 0.1), (14, 0.1))
        self.settle(store)
        self.snap(store, (3, 0.1))
        assert self.settle(store) == [3, 7]

    def test_an_emptied_snapshot_is_no_predecessor_but_its_loss_counts(self, store: Store) -> None:
        self.snap(store, (0, 0.1), (3, 0.1), (7, 0.1))
        self.settle(store)
        self.empty(store, 3)
        assert self.settle(store) == [3, 7]
        self.snap(store, (0, 0.2))
        assert self.settle(store) == [0, 3, 7]


class TestKnownByDeadline:
    """Weights of ensembles: of what was known of any cycle by the deadline of their own."""

    spec = ENSEMBLE_WEIGHTS

    def predict(self, store: Store, *numbers: float, after: float = 0) -> None:
        """Predictions that are due some weeks after their cycle."""
        rows = predictions(*numbers)
        rows["deadline"] = rows["cycle"] + after * WEEK
        store.replace(PREDICTIONS, BOARD, dirty(*numbers), rows, CODE)

    def measure(self, store: Store, number: float, *facts: tuple[float, float]) -> None:
        """The metrics of one cycle: (week when known, value)."""
        rows = cycle_metrics(*((number, known, value) for known, value in facts))
        store.replace(CYCLE_METRICS, BOARD, dirty(number), rows, CODE)

    def test_what_becomes_known_dirties_exactly_the_cycles_due_by_then_or_later(self, store: Store) -> None:
        self.predict(store, 0, 1, 2, 3)
        assert settle(store, self.spec) == [0, 1, 2, 3]
        self.measure(store, 0, (1, 0.1))
        assert settle(store, self.spec) == [1, 2, 3]
        self.measure(store, 1, (2.5, 0.1))
        assert settle(store, self.spec) == [3]
        self.measure(store, 2, (3.5, 0.1))
        assert settle(store, self.spec) == []

    def test_a_revision_dirties_the_cycles_due_since(self, store: Store) -> None:
        self.predict(store, 0, 1, 2, 3)
        self.measure(store, 0, (1, 0.1))
        settle(store, self.spec)
        self.measure(store, 0, (1, 0.1), (2, 0.2))
        assert settle(store, self.spec) == [2, 3]
        self.measure(store, 0, (1, 0.3), (2, 0.2))
        assert settle(store, self.spec) == [1, 2, 3]
        self.measure(store, 0, (1, 0.3))
        assert settle(store, self.spec) == [2, 3]

    def test_the_deadline_counts_and_not_the_cycle(self, store: Store) -> None:
        self.predict(store, 0, 1, 2, 3, after=1)
        settle(store, self.spec)
        self.measure(store, 0, (2, 0.1))
        assert settle(store, self.spec) == [1, 2, 3]

    def test_a_cycle_that_is_predicted_anew_dirties_itself_only(self, store: Store) -> None:
        self.predict(store, 0, 1, 2)
        self.measure(store, 0, (1, 0.1))
        settle(store, self.spec)
        predict(store, 1, value=2.0)
        assert settle(store, self.spec) == [1]

    def test_metrics_of_a_cycle_that_nobody_predicts_make_no_cycle(self, store: Store) -> None:
        self.predict(store, 5)
        settle(store, self.spec)
        self.measure(store, 0, (1, 0.1))
        assert settle(store, self.spec) == [5]

    def test_another_boards_metrics_do_not_count(self, store: Store) -> None:
        self.predict(store, 0, 1)
        settle(store, self.spec)
        store.replace(CYCLE_METRICS, "other", dirty(0), cycle_metrics((0, 0, 0.1)), CODE)
        assert settle(store, self.spec) == []


class TestPreviousAndAlongside:
    """Metrics of a cycle: of the cycle of the competition before it too, and of factors where there are any."""

    spec = replace(CYCLE_METRICS, inputs=(Input("predictions"), Input("predictions", Via.PREVIOUS)))

    def predict_late(self, store: Store, number: float) -> None:
        rows = predictions(number).assign(is_late=True)
        store.replace(PREDICTIONS, BOARD, dirty(number), rows, CODE)

    def test_a_changed_cycle_dirties_itself_and_the_next(self, store: Store) -> None:
        predict(store, 0, 1, 2, 3)
        assert settle(store, self.spec) == [0, 1, 2, 3]
        predict(store, 1, value=2.0)
        assert settle(store, self.spec) == [1, 2]
        predict(store, 3, value=2.0)
        assert settle(store, self.spec) == [3]
        assert settle(store, self.spec) == []

    def test_a_cycle_that_comes_in_between_is_the_new_previous_one(self, store: Store) -> None:
        predict(store, 0, 4, 8)
        settle(store, self.spec)
        predict(store, 2)
        assert settle(store, self.spec) == [2, 4]
        predict(store, 0, value=2.0)
        assert settle(store, self.spec) == [0, 2]

    def test_a_cycle_of_late_predictions_only_is_nobodys_previous_one_but_its_change_counts(self, store: Store) -> None:
        predict(store, 0)
        self.predict_late(store, 1)
        predict(store, 2)
        settle(store, self.spec)
        predict(store, 0, value=2.0)
        assert settle(store, self.spec) == [0, 1, 2]
        predict(store, 1)
        assert settle(store, self.spec) == [1, 2]
        predict(store, 0, value=3.0)
        assert settle(store, self.spec) == [0, 1]
        self.predict_late(store, 1)
        assert settle(store, self.spec) == [1, 2]

    def test_an_emptied_cycle_leaves_the_one_before_it(self, store: Store) -> None:
        predict(store, 0, 1, 2)
        settle(store, self.spec)
        store.replace(PREDICTIONS, BOARD, dirty(1), predictions(), CODE)
        assert settle(store, self.spec) == [1, 2]
        predict(store, 0, value=2.0)
        assert settle(store, self.spec) == [0, 1, 2]

    def test_another_boards_predictions_do_not_count(self, store: Store) -> None:
        predict(store, 0, 1)
        settle(store, self.spec)
        store.replace(PREDICTIONS, "other", dirty(0), predictions(0, value=3.0), CODE)
        assert settle(store, self.spec) == []

    def test_only_predictions_say_which_cycles_were_played(self, store: Store) -> None:
        spec = replace(CYCLE_METRICS, inputs=(Input("predictions"), Input("scores", Via.PREVIOUS)))
        with pytest.raises(ValueError, match=r"competition\.scores does not say which cycles were played"):
            store.dirty(spec, BOARD, CODE)

    def test_factors_dirty_their_cycle_and_make_none(self, store: Store) -> None:
        predict(store, 0, 1)
        settle(store, CYCLE_METRICS)
        rows = frame(FACTORS, [{"cycle": week(number), "subject": "AAPL", "factor": "size"} for number in (1, 7)])
        store.replace(FACTORS, BOARD, dirty(1, 7), rows, CODE)
        assert settle(store, CYCLE_METRICS) == [1]
        store.replace(FACTORS, BOARD, dirty(1), rows.iloc[:0], CODE)
        assert settle(store, CYCLE_METRICS) == [1]
        assert settle(store, CYCLE_METRICS) == []


Fact = tuple[int, int]
"""When it became known, and its value."""


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.dictionaries(st.integers(0, 6), st.integers(0, 2), max_size=3), st.booleans()),
        max_size=7,
    )
)
def test_snapshots_are_dirty_exactly_when_what_was_known_by_then_changed(
    in_memory: Store, steps: list[tuple[int, dict[int, int], bool]]
) -> None:
    """Against the definition: a board is dirty if the facts known by then are not those it was computed from,
    or were changed in between; it is never missed, and boards before every change are left alone."""
    store = in_memory
    for spec in (LEDGER, CHANGES, CYCLE_METRICS):
        store.connection.execute(compose("DELETE FROM {table}", table=spec))
    facts: dict[int, dict[int, int]] = {}
    computed: dict[int, dict[int, dict[int, int]]] = {}
    touched: set[int] = set()
    for number, values, compute in steps:
        before, facts[number] = facts.get(number, {}), values
        measure(store, number, *values.items())
        altered = {known for known in before.keys() | values.keys() if before.get(known) != values.get(known)}
        touched |= {as_of for as_of in computed if altered and as_of >= min(altered)}
        if not compute:
            continue
        as_ofs = {known for values in facts.values() for known in values}
        expected = {as_of for as_of in as_ofs if as_of not in computed or as_of in touched}
        stale = {as_of for as_of in as_ofs & computed.keys() if computed[as_of] != known_by(facts, as_of)}
        found = {round(moment) for moment in settle(store, SNAPSHOTS)}
        assert stale <= found
        assert found == expected
        computed |= {as_of: known_by(facts, as_of) for as_of in as_ofs}
        touched -= found


def known_by(facts: dict[int, dict[int, int]], as_of: int) -> dict[int, dict[int, int]]:
    known = {number: {k: v for k, v in values.items() if k <= as_of} for number, values in facts.items()}
    return {number: values for number, values in known.items() if values}


def test_all_closures_of_the_declared_tables_work_on_an_empty_warehouse(store: Store) -> None:
    computed = [spec for spec in ALL_TABLES if spec.inputs]
    once = [[] if spec.cycle else [Dirty(WHOLE, 0)] for spec in computed]  # what has no cycles is always one
    assert [store.dirty(spec, BOARD, CODE) for spec in computed] == once


def test_thirty_years_of_weeks_are_looked_through_with_as_many_statements_as_ten_weeks(store: Store) -> None:
    taken = []
    for number_of_weeks in (10, 1669):
        numbers = range(number_of_weeks)
        rows = cycle_metrics(*((number, number + 1, 0.1) for number in numbers))
        store.replace(CYCLE_METRICS, BOARD, dirty(*numbers), rows, CODE)
        watched, counting = counted(store)
        assert len(watched.dirty(SNAPSHOTS, BOARD, CODE)) == number_of_weeks
        taken.append(counting.statements)
    assert taken[0] == taken[1] > 0
