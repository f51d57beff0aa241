"""No answer to a reader study is lost or doubled, whatever the network, the server and the rater do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.rate_stage import COMMENT, CONFIDENCE, MARK, PREFER, Study, pairs, serve
from tests.browser.rate_steps import BANNER, TABLET, canvas_point, kept, rater, save, violations, wait_item

# notes in `order` when the network is back, when a pause ends and when something is sent
ORDER = """globalThis.order = [];
  addEventListener("online", () => order.push("online"));
  const { setTimeout: later, fetch: send } = globalThis;
  globalThis.setTimeout = (work, wait, ...more) =>
    later((...given) => { if (wait >= 100) order.push("pause"); work(...given); }, wait, ...more);
  globalThis.fetch = (...given) => { order.push("fetch"); return send(...given); };"""

# notes each pair of words under the item in `seen`: of the banner and of the status
WORDS = """() => {
  globalThis.seen = [];
  const text = (one) => document.querySelector(one)?.textContent;
  const look = () => seen.push(`${text("#rate-banner")} | ${text(".rate-status")}`);
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def answer(page: Page, choice: str = "a", level: int = 4) -> None:
    page.keyboard.press(choice)
    page.keyboard.press(str(level))
    page.keyboard.press("Enter")


def test_a_reload_resumes_at_the_same_item_with_the_draft(browser: Browser) -> None:
    asked = [PREFER, CONFIDENCE, MARK, COMMENT]
    with serve(Study(pairs(3, asked)).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 3)
        answer(page)
        wait_item(page, 2, 3)
        page.keyboard.press("ArrowUp")
        page.keyboard.press("b")
        page.keyboard.press("a")
        page.get_by_label("Comment").fill("blurred at the rim")
        page.get_by_role("button", name="Pen").click()
        page.mouse.click(*canvas_point(page, 0, (0.5, 0.5, 0.5)))
        expect(page.get_by_text("voxels marked")).to_be_visible()
        page.wait_for_timeout(600)
        [draft] = kept(page, "draft")
        page.reload()
        wait_item(page, 2, 3)
        expect(page.get_by_role("radio", name="A", exact=True)).to_be_checked()
        expect(page.get_by_label("Comment")).to_have_value("blurred at the rim")
        page.get_by_role("heading", name="Counterscan").click()
        page.keyboard.press("3")
        page.keyboard.press("Enter")
        wait_item(page, 3, 3)
        assert kept(page, "out") == []
        assert [one["answers"] for one in kept(page, "draft")] in ([], [{}])
    row = study.rows[1]
    assert row["answers"]["mark"] == draft["answers"]["mark"]
    assert row["answers"]["comment"] == "blurred at the rim"
    assert row["seconds"] > draft["seconds"] > 0
    assert row["changes"] == 1
    assert row["slices"]["axial"] >= 2
    assert row["shown_at"] == draft["shown_at"]


def test_another_machine_goes_on_where_the_first_paused(browser: Browser) -> None:
    with serve(Study(pairs(3)).begin()) as study:
        with rater(browser, study) as page:
            wait_item(page, 1, 3)
            answer(page)
            wait_item(page, 2, 3)
            size = page.locator("canvas").first.evaluate("(canvas) => [canvas.width, canvas.height]")
            page.get_by_role("button", name=re.compile("^Pause")).click()
            expect(page.get_by_text("open the same link again, on this machine or on any other")).to_be_visible()
            assert violations(page) == []
            page.get_by_role("button", name="Go on").click()
            wait_item(page, 2, 3)
            page.wait_for_timeout(300)
            assert page.locator("canvas").first.evaluate("(canvas) => [canvas.width, canvas.height]") == size
        with rater(browser, study, TABLET) as other:
            wait_item(other, 2, 3)
            answer(other)
            wait_item(other, 3, 3)
    assert len(study.rows) == 2


@pytest.mark.parametrize("trouble", [[503, 429, 500], [502]])
def test_a_busy_server_gets_the_same_answer_again(browser: Browser, trouble: list[int]) -> None:
    with serve(Study(pairs(2)).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 2)
        study.trouble.extend(trouble)
        page.evaluate(WORDS)
        answer(page)
        wait_item(page, 2, 2)
        seen = page.evaluate("seen")
        assert "The server is busy; your answer is kept here and will be sent. | Saving …" in seen
        expect(page.locator("#rate-banner")).to_be_hidden()
        expect(page.locator(".rate-status")).to_have_text("Saved: item 1")
    assert len(study.posts) == len(trouble) + 1
    assert len({str(post) for post in study.posts}) == 1
    assert len(study.rows) == 1


def test_a_connection_lost_after_saving_doubles_nothing(browser: Browser) -> None:
    dropped: list[int] = []

    def drop(route: Route) -> None:
        if len(dropped) < 2:
            dropped.append(route.fetch().status)
            route.abort("connectionreset")
        else:
            route.continue_()

    with serve(Study(pairs(2)).begin()) as study, rater(browser, study) as page:
        page.route("**/answers", drop)
        wait_item(page, 1, 2)
        answer(page)
        expect(page.locator("#rate-banner")).to_have_text(BANNER)
        wait_item(page, 2, 2)
    assert dropped == [200, 200]
    assert len(study.posts) == 3
    assert len(study.rows) == 1


def test_offline_the_answer_is_kept_and_sent_at_once_when_back(browser: Browser) -> None:
    with serve(Study(pairs(3)).begin()) as study, rater(browser, study, script=ORDER) as page:
        wait_item(page, 1, 3)
        page.wait_for_load_state("networkidle")
        page.context.set_offline(True)
        answer(page, "b", 1)
        expect(page.locator("#rate-banner")).to_have_text(BANNER)
        # long enough for the pauses to have grown
        page.wait_for_timeout(3500)
        [out] = kept(page, "out")
        assert out["payload"]["answers"] == {"prefer": "B", "confidence": 1}
        assert study.posts == []
        expect(page.get_by_role("radio", name="B", exact=True)).to_be_disabled()
        page.keyboard.press("Enter")
        page.context.set_offline(False)
        wait_item(page, 2, 3)
        # no pause came to its end in between
        assert page.evaluate("order.slice(order.indexOf('online'))")[:2] == ["online", "fetch"]
        assert kept(page, "out") == []
    assert [post["client_id"] for post in study.posts] == [out["payload"]["client_id"]]


def test_a_reload_sends_what_is_kept_before_anything_else(browser: Browser) -> None:
    with serve(Study(pairs(3)).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 3)
        page.route("**/answers", lambda route: route.abort())
        answer(page)
        expect(page.locator("#rate-banner")).to_have_text(BANNER)
        [out] = kept(page, "out")
        page.unroute("**/answers")
        page.reload()
        wait_item(page, 2, 3)
        assert kept(page, "out") == []
    [row] = study.rows
    assert row == out["payload"]


def test_what_the_server_will_not_take_stays_on_the_page(browser: Browser) -> None:
    with serve(Study(pairs(2)).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 2)
        study.trouble.append(422)
        answer(page)
        expect(page.get_by_role("alert").filter(has_text="This answer is bad. Answer again.")).to_be_visible()
        expect(page.get_by_role("radio", name="A", exact=True)).to_be_checked()
        assert kept(page, "out") == []
        page.keyboard.press("b")
        page.keyboard.press("Enter")
        wait_item(page, 2, 2)
    assert [row["answers"]["prefer"] for row in study.rows] == ["B"]
    assert study.posts[0]["client_id"] != study.posts[1]["client_id"]


def test_an_unfinished_item_is_not_sent(browser: Browser) -> None:
    with serve(Study(pairs(2)).begin()) as study, rater(browser, study) as page:
        wait_item(page, 1, 2)
        page.keyboard.press("a")
        save(page)
        expect(page.get_by_role("alert").filter(has_text="Still to answer: How sure are you?")).to_be_visible()
        expect(page.locator("[data-name=confidence] input").first).to_be_focused()
    assert study.posts == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_link_that_does_not_work_says_what_to_do(browser: Browser, status: int) -> None:
    with serve(Study(pairs(2)).begin()) as study:
        study.ended = status
        with rater(browser, study) as page:
            expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
            expect(page.get_by_text("This link was revoked.")).to_be_visible()
            expect(page.get_by_text("ask whoever invited you for a new one")).to_be_visible()


def test_a_browser_without_webgl_is_told_so(browser: Browser) -> None:
    script = """const { getContext } = HTMLCanvasElement.prototype;
      HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
        return kind === "webgl2" ? null : getContext.call(this, kind, ...more); };"""
    with serve(Study(pairs(2)).begin()) as study, rater(browser, study, script=script) as page:
        expect(page.get_by_role("heading", name="This browser cannot show the images")).to_be_visible()


def test_the_next_images_are_there_before_they_are_asked_for(browser: Browser) -> None:
    with serve(Study(pairs(3)).begin()) as study, rater(browser, study) as page:
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        wait_item(page, 1, 3)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        asked.clear()
        answer(page)
        wait_item(page, 2, 3)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
    names = [one.rpartition("/rate/k3y/")[2].partition("/")[0] for one in asked]
    assert names == ["answers", "showing", "image", "image"]
