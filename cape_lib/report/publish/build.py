"""`make book`: execute what changed, build the pages in a fresh folder, exchange it with the last good book."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from cape_lib.errors import CapeError, SurroundingsError
from cape_lib.report.publish import cache, places
from cape_lib.report.publish.execution import Tell, run_all, speaker

KEY = ".cape-book"


def book(out: Path = Path("_build"), *, jobs: int = 2, fresh: bool = False, quiet: bool = False) -> Path:
    """Execute the notebooks of the table of contents, build the book; returns `out/html/index.html`.

    out: folder of the result, of the executed copies and of the work under way.  jobs: kernels at a time.
    fresh: forget the executed copies.  Raises CapeError for a cell error or a warning of the builder; the last good
    book then stays as it is, as it does when the command is interrupted or killed.
    """
    places.need("papermill", "ipykernel", "altair", "jupyter_book", "vl_convert")
    tell = speaker(quiet)
    out = Path(os.path.abspath(out))
    out.mkdir(parents=True, exist_ok=True)
    with _alone(out, tell) as lock:
        html = out / "html"
        _recover(out, html)
        executed = _executed(out / "executed", jobs=jobs, fresh=fresh, tell=tell)
        key = _key(executed)
        index = html / "index.html"
        if not fresh and index.is_file() and _read(html / KEY) == key:
            tell("nothing changed since the last build")
            return index
        work = out / ".work"
        try:
            _assemble(work / "src", executed, out / "cache")
            built = _pages(work, out, tell, lock=lock)
            (built / KEY).write_text(key, encoding="utf-8")
            exchange(built, html)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return index


def toc_notebooks() -> dict[str, Path]:
    """Path in the book -> source, of every notebook in the table of contents, in its order."""
    _, toc = places.settings()
    listed = re.findall(r"^\s*(?:-\s*)?(?:file|root):\s*['\"]?([^'\"\s#]+)", toc.read_text(encoding="utf-8"), re.M)
    notebooks = {}
    for entry in listed:
        folder, _, stem = entry.removesuffix(".ipynb").rpartition("/")
        place = {
            "notebooks": places.notebooks_dir,
            "notebooks/audit": places.audit_dir,
            "book": places.book_dir,
        }.get(folder)
        path = place() / f"{stem}.ipynb" if place else Path(f"{stem}.ipynb")
        if path.is_file():
            notebooks[f"{folder}/{stem}.ipynb"] = path
        elif folder.startswith("notebooks"):
            raise CapeError(f"_toc.yml: {entry}: there is no such notebook")
    return notebooks


def _executed(folder: Path, *, jobs: int, fresh: bool, tell: Tell) -> dict[str, str]:
    """Executed copies by path in the book; those whose sources are unchanged come from the cache."""
    notebooks, sources = toc_notebooks(), cache.sources()
    keys = {name: cache.digest(sources + cache.of_files([path])) for name, path in notebooks.items()}
    texts = {} if fresh else {name: cache.load(folder, name, key) for name, key in keys.items()}
    copies = {name: text for name, text in texts.items() if text is not None}
    stale = sorted((name for name in notebooks if name not in copies), key=lambda name: -cache.seconds(folder, name))
    names = {notebooks[name]: name for name in stale}
    log = folder.parent / "execution.log"
    log.unlink(missing_ok=True)
    try:
        for run in run_all({path: {} for path in names}, jobs=jobs, tell=tell):
            name = names[run.path]
            cache.store(folder, name, run, key=keys[name])
            copies[name] = run.text
    except CapeError as error:
        log.write_text("\n\n".join([str(error), *getattr(error, "__notes__", [])]) + "\n", encoding="utf-8")
        tell(f"the whole traceback is in {log}")
        raise
    return copies


def _key(executed: Mapping[str, str]) -> str:
    """Digest of all that the pages are made of."""
    parts = [f"{name} {cache.digest(text)}" for name, text in sorted(executed.items())]
    parts += [f"{name} {cache.of_files([path])}" for name, path in sorted(places.book_sources().items())]
    # The pages of the reference are made of the library's own docstrings.
    library = cache.of_files(places.PACKAGE.rglob("*.py"))
    return cache.digest("\n".join([cache.pins(), _settings(), library, *parts]))


def _settings() -> str:
    """The builder's settings; a fork's own address replaces ours (CAPE_REPOSITORY, CAPE_BRANCH), for its buttons."""
    text = places.settings()[0].read_text(encoding="utf-8")
    for name, key in (("CAPE_REPOSITORY", "url"), ("CAPE_BRANCH", "branch")):
        if value := os.environ.get(name):
            before = re.search(rf"^  {key}: .*$", text, re.M)
            text = text.replace(before[0], f"  {key}: {value}", 1) if before else text
    return text


def _assemble(source: Path, executed: Mapping[str, str], stored: Path) -> None:
    """The folder that the builder reads: pages, settings, executed notebooks, scripts."""
    shutil.rmtree(source.parent, ignore_errors=True)
    static = source / "book" / "_static"
    for name, path in places.book_sources().items():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (source / "_config.yml").write_text(_settings(), encoding="utf-8")
    for name, text in executed.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        # What the library computes links from a page one folder deep; an audit is two.
        deep = re.sub(r"(?<![./])\.\./(book|notebooks)/", r"../../\1/", text) if name.count("/") > 1 else text
        (source / name).write_text(deep, encoding="utf-8")
    (static / places.BUNDLE).write_text(places.vega_bundle(stored), encoding="utf-8")


def _pages(work: Path, out: Path, tell: Tell, *, lock: int) -> Path:
    """Run jupyter-book, warnings as errors; returns the folder of the pages. Its output goes to `build.log` in `out`.

    The builder holds the lock too: should this process be killed, the next build waits until the builder has ended.
    """
    tell("building the pages")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command += ["build", "-W", "-n", "--keep-going", str(work / "src"), "--path-output", str(work)]
    environment = os.environ | {"PYTHONHASHSEED": "0", "NO_COLOR": "1", "CAPE_CACHE": str(out / "cache")}
    done = subprocess.run(command, text=True, capture_output=True, env=environment, check=False, pass_fds=[lock])
    log = out / "build.log"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        source = str(work / "src") + os.sep
        plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr).replace(source, "")
        warnings = [line for line in plain.splitlines() if re.search(r"WARNING|ERROR|Error\b|rror:", line)]
        warnings = list(dict.fromkeys(warnings))[:12] or plain.splitlines()[-5:]
        raise CapeError(f"jupyter-book stopped; all it said is in {log}: " + "; ".join(warnings))
    return work / "_build" / "html"


@contextlib.contextmanager
def _alone(out: Path, tell: Tell) -> Iterator[int]:
    """One build at a time in one folder; the lock goes with the process, however that ends."""
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"another build is at work in {out}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def exchange(new: Path, old: Path) -> None:
    """Put the folder `new` in the place of `old`, in one step where the system can (Linux), and remove the former."""
    before = old.with_name(f".{old.name}-before")
    shutil.rmtree(before, ignore_errors=True)
    if old.exists() and _swap(new, old):
        os.rename(new, before)
    else:
        if old.exists():
            os.rename(old, before)  # killed between these two lines, `_recover` puts it back
        os.rename(new, old)
    shutil.rmtree(before, ignore_errors=True)


def _swap(first: Path, second: Path) -> bool:
    """Exchange two folders in one step (renameat2); False where the system does not offer it."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(first), here, os.fsencode(second), swap) == 0)


def _recover(out: Path, html: Path) -> None:
    before = html.with_name(f".{html.name}-before")
    if before.is_dir() and not html.exists():
        os.rename(before, html)
    for leftover in (before, out / ".work"):
        try:
            if leftover.exists():
                shutil.rmtree(leftover)
        except OSError as error:
            raise SurroundingsError(f"{leftover}: {error.strerror}; remove it by hand") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
