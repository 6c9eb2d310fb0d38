"""Declared boards, one folder each."""
