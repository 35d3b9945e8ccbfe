"""A chapter in JupyterLab, with the network cut: run it, move a slider, see the chart change."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import nbformat
import pandas as pd
import pytest
from kernels import CUT, PAGES, how_many_inputs, kernel_spec, one_for_all, read_through

from cape_lib.charts import frame
from cape_lib.explore import explore
from cape_lib.page import machine
from cape_lib.page.text import PUBLISHED

#: The pages but the audit's, whose inputs are the same function and are moved in Colab (test_colab.py).
STORY = [page for page in PAGES if page.parent.name != "audit"]
WAIT = 240_000  # ms; a chapter on a busy machine
SVG = ".vega-embed svg.marks"  # the chart, not the icon of its menu
DRAWN = f"boxes => boxes.flatMap(box => [...box.querySelectorAll('{SVG}')]).map(svg => svg.innerHTML).join('')"

#: What the chapters do not all show: several charts that one slider moves, and an input inside a chart.
OTHER_KINDS = [
    """
import altair as alt, pandas as pd
from cape_lib.charts.frame import figure, setup
from cape_lib.explore import explore
setup()
def points(power):
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
    rows = rows.assign(b=rows.a ** power)
    rows.attrs["reading"] = f"power **{power}**"
    return rows
about = {"title": "Finding", "alt": "Dots", "source": "none", "n": 3}
""",
    """
def both(rows):
    dots = alt.Chart(rows).mark_point().encode(x="a", y="b")
    return figure([dots, dots.mark_bar(), dots.mark_line()], name="several", **about)
explore(points, both, name="power", values=[1, 2, 3], start=2)
""",
    """
size = alt.param(name="size", value=20, bind=alt.binding_range(min=20, max=900, step=10, name="size"))
dots = alt.Chart(points(2)).mark_point().encode(x="a", y="b", size=alt.value(alt.expr("size"))).add_params(size)
figure(dots, name="bound", **about)
""",
]


def _rows(power: float) -> pd.DataFrame:
    rows = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0**power]})
    rows.attrs["reading"] = f"power **{power}**"
    return rows


def _draw(rows: pd.DataFrame) -> frame.Figure:
    chart = alt.Chart(rows).mark_point().encode(x="a", y="b")
    return frame.figure([chart, chart], title="Finding", alt="Dots", source="none", n=2, name="dots")


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PUBLISHED, raising=False)


@pytest.mark.slow
@pytest.mark.usefixtures("live")
def test_a_live_slider_puts_new_rows_into_the_charts_that_are_there() -> None:
    slider, shown, _ = explore(_rows, _draw, name="power", values=[1, 2, 3], start=1).children
    views = shown.children[1].children
    before = [view.spec for view in views]
    slider.value = 3
    assert [id(view) for view in shown.children[1].children] == [id(view) for view in views]
    assert len(views) == 2
    assert all(view.spec != spec for view, spec in zip(views, before, strict=True))
    assert "power <strong>3</strong>" in shown.children[3].value


@pytest.mark.usefixtures("live")
def test_words_become_a_list_and_numbers_a_slider() -> None:
    words = explore(lambda word: _rows(len(word)), _draw, name="word", values=["one", "three"], start="one")
    numbers = explore(_rows, _draw, name="power", values=[1, 2], start=1)
    assert type(words.children[0]).__name__ == "Dropdown"
    assert type(numbers.children[0]).__name__ == "SelectionSlider"


def test_the_runtime_picks_the_largest_model_that_fits() -> None:
    sizes = [0.07, 0.41, 1.4, 6.9, 12.0]
    assert machine.Runtime("Colab", 2, 12.7, "Tesla T4", 15.0).pick(sizes) == 1.4
    assert machine.Runtime("Colab", 12, 83.0, "A100", 40.0).pick(sizes) == 12.0
    assert machine.Runtime("here", 2, 8.0).pick(sizes) == 1.4
    assert machine.Runtime("here", 2, 0.0).pick(sizes) == 0.07


def test_what_a_model_needs_grows_with_its_size_until_it_does_not_fit() -> None:
    table = machine.needs([0.07, 1.4, 6.9, 12.0])
    assert table["weights (GB)"].tolist() == pytest.approx([0.14, 2.8, 13.8, 24.0])
    assert table["T4, 16 GB"].tolist()[2:] == ["does not fit", "does not fit"]
    assert "does not fit" not in table["A100, 40 GB"].tolist()
    assert table["T4, 16 GB"].iloc[1] == "2.4 min"  # 2 * 1.4e9 * 1e6 operations at 0.3 * 65e12 a second


def test_the_runtime_of_this_machine_is_named_in_a_live_notebook_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text: list[str] = []
    monkeypatch.setattr(machine, "say", text.append)
    monkeypatch.setenv(PUBLISHED, "1")
    machine.tell()
    assert text == []
    monkeypatch.delenv(PUBLISHED)
    machine.tell()
    assert len(text) == 1
    assert "CPU core" in text[0] and "GPU" in text[0]
    assert f"`{machine.LADDER[machine.runtime().pick(machine.LADDER)]}`" in text[0]
    assert machine.runtime().memory_gb > 0.1


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """A kernel for all pages, and the file where it notes which other hosts it asks for."""
    folder = tmp_path_factory.mktemp("kernel")
    record = folder / "asked"
    with (
        kernel_spec(folder, Path(sys.executable), CUT.format(record=str(record)), {}) as name,
        one_for_all(name, folder) as live,
    ):
        yield live, record


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in STORY if how_many_inputs(page)], ids=lambda page: page.stem)
def test_every_input_of_the_story_redraws_in_a_live_kernel(page: Path, kernel: tuple[Any, Path]) -> None:
    live, record = kernel
    _, output = read_through(page, kernel=live, folder=page.parent)
    assert len(output) == how_many_inputs(page)
    for chooser in output:
        drawn = chooser["drawn"]
        assert None not in drawn, f"{chooser['label']}: nothing drawn"
        assert all(one != next_one for one, next_one in zip(drawn, drawn[1:], strict=False)), chooser["label"]
    assert not record.exists(), f"other hosts were asked for: {record.read_text()}"


@dataclass(frozen=True)
class Lab:
    """JupyterLab at `address`; `asked` is the file where its kernels note each other host that they try to reach."""

    address: str
    asked: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settings(folder: Path) -> Path:
    """No news from other hosts, and every cell drawn at once, so that a test finds the charts below the fold."""
    for plugin, value in {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }.items():
        path = folder / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab over a copy of chapter 1 and a small notebook; its kernels reach no other host."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    shutil.copy(next(page for page in PAGES if page.stem == "01_coupling"), folder / "notebooks")
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in OTHER_KINDS])
    other.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(other, folder / "notebooks" / "other_kinds.ipynb")
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-cut.py").write_text(CUT.format(record=str(folder / "asked")), encoding="utf-8")
    port = _free_port()
    homes = {f"JUPYTER_{what}_DIR": str(folder / what) for what in ("CONFIG", "RUNTIME", "DATA")}
    homes |= {"JUPYTERLAB_SETTINGS_DIR": str(_settings(folder / "settings"))}
    homes |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"), "IPYTHONDIR": str(folder / "ipython")}
    environment = {name: value for name, value in os.environ.items() if name != PUBLISHED} | homes
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder / 'notebooks'}"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", server, folder / "log")
        yield Lab(f"http://127.0.0.1:{port}", folder / "asked")
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert server.poll() is None, f"JupyterLab ended: {log.read_text()[-2000:]}"
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab does not answer: {log.read_text()[-2000:]}")


@pytest.fixture
def opened(chromium: Any, lab: Lab) -> Iterator[Callable[[str], Any]]:
    """`opened(name)` opens a notebook and runs all of its cells; the page keeps `others` and `complaints`."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})

    def run(name: str) -> Any:
        page = context.new_page()
        page.others, page.complaints = [], []

        def route(request: Any) -> None:
            if request.request.url.startswith((lab.address, "data:", "blob:")):
                request.continue_()
            else:
                page.others.append(request.request.url)
                request.abort()

        context.route("**/*", route)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{lab.address}/lab/tree/{name}.ipynb?reset")
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=WAIT
        )
        page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        return page

    yield run
    context.close()


