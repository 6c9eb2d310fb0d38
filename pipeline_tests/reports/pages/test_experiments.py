"""Pages of prompt experiments: what they say is what tables hold, and every text is text whatever is in it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.experiments import plan
from pipeline.experiments.running import Money
from pipeline.reports.pages.experiment_waits import waits_of
from pipeline.reports.queries.experiment_tables import DeclaredExperiment
from pipeline.reports.queries.experiment_waits import Unfinished
from pipeline.settings import Settings
from pipeline_tests.reports.pages.page_tables import PageTables
from pipeline_tests.reports.served import files_in, served
from pipeline_tests.toy_experiment import NAME, Made, experiment, toy_experiment

HOSTILE = "</pre><script>alert('x')</script> & \"quoted\""
BOARD = f"/experiments/{NAME}"


def made() -> Any:
    """The toy experiment, of which one output and one error mean harm."""
    toy = toy_experiment()
    listed = {(one.configuration.title, one.input_id, one.repeat): one.config for one in plan(toy.declared)}
    said = Made(listed["polite@2 · large", "fiji", 2], 2, output=HOSTILE)
    failed = Made(listed["polite@2 · large", "chad", 2], 2, "failed", error=HOSTILE, cost=None)
    return toy.but(said, failed)


TOY = made()
ROWS = {spec.name: frame for spec, frame in TOY.tables().items()}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("experiments")
    TOY.publish(folder)
    with served(folder / "published") as asked:
        yield asked


def page(client: TestClient, path: str = BOARD, code: int = 200, **asked: Any) -> PageTables:
    answer = client.get(path, params=asked, headers={"accept": "text/html"})
    assert answer.status_code == code, answer.text
    assert HOSTILE not in answer.text
    return PageTables(answer.text)


def column(found: PageTables, caption: str, heading: str) -> list[str]:
    table = found.table(caption)
    place = [cell.text.strip(" ↑↓") for cell in table.rows[0]].index(heading)
    return [row[place].text for row in table.rows[1:]]


def configuration(title: str) -> str:
    rows = ROWS["configurations"]
    return str(rows.loc[rows["title"] == title, "configuration"].item())


def run_of(title: str, input_id: str, repeat: int = 1) -> Any:
    rows = ROWS["runs"]
    is_it = (rows["configuration"] == configuration(title)) & (rows["input_id"] == input_id)
    return rows[is_it & (rows["repeat"] == repeat)].iloc[0]


def test_experiments_are_listed_with_what_became_of_their_runs(client: TestClient) -> None:
    found = page(client, "/experiments")
    (row,) = found.table("Experiments").rows[1:]
    counts = ROWS["runs"]["status"].value_counts()
    assert row[0].text == f"Capitals of <countries> {NAME} best: terse@1 · large"
    assert row[0].link == BOARD
    assert row[1].text.startswith(f"{counts['completed']} of {len(ROWS['runs'])}")
    assert f"{counts['pending']} waiting, {counts['failed']} failed" in row[1].text
    assert row[2].text == "terse@1 · large"
    assert float(row[3].text) == pytest.approx(ROWS["leaderboard"].iloc[0]["score"], abs=0.0006)
    assert row[6].text.startswith(f"{ROWS['runs']['cost'].sum():.2f} of 1.00")


def test_without_experiments_the_list_says_how_to_declare_one(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with files.write("a test"):
        pass
    files.publish()
    with served(tmp_path / "published") as asked:
        said = page(asked, "/experiments").text
    assert "No experiment is declared yet" in said
    assert "defs.yaml" in said


def test_the_first_page_links_to_experiments_and_shows_who_leads(client: TestClient) -> None:
    found = page(client, "/")
    assert found.links["Experiments"] == "/experiments"
    assert "Prompt experiment" in found.text
    assert found.table("First places, by weighted score").column(1)[0].text.startswith("terse@1 · large")
    assert client.get(f"/boards/{NAME}", follow_redirects=False).headers["location"] == BOARD


def test_the_board_has_every_configuration_with_its_score_interval_and_scorers(client: TestClient) -> None:
    found = page(client)
    rows = ROWS["leaderboard"][ROWS["leaderboard"]["grouping"] == "configuration"].sort_values("position")
    caption = "Capitals of <countries>: configurations by score"
    assert [text.split()[0] for text in column(found, caption, "Rank")] == [
        "–" if rank != rank else f"{rank:.0f}" for rank in rows["rank"].astype(float)
    ]
    assert column(found, caption, "Configuration")[0] == rows.iloc[0]["title"]
    shown = [None if text == "–" else float(text) for text in column(found, caption, "Score")]
    expected = rows["score"].astype(object).where(rows["score"].notna(), None).tolist()
    assert shown == [None if one is None else pytest.approx(one, abs=0.006) for one in expected]
    by_scorer = ROWS["scorer_summary"][ROWS["scorer_summary"]["grouping"] == "configuration"]
    first = by_scorer[by_scorer["contestant"] == rows.iloc[0]["contestant"]].set_index("scorer")
    assert float(column(found, caption, "exact ×2")[0]) == pytest.approx(first.loc["exact", "value"], abs=0.0006)
    assert column(found, caption, "brief (×0)")[0].startswith(f"{first.loc['brief', 'value']:.2f}")
    assert column(found, caption, "helpful ×1")[0].endswith(f"of {first.loc['helpful', 'n_scored']} runs")
    assert column(found, caption, "At 0") == [f"{n}" for n in rows["n_zero"]]
    assert column(found, caption, "At 1") == [f"{n}" for n in rows["n_full"]]
    assert found.count("svg", **{"class": "ci"}) >= rows["ci_low"].notna().sum()


def test_the_histogram_says_what_it_draws(client: TestClient) -> None:
    answer = client.get(BOARD).text
    rows = ROWS["leaderboard"][ROWS["leaderboard"]["grouping"] == "configuration"].sort_values("position")
    said = re.findall(r'class="hist"[^>]*aria-label="([^"]*)"', answer)
    assert len(said) == (rows["n_scored"] > 0).sum()
    first = rows.iloc[0]
    assert said[0].startswith(f"{first['n_scored']} runs: {first['n_zero']} at 0, {first['n_full']} at 1")


def test_who_is_not_ranked_is_below_with_the_reason(client: TestClient) -> None:
    titles = column(page(client), "Capitals of <countries>: configurations", "Configuration")
    assert "not ranked: no scored runs" in titles[-1]


def test_the_baseline_is_named_and_others_are_beside_it(client: TestClient) -> None:
    found = page(client)
    caption = "Capitals of <countries>: configurations"
    titles = column(found, caption, "Configuration")
    shown = dict(zip(titles, column(found, caption, "Beside the baseline"), strict=True))
    rows = ROWS["comparisons"].set_index("configuration")
    best = rows.loc[configuration("terse@1 · large")]
    (of_best,) = (text for title, text in shown.items() if title.startswith("terse@1 · large"))
    assert of_best == f"{best['difference']:+.3f} {best['verdict']}"
    (baseline,) = (title for title in titles if "the baseline" in title)
    assert baseline.startswith("terse@1 · small")
    assert shown[baseline] == "–"


@pytest.mark.parametrize("by", ["model", "prompt"])
def test_models_and_prompts_have_boards_of_their_own(client: TestClient, by: str) -> None:
    rows = ROWS["leaderboard"][ROWS["leaderboard"]["grouping"] == by].sort_values("position")
    titles = column(page(client, by=by), f"Capitals of <countries>: {by}s by score", by.capitalize())
    assert [title.split(" not ranked")[0].split()[0] for title in titles] == [
        title.split()[0] for title in rows["title"]
    ]


def test_runs_are_ranked_too_and_lead_to_their_pages(client: TestClient) -> None:
    found = page(client, by="run", limit=500)
    board = ROWS["run_board"].merge(ROWS["runs"][["run_id", "status"]], on="run_id", suffixes=("", "_of_run"))
    listed = board[(board["status_of_run"] == "completed") & board["score"].notna()].sort_values("position")
    table = found.table("Capitals of <countries>: runs by score")
    assert [str(cell.link).rpartition("/")[2] for cell in table.column(1)] == listed["run_id"].tolist()
    assert "lacks helpful" in found.text


@pytest.mark.parametrize("sort", ["cost", "scorer.exact", "difference", "n_zero", "title"])
def test_sorting_keeps_ranks_and_puts_what_has_no_value_last(client: TestClient, sort: str) -> None:
    caption = "Capitals of <countries>: configurations"
    ranks = dict(
        zip(column(page(client), caption, "Configuration"), column(page(client), caption, "Rank"), strict=True)
    )
    for by in (sort, f"-{sort}"):
        found = page(client, sort=by)
        titles = column(found, caption, "Configuration")
        assert dict(zip(titles, column(found, caption, "Rank"), strict=True)) == ranks
        if sort in ("cost", "scorer.exact", "difference"):
            assert titles[-1].startswith("ad_hoc@")
    heading = {"cost": "USD/run", "scorer.exact": "exact ×2", "n_zero": "At 0"}.get(sort)
    if heading:
        values = [float(text) for text in column(page(client, sort=sort), caption, heading) if text != "–"]
        assert values == sorted(values)
        assert len(set(values)) > 1


@pytest.mark.parametrize(
    ("sort", "heading"), [("cost", "USD"), ("scorer.helpful", "helpful ×1"), ("tokens_out", "Tokens out")]
)
def test_runs_are_sorted_across_pages_and_keep_their_ranks(client: TestClient, sort: str, heading: str) -> None:
    caption = "Capitals of <countries>: runs by score"
    whole = page(client, by="run", limit=500)
    ranks = dict(
        zip([cell.link for cell in whole.table(caption).column(1)], column(whole, caption, "Rank"), strict=True)
    )
    for by in (sort, f"-{sort}"):
        shown: list[str] = []
        for offset in (0, 40):
            found = page(client, by="run", sort=by, limit=40, offset=offset)
            shown += column(found, caption, heading)
            links = [cell.link for cell in found.table(caption).column(1)]
            assert [ranks[link] for link in links] == column(found, caption, "Rank")
        values = [float(text) for text in shown if text != "–"]
        assert values == sorted(values, reverse=by.startswith("-"))
        assert len(set(values)) > 1
        assert shown[len(values) :] == ["–"] * (len(ranks) - len(values))


def test_what_cannot_be_asked_is_said(client: TestClient) -> None:
    assert "no board by 'author'; known: configuration" in page(client, code=422, by="author").text
    assert "cannot sort by 'luck'" in page(client, code=422, sort="luck").text
    assert "cannot sort runs by 'scorer.luck'" in page(client, code=422, by="run", sort="scorer.luck").text
    assert "no experiment 'nothing' is known; known: capitals" in page(client, "/experiments/nothing", 404).text
    assert "there is no run 'nope'" in page(client, f"{BOARD}/runs/nope", 404).text
    assert "no status 'lost'" in page(client, f"{BOARD}/runs", 422, status="lost").text
    assert "min_score '2' is no share" in page(client, f"{BOARD}/runs", 422, min_score="2").text


def test_what_waits_and_what_failed_is_counted_with_the_reason(client: TestClient) -> None:
    found = page(client)
    runs = ROWS["runs"].merge(ROWS["configurations"][["configuration", "model"]], on="configuration")
    for row in found.table("Runs that have not completed").rows[1:]:
        of_model = runs.loc[runs["model"] == row[0].text, "status"]
        assert [cell.text for cell in row[1:5]] == [
            str((of_model == status).sum()) for status in ("pending", "running", "failed", "cancelled")
        ]
        if row[1].text != "0":
            assert row[5].text.startswith("provider 'openai' has no address; set PODIUM_PROVIDERS_OPENAI")
    assert "timed out after 120 s 2 runs" in found.text
    assert HOSTILE in found.text


def test_scorers_and_agreement_are_told(client: TestClient) -> None:
    found = page(client)
    assert [[cell.text for cell in row[:3]] for row in found.table("Scorers of the experiment").rows[1:]] == [
        ["exact", "2", "computed"],
        ["brief", "shown only", "computed"],
        ["helpful", "1", "people rate"],
    ]
    assert len(found.table("Agreement of raters").rows) == 1 + len(ROWS["agreement"])


def test_runs_are_listed_filtered_and_paged(client: TestClient) -> None:
    path, caption = f"{BOARD}/runs", "Runs of Capitals"
    found = page(client, path)
    assert len(found.table(caption).rows) == 51
    assert f"1 to 50 of {len(ROWS['runs'])} runs" in found.text
    assert len(page(client, path, offset=50).table(caption).rows) == len(ROWS["runs"]) - 50 + 1
    failed = page(client, path, status="failed")
    assert set(column(failed, caption, "Status")) == {"failed"}
    assert f"3 runs of {len(ROWS['runs'])} match" in failed.text
    of_large = page(client, path, model="large", input_id="peru", status="completed")
    assert len(of_large.table(caption).rows) == 4
    assert f"polite@2 · large {HOSTILE[:89]}" in " ".join(column(failed, caption, "Input"))


def test_a_run_shows_what_was_asked_what_came_back_and_every_score(client: TestClient) -> None:
    rated = ROWS["scores"].loc[ROWS["scores"]["number"] == 2, "run_id"].item()
    run = ROWS["runs"].set_index("run_id").loc[rated]
    found = page(client, f"{BOARD}/runs/{rated}")
    assert "Capital of France?" in found.text
    assert "Capital of {{ country }}?" in found.text
    assert f"What came back {run['output']}" in found.text
    assert "ReferenceParis" in found.text
    rows = [[cell.text for cell in row] for row in found.table("Scores of the run").rows[1:]]
    expected = ROWS["scores"][ROWS["scores"]["run_id"] == rated]
    assert len(rows) == len(expected)
    assert [row[0] for row in rows] == [
        "exact",
        "brief",
        "helpful the newest of 2",
        "helpful replaced by a newer one",
        "helpful",
    ]
    assert [row[3] for row in rows][-3:] == ["rater 1 people rate", "rater 1 people rate", "rater 2 people rate"]
    assert len(found.table("Stages of the run").rows) == 2
    assert "Ann" not in found.text


def test_a_run_leads_to_its_repeats_and_to_what_others_made_of_the_input(client: TestClient) -> None:
    first, second = (run_of("terse@1 · large", "peru", repeat) for repeat in (1, 2))
    found = page(client, f"{BOARD}/runs/{first['run_id']}")
    assert found.links["Number 2"] == f"{BOARD}/runs/{second['run_id']}"
    assert page(client, f"{BOARD}/runs/{second['run_id']}").links["Number 1"] == f"{BOARD}/runs/{first['run_id']}"
    others = found.table("The newest run of every other configuration")
    assert {row[0].text.removesuffix(" number 2") for row in others.rows[1:]} == {
        "terse@1 · small",
        "polite@2 · large",
        "polite@2 · small",
    }


def test_texts_that_mean_harm_are_shown_as_they_are(client: TestClient) -> None:
    said, failed = (run_of("polite@2 · large", name, 2) for name in ("fiji", "chad"))
    assert HOSTILE in page(client, f"{BOARD}/runs/{said['run_id']}").text
    assert f"It failed: {HOSTILE}" in page(client, f"{BOARD}/runs/{failed['run_id']}").text


def test_a_run_of_another_experiment_is_not_here(client: TestClient) -> None:
    answer = client.get(f"/experiments/other/runs/{ROWS['runs']['run_id'].iloc[0]}", headers={"accept": "text/html"})
    assert answer.status_code == 404


def test_two_configurations_are_beside_each_other_input_by_input(client: TestClient) -> None:
    a, b = configuration("terse@1 · large"), configuration("terse@1 · small")
    found = page(client, f"{BOARD}/compare", a=a, b=b)
    row = ROWS["comparisons"].set_index("configuration").loc[a]
    assert f"A is better than B on {row['n_inputs']} common inputs" in found.text
    assert f"{row['wins']} , {row['ties']} , {row['losses']}" in found.text
    assert found.count("article") == row["n_inputs"]
    for only, n in (("better", "wins"), ("worse", "losses"), ("same", "ties")):
        assert page(client, f"{BOARD}/compare", a=a, b=b, only=only).count("article") == row[n]
    assert found.count("mark", **{"class": "b"}) > 0


def test_the_baseline_is_the_other_one_unless_another_is_asked_for(client: TestClient) -> None:
    a = configuration("terse@1 · large")
    found = page(client, f"{BOARD}/compare", a=a)
    assert f"{BOARD}/compare?a={configuration('terse@1 · small')}&b={a}" in found.links["Swap"]
    assert "Choose two configurations" in page(client, f"{BOARD}/compare").text
    assert "compared with itself" in page(client, f"{BOARD}/compare", 422, a=a, b=a).text
    assert "has no configuration 'none'" in page(client, f"{BOARD}/compare", 422, a="none").text


def test_inputs_that_not_both_have_scores_on_are_left_out_and_counted(client: TestClient) -> None:
    ad_hoc = ROWS["configurations"].loc[~ROWS["configurations"]["is_declared"], "configuration"].item()
    found = page(client, f"{BOARD}/compare", a=configuration("terse@1 · large"), b=ad_hoc)
    assert "A and B are not told apart on 0 common inputs" in found.text
    assert "Left out11 10 scored by one only, 1 by neither" in found.text
    assert "They have no input in common" in found.text


def test_why_runs_wait_depends_on_providers_prices_and_what_was_spent() -> None:
    def why(spent: float | None = None, **changes: Any) -> str:
        given = Settings(providers={"there": "http://127.0.0.1:1/v1"}, data_dir=Path("nowhere"))
        declared = DeclaredExperiment(
            NAME, "", experiment(baseline=None, **changes).model_dump_json(exclude_unset=True)
        )
        money = None if spent is None else Money(spent, 0.0, 0.0, 0)
        (found,) = waits_of(declared, [Unfinished("m", 1, 0, 0, 0, ("{}",))], money, given)
        return found.why

    priced = {"input_price": 1, "output_price": 1, "max_output_tokens": 9}
    assert "its price is not known" in why(models={"m": {"provider": "there"}})
    assert why(models={"m": {"provider": "there"}}, execution={"max_cost": None}).startswith("podium dev runs them")
    assert "1 of 1 USD are spent or may have been, which leaves no room" in why(
        1.0, models={"m": {"provider": "there", **priced}}
    )
    assert why(0.5, models={"m": {"provider": "there", **priced}}).startswith("podium dev runs them")
    assert why(1.0, models={"m": {"provider": "local"}}).startswith("podium dev runs them")
    by_hand = why(models={"m": {"provider": "local"}}, execution={"automatic": False})
    assert by_hand == f"podium experiments run {NAME} runs them"
