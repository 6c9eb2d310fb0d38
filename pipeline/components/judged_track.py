"""The component behind ``type: pipeline.components.JudgedTrack``: boards of runs declared in YAML become their assets.

It only wires: which files there are is in ``track_files``, what a table's rows are in ``judged_tables``, what must hold
in ``judged_checks``, what every kind of board has in ``board``.
"""

import dagster as dg

from pipeline.components import judged_checks, judged_tables
from pipeline.components.automation import Seen, Watched, changed_files_sensor
from pipeline.components.board import Board, Update, board_definitions, table_asset
from pipeline.components.keys import asset_key
from pipeline.components.track_files import state_of, track_files
from pipeline.judging import Track
from pipeline.tables import (
    BOARDS,
    COMPARISONS,
    CORRELATIONS,
    MEASURES,
    TRACK_FILES,
    TRACK_LEADERBOARD,
    TableSpec,
)

ASSETS: tuple[tuple[TableSpec, Update[Track], tuple[TableSpec, ...]], ...] = (
    (BOARDS, judged_tables.update_catalog, ()),
    (TRACK_FILES, judged_tables.update_files, (BOARDS,)),
    (MEASURES, judged_tables.update_measures, (TRACK_FILES,)),
    (TRACK_LEADERBOARD, judged_tables.update_leaderboard, (MEASURES,)),
    (CORRELATIONS, judged_tables.update_correlations, (MEASURES,)),
    (COMPARISONS, judged_tables.update_comparisons, (MEASURES,)),
)
"""The tables of a track: how each is brought up to date, and which it reads."""


class JudgedTrack(Board):
    """A judged track: runs ranked by an official board, and how well judges' boards predict that.

    Everything about the track is in the attributes; see each field's description. A mistake in them fails at load and
    says which names are known; a measure that is on no board is told of in the run.
    """

    contract: Track
    declared_as = Track

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The assets, the job that materializes them and all that follows from them, its schedule and sensors."""
        return track_definitions(self.contract)


def track_definitions(track: Track) -> dg.Definitions:
    """Definitions of one judged track, from its declaration alone."""
    assets = [
        table_asset(track, spec, update, upstream, judged_checks.of_table(spec)) for spec, update, upstream in ASSETS
    ]

    def look() -> Seen:
        files = track_files(track)
        return Seen(state_of(files), len(files), sum(not one.is_settled for one in files))

    watched = Watched(asset_key(track.name, TRACK_FILES), look)
    sensor = changed_files_sensor(track.name, judged_tables.FILES_SEEN, [watched])
    return board_definitions(track, assets, [sensor])
