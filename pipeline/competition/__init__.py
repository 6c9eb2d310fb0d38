"""Competitions, pure: the contract, the panel, metrics, scoring rules and the stages from predictions to a board."""

from pipeline.competition.contract import Contract
from pipeline.competition.fingerprint import stage_code
from pipeline.competition.panel import Panel
from pipeline.competition.source import Source

__all__ = ["Contract", "Panel", "Source", "stage_code"]
