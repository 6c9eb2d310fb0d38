"""Hubverse forecast hubs, pure: what a hub's configuration says, and what its rules refuse of a submission."""

from pipeline.competition.hub.config import (
    Hub,
    HubError,
    ModelTask,
    OutputType,
    Round,
    TargetMetadata,
    TaskId,
    read_hub,
)
from pipeline.competition.hub.contest import Contest, contest_of, hub_source
from pipeline.competition.hub.source import HubSource

__all__ = [
    "Contest",
    "Hub",
    "HubError",
    "HubSource",
    "ModelTask",
    "OutputType",
    "Round",
    "TargetMetadata",
    "TaskId",
    "contest_of",
    "hub_source",
    "read_hub",
]
