"""Links from pages to the API: the same question, answered as JSON or as a file."""

from pipeline.reports.pages.address import Address

FORMATS = ("CSV", "JSON", "Parquet")
Links = list[tuple[str, str]]


def downloads(endpoint: Address) -> Links:
    """The formats of an endpoint, each with its address."""
    return [(name, str(endpoint.but(format=None if name == "JSON" else name.lower()))) for name in FORMATS]
