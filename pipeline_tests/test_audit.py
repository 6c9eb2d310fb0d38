"""What ``make audit`` says: only what was looked up is audited."""

from pipeline_tests.audit import told

GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}, {"id": "CVE-2"}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1)"}


def test_a_vulnerable_package_is_named_with_its_remedy_and_fails() -> None:
    lines = ["audited: 2 packages, 1 with known vulnerabilities", "b 2: CVE-1, CVE-2; mended in 3"]
    assert told([GOOD, BAD]) == (lines, 1)


def test_what_could_not_be_looked_up_is_not_audited_and_does_not_fail() -> None:
    lines, status = told([SKIPPED, SKIPPED])
    assert status == 0
    assert lines == [
        f"not audited: the service of vulnerabilities knows no package or cannot be reached ({SKIPPED['skip_reason']})"
    ]
    assert told("no network") == (["not audited: no network"], 0)


def test_of_some_it_is_said_which_were_not_looked_up() -> None:
    assert told([GOOD, SKIPPED]) == (
        ["audited: 1 packages, 0 with known vulnerabilities", "not audited: 1 packages (c)"],
        0,
    )
