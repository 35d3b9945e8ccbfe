"""Charts as Jupyter widgets that need no network and are as wide as their place."""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt

#: A chart asks for its width once, perhaps before it is in the page or has its style; after that it listens to the
#: window.  So the window is told whenever the place gets a width or another one, once a frame however many ask.
_TELL_WIDTH = """
export default { render({ el }) {
  const tell = () => { window.capeTold = 0; window.dispatchEvent(new Event("resize")); };
  const seen = new ResizeObserver(() => { window.capeTold = window.capeTold || requestAnimationFrame(tell); });
  seen.observe(el);
  return () => seen.disconnect();
} };
"""
_STYLE = ".vega-embed { width: 100%; } .cape-width { height: 0; }"


def widget(chart: Any) -> Any:
    """The chart as a Jupyter widget; a new chart is put in by setting its `chart`."""
    menu = {"export": True, "source": False, "compiled": False, "editor": False}  # the editor is another host's
    return alt.JupyterChart(chart, embed_options={"renderer": "svg", "actions": menu})


def width() -> Any:
    """An invisible widget, one beside each figure: it lets charts fill the width of their place and follow it."""
    return _width_class()()


@cache
def _width_class() -> Any:
    import anywidget

    # made here, so that a book, which shows no widget, needs none
    return type("Width", (anywidget.AnyWidget,), {"_esm": _TELL_WIDTH, "_css": _STYLE})
