"""What runs and checks came to last, kept in a file for whoever looks after a Podium, and told to a hook.

It knows no orchestrator: :mod:`pipeline.components.observing` reads what a run did, pages and metrics read what is kept
here. Checks are not in the publication, because a failed one may be why there is none.
"""

from pipeline.health.alerts import Alert, AlertError, Hook, hook_of, tell, webhook
from pipeline.health.journal import Journal
from pipeline.health.states import AssetState, CheckState, Failure, Health, JobState, Seen, after, to_tell, told

__all__ = [
    "Alert",
    "AlertError",
    "AssetState",
    "CheckState",
    "Failure",
    "Health",
    "Hook",
    "JobState",
    "Journal",
    "Seen",
    "after",
    "hook_of",
    "tell",
    "to_tell",
    "told",
    "webhook",
]
