"""What keeps a rebuild, a backup or a restore from being made."""


class OperationError(RuntimeError):
    """It cannot be done as things are; the message says why, and what to do."""
