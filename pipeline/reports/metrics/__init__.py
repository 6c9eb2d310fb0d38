"""What Prometheus scrapes: requests as they are answered, boards as they are published, runs as they are known."""
