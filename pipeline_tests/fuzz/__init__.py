"""Files that nobody would write, given to everything that reads files: each is read, or refused with a reason."""
