"""Backtests: a board as it would be had a model's predictions been submitted in time, by its own functions."""

from pipeline.competition.backtest.board import BoardRows, needed_since
from pipeline.competition.backtest.result import Backtest, BacktestError, backtest
from pipeline.competition.backtest.walk import Known, Model, predict

__all__ = ["Backtest", "BacktestError", "BoardRows", "Known", "Model", "backtest", "needed_since", "predict"]
