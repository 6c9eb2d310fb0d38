"""What must hold between the parts of a contract: each rule says what is wrong, with the known names and the remedy.

What one part must hold by itself is in :mod:`pipeline.competition.declaration`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.competition.declaration import HUB, INBOX, LeaderboardSpec
from pipeline.competition.durations import format_duration
from pipeline.competition.ensembles import STRATEGIES, EnsembleConfig, Terms, filter_of, strategy_of
from pipeline.competition.metrics import BESIDE, METRICS, Need, Pool, base_and_ensemble
from pipeline.competition.scoring import RULES, SCALES, declared_rule, measure_names
from pipeline.leaderboard import Direction
from pipeline.registry import UnknownNameError

if TYPE_CHECKING:
    from pipeline.competition.contract import Contract


def problems_of(contract: "Contract") -> list[str]:
    """Everything that is wrong with a contract, one sentence each; nothing else is asked while a name is unknown."""
    return _unknown_names(contract) or [
        *_output_problems(contract),
        *_metric_problems(contract),
        *_key_problems(contract),
        *_category_problems(contract),
        *_evaluation_problems(contract),
        *_file_problems(contract),
        *_ensemble_problems(contract),
    ]


def _unknown_names(contract: "Contract") -> list[str]:
    problems = []
    wanted: list[tuple[str, Callable[[str], object], str]] = [("", RULES.get, contract.scoring.rule)]
    wanted.append(("", SCALES.get, contract.scoring.scale))
    wanted += [("", contract.metric, name) for name in contract.metrics]
    for one in contract.ensembles:
        whose = f"ensemble {one.name!r}: "
        wanted.append((whose, strategy_of, one.strategy))
        if isinstance(one.filter, str):
            wanted.append((whose, filter_of, one.filter))
    for whose, find, name in wanted:
        try:
            find(name)
        except UnknownNameError as error:
            problems.append(f"{whose}{error}")
    return problems


def _output_problems(contract: "Contract") -> list[str]:
    """Rules, scales and metrics that predictions of the contest's output type do not have."""
    rule, output = RULES.get(contract.scoring.rule), contract.output
    problems = []
    if output.type not in rule.output_types:
        scored, fit = ", ".join(rule.output_types), [one.name for one in RULES if output.type in one.output_types]
        problems.append(
            f"scoring.rule {contract.scoring.rule!r} scores {scored}, not {output.type!r} predictions; "
            f"these are scored by {', '.join(fit)}"
        )
    try:
        declared_rule(contract.scoring.rule, contract.scoring.scale, output.type)
        return [*problems, *_measure_problems(contract, measure_names(output))]
    except ValueError as error:
        return [*problems, str(error)]


def _measure_problems(contract: "Contract", have: Sequence[str]) -> list[str]:
    """Metrics of what predictions of the contest's output type do not have."""
    if "energy_score" in contract.metrics and contract.scoring.scale != "natural":
        return ["metric 'energy_score' is of the natural scale alone; leave it or scoring.scale out"]
    output_type = contract.output.type
    lacking = [name for name in contract.metrics if not contract.metric(name).is_of(output_type, have)]
    if not lacking:
        return []
    special = [one.name for one in METRICS if output_type in one.output_types]
    known = ", ".join([*(name for name in have if name in METRICS), *special]) or "none"
    with_ids = " with these output_type_ids" if contract.output.ids else ""
    return [
        f"metrics {', '.join(lacking)} are not of {output_type!r} predictions{with_ids}; "
        f"of these alone there are: {known}; besides, those of any prediction"
    ]


def _metric_problems(contract: "Contract") -> list[str]:
    listed = ", ".join(contract.metrics)
    problems = []
    if contract.scoring.primary not in contract.metrics:
        problems.append(f"scoring.primary {contract.scoring.primary!r} is not among metrics ({listed}); add it")
    if len(set(contract.metrics)) < len(contract.metrics):
        problems.append(f"metrics names one twice ({listed}); list each once")
    if contract.min_subjects == 1:
        problems += _problems_of_one_subject(contract)
    if contract.factors is None and contract.predictions.source == INBOX:
        needy = [name for name in contract.metrics if Need.FACTORS in contract.metric(name).needs]
        if needy:
            problems.append(
                f"metrics {', '.join(needy)} need factors, and none are declared: say where they come from, such as "
                f"factors: {{source: {INBOX}}}, or leave them out"
            )
    for name in contract.metrics:
        series_of = contract.metric(name).series_of
        if series_of is not None and series_of not in contract.metrics:
            problems.append(f"metric {name!r} is computed from {series_of!r}; add {series_of!r} to metrics")
    return problems


