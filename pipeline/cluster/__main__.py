"""``python -m pipeline.cluster``: a cluster on loopback until Ctrl-C, and how to start runs on it."""

import argparse
import shlex
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from pipeline.cluster.servers import ServerError
from pipeline.cluster.up import cluster
from pipeline.settings import PROJECT_ROOT


def main() -> int:
    """Bring it up, say how to use it, and take it down again."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.cluster", description=__doc__)
    parser.add_argument("--folder", type=Path, default=PROJECT_ROOT / "data" / "cluster", help="its data folder")
    parser.add_argument("--workers", type=int, default=2, help="how many workers")
    given = parser.parse_args()
    names = [f"worker{number}" for number in range(1, given.workers + 1)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # everything is taken down then, too
    given.folder.mkdir(parents=True, exist_ok=True)
    try:
        with cluster(given.folder, names) as up:
            exports = given.folder / "environment"
            exports.touch(mode=0o600)  # it has passwords
            exports.write_text(
                "".join(f"export {name}={shlex.quote(value)}\n" for name, value in up.environment.items()),
                encoding="utf-8",
            )
            print(
                f"{len(names)} workers are up; their logs are in {given.folder / 'homes'}. In another terminal:\n"
                f"  . {exports}\n  podium run sp500\nCtrl-C ends everything.",
                flush=True,
            )
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
            exports.unlink()
    except ServerError as error:
        print(f"podium: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
