"""The look that every figure shares: colours that colour-blind readers tell apart, and the Altair theme.

The four inks below are written into the charts as plain colours; `book/_static/cape.css` exchanges exactly these four
when the page turns dark, so that a chart keeps its state (slider, selection) while the page changes.
"""

from __future__ import annotations

from typing import Any

import altair as alt

INK = "#212529"  # text, zero lines, fitted lines
MUTED = "#5c636a"  # axis labels, secondary text
GRID = "#dde1e5"  # grid lines, faint bands
PAPER = "#fdfdfd"  # the fill of a hollow point, the halo behind a label

VERMILION, BLUE, GREEN, SKY = "#D55E00", "#0072B2", "#009E73", "#56B4E9"
ORANGE, PURPLE, GREY, AMBER = "#E69F00", "#CC79A7", "#8C8C8C", "#C27C00"

#: Phase of a coupling -> colour, the same on every page, and of nothing else where phases are shown.
PHASE_COLOURS = {"tax": VERMILION, "transition": GREY, "bonus": GREEN}

#: Lab -> colour; a lab that is not here is GREY.
LAB_COLOURS = {
    "Anthropic": VERMILION,
    "OpenAI": GREEN,
    "Google": BLUE,
    "DeepSeek": PURPLE,
    "xAI": ORANGE,
    "Alibaba": SKY,
}


#: Two sides of anything that is no phase: apart for every kind of colour-blindness, 3:1 on a light and a dark page.
TWO_SIDES = (BLUE, AMBER)

#: Order for a scale without a fixed meaning; the colours of phases and of nothing known are not among them.
PALETTE = [BLUE, AMBER, PURPLE, SKY, INK, "#8A6D00", MUTED]


def config(*, background: str | None) -> dict[str, Any]:
    """The Vega-Lite configuration of the book. `background` None lets the page shine through."""
    text = {"labelColor": MUTED, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500}
    return {
        "background": background or "transparent",
        "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif",
        "padding": 4,
        # The frame carries the description; Vega's own labels on every mark would read out each point.
        "aria": False,
        "view": {"stroke": None, "continuousHeight": 320, "continuousWidth": 640, "discreteWidth": {"step": 24}},
        "axis": {
            **text,
            "domainColor": MUTED,
            "tickColor": MUTED,
            "gridColor": GRID,
            "tickSize": 4,
            "labelOverlap": True,
            "titlePadding": 8,
        },
        # A label stands under its own tick, at the ends too.
        "axisX": {"grid": False, "labelSeparation": 4, "labelFlush": False},
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -10, "domain": False},
        "legend": {
            **text,
            "orient": "top",
            "direction": "horizontal",
            "titleOrient": "left",
            # A legend breaks its line where the plot is narrow: beside long row names, on a phone.
            "columns": {"expr": "width < 240 ? 2 : width < 420 ? 3 : 5"},
            "offset": 24,
            # A key shows the colour itself: as faint as a band it would vanish on a dark page.
            "symbolOpacity": 1,
        },
        "title": {"color": INK, "fontSize": 13, "fontWeight": 600, "anchor": "start", "subtitleColor": MUTED},
        "range": {"category": PALETTE},
        "text": {"color": INK, "fontSize": 12},
        "rule": {"color": MUTED},
        "line": {"strokeWidth": 2, "color": INK},
        "point": {"size": 60, "strokeWidth": 1.6, "color": BLUE},
        "bar": {"color": BLUE},
        "area": {"color": BLUE, "opacity": 0.2},
    }


def register(*, background: str | None) -> None:
    """Make the book's look the theme of every chart in this process."""

    @alt.theme.register("cape", enable=True)
    def cape() -> alt.theme.ThemeConfig:
        return alt.theme.ThemeConfig({"config": config(background=background)})  # type: ignore[typeddict-item]
