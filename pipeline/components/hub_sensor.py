"""What keeps the board of a forecast hub up to date: a look into its folder, as often as a clone may change.

A hub behind a URL is not looked at all the time, since listing it costs requests: its board declares a schedule.
"""

from datetime import timedelta

import dagster as dg
from upath import UPath

from pipeline.clock import utc_now
from pipeline.competition import Contract
from pipeline.competition.hub import hub_source
from pipeline.components.automation import Seen, Watched, changed_files_sensor
from pipeline.components.hub_tables import FILES_SEEN, hub_state
from pipeline.components.keys import asset_key
from pipeline.tables import PREDICTIONS

_SETTLED_AFTER = timedelta(seconds=5)
"""While files change, as during a pull, the hub is not read."""


def hub_sensors(contract: Contract) -> list[dg.SensorDefinition]:
    """The sensor of a board whose hub is a folder; none of one behind a URL."""
    if not is_local(contract):
        return []

    def look() -> Seen:
        source = hub_source(contract)
        recently = utc_now() - _SETTLED_AFTER
        unsettled = sum(file.changed_at is not None and file.changed_at > recently for file in source.files)
        return Seen(hub_state(source), len(source.files), unsettled)

    return [changed_files_sensor(contract.name, FILES_SEEN, [Watched(asset_key(contract.name, PREDICTIONS), look)])]


def is_local(contract: Contract) -> bool:
    """Whether a contract's hub is a folder of this machine."""
    return UPath(contract.predictions.path or "").protocol in ("", "file")
