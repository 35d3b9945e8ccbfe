"""The dashboard as HTML: markup, kit and scripts."""
SCRIPTS = (
    "numbers.js", "wording.js", "estimators.js", "engine-model.js", "engine-family.js", "engine-release.js",
    "read.js", "read-harness.js", "draw.js", "page.js",
)  # fmt: skip
