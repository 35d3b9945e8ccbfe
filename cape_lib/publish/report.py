"""stub"""

from pathlib import Path


def report(executed: list[Path], out_html: Path, title: str) -> None: ...
