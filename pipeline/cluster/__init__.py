"""Past one machine, on one: servers on loopback, workers in homes of their own, and runs that are spread over them."""

from pipeline.cluster.servers import ServerError, missing_servers, new_database, postgres, redis

__all__ = ["ServerError", "missing_servers", "new_database", "postgres", "redis"]
