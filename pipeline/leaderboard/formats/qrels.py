"""The topics of a file of relevance judgements: those that a run is evaluated on."""

from pathlib import Path

from pipeline.leaderboard.formats.cells import FormatError
from pipeline.leaderboard.formats.text import read_table


def topics_of_qrels(path: Path) -> tuple[str, ...]:
    """The topics in the order of the file, each once.

    Parameters
    ----------
    path : Path
        Lines of topic, iteration, document and relevance, gzipped or not; or one topic in each line.

    Raises
    ------
    FormatError
        If it is neither, or empty.
    """
    table = read_table(path)
    if not len(table):
        raise FormatError(f"{path}: no topic; give a file of relevance judgements, or one topic in each line")
    if len(table.columns) not in (1, 4):
        raise FormatError(
            f"{path}:{table.line[0]}: {len(table.columns)} columns; relevance judgements have 4 (topic, iteration, "
            f"document, relevance), a list of topics 1"
        )
    topics = table.columns[0]
    return tuple(text for text in topics.texts.tolist() if text)
