"""Links from pages to files: the same question to the API, answered as JSON or as a file, or the rows of a page."""

from pipeline.reports.pages.address import Address

FORMATS = ("CSV", "JSON", "Parquet")
ROWS = ("CSV", "Parquet")
Links = list[tuple[str, str]]


def downloads(endpoint: Address) -> Links:
    """The formats of an endpoint, each with its address."""
    return [(name, str(endpoint.but(format=None if name == "JSON" else name.lower()))) for name in FORMATS]


def files(rows: Address) -> Links:
    """Rows that pages themselves give as files, without an endpoint: the format ends their path."""
    return [(name, str(Address(f"{rows.path}.{name.lower()}", rows.query))) for name in ROWS]
