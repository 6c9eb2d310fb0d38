"""What must hold of tables, as asset checks that say which rows break it, and the checks that several kinds have.

A check is one SELECT whose rows are the violations; a blocking one keeps what follows from being computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from pipeline.tables import TableSpec
from pipeline.warehouse import Sql, Store, compose

_SHOWN = 5
"""Violations that a failed check lists."""


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Parameters
    ----------
    name, description : str
        The fact, as the UI shows it.
    violations : str
        SELECT of the rows that break it; its ``?`` are all the board's name.
    blocking : bool
        Whether a failure keeps downstream assets from running.
    """

    name: str
    description: str
    violations: str
    blocking: bool = True

    def spec(self, asset: dg.AssetKey) -> dg.AssetCheckSpec:
        """The check's declaration on an asset."""
        return dg.AssetCheckSpec(self.name, asset=asset, description=self.description, blocking=self.blocking)

    def run(self, store: Store, board: str) -> dg.AssetCheckResult:
        """Look for violations; passes when there are none."""
        parameters = [board] * self.violations.count("?")
        found = store.query(
            compose(
                "SELECT *, count(*) OVER () AS violations FROM ({violations}) LIMIT {shown}",
                violations=Sql(self.violations),
                shown=Sql(str(_SHOWN)),
            ),
            parameters,
        )
        count = int(found["violations"].iloc[0]) if len(found) else 0
        return dg.AssetCheckResult(
            check_name=self.name,
            passed=count == 0,
            severity=dg.AssetCheckSeverity.ERROR if self.blocking else dg.AssetCheckSeverity.WARN,
            description=None
            if count == 0
            else f"{count} violations, the first: {found.iloc[0].drop('violations').to_dict()}",
            metadata={
                "violations": count,
                "examples": dg.MetadataValue.md(found.drop(columns="violations").to_markdown(index=False))
                if count
                else dg.MetadataValue.text("none"),
            },
        )


def ranks_well_formed(
    spec: TableSpec,
    contestants: str,
    shown: Sequence[str],
    boards: Sequence[str] = (),
    *,
    rank: str = "rank",
    columns: Mapping[str, str] | None = None,
    also: Sequence[str] = (),
) -> Check:
    """The check that every table of ranks has.

    Parameters
    ----------
    spec : TableSpec
        With the columns ``position``, ``status`` and the rank.
    contestants : str
        What is ranked, in the plural.
    shown : sequence of str
        Columns that name a contestant where it breaks the check; those of ``boards`` are shown besides.
    boards : sequence of str
        Columns that tell the boards of the table apart.
    rank : str
        The column of the rank that positions follow.
    columns : mapping of str to str
        Further expressions by name, over ``board``, the window of one board.
    also : sequence of str
        Further conditions that break it.
    """
    named = "".join(f", {expression} AS {name}" for name, expression in (columns or {}).items())
    broken = (
        "position <> place",
        f"{rank} <> expected",
        f"{rank} < worst_so_far",
        f"(status = 'ranked') <> ({rank} IS NOT NULL)",
        *also,
    )
    return Check(
        "ranks_are_well_formed",
        f"{'On every board p' if boards else 'P'}ositions run from 1 without gaps, in the order of ranks, the unranked "
        f"last; a rank is one more than the number of better {contestants}, and exactly the ranked have one.",
        compose(
            """
            SELECT {shown}, position, {rank}, status
            FROM (
                SELECT *,
                    row_number() OVER (board ORDER BY position) AS place,
                    rank() OVER (board ORDER BY {rank} NULLS LAST) AS expected,
                    max(coalesce({rank}, 2147483647)) OVER (board ORDER BY position) AS worst_so_far{named}
                FROM {ranks}
                WHERE {board} = ?
                WINDOW board AS (PARTITION BY {parts})
            )
            WHERE {broken}
            """,
            shown=[*boards, *shown],
            rank=rank,
            named=Sql(named),
            ranks=spec,
            board=spec.board,
            parts=[spec.board, *boards],
            broken=Sql(" OR ".join(broken)),
        ),
    )


def keys_unique(spec: TableSpec) -> Check:
    """The check that every table has."""
    violations = compose(
        "SELECT {key}, count(*) AS times FROM {table} WHERE {board} = ? GROUP BY ALL HAVING count(*) > 1",
        key=spec.key,
        table=spec,
        board=spec.board,
    )
    return Check("keys_are_unique", f"No two rows have the same {', '.join(spec.key)}.", violations)
