"""The HTML of the page: macros of Jinja2 templates under assets/page, in which every value is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from core.assets import ASSETS

FOLDER = ASSETS / "page"
# the characters that begin a JavaScript or Handlebars template, both of which Gradio makes of an HTML component's value
_INERT = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;", "\\": "&#92;"})
# a line break of a template beside a tag or a statement draws nothing, any other is a space
_BESIDE_TAGS = re.compile(r"(?<=[>}])\s*\n\s*|\s*\n\s*(?=<|\{%)")


class _Lines(Extension):
    """Joins the lines of a template, so that it can be indented and the page has no gaps."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the source of a template in one line."""
        return re.sub(r"\s*\n\s*", " ", _BESIDE_TAGS.sub("", source))


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, extensions=[_Lines]
)


def piece(file: str, name: str, /, **values: object) -> Markup:
    """Return the HTML of the macro ``name`` of ``assets/page/<file>.html`` for ``values``.

    Values are escaped unless they are ``Markup``; the result is inert where Gradio takes it for a template.
    """
    macro = getattr(_ENVIRONMENT.get_template(f"{file}.html").module, name)
    return trusted(str(macro(**values)).translate(_INERT))


def document(file: str, **values: object) -> Markup:
    """Return ``assets/page/<file>.html`` for ``values``, which are escaped unless they are ``Markup``.

    It is HTML for a browser, not the value of a component of Gradio.
    """
    return trusted(_ENVIRONMENT.get_template(f"{file}.html").render(**values))


def trusted(text: str) -> Markup:
    """Return HTML, a script or a style that the program or one of its libraries wrote, to be taken as it is."""
    return Markup(text)  # noqa: S704


def script_json(text: str) -> Markup:
    """Return JSON to stand in a script, which it does not end."""
    return trusted(text.replace("<", "\\u003c"))


# no HTML at all
EMPTY = Markup()


def joined(parts: Iterable[str]) -> Markup:
    """Return pieces one after the other; what is not ``Markup`` is escaped."""
    return EMPTY.join(parts)
