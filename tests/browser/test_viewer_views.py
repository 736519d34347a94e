"""Around the viewer's pictures: layouts, keys, touch, several viewers, and what arrives and goes."""

import pytest

from tests.browser.viewer_page import (
    coded,
    data_address,
    noise,
    opened,
    page_text,
    pane,
    press,
    settle,
    value_of,
    views,
)

pytestmark = pytest.mark.browser


def twelve():
    pixels = noise(60, 90)
    address = data_address(pixels)
    names = ["original", "degraded", *(f"model {i}" for i in range(10))]
    return [pane(name, pixels, url=address, detail="30.02 dB") for name in names]


def test_the_grid_takes_more_than_nine_and_folds_to_one_column_on_a_phone(browser, tmp_path):
    with opened(browser, tmp_path, {"viewer": value_of(twelve())}) as page:
        press(page, "g")
        seen = views(page)
        assert len(seen) == 12
        assert len({tuple(one["cell"][:2]) for one in seen}) == 12
        assert len({tuple(one["cell"][2:]) for one in seen}) == 1
        words = page.locator("#viewer .labels > span").all_inner_texts()
        assert [text.split("\n")[0] for text in words][:3] == ["original", "degraded", "model 0"]
        assert all("30.02 dB" in text for text in words)
        page.set_viewport_size({"width": 390, "height": 844})
        settle(page)
        seen = views(page)
        assert 2 <= len(seen) < 12, "panes below the screen are not drawn"
        assert {one["cell"][0] for one in seen} == {0}
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        settle(page)
        assert views(page)[-1]["id"] == "model 9"


def test_panes_of_the_grid_can_be_chosen_stages_among_them(browser, tmp_path):
    stages = [
        pane("net/1", noise(40, 60, 3), "Net, first", group="Net", stage=1, last=False),
        pane("net", noise(40, 60, 4), "Net", group="Net", stage=2, last=True),
    ]
    value = value_of([pane("original", noise(40, 60)), pane("degraded", noise(40, 60, 2)), *stages])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "g")
        shown = lambda: [one["id"] for one in views(page)]  # noqa: E731
        assert shown() == ["original", "degraded", "net"]
        page.locator("#viewer .stages input").fill("1")
        settle(page)
        assert shown() == ["original", "degraded", "net/1"]
        page.locator("#viewer .stages input").fill("2")
        page.get_by_role("button", name="Panes: 3 of 4").click()
        box = lambda name: page.get_by_role("checkbox", name=name, exact=True)  # noqa: E731
        box("Net, first").check()
        box("original").uncheck()
        settle(page)
        assert shown() == ["degraded", "net/1", "net"]
        for label in ("degraded", "Net, first"):
            box(label).uncheck()
        assert box("Net").is_disabled(), "one stays"


# Keys and touch


def test_keys_alone_do_everything(browser, tmp_path):
    value = value_of(twelve())
    with opened(browser, tmp_path, {"viewer": value}) as page:
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.className") == "surface":
                break
        outline = "() => getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid"
        page.keyboard.press("x")
        for key, wanted in (("]", "original"), ("]", "degraded"), ("[", "original"), ("5", "model 2")):
            page.keyboard.press(key)
            settle(page)
            assert views(page)[0]["id"] == wanted
        page.keyboard.press("+")
        settle(page)
        before = views(page)[0]
        page.keyboard.press("+")
        page.keyboard.press("ArrowRight")
        settle(page)
        after = views(page)[0]
        assert after["zoom"] > before["zoom"] and after["left"] < before["left"]
        page.keyboard.press("0")
        page.keyboard.press("l")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Shift+ArrowUp")
        settle(page)
        assert page.locator("#viewer .where").inner_text().startswith("column 44, row 22 ")
        page.keyboard.press("Enter")
        assert page.evaluate("heard.at(-1)") == [
            "block",
            "viewer",
            {"row": 2, "column": 5, "pane": "model 2"},
        ]
        page.keyboard.press("?")
        assert page.locator("#viewer .keys").is_visible()
        page.keyboard.press("Escape")
        assert page.locator("#viewer .keys").is_hidden()


def test_holding_space_shows_the_degraded_picture_in_every_pane(browser, tmp_path):
    with opened(browser, tmp_path, {"viewer": value_of(twelve())}) as page:
        press(page, "g")
        before = [one["cell"] for one in views(page)]
        page.keyboard.down(" ")
        settle(page)
        assert {one["id"] for one in views(page)} == {"degraded"}
        assert [one["cell"] for one in views(page)] == before
        page.keyboard.up(" ")
        settle(page)
        assert views(page)[0]["id"] == "original"


def test_fingers_scroll_the_page_while_the_picture_fits_and_move_it_when_it_does_not(browser, tmp_path):
    value = value_of([pane("original", coded(900, 1203)), pane("degraded", coded(900, 1203))])
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "device_scale_factor": 2}
    with opened(browser, tmp_path, {"viewer": value}, **phone) as page:
        touch_action = "() => document.querySelector('#viewer .surface').style.touchAction"
        assert page.evaluate(touch_action) == "pan-y"
        page.locator("#viewer [data-zoom=one]").click()
        settle(page)
        assert page.evaluate(touch_action) == "none"
        client = page.context.new_cdp_session(page)
        before, box = views(page)[0], page.locator("#viewer .surface").bounding_box()
        x, y = box["x"] + 60, box["y"] + 60
        for kind, points in (
            ("touchStart", [{"x": x, "y": y}]),
            ("touchMove", [{"x": x + 20, "y": y + 10}]),
            ("touchMove", [{"x": x + 50, "y": y + 30}]),
            ("touchEnd", []),
        ):
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        settle(page)
        after = views(page)[0]
        assert (after["left"] - before["left"], after["top"] - before["top"]) == (100, 60)
        assert page.evaluate("heard.length") == 0, "a drag picks nothing"
        page.touchscreen.tap(x, y)
        page.wait_for_function("heard.length > 0")


