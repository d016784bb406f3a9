"""Tables for the terminal and for report.md, and the plot of init's wall time."""

import json
import pathlib
import platform

OUT = pathlib.Path(__file__).resolve().parents[2] / "build/bench"
COLOURS = ("#1b7837", "#2166ac", "#b2182b", "#e08214", "#762a83")
LOAD = {
    "rotations": "From the signal that makes it poll to the published set, while a crowd of rapid, silent and slow clients"
    " is at the port and the socket; at another sidecar it takes the same share of the CPU",
    "port": "Resident memory without the port, with it, just after /metrics, /status and the page were read a hundred times,"
    " and later",
    "probes": "One probe, of which the time to load the program is a part",
}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 440, 70, 50, 40, 210
LIMIT_NOTE = (
    "The limit is 4 round trips: TCP, TLS 1.3, token, value; discovery is free. Round trips are the slope between"
    " the two latencies; a slope below 4, or one that does not grow with the number of secrets, shows how far other"
    " work on the machine, or the contender's own CPU time, disturbed the run. *At most* is the wall time at the"
    " higher latency divided by it: CPU time included, so never too good."
)


def show(title, rows):
    print(f"\n{title}")
    shown = [{name: value for name, value in row.items() if name != "contender"} for row in rows]
    widths = [max(len(name), *(len(str(row[name])) for row in shown)) for name in shown[0]]
    for cells in [list(shown[0])] + [[str(value) for value in row.values()] for row in shown]:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(cells, widths)), flush=True)


def table(rows):
    lines = ["| " + " | ".join(name.replace("_", " ") for name in rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def earlier(path):
    """The figures of other runs; none when this release cannot show them."""
    if not path.exists():
        return {}
    try:
        known = dict(json.loads(path.read_text()))
        markdown(known)
        if "init" in known:
            plot(known["init"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        print(f"\n{path} has another form and is ignored: {error!r}")
        return {}
    return known


def write(figures):
    """Adds figures to those of other runs, and writes all of them."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "report.json"
    known = earlier(path) | figures
    path.write_text(json.dumps(known, indent=2) + "\n")
    if "init" in known:
        (OUT / "init.svg").write_text(plot(known["init"]))
    (OUT / "report.md").write_text(markdown(known))
    print(f"\nfigures: build/bench/report.json, report.md{', init.svg' if 'init' in known else ''}")


def markdown(known):
    parts = [f"# Measured\n\n{platform.machine()}, Linux, one run of `make bench` on loopback."]
    if "init" in known:
        parts.append(f"## init\n\n{LIMIT_NOTE}\n\n![wall time](init.svg)\n\n{table(known['init'])}")
    if "idle" in known:
        parts.append(
            "## One poll of 10 secrets that finds nothing new\n\nUp to a minute apart connections stay open; further"
            f" apart they are closed, and the TLS session is resumed.\n\n{table(known['idle'])}"
        )
    if "load" in known:
        tables = [f"{title}:\n\n{table(known['load'][part])}" for part, title in LOAD.items()]
        parts.append("## Who asks the sidecar\n\n" + "\n\n".join(tables))
    if "throttle" in known:
        parts.append(f"## A node restarts: throttling\n\n{throttling(known['throttle'])}")
    return "\n\n".join(parts) + "\n"


def throttling(t):
    start, steady = t["start"], t["steady"]
    return (
        f"{t['sidecars']} sidecars with {t['objects_each']} objects each start at once; the vault allows {t['limit']}.\n\n"
        f"- {t['started']} started, {t['alive_at_the_end']} were alive at the end.\n"
        f"- The start took {t['start_s']} s; the requests that were let through make {t['least_s']} s necessary:"
        f" {t['ratio']} times that.\n"
        f"- While they started {start['answered_429']} of {start['requests']} requests got a 429"
        f" ({start['share_429']:.0%}).\n"
        f"- In the {steady['seconds']} s after it, with a poll every {steady['poll_interval_s']} s,"
        f" {steady['answered_429']} of {steady['requests']} ({steady['share_429']:.0%})."
    )


def plot(rows):
    """Wall time over the number of secrets at the lower latency, both axes logarithmic."""
    import math

    column = [name for name in rows[0] if name.startswith("wall_ms_at_")][0]
    names = list(dict.fromkeys(row["contender"] for row in rows))
    counts = sorted({row["secrets"] for row in rows})
    low, high = min(row[column] for row in rows) / 1.3, max(row[column] for row in rows) * 1.3

    def x(count):
        share = math.log(count) / math.log(max(counts)) if max(counts) > 1 else 0
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(ms):
        return HEIGHT - BOTTOM - math.log(ms / low) / math.log(high / low) * (HEIGHT - BOTTOM - TOP)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="14">Reading secrets at a round trip of {column.split("_")[-1]} ms: wall time</text>',
    ]
    for count in counts:
        out.append(f'<line x1="{x(count):.0f}" y1="{TOP}" x2="{x(count):.0f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{x(count):.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{count}</text>')
    for ms in (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000):
        if low < ms < high:
            out.append(f'<line x1="{LEFT}" y1="{y(ms):.0f}" x2="{WIDTH - RIGHT}" y2="{y(ms):.0f}" stroke="#ddd"/>')
            out.append(f'<text x="{LEFT - 8}" y="{y(ms) + 4:.0f}" text-anchor="end">{ms} ms</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">secrets</text>')
    for name, colour in zip(names, COLOURS):
        points = [(x(row["secrets"]), y(row[column])) for row in rows if row["contender"] == name]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
        a, b = points[-1]
        out.append(f'<text x="{a + 8:.0f}" y="{b + 4:.0f}" fill="{colour}">{name}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
