"""Bundled facts: what three permissively licensed sources published of well-known models, so that no board is empty.

Figures are written down as they were published, with where, when and in which version; none is computed or estimated.
``figures.csv`` has the figures, ``names.csv`` the models as the sources call them and, where a person added a link to
it, on what that rests (``checked``), ``sources.csv`` the versions that were read, and their licences.
"""

from pipeline.rankings.bundled.facts import Bundled, bundled_facts, bundled_hash, bundled_sources

__all__ = ["Bundled", "bundled_facts", "bundled_hash", "bundled_sources"]