@pytest.mark.parametrize("theme", ["", "dark"])
def test_a_phone_shows_calm_bars_without_sideways_scrolling(browser, tmp_path, theme):
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
    with opened(browser, tmp_path, {"viewer": value_of(twelve())}, theme=theme, **phone) as page:
        for selector in (".bar", ".tools"):
            assert page.locator(f"#viewer {selector}").bounding_box()["height"] <= 100
        press(page, "l", "m", "b", "g")
        settle(page, map="ready")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        for button in page.locator("#viewer .tools button").all():
            assert button.bounding_box()["height"] >= 36


# Several on a page, and a page of one's own


def test_two_viewers_do_not_disturb_each_other(browser, tmp_path):
    first, second = (
        value_of([pane("original", noise(40, 60, s)), pane("degraded", noise(40, 60, s + 1))]) for s in (1, 5)
    )
    with opened(browser, tmp_path, {"one": first, "two": second}) as page:
        press(page, "x", "1", "+", viewer="one")
        assert [(v["id"], len(views(page, "two"))) for v in views(page, "one")] == [("original", 2)]
        zoom = views(page, "two")[0]["zoom"]
        page.locator("#two .surface").hover()
        press(page, "-", viewer="one")
        assert views(page, "two")[0]["zoom"] == zoom, "keys go to the one with the focus"
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("x")
        settle(page, "two")
        assert len(views(page, "two")) == 1, "and else to the one under the pointer"
        shown = views(page, "one")[0]["id"]
        page.evaluate("""() => document.querySelector("#two .viewer").dispatchEvent(
            new CustomEvent("studio-show-pane", { detail: "original" }))""")
        settle(page, "two")
        assert views(page, "two")[0]["id"] == "original"
        assert views(page, "one")[0]["id"] == shown


def test_new_results_arrive_and_the_choice_of_pictures_stays(browser, tmp_path):
    panes = twelve()
    with opened(browser, tmp_path, {"viewer": value_of(panes[:3])}) as page:
        press(page, "x", "1", "+")
        zoom = views(page)[0]["zoom"]
        send = "(value) => window.mounted.viewer.send(value)"
        page.evaluate(send, value_of(panes[:5]))
        settle(page)
        assert (views(page)[0]["id"], views(page)[0]["zoom"]) == ("original", zoom)
        page.evaluate(send, value_of(panes[:5], run="another"))
        settle(page)
        assert views(page)[0]["id"] == "model 2"
        page.evaluate(send, value_of(panes[:2], picture="another", run="third"))
        settle(page)
        assert page.locator("#viewer [data-zoom=fit]").get_attribute("aria-pressed") == "true"


def test_a_viewer_that_left_the_page_is_silent(browser, tmp_path):
    with opened(browser, tmp_path, {"one": value_of(twelve()), "two": value_of(twelve())}) as page:
        page.evaluate("() => document.getElementById('one').remove()")
        press(page, "x", "3", viewer="two")
        assert views(page, "two")[0]["id"] == "model 0"


def test_each_picture_is_fetched_once(browser, tmp_path):
    panes = [pane(name, noise(50, 70, i)) for i, name in enumerate(("original", "degraded", "net"))]
    (tmp_path / "page.html").write_text(page_text({"viewer": value_of(panes)}), "utf-8")
    page = browser.new_page()
    page.add_init_script("""const plain = window.fetch; window.asked = [];
        window.fetch = (url, ...rest) => { window.asked.push(url); return plain(url, ...rest); };""")
    page.goto((tmp_path / "page.html").as_uri())
    settle(page)
    press(page, "g", "+", "l", "m", "m", "x", "1", "2", "3", "s", "0")
    settle(page, map="ready")
    asked = page.evaluate("window.asked")
    page.close()
    assert sorted(asked) == sorted(one["file"]["url"] for one in panes)


def test_a_picture_that_is_gone_is_said_and_not_asked_for_again_and_again(browser, tmp_path):
    pixels = noise(50, 70)
    panes = [pane("original", pixels, url="data:image/png;base64,AAAA"), pane("degraded", pixels)]
    (tmp_path / "page.html").write_text(page_text({"viewer": value_of(panes)}), "utf-8")
    page = browser.new_page()
    page.add_init_script("""const plain = window.fetch; window.asked = [];
        window.fetch = (url, ...rest) => { window.asked.push(url); return plain(url, ...rest); };""")
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_function("document.querySelector('.remarks').textContent.includes('could not be loaded')")
    page.locator("#viewer .surface").focus()
    page.keyboard.press("m")
    page.keyboard.press("+")
    page.evaluate("async () => { for (let i = 0; i < 30; i++) await new Promise(requestAnimationFrame); }")
    assert page.evaluate("window.asked").count(panes[0]["file"]["url"]) < 5
    page.evaluate("(value) => mounted.viewer.send(value)", value_of([pane("original", pixels), panes[1]]))
    settle(page)
    assert page.locator("#viewer .remarks").inner_text().startswith("Compared with the original")
    page.close()


def test_strings_of_the_server_never_become_markup(browser, tmp_path):
    nasty = "<img src=x onerror=alert(1)>"
    panes = [pane("original", noise(30, 40)), pane("degraded", noise(30, 40), nasty, detail=nasty)]
    with opened(browser, tmp_path, {"viewer": value_of(panes)}) as page:
        press(page, "g", "l")
        page.get_by_role("button", name="Panes").click()
        assert page.locator("#viewer img").count() == 0
        assert nasty in page.locator("#viewer .labels").inner_text()
