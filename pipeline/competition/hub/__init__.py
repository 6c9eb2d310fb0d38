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

__all__ = ["Hub", "HubError", "ModelTask", "OutputType", "Round", "TargetMetadata", "TaskId", "read_hub"]
