#!/usr/bin/env python3
"""What must hold of the dashboard's page in a browser: browser_checks.py many|long|trained URL [FOLDER FOR PICTURES]

Times are those of the browser's own clock, from the request for the page on. A busy machine may take
longer; RESNET_PATIENCE (a factor) then says how much.
"""
import os
import sys
import time

from browser import Browser

FIRST_PAINT = 1000 * float(os.environ.get("RESNET_PATIENCE", "1"))  # ms
failures = []


def check(holds, what):
    print(("ok: " if holds else "FAILED: ") + what)
    if not holds:
        failures.append(what)


def show(browser, url):
    browser.open(url)
    browser.wait("performance.getEntriesByName('curves').length > 0")


def check_times(browser):
    paint = browser.value("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    listed = browser.value("performance.getEntriesByName('list')[0].startTime")
    curves = browser.value("performance.getEntriesByName('curves')[0].startTime")
    size = browser.value("performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
                         ".filter((e) => !e.name.includes('/api/')).reduce((sum, e) => sum + e.decodedBodySize, 0)")
    check(paint < FIRST_PAINT, f"first paint after {paint:.0f} ms (list {listed:.0f}, curves {curves:.0f})")
    check(0 < size < 1e6, f"page of {size} bytes")


def check_quiet(browser):
    complaints = browser.complaints()
    check(not complaints, f"no dialogs, errors or refused loads: {complaints[:2]}")


# Between two tasks of ours the browser must get its turn.
LONGEST_TASK = """new Promise((done) => {
  let longest = 0, last = performance.now(), left = %d;
  const tick = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (--left > 0) setTimeout(tick, 10); else done(longest);
  };
  tick();
})"""


def check_many(browser, url):
    show(browser, url)
    check_times(browser)
    check(browser.value("document.querySelectorAll('#runs li').length") == 500, "500 runs are listed")
    check(browser.value("document.querySelectorAll('#runs img').length") == 0, "names make no elements")
    check(browser.value("[...document.querySelectorAll('#runs button')].filter((b) => "
                        "b.textContent.startsWith('<img src=x onerror=alert(')).length") == 10, "names are shown as text")
    browser.value("document.getElementById('filter').value = 'onerror'; "
                  "document.getElementById('filter').dispatchEvent(new Event('input'))")
    check(browser.value("document.querySelectorAll('#runs li').length") == 10, "the filter filters")
    browser.value("document.getElementById('check-shown').click()")
    browser.wait("document.querySelectorAll('#legend li').length >= 10")
    browser.wait("[...chosen.keys()].every((n) => curves.has(n))")
    check(browser.value("document.querySelectorAll('#legend img').length") == 0, "nor does the legend")
    check(browser.value("dashOf([...chosen.keys()][0], 'test').join() !== dashOf([...chosen.keys()][0], 'validation').join()"
                        " && dashOf(null, 'test').length === 0"), "sets differ by dashes")
    browser.value("document.getElementById('filter').value = ''; "
                  "document.getElementById('filter').dispatchEvent(new Event('input')); "
                  "document.getElementById('check-shown').click()")
    browser.wait("chosen.size === 500 && [...chosen.keys()].every((n) => curves.has(n))", 300)
    check(browser.value("[...document.querySelectorAll('#legend li')].some((l) => l.textContent === 'and 440 more')"),
          "the legend says how many it leaves out")
    longest = browser.value(LONGEST_TASK % 300)
    check(longest < FIRST_PAINT, f"with 500 curves drawn no task is longer than {longest:.0f} ms")
    check_quiet(browser)


def check_long(browser, url):
    show(browser, url)
    check_times(browser)
    points = browser.value("Math.max(...curves.get(focus).series.map((s) => s.mean.length))")
    check(0 < points <= 1000, f"a run of 10,000 epochs comes as {points} points")
    check(browser.value("curves.get(focus).series[0].count") == 80000, "made from all of them")
    check(browser.value("curves.get(focus).series[1].epoch.at(-1)") == 10000, "the newest among them")
    browser.value("document.getElementById('log').click()")
    for axis in ("iteration", "seconds"):
        browser.value(f"document.getElementById('axis').value = '{axis}'; "
                      "document.getElementById('axis').dispatchEvent(new Event('input'))")
    browser.value("document.getElementById('chart').focus()")
    for _ in range(3):
        browser.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowLeft")
    check("test " in browser.value("document.getElementById('reading').textContent"), "arrow keys read values")
    for quantity in ("loss", "lr", "images_per_second", "data_wait", "memory"):
        browser.value(f"document.getElementById('quantity').value = '{quantity}'; "
                      "document.getElementById('quantity').dispatchEvent(new Event('input'))")
        browser.wait(f"curves.get(focus).quantity === '{quantity}'")
    check_axes(browser)
    check_keys(browser)
    check_quiet(browser)


def check_axes(browser):
    check(len(browser.value("logTicks(6, 9.5, 8, '')")) >= 2, "a short logarithmic axis has numbers")
    check(len(browser.value("logTicks(1e-300, 1e300, 8, '')")) <= 20, "a long one not too many")
    check(browser.value("linearTicks(0, 5 * 2 ** 30, 5, 'bytes')[1]") == 2 ** 30, "bytes come in powers of two")
    labels = ("((ticks, format) => ticks.map((t) => format(t, ticks[1] - ticks[0])))"
              "(linearTicks(%s, %s, 8, '%s'), %s).join(' | ')")
    check(browser.value(labels % (1000, 1003, "", "formatNumber")) ==
          "1000 | 1000.5 | 1001 | 1001.5 | 1002 | 1002.5 | 1003", "ticks close together have digits enough")
    check(browser.value(labels % (0.0998, 0.1, "", "formatNumber")).split(" | ")[-2:] == ["0.09995", "0.1"], "small ones too")
    memory = browser.value(labels % (544.94 * 2 ** 20, 545 * 2 ** 20, "bytes", "formatBytes")).split(" | ")
    check(len(set(memory)) == len(memory) > 4, f"bytes too: {memory[0]}, {memory[1]}")
    check(browser.value("[formatSpeed(0.42), formatNumber(12345678), percent(12.345)].join(' ')")
          == "0.42 12,345,678 12.35 %", "numbers are not rounded away")
    browser.value("{const c = {x: [1, 2, 3], y: [1, 1.7e308, 2], colour: 'red', dash: [], bold: true, title: 't'};"
                  "chart.set([c], {...chart.options, log: true}); chart.set([c], {...chart.options, log: false})}")
    check(browser.value("chart.frame.y1 < 3"), "absurd values have no place")
    browser.value("chart.point(2.99)")
    check(browser.value("chart.valueAt(chart.curves[0], 30)") is None, "beyond its end a curve has no value")
    browser.value("showCurves()")


def press(browser, key, text=""):
    browser.call("Input.dispatchKeyEvent", type="keyDown", key=key, **({"text": text} if text else {}))


def check_keys(browser):
    browser.value("document.getElementById('chart').focus()")
    press(browser, "+", "+")
    check(browser.value("chart.zoom !== null"), "+ enlarges")
    browser.wait("location.hash.includes('zoom=')")
    check(browser.value("!$('whole').hidden"), "the address keeps it, and there is a way back")
    browser.value("saved = location.hash")
    for _ in range(40):
        press(browser, "ArrowLeft")
    browser.wait("location.hash !== saved")
    check(browser.value("location.hash.includes('zoom=' + chart.zoom.join())"), "it goes along with the arrow keys")
    press(browser, "-", "-")
    check(browser.value("chart.zoom === null"), "- does the opposite")
    browser.value("chart.zoomTo([1e9, 2e9])")
    check(browser.value("chart.frame !== null"), "where there is nothing, the whole is shown")
    press(browser, "Escape")
    check(browser.value("chart.zoom === null"), "Escape shows the whole")
    box = browser.value("(() => {const b = $('chart').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]})()")
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    for kind, at, buttons in (("mousePressed", x, 1), ("mouseMoved", x + 50, 1), ("mouseMoved", 1279, 1),
                              ("mouseReleased", 1279, 0)):
        browser.call("Input.dispatchMouseEvent", type=kind, x=at, y=y, button="left", buttons=buttons, clickCount=1)
    check(browser.value("chart.zoom !== null && chart.drag === null"), "dragging beyond the edge enlarges up to it")
    browser.value("chart.zoomTo(null)")


# As a server that has been stopped, or a network that swallows what it gets.
STALL = """(async () => {
  const wasFetch = window.fetch, wasTimeout = window.setTimeout;
  window.fetch = (_, how) => new Promise((_, fail) => how.signal.addEventListener('abort', () => fail(how.signal.reason)));
  window.setTimeout = (work, ms) => wasTimeout(work, ms === PATIENCE ? 50 : ms);
  await poll();
  window.fetch = wasFetch;
  window.setTimeout = wasTimeout;
})()"""


def check_trained(browser, url):
    show(browser, url)
    browser.wait("document.querySelectorAll('#spread figure').length === 8")
    check(browser.value("[...document.querySelectorAll('figure img')].every((i) => i.complete && i.naturalWidth === 32)"),
          "pictures are shown")
    check(browser.value("document.documentElement.scrollWidth") <= 390, "a phone is wide enough")
    check(browser.value("document.querySelectorAll('#tiles div').length") == 10, "tiles are there")
    check(browser.value("[...document.querySelectorAll('#tiles dd')].some((d) => d.textContent.includes('iB'))"),
          "memory is shown")
    check(browser.value("$('samples-of').textContent") == "test, step 48, epoch " + browser.value("formatNumber(runs.get(focus).epoch)"),
          "pictures say of which evaluation they are")
    check(browser.value("document.getElementById('link').textContent") == "live", "the page is live")
    check(browser.value("(() => {const f = picture({data: 1}); return f.textContent.includes('?')})()"),
          "odd pictures are shown")
    check(browser.value("picture({guesses: [{class: 'a', probability: null}, null]}).textContent.includes('a-')"),
          "whatever is missing")
    browser.value("(async () => {const f = window.fetch, k = focus; window.fetch = () => Promise.reject(new TypeError('x'));"
                  "await poll(); window.fetch = f;})()")
    check("to look at it again: resnet dashboard " in browser.value("document.getElementById('link').textContent"),
          "when the server has gone, the page says what to do")
    browser.value("poll()")
    browser.wait("document.getElementById('link').textContent === 'live'")
    browser.value(STALL)
    check(browser.value("lost && !asking"), "a connection that gives nothing is not live")
    browser.value("poll()")
    browser.wait("document.getElementById('link').textContent === 'live'")
    check_quiet(browser)


def main():
    kind, url = sys.argv[1:3]
    browser = Browser(**({"width": 390, "height": 844} if kind == "trained" else {}))
    try:
        {"many": check_many, "long": check_long, "trained": check_trained}[kind](browser, url)
        if len(sys.argv) > 3:
            time.sleep(1)
            browser.screenshot(os.path.join(sys.argv[3], kind + ".png"))
    finally:
        browser.close()
    sys.exit(1 if failures else 0)


main()
