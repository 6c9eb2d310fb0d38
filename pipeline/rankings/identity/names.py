"""The name of a model taken apart: maker, family, variant, dates and configuration; and the keys that names meet by.

Three keys, each coarser than the one before: the name as it is (``raw``), ``n1`` (lower case, last part of a path, one
punctuation), and ``n2`` (the family: no dates, variants or configuration, and no order of words). Between n1 and n2
lies ``key``, what a *release* is told apart by together with its dates: n1 without configuration.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pipeline.rankings.identity.dates import NameDate, take_dates
from pipeline.rankings.identity.vocabulary import (
    EFFORTS,
    LEADING_VENDORS,
    NUMBERED,
    OFFERS,
    REGIONS,
    SAME_WORDS,
    SETTINGS,
    SURE_EFFORTS,
    VARIANTS,
    VENDORS,
)

Config = tuple[tuple[str, str], ...]
"""Settings by key, sorted: ``(("effort", "high"), ("thinking", "64k"))``."""

_GREEK = {letter: unicodedata.name(letter).split()[-1].lower() for letter in "αβγδεζηθικλμνξοπρστυφχψω"}
_SEVERAL = re.compile(r"\S\s+\+\s+\S")
_ITEMS = re.compile(r"[(\[]([^)\]]*)[)\]]?")
_SETTING = re.compile(r"\s*([\w -]+?)\s*=\s*(.+?)\s*")
_NUMBER = re.compile(r"\d{1,2}v?")
_SIZE = re.compile(r"\d+[bm]")
_OF_SIZE = "size "
_VERSION_BEGUN = re.compile(r"\d{1,2}|[a-z]+\d")
_YEAR_AND_MONTH = re.compile(r"(2[3-9]|3[0-5])\.(0[1-9]|1[0-2])")
_RUN = re.compile(r"20\d{2}-?[01]\d-?[0-3]\d(?!\d)")
_OFFER = re.compile(r":([a-z]+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """What a name says.

    Parameters
    ----------
    raw : str
    n1 : str
        See :func:`normalised`.
    vendor : str
        The maker that the name itself states, by a path or its first word; empty where it states none.
    stem : tuple of str
        The words of the release in their order, versions joined (``4.5``): no maker, dates or configuration.
    dates : tuple of NameDate
    config : Config
        What is configuration whatever other names there are: effort, thinking budget, temperature, quantisation, offer.
    possible : Config
        What the last word of the stem would be as configuration: ``-thinking``, ``-medium`` and ``-max`` are a setting
        of some models and part of the name of others. Empty for other words.
    is_several : bool
        ``A + B``: more than one model.
    """

    raw: str
    n1: str
    vendor: str
    stem: tuple[str, ...]
    dates: tuple[NameDate, ...]
    config: Config
    possible: Config
    is_several: bool

    @cached_property
    def key(self) -> str:
        """What a release is told apart by, besides dates: the words of the stem in alphabetical order."""
        return " ".join(sorted(self.stem))

    @cached_property
    def bare_key(self) -> str:
        """:attr:`key` if the possible configuration is one."""
        return " ".join(sorted(self.stem[:-1] if self.possible else self.stem))

    @cached_property
    def n2(self) -> str:
        """The family, as a key: no variants, no configuration, no dates, no order."""
        return " ".join(sorted(self._family))

    @cached_property
    def family(self) -> str:
        """The family, to read: ``claude-sonnet-4.5``."""
        return "-".join(self._family)

    @cached_property
    def bare_n2(self) -> str:
        """:attr:`n2` if the possible configuration is one."""
        words = [word for word in self.stem[:-1] if word not in VARIANTS] if self.possible else []
        return " ".join(sorted(words)) or self.n2

    @cached_property
    def is_run(self) -> bool:
        """Whether it is the key of a run, which begins with its day, and not the name of a model."""
        return bool(_RUN.match(self.raw))

    @property
    def _family(self) -> tuple[str, ...]:
        return tuple(word for word in self.stem if word not in VARIANTS) or self.stem


def normalised(text: str) -> str:
    """A name in lower case, the last part of its path, with hyphens for all punctuation: the key ``n1``.

    A ``+`` within a name means something and is written out (``CodeT5+``: ``codet5-plus``); Greek letters too.

    Examples
    --------
    >>> normalised("Qwen/Qwen2.5-Coder 32B_Instruct")
    'qwen2-5-coder-32b-instruct'
    >>> normalised("Zephyr β-7B")
    'zephyr-beta-7b'
    """
    return _hyphenated(_last_part(text))


def vendor_key(organisation: str) -> str:
    """The maker that an organisation's name means; a name that is not known is its own key."""
    key = _hyphenated(organisation)
    return VENDORS.get(key, key)


@lru_cache(maxsize=65_536)
def take_apart(raw: str) -> Name:
    """Take a name apart.

    Examples
    --------
    >>> name = take_apart("o1-2024-12-17 (temperature=1, reasoning=high)")
    >>> name.key, name.dates[0].text, name.config
    ('o1', '2024-12-17', (('effort', 'high'), ('temperature', '1')))
    """
    several = bool(_SEVERAL.search(raw))
    text, config = _offer(_last_part(raw))
    main, items = _items(text)
    words = [_hyphenated(main, ".")]
    for item in items:
        found, rest = _of_item(item)
        config |= found
        words.append(rest)
    plain, dates = take_dates(tuple(token for part in words for token in _tokens(part)))
    vendor, tokens = _maker(plain, raw)
    found, tokens = _settings(tokens)
    stem = _versions(SAME_WORDS.get(token, token) if place else token for place, token in enumerate(tokens))
    effort, stem = _last_effort(stem)
    config |= found | effort
    ordered = tuple(sorted(config.items()))
    return Name(raw, normalised(raw), vendor, stem, dates, ordered, _possible(stem), several)


