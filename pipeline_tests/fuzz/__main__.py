"""``make fuzz``: files for every reader, each in a process of its own; a failure says how to repeat it."""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline_tests.fuzz.feeding import Found, fed
from pipeline_tests.fuzz.targets import TARGETS

MEGABYTES = 2_000
"""More than a reader has at its beginning, at most."""
FAILED = 1


def main() -> int:
    """Feed all readers, or one; 1 if any of them failed."""
    parser = argparse.ArgumentParser(prog="python -m pipeline_tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=50_000, help="files in all (50000)")
    parser.add_argument("--seed", default="0", help="another one makes other files (0)")
    parser.add_argument("--target", choices=sorted(TARGETS), help="this reader alone, in this process")
    parser.add_argument("--only", type=int, help="this file alone, by its number")
    asked = parser.parse_args()
    if asked.target:
        return _one(asked.target, range(asked.inputs) if asked.only is None else [asked.only], asked.seed)
    return _all(-(-asked.inputs // len(TARGETS)), asked.seed)


def _one(name: str, numbers: "range | list[int]", seed: str) -> int:
    _bounded()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = fed(name, TARGETS[name], numbers, seed, Path(folder))
    print(f"{name:<44} {found.n:>6} files: {found.n_read} read, {found.n_refused} refused", end="; ")
    print(f"{time.monotonic() - start:.0f} s, longest {found.longest:.1f} s", flush=True)
    _tell(name, found, seed)
    return FAILED if found.failures else 0


def _all(inputs: int, seed: str) -> int:
    failed = []
    for name in TARGETS:
        command = [sys.executable, "-m", "pipeline_tests.fuzz", "--target", name]
        if subprocess.run([*command, "--inputs", str(inputs), "--seed", seed], check=False).returncode:
            failed.append(name)
    print(f"{inputs * len(TARGETS)} files for {len(TARGETS)} readers; failed: {', '.join(failed) or 'none'}")
    return FAILED if failed else 0


def _tell(name: str, found: Found, seed: str) -> None:
    for one in found.failures:
        print(f"  file {one.number} ({one.file}): {one.why}\n    {one.where}")
        print(f"    again: python -m pipeline_tests.fuzz --target {name!r} --seed {seed} --only {one.number}")


def _bounded() -> None:
    """A reader that takes much more memory than it has now fails."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    most = pages * resource.getpagesize() + MEGABYTES * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    sys.exit(main())
