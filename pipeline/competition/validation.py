"""What must hold between the parts of a contract: each rule says what is wrong, with the known names and the remedy.

What one part must hold by itself is in :mod:`pipeline.competition.declaration`.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from pipeline.competition.declaration import INBOX, LeaderboardSpec
from pipeline.competition.durations import format_duration
from pipeline.competition.ensembles import EnsembleConfig, filter_of, strategy_of
from pipeline.competition.metrics import BESIDE, Pool, base_and_ensemble
from pipeline.competition.scoring import RULES
from pipeline.leaderboard import Direction
from pipeline.registry import UnknownNameError

if TYPE_CHECKING:
    from pipeline.competition.contract import Contract


def problems_of(contract: "Contract") -> list[str]:
    """Everything that is wrong with a contract, one sentence each; nothing else is asked while a name is unknown."""
    return _unknown_names(contract) or [
        *_metric_problems(contract),
        *_key_problems(contract),
        *_category_problems(contract),
        *_file_problems(contract),
        *_ensemble_problems(contract),
    ]


def _unknown_names(contract: "Contract") -> list[str]:
    problems = []
    wanted: tuple[tuple[Callable[[str], object], tuple[str, ...]], ...] = (
        (RULES.get, (contract.scoring.rule,)),
        (contract.metric, contract.metrics),
        (strategy_of, tuple(ensemble.strategy for ensemble in contract.ensembles)),
        (filter_of, tuple(one.filter for one in contract.ensembles if isinstance(one.filter, str))),
    )
    for find, names in wanted:
        for name in names:
            try:
                find(name)
            except UnknownNameError as error:
                problems.append(str(error))
    return problems


def _metric_problems(contract: "Contract") -> list[str]:
    listed = ", ".join(contract.metrics)
    problems = []
    rule, output_type = RULES.get(contract.scoring.rule), contract.predictions.output_type
    if output_type not in rule.output_types:
        scored = ", ".join(rule.output_types)
        problems.append(f"scoring.rule {contract.scoring.rule!r} scores {scored}, not {output_type!r} predictions")
    if contract.scoring.primary not in contract.metrics:
        problems.append(f"scoring.primary {contract.scoring.primary!r} is not among metrics ({listed}); add it")
    if len(set(contract.metrics)) < len(contract.metrics):
        problems.append(f"metrics names one twice ({listed}); list each once")
    if contract.min_subjects == 1:
        problems += _problems_of_one_subject(contract)
    for name in contract.metrics:
        series_of = contract.metric(name).series_of
        if series_of is not None and series_of not in contract.metrics:
            problems.append(f"metric {name!r} is computed from {series_of!r}; add {series_of!r} to metrics")
    return problems


def _ensemble_problems(contract: "Contract") -> list[str]:
    """Ensembles that cannot be computed, and metrics that need one."""
    problems = []
    names = [ensemble.name for ensemble in contract.ensembles]
    if len(set(names)) < len(names):
        problems.append(f"ensembles names one twice ({', '.join(names)}); give each its own name")
    for name in contract.metrics:
        try:
            if contract.metric(name).of_members is not None:
                contract.ensemble_beside(name)
            elif base_and_ensemble(name)[1] is not None:
                problems.append(f"metric {name!r}: only metrics of members have an {BESIDE}; leave it out")
        except ValueError as error:
            problems.append(str(error))
    for ensemble in contract.ensembles:
        problems.extend(f"ensemble {ensemble.name!r}: {problem}" for problem in _weighing_problems(ensemble, contract))
    return problems


def _weighing_problems(ensemble: EnsembleConfig, contract: "Contract") -> Iterator[str]:
    strategy, primary = strategy_of(ensemble.strategy), contract.scoring.primary
    if primary in contract.metrics and contract.metric(primary).of_panel is None:
        yield f"scoring.primary {primary!r} is no metric of single cycles, so nothing can be weighed by it"
    elif primary in contract.metrics and contract.direction(primary) is Direction.ASC and not strategy.for_losses:
        yield f"strategy {strategy.name!r} needs a primary metric where more is better; {primary!r} is a loss"
    conditions = ensemble.conditions
    keys = contract.leaderboard.keys if conditions.top_n else ()
    of_keys = [key.partition(".")[2] for key in keys]
    for name in dict.fromkeys([*conditions.min_metric, *of_keys]):
        if name not in contract.metrics:
            yield f"filter: metric {name!r} is not among: {', '.join(contract.metrics)}"
        elif contract.metric(name).of_members is not None:
            yield f"filter: metric {name!r} is computed from an ensemble, so it cannot say who is in one"
        elif contract.direction(name) is Direction.NONE:
            yield f"filter: metric {name!r} is better neither high nor low"


def _problems_of_one_subject(contract: "Contract") -> list[str]:
    """What compares the subjects of a cycle, and so is never defined over one; custom metrics may do as they like."""
    comparing = [name for name in contract.metrics if "." not in name and contract.metric(name).pool is not Pool.TASKS]
    comparing += [contract.scoring.rule] if contract.scoring.rule == "rank_product" else []
    if not comparing:
        return []
    return [
        f"min_subjects is 1, but {', '.join(comparing)} compare subjects with each other, 2 at least: give 2 or more, "
        f"or take what looks at single predictions, such as rule absolute_error with metrics score and hit_rate"
    ]


def _file_problems(contract: "Contract") -> list[str]:
    """Kinds of files that would be mixed up, and settings that would do nothing or harm."""
    problems = []
    if _first_file_decides(contract):
        problems.append(
            "horizon_length is missing: without it the first file that arrives would decide the target_time of its "
            "cycle for everybody, so that one wrong file spoils the cycle for all; declare horizon_length, such as 7d, "
            "or let in only whom you know: models: {registration: closed}, or predictions: {trusted: true}"
        )
    registries = (contract.models.files, contract.subjects.files)
    rows = {part.files for part in (contract.predictions, contract.truth, contract.factors) if part is not None}
    if len({*registries, *rows}) < len(rows) + len(registries):
        problems.append(f"files: registrations ({', '.join(registries)}) need folders of their own, apart from {rows}")
    if contract.horizon_length is not None and contract.horizon_length <= timedelta(0):
        problems.append(f"horizon_length is {format_duration(contract.horizon_length)}; give one above 0, such as 7d")
    if contract.embargo < contract.predictions.deadline:
        problems.append("predictions.publish_after is before the deadline: players could copy; give a later one")
    return problems


def _first_file_decides(contract: "Contract") -> bool:
    """Whether anybody's file may say when a cycle's outcomes are; all predictions of a cycle and horizon must agree."""
    predictions = contract.predictions
    is_public = predictions.source == INBOX and not predictions.trusted and contract.models.registration == "open"
    return is_public and contract.horizon_length is None


def _key_problems(contract: "Contract") -> list[str]:
    return _board_problems(contract, contract.leaderboard, "leaderboard", contract.rank_by)


def _category_problems(contract: "Contract") -> list[str]:
    """Parts of the contest that are declared twice, or whose boards cannot be ranked."""
    listed = [str(one.by) for one in contract.categories]
    if len(set(listed)) < len(listed):
        return [f"categories names one twice ({', '.join(listed)}); list each once"]
    problems = []
    for one in contract.categories:
        name, of = f"categories: {one.by}", one.by.category("any")
        board, have = contract.board(of), contract.metrics_in(of)
        compare = [
            key for key in board.keys if (metric := key.partition(".")[2]) in contract.metrics and metric not in have
        ]
        if compare:
            single = ", ".join(have) or "none; add score or hit_rate to metrics"
            problems.append(
                f"{name} is ranked by {', '.join(compare)}, which compares subjects with each other; give its own "
                f"rank_by of a metric of single predictions, among metrics: {single}"
            )
        elif board != contract.leaderboard:
            problems += _board_problems(contract, board, name, partial(contract.rank_by, of))
    return problems


def _board_problems(
    contract: "Contract", board: LeaderboardSpec, name: str, rank_by: Callable[[], object]
) -> list[str]:
    problems = []
    for key in board.keys:
        window, _, metric = key.partition(".")
        if window not in contract.windows:
            problems.append(f"{name} key {key!r}: unknown window {window!r}; known: {', '.join(contract.windows)}")
        if metric not in contract.metrics:
            problems.append(f"{name} key {key!r}: metric {metric!r} is not among: {', '.join(contract.metrics)}")
        elif not contract.metric(metric).ranks:
            ranking = ", ".join(name for name in contract.metrics if contract.metric(name).ranks)
            problems.append(
                f"{name} key {key!r}: {metric!r} leaps where there is little of what it divides by, so no board "
                f"is ranked by it; rank by one of: {ranking}"
            )
    if not problems:
        try:
            rank_by()
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return problems
