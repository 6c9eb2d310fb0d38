"""Whatever is asked, the API answers as its OpenAPI document says, and never with a server error."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pipeline.reports.app import create_app
from pipeline_tests.conftest import toy_environment
from pipeline_tests.reports.served import declared, publish

pytestmark = pytest.mark.slow

QUESTIONS = 60
"""Made for each endpoint."""
FREE_TEXT = ("competition", "as_of", "start", "end", "window", "category", "rank_by", "metrics")
"""Parameters whose meaning no schema can tell: what there is, and dates, which are refused by what they say."""
PATHS = sorted(create_app(Path("nowhere")).openapi()["paths"])


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> BaseSchema:
    folder = tmp_path_factory.mktemp("openapi")
    with toy_environment(folder, dbt_dir):
        publish(folder, declared())
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
            case.path_parameters = dict.fromkeys(case.path_parameters or {}, "good")
        answered.add(case.call_and_validate(excluded_checks=[positive_data_acceptance]).status_code)

    ask()
    assert 200 in answered
