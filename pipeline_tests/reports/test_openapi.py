"""Whatever is asked, the API answers as its OpenAPI document says, and never with a server error."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from pipeline.reports.access import EXPERIMENTS, RUNS, SUBMISSIONS
from pipeline.reports.app import create_app
from pipeline.settings import Settings
from pipeline_tests.components.test_evaluation_tables import RECENT, WHOLE
from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.experiments.asked import Bench, asked
from pipeline_tests.reports.experiments.test_declaring import DECLARED
from pipeline_tests.reports.judged import publish_track
from pipeline_tests.reports.made_up_ranking import BEST, publish_ranking
from pipeline_tests.reports.served import declared, publish
from pipeline_tests.reports.writing import FUTURE, Desk
from pipeline_tests.stories import QUESTIONS
from pipeline_tests.toy_experiment import NAME, toy_experiment

pytestmark = pytest.mark.slow

FREE_TEXT = ("competition", "as_of", "start", "end", "window", "category", "rank_by", "metrics")
FREE_TEXT += ("track", "judge", "evaluation", "by")
FREE_TEXT += ("ranking", "providers", "has_benchmarks", "sort", "weights", "models")
"""Parameters whose meaning no schema can tell: what there is, and dates, which are refused by what they say."""
ALL_PATHS = create_app(Path("nowhere")).openapi()["paths"]
OF_EXPERIMENTS = [
    (path, method.upper())
    for path, operations in sorted(ALL_PATHS.items())
    if path.startswith((RUNS, EXPERIMENTS))
    for method in operations
]
PATHS = sorted(set(ALL_PATHS) - {SUBMISSIONS} - {path for path, _ in OF_EXPERIMENTS})
GOOD_PATHS = {"model": BEST}
"""What is there of parts of paths; elsewhere ``good``."""
GOOD = {"rows": [{"model_id": "anna", "cycle": FUTURE, "subject": "X", "value": 0.5}]}
OFTEN = {"submissions_per_minute": 1_000_000, "failed_keys_per_minute": 1_000_000, "runs_per_minute": 1_000_000}
GOOD_RUN = toy_experiment().made[-1].run_id()
GOOD_QUERY = {"experiment_id": NAME, "scorer": "helpful", "configuration": None, "input_id": None, "search": None}
"""What there is of free texts in queries of experiments; None: without it."""
GOOD_BODIES = {
    RUNS: asked(),
    f"{RUNS}/{{run_id}}/score": {"scorer_name": "helpful", "value": 0.5},
    EXPERIMENTS: DECLARED,
}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> BaseSchema:
    folder = tmp_path_factory.mktemp("openapi")
    with toy_environment(folder, dbt_dir):
        publish(folder, declared(evaluations=[WHOLE, RECENT]))
        publish_track(folder)
    publish_ranking(folder)
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(folder / "published"))


@pytest.mark.parametrize("path", PATHS)
def test_answers_are_as_the_document_says(document: BaseSchema, path: str) -> None:
    operation = document[path]["GET"]

    answered = set()

    @given(case=operation.as_strategy(), is_of_the_contest=st.booleans())
    @settings(max_examples=QUESTIONS, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case, is_of_the_contest: bool) -> None:
        if is_of_the_contest:  # or hardly any question would be about what there is
            case.query = {name: value for name, value in (case.query or {}).items() if name not in FREE_TEXT}
            case.path_parameters = {name: GOOD_PATHS.get(name, "good") for name in case.path_parameters or {}}
        answered.add(case.call_and_validate(excluded_checks=[positive_data_acceptance]).status_code)

    ask()
    assert 200 in answered


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(tmp_path_factory.mktemp("writes"))
    made.publish()
    return made


def document_of(folder: Path) -> BaseSchema:
    """What is served from a folder, to be asked as often as one likes."""
    app = create_app(folder / "published", given=Settings(data_dir=folder, **OFTEN))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.fixture(scope="module")
def of_desk(desk: Desk) -> BaseSchema:
    return document_of(desk.folder)


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_submissions_are_answered_as_the_document_says(
    desk: Desk, of_desk: BaseSchema, method: str, with_key: bool
) -> None:
    operation = of_desk[SUBMISSIONS][method]
    headers = desk.key("Ann") if with_key else {}
    answered = set()

    @given(case=operation.as_strategy(), is_good=st.booleans())
    @settings(max_examples=QUESTIONS, suppress_health_check=list(HealthCheck), deadline=None)
    def ask(case: schemathesis.Case, is_good: bool) -> None:
        case.headers = headers
        if is_good:
            case.query = {name: value for name, value in (case.query or {}).items() if name not in FREE_TEXT}
        if is_good and method == "POST":
            case.body, case.media_type = GOOD, "application/json"
        # Without a key, that one is needed is the answer to everything, and what this asks for.
        checks = [positive_data_acceptance, *(() if with_key else (negative_data_rejection,))]
        answered.add(case.call_and_validate(excluded_checks=checks).status_code)

    ask()
    assert answered & {200, 201} if with_key else answered == {401}


def test_the_document_says_that_submissions_need_a_key_and_what_goes_wrong(desk: Desk) -> None:
    document = create_app(desk.folder / "published").openapi()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    of_path = document["paths"][SUBMISSIONS]
    for operation in of_path.values():
        assert operation["security"] == [{"key": []}]
        assert {"401", "404", "422", "429", "503"} <= set(operation["responses"])
    assert {"200", "201", "403", "413"} <= set(of_path["post"]["responses"])
    assert set(of_path["post"]["requestBody"]["content"]) == {"multipart/form-data", "application/json"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    made = Bench(tmp_path_factory.mktemp("experiments"))
    toy_experiment().publish(made.folder)
    return made


@pytest.fixture(scope="module")
def of_bench(bench: Bench) -> BaseSchema:
    return document_of(bench.folder)


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize(("path", "method"), OF_EXPERIMENTS)
def test_experiments_are_answered_as_the_document_says(
    bench: Bench, of_bench: BaseSchema, path: str, method: str, with_key: bool
) -> None:
    operation = of_bench[path][method]
    headers = bench.key("Ann") if with_key else {}
    answered = set()

    @given(case=operation.as_strategy(), is_good=st.booleans())
    @settings(max_examples=QUESTIONS, suppress_health_check=list(HealthCheck), deadline=None)
    def ask(case: schemathesis.Case, is_good: bool) -> None:
        case.headers = headers
        if is_good:
            _about_what_there_is(case, path)
        # A declaration may be shorter than the document says: a list of names, a text for a prompt.
        is_strict = with_key and not is_good and path != EXPERIMENTS
        checks = [positive_data_acceptance, *(() if is_strict else (negative_data_rejection,))]
        answered.add(case.call_and_validate(excluded_checks=checks).status_code)

    ask()
    assert answered & {200, 201, 409} if with_key else answered == {401}


def _about_what_there_is(case: schemathesis.Case, path: str) -> None:
    first, second = (one.id for one in toy_experiment().declared.configurations[:2])
    case.path_parameters = {name: {"run_id": GOOD_RUN}.get(name, NAME) for name in case.path_parameters or {}}
    good = GOOD_QUERY | {"a": first, "b": second}
    query = {name: good.get(name, value) for name, value in (case.query or {}).items()}
    case.query = {name: value for name, value in query.items() if value is not None}
    if path in GOOD_BODIES:
        case.body, case.media_type = GOOD_BODIES[path], "application/json"


def test_the_document_says_that_runs_need_a_key_and_what_goes_wrong(bench: Bench) -> None:
    document = create_app(bench.folder / "published").openapi()
    for path, method in OF_EXPERIMENTS:
        operation = document["paths"][path][method.lower()]
        assert operation["security"] == [{"key": []}]
        assert {"401", "404", "422", "429", "503"} <= set(operation["responses"])
        assert operation["summary"]
    assert {"200", "201", "409", "413"} <= set(document["paths"][RUNS]["post"]["responses"])
    assert document["paths"][RUNS]["post"]["responses"]["201"]