def _figures(page: Any) -> Any:
    """The figures with an ipywidgets input: the outermost box around each."""
    return page.locator(".jp-OutputArea-output > .widget-vbox", has=page.locator(".widget-vbox"))


def _press_and_see(page: Any, figure: Any) -> None:
    """Move the slider of a figure by one key; its charts must change."""
    figure.locator(SVG).first.wait_for(timeout=WAIT)
    before = figure.evaluate_all(DRAWN)
    figure.locator(".noUi-handle").press("ArrowRight")
    for _ in range(400):
        page.wait_for_timeout(200)
        if figure.evaluate_all(DRAWN) not in ("", before):
            return
    raise AssertionError(f"the chart stayed as it was: {page.complaints} {figure.inner_text()[:100]!r}")


@pytest.mark.page
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_slider_moves_its_chart_in_jupyterlab_without_a_network(opened: Callable[[str], Any], lab: Lab) -> None:
    page = opened("01_coupling")
    figures = _figures(page).all()
    moved = [figure for figure in figures if figure.locator(".noUi-handle").count()]
    assert moved
    for figure in moved:
        _press_and_see(page, figure)
    widths = page.locator(SVG).evaluate_all("all => all.map(svg => svg.clientWidth)")
    assert min(widths) > 300, widths
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr'], .jp-RenderedText .ansi-red-fg").count() == 0
    assert page.others == []
    assert page.complaints == []
    assert not lab.asked.exists(), lab.asked.read_text()


@pytest.mark.page
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_several_charts_follow_one_slider_and_inputs_inside_a_chart_work(opened: Callable[[str], Any]) -> None:
    page = opened("other_kinds")
    figure = _figures(page)
    figure.locator(SVG).nth(2).wait_for(timeout=WAIT)
    before = figure.locator(SVG).evaluate_all("all => all.map(svg => svg.innerHTML)")
    _press_and_see(page, figure)
    page.wait_for_timeout(1000)
    after = figure.locator(SVG).evaluate_all("all => all.map(svg => svg.innerHTML)")
    assert len(after) == 3
    assert all(one != other for one, other in zip(before, after, strict=True))
    bound = page.locator(".vega-embed", has=page.locator(".vega-bindings input"))
    still = bound.locator("svg.marks").inner_html()
    bound.locator(".vega-bindings input").fill("900")
    page.wait_for_timeout(500)
    assert bound.locator("svg.marks").inner_html() != still
    assert page.others == []
    assert page.complaints == []
