"""Tests of pipeline.warehouse."""
