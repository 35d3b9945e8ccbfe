"""Takes the pins out of requirements.txt: each package gets the range that pyproject.toml admits, or none.

The nightly build runs on the result, so that what a new version breaks is known before a reader meets it.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def ranges() -> dict[str, str]:
    """Name -> the requirement as pyproject.toml spells it; the one with an upper end where there are several."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for extra in extras.values() for line in extra if "==" not in line)]
    return {re.split(r"[\[<>=~!]", line)[0]: line for line in sorted(wanted, key=lambda line: ",<" in line)}


def main() -> None:
    """Rewrite the file named on the command line, or the project's own."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "requirements.txt"
    known = ranges()
    names = [line.split("==")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(f"{known.get(name, name)}\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    main()
