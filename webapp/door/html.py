"""The pages of the server that are none of Gradio's: plain HTML from the templates under assets/door."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.assets import ASSETS

FOLDER = ASSETS / "door"
# scripts of no kind, and forms to this server alone
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# without its own address as the referrer, a browser sends a form with the origin "null", which the door refuses
SAFE_FORMS = {"content-security-policy": POLICY, "referrer-policy": "same-origin"}


def document(name: str, /, **values: object) -> str:
    """Return ``assets/door/<name>.html`` for ``values``, every one of them escaped."""
    return _environment().get_template(f"{name}.html").render(**values)


@lru_cache(1)
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