def _evaluation_problems(contract: "Contract") -> list[str]:
    """Evaluation sets of one name, or of measures that predictions do not have."""
    names = [spec.name for spec in contract.evaluations]
    twice = [repr(name) for name in dict.fromkeys(names) if names.count(name) > 1]
    problems = [f"evaluations names {', '.join(twice)} twice; give each set its own name"] if twice else []
    output = contract.output
    rules = () if output.is_distribution else (rule.name for rule in RULES if output.type in rule.output_types)
    try:
        known = dict.fromkeys([contract.scoring.rule, *measure_names(output), *rules])
    except ValueError:  # the output type itself is wrong, and that is told
        return problems
    for spec in contract.evaluations:
        early = [by for by in spec.by if by in ("cycle", "target_time")]
        if early and contract.embargo > contract.predictions.deadline:
            problems.append(
                f"evaluation {spec.name!r} is divided by {', '.join(early)}, which would show metrics of cycles before "
                f"predictions.publish_after; leave one of the two out"
            )
        unknown = [name for name in spec.measures if name not in known]
        if unknown:
            problems.append(
                f"evaluation {spec.name!r}: {output.type!r} predictions have no measure {', '.join(unknown)}; "
                f"known: {', '.join(known)}"
            )
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
    if not problems:
        problems += _twice_beside(contract)
    for ensemble in contract.ensembles:
        found = (
            *_weighing_problems(ensemble, contract),
            *_combining_problems(ensemble, contract),
            *_unused(ensemble),
        )
        problems.extend(f"ensemble {ensemble.name!r}: {problem}" for problem in found)
    return problems


def _twice_beside(contract: "Contract") -> Iterator[str]:
    """Metrics of members that are the same, under two names."""
    seen: dict[tuple[str, str], str] = {}
    for name in contract.metrics:
        if contract.metric(name).of_members is not None:
            beside = contract.ensemble_beside(name).name
            first = seen.setdefault((name.partition(BESIDE)[0], beside), name)
            if first != name:
                yield (
                    f"metrics {first!r} and {name!r} are the same: without an {BESIDE} it is computed against the "
                    f"first ensemble, {beside!r}; leave one out"
                )


def _unused(ensemble: EnsembleConfig) -> Iterator[str]:
    """Fields that are given and change nothing."""
    strategy, given = strategy_of(ensemble.strategy), ensemble.model_fields_set
    if "trim" in given and ensemble.combine != "trimmed":
        yield f"trim is given, but combine is {ensemble.combine!r}; leave trim out, or give combine: trimmed"
    conditions = ensemble.conditions
    is_filtered = isinstance(ensemble.filter, str) or conditions.min_metric or conditions.min_coverage is not None
    if ensemble.reselect is not None and not is_filtered and conditions.top_n is None:
        yield (
            "reselect is given, but no filter chooses members by their record; leave it out, or add one, such as "
            "filter: {top_n: 5}"
        )
    used = strategy.terms | ({"window"} if is_filtered else set())
    for term in (one.name for one in fields(Terms)):
        if term in given and term not in used:
            takers = " or ".join(one.name for one in STRATEGIES if term in one.terms)
            yield f"{term} is given, but strategy {strategy.name!r} does not use it; leave it out, or take {takers}"


