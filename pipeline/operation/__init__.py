"""Keeping a Podium running: rebuild a warehouse out of what is kept, back all of it up, bring it back.

Above everything that makes boards; the command line is the only one that uses it.
"""

from pipeline.operation.backing_up import Backup
from pipeline.operation.errors import OperationError
from pipeline.operation.manifest import Entry, Manifest, Waiting
from pipeline.operation.rebuilding import Rebuild, Report, TakenOver
from pipeline.operation.relaying import AsJson, Relay
from pipeline.operation.restoring import Restore
from pipeline.operation.supervising import Patience, Service, Supervisor

__all__ = [
    "AsJson",
    "Backup",
    "Entry",
    "Manifest",
    "OperationError",
    "Patience",
    "Rebuild",
    "Relay",
    "Report",
    "Restore",
    "Service",
    "Supervisor",
    "TakenOver",
    "Waiting",
]
