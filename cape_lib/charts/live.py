"""Charts as Jupyter widgets that need no network, share one drawing library, and are as wide as their place."""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt

#: Altair gives each chart its own copy of the drawing library, 900 kB. Twenty copies keep a browser so busy that
#: anywidget gives up on some after two seconds, and these never hear of a moved slider. So the library travels once,
#: as the text of a widget without a view, and a chart only asks for it.
_ASK = """
function library(model) {
  window.capeCharts ||= model.widget_manager.get_model(model.get("library")).then((found) =>
    import(URL.createObjectURL(new Blob([found.get("code")], { type: "text/javascript" }))));
  window.capeCharts.catch(() => { window.capeCharts = undefined; });
  return window.capeCharts;
}
export default { async render(context) { return (await library(context.model)).default.render(context); } };
"""
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
_STYLE = ".vega-embed { width: 100%; overflow: visible; }"


def widget(chart: Any) -> Any:
    """The chart as a Jupyter widget; a new chart is put in by setting its `chart`."""
    menu = {"export": True, "source": False, "compiled": False, "editor": False}  # the editor is another host's
    return _kinds()["chart"](chart, embed_options={"renderer": "svg", "actions": menu})


def width() -> Any:
    """An invisible widget, one beside each figure: it lets charts fill the width of their place and follow it."""
    return _kinds()["width"]()


@cache
def _kinds() -> dict[str, Any]:
    """The kinds of widget, made when first needed: a published book shows none and needs no anywidget."""
    import anywidget
    import traitlets

    alt.JupyterChart.enable_offline(True)
    code = traitlets.Unicode().tag(sync=True)
    library = type("Library", (anywidget.AnyWidget,), {"_esm": "export default {};", "code": code})
    shared = library(code=alt.JupyterChart._esm)
    asked = traitlets.Unicode(shared.model_id).tag(sync=True)
    chart = type("Chart", (alt.JupyterChart,), {"_esm": _ASK, "_css": _STYLE, "library": asked, "shared": shared})
    return {"chart": chart, "width": type("Width", (anywidget.AnyWidget,), {"_esm": _TELL_WIDTH, "_css": _STYLE})}
