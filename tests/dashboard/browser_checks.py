#!/usr/bin/env python3
"""What must hold of the dashboard's page in a browser:

    browser_checks.py many|long|changing|trained URL [FOLDER FOR PICTURES]

Times are those of the browser's own clock, from the request for the page on. A busy machine may take
longer; RESNET_PATIENCE (a factor) then says how much.
"""
import json
import os
import shutil
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


def append(name, *lines):
    folder = os.path.join("changing", name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "log.jsonl"), "a", encoding="utf-8") as file:
        file.writelines(json.dumps({"iterations": 1000, **line}) + "\n" for line in lines)


def step(iteration):
    return {"event": "step", "iteration": iteration, "epoch": iteration / 100, "seconds": iteration, "loss": 1, "error": 50,
            "eta": 1000 - iteration}


def evaluation(iteration, error):
    return {"event": "evaluation", "iteration": iteration, "epoch": iteration / 100, "seconds": iteration + 50, "loss": 1,
            "error": error, "set": "test"}


START = {"event": "start", "time": "2026-11-28T00:00:00Z", "iteration": 0, "epoch": 0, "seconds": 0, "text": "resnet-20"}
TILE = "[...$('tiles').children].find((d) => d.firstChild.textContent === '%s').lastChild.textContent"


def check_changing(browser, url):
    note = {"event": "note", "iteration": 100, "text": "of a alone"}
    append("a", START, note, step(100), evaluation(100, 20))
    append("b", START, step(100), evaluation(100, 40))
    show(browser, url + "#smoothing=0.5&zoom=0.1,0.9&run=a&with=a,b")
    check(browser.value("focus === 'a' && [...chosen.keys()].join() === 'a,b' && $('smoothing').value === '0.5' && "
                        "chart.zoom.join() === '0.1,0.9' && !$('whole').hidden"), "the address says what is shown")
    browser.value("writeAddress()")
    check(browser.value("location.hash") == "#smoothing=0.5&zoom=0.1,0.9&run=a&with=a,b", "and goes on saying it")
    for address, run, count in (("#run=b&with=b", "b", 1), ("#run=a&with=a,b", "a", 2)):
        browser.value(f"location.hash = '{address}'")
        browser.wait(f"typeof focus !== 'undefined' && focus === '{run}' && chosen.size === {count} && curves.size === {count}")
    check(browser.value("$('smoothing').value === '0' && chart.zoom === null"), "another address is gone to")
    check(browser.value("$('notes').textContent") == "step 100: of a alone", "notes are shown")
    check_progress(browser)
    check_news_alone(browser)
    shutil.rmtree("changing/a")
    browser.wait("focus !== 'a'")
    check(browser.value("$('notes-section').hidden && $('notes').textContent === ''"), "they go with their run")
    shutil.rmtree("changing/b")
    append("b", START, step(10))
    browser.wait("runs.get('b').iteration === 10 && curves.get('b').version === runs.get('b').version")
    check("best" not in browser.value(TILE % "test error"), "a run that begins anew has no best error yet")
    check_quiet(browser)


def check_progress(browser):
    browser.value("$('quantity').value = 'memory'; $('quantity').dispatchEvent(new Event('input'))")
    append("a", step(150), evaluation(180, 15))
    browser.wait("runs.get('a').iteration === 180 && curves.get('a').version === runs.get('a').version")
    browser.wait(TILE % "test error" + ".includes('15.00 %')")
    check("best 15.00 %" in browser.value(TILE % "test error"), "the best error is known whatever is drawn")
    check(browser.value(TILE % "epoch") == "1.8 of 10", "the epoch is that of the last line")
    left, elapsed = (int(minutes) * 60 + int(seconds[:2]) for minutes, seconds in
                     (browser.value(TILE % title).split(":")[:2] for title in ("ETA", "elapsed")))
    check(left <= 850 - 80, "an evaluation takes from the time that is left")
    check(230 <= elapsed < 530, "elapsed time is shown")


def check_news_alone(browser):
    browser.value("$('legend').firstChild.same = true; $('notes').firstChild.same = true; poll()")
    browser.wait("!asking")
    check(browser.value("$('legend').firstChild.same && $('notes').firstChild.same"), "without news nothing is made again")


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
    check(browser.value("document.querySelectorAll('#tiles div').length") == 11, "tiles are there")
    check(browser.value("[...document.querySelectorAll('#tiles dd')].some((d) => d.textContent.includes('iB'))"),
          "memory is shown")
    check(browser.value("$('samples-of').textContent") == "test, step 48, epoch " + browser.value(TILE % "epoch").split()[0],
          "pictures say of which evaluation they are")
    check(browser.value("$('about').textContent").startswith("recipe "), "the recipe is named")
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
        {"many": check_many, "long": check_long, "changing": check_changing, "trained": check_trained}[kind](browser, url)
        if len(sys.argv) > 3:
            time.sleep(1)
            browser.screenshot(os.path.join(sys.argv[3], kind + ".png"))
    finally:
        browser.close()
    sys.exit(1 if failures else 0)


main()