def _combining_problems(ensemble: EnsembleConfig, contract: "Contract") -> Iterator[str]:
    """Ways to combine that the contest's predictions do not have."""
    output_type, is_pool = contract.output.type, ensemble.combine == "linear_pool"
    if not contract.output.is_distribution:
        if is_pool:
            yield f"combine is linear_pool, which is of distributions, not of {output_type!r} predictions; take mean"
        return
    if ensemble.normalize in ("rank", "zscore"):
        yield f"normalize is {ensemble.normalize!r}, which makes no distributions of distributions; leave it out"
    if output_type == "sample" and not is_pool:
        yield (
            f"combine is {ensemble.combine!r}, but sample 1 of one member has nothing to do with sample 1 of another; "
            f"give combine: linear_pool"
        )
    needy = [
        name
        for name in contract.metrics
        if base_and_ensemble(name)[0] in ("contribution", "ensemble_correlation")
        and _beside(contract, name) == ensemble
    ]
    if is_pool and output_type in ("quantile", "sample") and needy:
        yield (
            f"metrics {', '.join(needy)} need it without each of its members, which is not computed of a linear_pool "
            f"of {output_type}s; leave them out, or compute them against another ensemble, such as "
            f"{needy[0].partition(BESIDE)[0]}{BESIDE}<name>"
        )


def _beside(contract: "Contract", metric: str) -> EnsembleConfig | None:
    """The ensemble that a metric of members is computed against, if it is there."""
    try:
        return contract.ensemble_beside(metric)
    except ValueError:
        return None


def _weighing_problems(ensemble: EnsembleConfig, contract: "Contract") -> Iterator[str]:
    strategy, primary = strategy_of(ensemble.strategy), contract.scoring.primary
    if primary in contract.metrics and contract.metric(primary).of_panel is None:
        yield f"scoring.primary {primary!r} is no metric of single cycles, so nothing can be weighed by it"
    elif primary in contract.metrics and contract.direction(primary) is Direction.ASC and not strategy.for_losses:
        yield f"strategy {strategy.name!r} needs a primary metric where more is better; {primary!r} is a loss"
    elif primary in contract.metrics and contract.direction(primary) is Direction.DESC and not strategy.for_gains:
        yield f"strategy {strategy.name!r} needs a primary metric that is a loss; more of {primary!r} is better"
    if "min_history" in strategy.terms and ensemble.min_history > ensemble.window:
        yield (
            f"min_history {ensemble.min_history} is more than its window of {ensemble.window} cycles, so nobody would "
            f"ever have enough; lower min_history or widen the window"
        )
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
    others = {"truth": contract.truth, "factors": contract.factors}
    problems += [
        f"{name}.source is {HUB!r}, but predictions come from {contract.predictions.source!r}; a hub's {name} are "
        f"those of its predictions"
        for name, part in others.items()
        if part is not None and part.source == HUB and contract.predictions.source != HUB
    ]
    if contract.embargo < contract.predictions.deadline:
        problems.append("predictions.publish_after is before the deadline: players could copy; give a later one")
    return problems


def _first_file_decides(contract: "Contract") -> bool:
    """Whether anybody's file may say when a cycle's outcomes are; all predictions of a cycle and horizon must agree."""
    predictions = contract.predictions
    is_public = predictions.source == INBOX and not predictions.trusted and contract.models.registration == "open"
    return is_public and contract.horizon_length is None


def _key_problems(contract: "Contract") -> list[str]:
    return _board_problems(contract, contract.leaderboard, "leaderboard")


def _category_problems(contract: "Contract") -> list[str]:
    """Parts of the contest that are declared twice, or whose boards cannot be ranked."""
    listed = [str(one.by) for one in contract.categories]
    if len(set(listed)) < len(listed):
        return [f"categories names one twice ({', '.join(listed)}); list each once"]
    problems = []
    for one in contract.categories:
        name = f"categories: {one.by}"
        board, have = one.board(contract.leaderboard), contract.metrics_by(one.by)
        compare = [
            key for key in board.keys if (metric := key.partition(".")[2]) in contract.metrics and metric not in have
        ]
        if compare:
            single = ", ".join(have) or "none; add score or hit_rate to metrics"
            field = "rank_by" if set(compare) & set(board.weights) else "tie_breakers"
            problems.append(
                f"{name} is ranked by {', '.join(compare)}, which compares subjects with each other; give its own "
                f"{field} of a metric of single predictions, among metrics: {single}"
            )
        elif board != contract.leaderboard:
            problems += _board_problems(contract, board, name)
    return problems


def _board_problems(contract: "Contract", board: LeaderboardSpec, name: str) -> list[str]:
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
            contract.ranked_by(board)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return problems
