"""Who may ask and how often: keys of players, and the gate in front of everything."""

from pipeline.reports.access.gate import EXPERIMENTS, METRICS, RUNS, SUBMISSIONS, KeyGate, key_of
from pipeline.reports.access.keys import Key, KeysError, KeyStore, UnknownKeyIdError
from pipeline.reports.access.limits import Buckets

__all__ = [
    "EXPERIMENTS",
    "METRICS",
    "RUNS",
    "SUBMISSIONS",
    "Buckets",
    "Key",
    "KeyGate",
    "KeyStore",
    "KeysError",
    "UnknownKeyIdError",
    "key_of",
]
