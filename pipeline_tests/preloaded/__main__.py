"""The server of a command: ``python -m pipeline_tests.preloaded NAME SOCKET``."""

import sys
from pathlib import Path

from pipeline_tests.preloaded.server import serve

if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
