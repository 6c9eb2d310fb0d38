"""Scorers: what an answer is worth, from 0 to 1, or why nobody can tell; and how far raters agree."""

from pipeline.experiments.scorers.agreement import Agreement, cohen_kappa, fleiss_kappa, krippendorff_alpha
from pipeline.experiments.scorers.formatting import Format, Length
from pipeline.experiments.scorers.human import Human
from pipeline.experiments.scorers.imported import Imported
from pipeline.experiments.scorers.judge import Judge
from pipeline.experiments.scorers.keyword import Keywords
from pipeline.experiments.scorers.known import SCORERS, make_scorer
from pipeline.experiments.scorers.matching import EmbeddingSimilarity, ExactMatch, FuzzyMatch, character_ngrams
from pipeline.experiments.scorers.scorer import Answer, Kind, Question, Scorer, Scoring, Tools, plain

__all__ = [
    "SCORERS",
    "Agreement",
    "Answer",
    "EmbeddingSimilarity",
    "ExactMatch",
    "Format",
    "FuzzyMatch",
    "Human",
    "Imported",
    "Judge",
    "Keywords",
    "Kind",
    "Length",
    "Question",
    "Scorer",
    "Scoring",
    "Tools",
    "character_ngrams",
    "cohen_kappa",
    "fleiss_kappa",
    "krippendorff_alpha",
    "make_scorer",
    "plain",
]
