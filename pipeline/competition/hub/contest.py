"""A hub's target as a competition: its contract out of the hub's own configuration, and the source it names."""

from pipeline.competition.contract import Contract
from pipeline.competition.declaration import HUB
from pipeline.competition.hub.source import HubSource


def hub_source(contract: Contract) -> HubSource:
    """The source of a contract whose predictions come from a hub.

    Raises
    ------
    HubError
        If there is no such hub, or it has no such target.
    ValueError
        If they come from elsewhere.
    """
    declared = contract.predictions
    if declared.source != HUB or declared.path is None or declared.target is None:
        raise ValueError(f"predictions of {contract.name!r} come from {declared.source!r}, which is no hub")
    return HubSource(declared.path, declared.target, declared.output_type)
