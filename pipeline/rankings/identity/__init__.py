"""Which release each source's name of a model means."""

from pipeline.rankings.identity.aliases import Alias, Candidate, Decision, Method, Status
from pipeline.rankings.identity.audit import Audit, Moved, Shared, SourceAudit, audit, drops
from pipeline.rankings.identity.catalogue import MODELS_DEV, OPENROUTER, Catalogue, Release, build_catalogue
from pipeline.rankings.identity.matching import Identity, identify
from pipeline.rankings.identity.names import Name, normalised, take_apart, vendor_key

__all__ = [
    "MODELS_DEV",
    "OPENROUTER",
    "Alias",
    "Audit",
    "Candidate",
    "Catalogue",
    "Decision",
    "Identity",
    "Method",
    "Moved",
    "Name",
    "Release",
    "Shared",
    "SourceAudit",
    "Status",
    "audit",
    "build_catalogue",
    "drops",
    "identify",
    "normalised",
    "take_apart",
    "vendor_key",
]
