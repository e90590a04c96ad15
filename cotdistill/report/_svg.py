"""SVG elements, escaped."""

from collections.abc import Sequence

from markupsafe import Markup, escape

_CAMEL = ("viewBox", "preserveAspectRatio")
"""Attributes whose names SVG writes in camel case."""


def drawing(parts: Sequence[Markup], *, height: int, title: str, text: str = "", classes: str) -> Markup:
    """Return a drawing with its name and description for screen readers."""
    named = tag("title", title) + (tag("desc", text) if text else "")
    label = f"{title}. {text}" if text else title
    return tag(
        "svg",
        named + Markup("").join(parts),
        class_=f"drawing {classes}".strip(),
        role="img",
        aria_label=label,
        width="100%",
        height=height,
    )


def tag(name: str, content: str = "", **attributes: object) -> Markup:
    """Return an element; text and attribute values are escaped, Markup is not."""
    written = "".join(
        f' {key if key in _CAMEL else key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{escape(content)}</{name}>")
