"""Every address of the server, Gradio's included, and what somebody must be to use it; what is not here is closed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from webapp.roles import Role

# open: to everybody; shared: to whoever has a link to one run; static: files of the page that are the same for all;
# page: the main page, which begins a session; invited: the page of an invitation, which begins one too; rate: what that
# page needs; work: what belongs to one visitor, also for a program with a token; program: the same for programs alone,
# to whom no cookie lends anything; person: never for a program; admin: what concerns all; closed: what no page needs
Access = Literal["open", "shared", "static", "page", "invited", "rate", "work", "program", "person", "admin", "closed"]

# the least role for each; open and shared addresses need none
NEEDED: Mapping[Access, Role] = {
    "static": "rater", "invited": "rater", "rate": "rater", "page": "visitor", "work": "visitor", "program": "visitor",
    "person": "visitor", "admin": "admin",
}  # fmt: skip

# (methods, addresses): {name} is a part without a slash, {name:path} the rest; a slash at the end makes no difference
TABLE: Mapping[Access, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "open": (
        ("GET", ("/healthz", "/readyz", "/robots.txt")),
        # whose own rule is the setting of that name; an administrator reads it everywhere
        ("GET", ("/metrics",)),
        ("GET", ("/sign-in", "/sign-in/provider", "/sign-in/callback")),
        ("POST", ("/sign-in",)),
    ),
    "shared": (
        ("GET", ("/shared/{key}", "/shared/{key}/report", "/shared/{key}/ui/{name:path}")),
        ("GET", ("/shared/{key}/vol/{part}/{name}", "/shared/{key}/slice/{part}/{axis}")),
    ),
    "static": (
        ("GET", ("/ui/{name:path}", "/static/{path:path}", "/svelte/{path:path}")),
        ("GET", ("/assets/{name}", "/assets/{path:path}")),
        ("GET", ("/theme.css", "/favicon.ico", "/manifest.json", "/gradio_api/theme.css")),
    ),
    "page": (("GET", ("/",)),),
    "invited": (("GET", ("/rate/{key}",)),),
    "rate": (
        ("GET", ("/rate/{key}/state", "/rate/{key}/showing/{position}", "/rate/{key}/image/{token}")),
        ("POST", ("/rate/{key}/start", "/rate/{key}/answers")),
    ),
    "work": (
        ("GET", ("/vol/{token}/{name}", "/slice/{token}/{axis}", "/files/{artifact_id}")),
        ("GET", ("/files/{artifact_id}/dicom",)),
        ("GET", ("/progress/{job_id}", "/progress/{job_id}/picture", "/queue")),
        ("GET", ("/worth/{job_id}.html", "/thumbnail/{job_id}.webp")),
        ("GET", ("/batch/{batch_id}/results.zip", "/batch/{batch_id}/summary.csv", "/batch/{batch_id}/failed.csv")),
        ("GET", ("/study/{study_id}/view", "/study/{study_id}/{kind}")),
        ("POST", ("/mask/{scan_id}", "/proposal/{scan_id}")),
        ("GET", ("/api/v1", "/api/v1/openapi.json")),
        # Gradio: what its page reads when it opens, events, uploads
        ("GET", ("/config", "/gradio_api/config", "/gradio_api/info", "/gradio_api/app_id", "/gradio_api/user")),
        ("GET", ("/gradio_api/token", "/gradio_api/login_check", "/gradio_api/startup-events")),
        ("GET", ("/gradio_api/queue/data", "/gradio_api/queue/status", "/gradio_api/heartbeat/{session_hash}")),
        ("GET", ("/gradio_api/upload_progress", "/gradio_api/file={path_or_url:path}")),
        ("POST", ("/gradio_api/queue/join", "/gradio_api/run/{api_name}", "/gradio_api/cancel", "/gradio_api/reset")),
        ("POST", ("/gradio_api/upload",)),
    ),
    "program": (
        ("GET", ("/api/v1/tasks", "/api/v1/tasks/{name}", "/api/v1/files", "/api/v1/files/{file_id}")),
        ("POST", ("/api/v1/files", "/api/v1/jobs", "/api/v1/jobs/{job_id}/cancel")),
        ("GET", ("/api/v1/jobs", "/api/v1/jobs/{job_id}", "/api/v1/jobs/{job_id}/events")),
        ("GET", ("/api/v1/jobs/{job_id}/results/{name}", "/api/v1/jobs/{job_id}/results/{name}/dicom")),
        ("DELETE", ("/api/v1/files/{file_id}", "/api/v1/jobs/{job_id}")),
        # the last two are answered 405, after which clients of the protocol go on
        ("POST", ("/mcp",)),
        ("GET", ("/mcp",)),
        ("DELETE", ("/mcp",)),
    ),
    "person": (
        ("GET", ("/account",)),
        ("POST", ("/account/sign-out", "/account/sign-out-everywhere")),
        ("POST", ("/account/tokens", "/account/tokens/end")),
        ("POST", ("/data/delete",)),
    ),
    "admin": (
        ("GET", ("/admin",)),
        ("POST", ("/admin/visitor", "/admin/account")),
    ),
    "closed": (
        ("GET", ("/openapi.json", "/docs", "/redoc", "/logout", "/pwa_icon", "/pwa_icon/{size}")),
        ("POST", ("/login",)),
        ("GET", ("/monitoring", "/monitoring/summary", "/monitoring/{key}")),
        ("GET", ("/gradio_api/deep_link", "/gradio_api/dev/reload", "/gradio_api/runs", "/gradio_api/openapi.json")),
        ("GET", ("/gradio_api/custom_component/{id}/{environment}/{type}/{file_name}",)),
        ("GET", ("/gradio_api/proxy={url_path:path}", "/gradio_api/file/{path:path}")),
        ("POST", ("/gradio_api/stream/{event_id}", "/gradio_api/stream/{event_id}/close")),
        ("GET", ("/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8",)),
        ("GET", ("/gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",)),
        ("GET", ("/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file",)),
        ("POST", ("/gradio_api/api/{api_name}", "/gradio_api/call/{api_name}", "/gradio_api/call/v2/{api_name}")),
        ("GET", ("/gradio_api/call/{api_name}/{event_id}", "/gradio_api/call/v2/{api_name}/{event_id}")),
        ("POST", ("/gradio_api/component_server", "/gradio_api/process_recording")),
        ("POST", ("/gradio_api/vibe-edit", "/gradio_api/undo-vibe-edit", "/gradio_api/vibe-starter-queries")),
        ("GET", ("/gradio_api/vibe-code",)),
        ("POST", ("/gradio_api/vibe-code",)),
    ),
}  # fmt: skip
# a place in a template; what may stand there, for a part and for the rest of the address
PLACE = re.compile(r"\{[a-z_]+(:path)?\}")
PART, REST = r"[^/]+", r".*"
# a link of Gradio's file address may name another site, which the server would fetch
ELSEWHERE = re.compile(r"/gradio_api/file=(https?:|//)", re.IGNORECASE)


@dataclass(frozen=True)
class Rule:
    """One address: its template, the method that it answers (GET stands for HEAD too), and who may use it."""

    template: str
    method: str
    access: Access
    pattern: re.Pattern[str]


def access_of(method: str, path: str) -> Access:
    """Return who may use an address; closed for one that is not in the table."""
    rule = rule_of(method, path)
    return "closed" if rule is None or ELSEWHERE.match(path) else rule.access


def without_slash(method: str, path: str) -> str:
    """Return an address as its rule has it: a slash at the end makes no difference, but within the rest of one."""
    rule = rule_of(method, path)
    rest = rule is None or rule.template.endswith((":path}", "/"))
    return path if rest else path.removesuffix("/")


def rule_of(method: str, path: str) -> Rule | None:
    """Return the first rule of the table for an address; None for one that is not in it."""
    wanted = "GET" if method == "HEAD" else method
    return next((rule for rule in rules() if rule.method == wanted and rule.pattern.fullmatch(path)), None)


@lru_cache(1)
def rules() -> tuple[Rule, ...]:
    """Return every rule; those without places in their template come first."""
    every = (
        Rule(template, method, access, _pattern(template))
        for access, lines in TABLE.items()
        for method, templates in lines
        for template in templates
    )
    return tuple(sorted(every, key=_generality))


def _generality(rule: Rule) -> tuple[int, bool]:
    return len(PLACE.findall(rule.template)), ":path}" in rule.template


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("".join(_pieces(template)) + ("" if template == "/" else "/?"))


def _pieces(template: str) -> Iterable[str]:
    end = 0
    for place in PLACE.finditer(template):
        yield re.escape(template[end : place.start()])
        yield REST if place[1] else PART
        end = place.end()
    yield re.escape(template[end:])
