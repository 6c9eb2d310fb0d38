"""Errors of what was asked for, wherever it was read."""


class WrongInputError(ValueError):
    """A parameter that cannot be meant; the message says what would be right."""


class UnknownPageError(LookupError):
    """A page or a file of one that is not there."""


class TooLargeError(ValueError):
    """A body that is larger than one may be; the message names the limit and the remedy."""
