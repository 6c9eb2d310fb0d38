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
from pipeline.competition.hub.contest import hub_source
from pipeline.competition.hub.source import HubSource

__all__ = [
    "Hub",
    "HubError",
    "HubSource",
    "ModelTask",
    "OutputType",
    "Round",
    "TargetMetadata",
    "TaskId",
    "hub_source",
    "read_hub",
]
