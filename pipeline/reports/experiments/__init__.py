"""Experiments as the report server takes part in them: what waits in queues, and what is written through the API."""
