"""Tests of what lies past one machine."""
