"""``make audit``: known vulnerabilities of what requirements.lock names, by pip-audit; and what could not be looked up.

pip-audit itself says "no known vulnerabilities" of packages that it could not ask about. Here only what was looked up
counts as audited; where nothing was, that is said, and it is no failure: a machine without a network can still work.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pipeline.settings import PROJECT_ROOT

LOCK = PROJECT_ROOT / "requirements.lock"
_SECONDS = 120
_SHOWN = 5


def main() -> int:
    """Audit and tell; 1 where something is known to be vulnerable."""
    requirements = LOCK.read_text(encoding="utf-8").splitlines()
    found = _audited(requirements[:1])
    if isinstance(found, list) and _looked_up(found):
        found = _audited(requirements)
    lines, status = told(found)
    print("\n".join(lines), file=sys.stderr if status else sys.stdout)
    return status


def told(found: "list[dict[str, Any]] | str") -> tuple[list[str], int]:
    """What to say of packages that were looked up, or of why none was, and the exit status."""
    if isinstance(found, str):
        return [f"not audited: {found}"], 0
    looked_up = _looked_up(found)
    if not looked_up:
        why = next((str(one["skip_reason"]) for one in found), "nothing is locked")
        return [f"not audited: the service of vulnerabilities knows no package or cannot be reached ({why})"], 0
    vulnerable = [f"{one['name']} {one['version']}: {_ids(one)}" for one in looked_up if one["vulns"]]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    lines = [f"audited: {len(looked_up)} packages, {len(vulnerable)} with known vulnerabilities", *vulnerable]
    if skipped:
        more = ", ..." if len(skipped) > _SHOWN else ""
        lines.append(f"not audited: {len(skipped)} packages ({', '.join(skipped[:_SHOWN])}{more})")
    return lines, int(bool(vulnerable))


def _looked_up(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in found if "vulns" in one and "skip_reason" not in one]


def _ids(one: dict[str, Any]) -> str:
    fixes = sorted({fix for vuln in one["vulns"] for fix in vuln.get("fix_versions", ())})
    listed = ", ".join(vuln["id"] for vuln in one["vulns"])
    return f"{listed}; mended in {', '.join(fixes)}" if fixes else f"{listed}; not mended in any version"


def _audited(requirements: list[str]) -> "list[dict[str, Any]] | str":
    """What pip-audit says of packages, or why it says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        command = [str(Path(sys.executable).with_name("pip-audit")), "--requirement", str(listed), "--format", "json"]
        command += ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "5"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
            return list(json.loads(done.stdout)["dependencies"])
        except subprocess.TimeoutExpired:
            return f"the service of vulnerabilities did not answer within {_SECONDS} s"
        except (ValueError, KeyError):
            said = (done.stderr.strip().splitlines() or ["pip-audit says nothing"])[-1]
            return f"the service of vulnerabilities cannot be reached ({said[:200]})"


if __name__ == "__main__":
    sys.exit(main())
