"""What the first page and a reload weigh on the wire, and that nothing jumps while they load."""

import pytest

pytestmark = pytest.mark.browser

COLD_BYTES = 1_500_000
RELOAD_BYTES = 200_000
MAX_SHIFT = 0.05
SETTLED_MS = 2000
REPAIRED = """() => document.querySelector('#verdict .title')?.textContent
  && document.querySelector('#action .action').dataset.state === 'idle'
  && document.querySelector('#viewer canvas').dataset.ready === 'true'"""
SUM_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


class Wire:
    """Bytes that a page has received, headers included, by address."""

    def __init__(self, page):
        self._addresses, self.bytes_of = {}, {}
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.dataReceived", lambda event: self._received(event, added=True))
        session.on("Network.loadingFinished", lambda event: self._received(event, added=False))

    def _asked(self, event):
        self._addresses[event["requestId"]] = event["request"]["url"]

    def _received(self, event, *, added):
        number = event["requestId"]
        before = self.bytes_of.get(number, 0) if added else 0
        self.bytes_of[number] = before + event["encodedDataLength"]

    def taken(self):
        """Bytes by address since the last time this was asked."""
        taken = {self._addresses.get(number, number): count for number, count in self.bytes_of.items()}
        self.bytes_of.clear()
        return taken


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_first_page_and_a_reload_are_light_and_nothing_jumps(browser, address, size):
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(SUM_SHIFTS)
    wire = Wire(page)
    try:
        for limit in (COLD_BYTES, RELOAD_BYTES):
            page.reload() if page.url.startswith("http") else page.goto(f"{address}/")
            page.wait_for_function(REPAIRED, timeout=120_000)
            page.wait_for_timeout(SETTLED_MS)
            taken, shifted = wire.taken(), page.evaluate("() => window.shifted")
            print(f"{sum(taken.values())} bytes, shifted by {shifted:.3f}")
            assert 20_000 < sum(taken.values()) <= limit, sorted(taken.items(), key=lambda item: -item[1])[:8]
            assert shifted <= MAX_SHIFT
    finally:
        context.close()


def test_pictures_that_nobody_looks_at_stay_on_the_server(browser, address):
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/")
    page.wait_for_function(REPAIRED, timeout=120_000)
    pictures = [url for url in asked if "/coffee_" in url]
    assert len(pictures) == 2 and not any("_original" in url for url in pictures)
    page.hover("#viewer .surface", position={"x": 40, "y": 40})
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(({ name }) => name.includes('coffee_original'))"
    )
    page.context.close()
