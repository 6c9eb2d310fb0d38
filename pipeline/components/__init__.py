"""Dagster components: what a ``defs.yaml`` may declare."""

from pipeline.components.automation import Automation
from pipeline.components.competition import Competition
from pipeline.components.experiment import Experiment
from pipeline.components.judged_track import JudgedTrack
from pipeline.components.llm_rankings import LlmRankings
from pipeline.components.posted_experiments import PostedExperiments
from pipeline.components.publishing import Publishing

__all__ = ["Automation", "Competition", "Experiment", "JudgedTrack", "LlmRankings", "PostedExperiments", "Publishing"]