def _hyphenated(text: str, kept: str = "") -> str:
    """Text with hyphens for punctuation, but for a point between two digits if that is kept."""
    spelled = unicodedata.normalize("NFKC", text).lower()
    spelled = "".join(_GREEK.get(letter, letter) for letter in spelled).replace("+", "-plus-")
    pattern = r"(?:[^\w.]|_|(?<!\d)\.|\.(?!\d))+" if kept else r"[\W_]+"
    return re.sub(pattern, "-", spelled).strip("-")


def _last_part(text: str) -> str:
    """What follows the last slash that parts a path: none within parentheses, none beside a blank."""
    head, bracket, tail = text.strip().partition("(")
    return re.split(r"(?<=\S)/(?=\S)", head.rstrip("/"))[-1].lstrip("~") + bracket + tail


def _tokens(text: str) -> Iterator[str]:
    """Words of a name: ``qwen3`` in two, as others write it; ``25.01`` in two, as it is a year and a month."""
    for token in text.split("-"):
        numbered = NUMBERED.fullmatch(token)
        if _YEAR_AND_MONTH.fullmatch(token):
            yield from token.split(".")
        elif numbered is not None:
            yield from numbered.groups()
        elif token:
            yield token


def _offer(text: str) -> tuple[str, dict[str, str]]:
    match = _OFFER.search(text)
    if match is None:
        return text, {}
    word = match[1].lower()
    if word in OFFERS:
        return text[: match.start()], {"offer": word}
    if word == "thinking":
        return text[: match.start()], {"thinking": "on"}
    return text, {}


def _items(text: str) -> tuple[str, list[str]]:
    """What stands before the first parenthesis or comma, and what is listed after."""
    listed = [item for group in _ITEMS.findall(text) for item in group.split(",")]
    main, *further = _ITEMS.sub(" ", text).split(",")
    return main, [*listed, *further]


def _of_item(item: str) -> tuple[dict[str, str], str]:
    """The configuration that one listed item is, or its words as part of the name."""
    setting = _SETTING.fullmatch(item)
    if setting is not None:
        key, value = _hyphenated(setting[1]), setting[2].lower()
        return {("effort" if value in EFFORTS else "thinking") if key == "reasoning" else key: value}, ""
    words = _hyphenated(item).removeprefix("w-")
    if words in EFFORTS:
        return {"effort": words}, ""
    if SAME_WORDS.get(words, words) == "thinking":
        return {"thinking": "on"}, ""
    if words in OFFERS:
        return {"offer": words}, ""
    if re.fullmatch(r"\d+k-tokens", words):
        return {"length": words.split("-")[0]}, ""
    return {}, words


def _maker(tokens: tuple[str, ...], raw: str) -> tuple[str, tuple[str, ...]]:
    path = [_hyphenated(part) for part in raw.split("(")[0].strip().split("/")]
    vendor = next((VENDORS[part] for part in reversed(path[:-1]) if part in VENDORS), "")
    if len(tokens) > 2 and tokens[0] in REGIONS and tokens[1] in LEADING_VENDORS:
        tokens = tokens[1:]
    if len(tokens) > 1 and tokens[0] in LEADING_VENDORS:
        return vendor or VENDORS.get(tokens[0], tokens[0]), tokens[1:]
    return vendor, tokens


def _settings(tokens: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    first, text = "".join(tokens[:1]), "-".join(tokens[1:])
    found: dict[str, str] = {}
    for pattern, key, value in SETTINGS:
        match = pattern.search(text)
        if match is not None:
            found.setdefault(key, value or match["value"])
            text = text[: match.start()] + text[match.end() :]
    return found, (first, *(token for token in text.split("-") if token))


def _last_effort(stem: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    if len(stem) > 1 and stem[-1] in SURE_EFFORTS:
        return {"effort": stem[-1]}, stem[:-1]
    return {}, stem


def _possible(stem: tuple[str, ...]) -> Config:
    if len(stem) < 2:
        return ()
    if stem[-1] == "thinking":
        return (("thinking", "on"),)
    return (("effort", stem[-1]),) if stem[-1] in EFFORTS else ()


def _versions(tokens: Iterable[str]) -> tuple[str, ...]:
    """Bring versions and sizes to one form: ``4 5`` is ``4.5``, ``4.0`` is ``4``, ``0 8b`` is ``0.8b``.

    A number before a size belongs to the size where the version is already complete (``4.0 1 2b``) or where it is 0.
    """
    joined: list[str] = []
    waiting = list(tokens)
    for place, token in enumerate(waiting):
        before = joined[-1] if joined else ""
        is_sized = bool(_SIZE.fullmatch("".join(waiting[place + 1 : place + 2])))
        if _SIZE.fullmatch(token) and before.startswith(_OF_SIZE):
            joined[-1] = f"{before.removeprefix(_OF_SIZE)}.{token}"
        elif _NUMBER.fullmatch(token) and is_sized and (not token.strip("0") or "." in before):
            joined.append(_OF_SIZE + token)
        elif _NUMBER.fullmatch(token) and _VERSION_BEGUN.fullmatch(before):
            joined[-1] += f".{token}"
        else:
            joined.append(token)
    return tuple(re.sub(r"(?<=\d)\.0$", "", token) for token in joined)
