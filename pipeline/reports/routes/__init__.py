"""The routes of the report API, one module for each thing that is asked about."""
