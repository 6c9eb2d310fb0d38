"""Podium: predictions in, leaderboards out."""
