"""Compares when our schedules are due with croniter, cronsim and systemd on generated rows.

Every row is an expression, a zone, and an instant to look from; every judge says the next five.
Where a judge differs, the row must be of a class that says why; a row of no class is a failure.
"""

import collections
import datetime as dt
import json
import random
import shutil
import subprocess
import sys
import zoneinfo

import croniter
import cronsim

UTC = dt.timezone.utc
COUNT = 5
ZONES = [
    "America/New_York", "Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe",
    "Antarctica/Troll", "America/Santiago", "Asia/Kolkata", "Pacific/Auckland",
    "America/Havana", "Asia/Beirut", "Pacific/Chatham", "America/St_Johns", "UTC",
]
DAYS = ["*", "*", "*", "1", "15", "1,15", "10-20", "*/2", "28-31"]
WEEKDAYS = ["*", "*", "*", "MON", "1-5", "0", "7", "SUN", "*/2", "2,4"]
MINUTES = ["0", "30", "*/15", "*/20", "0,30", "*", "7", "5-10", "45"]
HOURS = ["*", "*/2", "1", "2", "1,2,3", "0", "9-17", "3", "23", "0-4"]
MONTHS = ["*", "*", "*", "1", "3-5", "10,11", "*/3"]


def turns(zone):
    """The turns of a zone's clock in 2026 and 2027: instants, and by how much."""
    info, found = zoneinfo.ZoneInfo(zone), []
    at, end = 1767225600 - 172800, 1830297600
    offset = lambda at: dt.datetime.fromtimestamp(at, info).utcoffset()
    while at < end:
        low, high = at, at + 86400
        if offset(low) != offset(high):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            found.append((high, offset(high) - offset(high - 1)))
        at += 86400
    return found


def rows(count, seed):
    draw = random.Random(seed)
    known = {zone: turns(zone) for zone in ZONES}
    for _ in range(count):
        zone = draw.choice(ZONES)
        fields = [draw.choice(kind) for kind in (MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS)]
        after = draw.randrange(1767225600, 1830000000)
        if known[zone] and draw.random() < 0.6:
            after = draw.choice(known[zone])[0] + draw.randrange(-10800, 10800)
            fields[2:] = ["*", "*", "*"] if draw.random() < 0.7 else fields[2:]
        yield " ".join(fields), zone, after, known[zone]


def by_croniter(expression, zone, after):
    start = dt.datetime.fromtimestamp(after, zoneinfo.ZoneInfo(zone))
    walk = croniter.croniter(expression, start, implement_cron_bug=True)
    return [int(walk.get_next(float)) for _ in range(COUNT)]


def by_cronsim(expression, zone, after):
    walk = cronsim.CronSim(expression, dt.datetime.fromtimestamp(after, zoneinfo.ZoneInfo(zone)))
    return [int(next(walk).timestamp()) for _ in range(COUNT)]


def by_systemd(expression, zone, after):
    """systemd's own notation; it has no OR of the day fields, so such rows are not asked."""
    minute, hour, day, month, weekday = expression.split()
    if day != "*" and weekday != "*" or weekday == "*/2":
        return None
    part = lambda text, first: text.replace("*/", f"{first}/").replace("-", "..")
    names = "Sun Mon Tue Wed Thu Fri Sat Sun".split()
    named = lambda text: names[int(text)] if text.isdigit() else text.title()
    days = ",".join("..".join(map(named, item.split("-"))) for item in weekday.split(","))
    days = "" if weekday == "*" else days + " "
    date = f"*-{part(month, 1)}-{part(day, 1)}"
    calendar = f"{days}{date} {part(hour, 0)}:{part(minute, 0)}:00 {zone}"
    base = dt.datetime.fromtimestamp(after, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    command = ["systemd-analyze", "calendar", f"--iterations={COUNT}", f"--base-time={base}"]
    told = subprocess.run(
        command + [calendar], capture_output=True, text=True, env={"TZ": "UTC", "PATH": "/usr/bin"}
    )
    if told.returncode:
        raise ValueError(told.stderr)
    times = []
    for line in told.stdout.splitlines():
        label, _, value = line.strip().partition(": ")
        if label == "Next elapse" or label.startswith("Iter"):
            stamp = dt.datetime.strptime(value.strip()[4:23], "%Y-%m-%d %H:%M:%S")
            times.append(int(stamp.replace(tzinfo=UTC).timestamp()))
    return times


def difference(ours, theirs, expression, after, known):
    """The class of a difference, or none."""
    if theirs != sorted(set(theirs)) or theirs and theirs[0] <= after:
        return "the judge went into the past"
    first = min(min(a, b) for a, b in zip(ours, theirs) if a != b) if theirs else after
    for at, change in known:
        length = abs(change.total_seconds())
        kind = "gap" if change.total_seconds() > 0 else "fold"
        if at - length - 1 <= first <= at + length + 3600:
            interval = any(field.startswith("*") for field in expression.split()[:2])
            return f"{kind}, {'interval' if interval else 'fixed times'}"
        if after < at < first and length % 3600:
            return "the judge walks by whole hours over a turn of half an hour"
    day, weekday = expression.split()[2], expression.split()[4]
    if day != "*" and weekday != "*" and (day.startswith("*") or weekday.startswith("*")):
        return "`*/n` in one day field: AND as cronie, the judge OR"
    if len(theirs) < len(ours):
        return "the judge stopped looking"
    return None


def read(line):
    """An answer of ours, its times as Unix seconds."""
    answer = json.loads(line)
    at = lambda text: dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return answer if "error" in answer else {"next": [int(at(t).timestamp()) for t in answer["next"]]}


def main():
    program, count, seed = sys.argv[1], *(int(text) for text in (sys.argv[2:] + ["2000", "1"])[:2])
    table = list(rows(count, seed))
    asked = "".join(
        json.dumps({"expr": e, "tz": z, "n": COUNT,
                    "after": dt.datetime.fromtimestamp(at, UTC).isoformat()}) + "\n"
        for e, z, at, _ in table
    )
    told = subprocess.run(
        [program, "cron", "next", "--batch"], input=asked, capture_output=True, text=True, check=True)
    print(told.stderr.strip())
    ours = [read(line) for line in told.stdout.splitlines()]
    judges = {"croniter": by_croniter, "cronsim": by_cronsim}
    if shutil.which("systemd-analyze"):
        judges["systemd"] = by_systemd
    else:
        print("systemd-analyze is not installed; it does not judge")
    failed = 0
    for name, judge in judges.items():
        counts, shown = collections.Counter(), {}
        for (expression, zone, after, known), answer in zip(table, ours):
            row = f"{expression!r} {zone} after {after}"
            try:
                theirs = judge(expression, zone, after)
            except Exception as error:  # a judge's refusals have no common type
                theirs = error
            if theirs is None:
                counts["not asked"] += 1
                continue
            if isinstance(theirs, Exception) or "error" in answer:
                both = isinstance(theirs, Exception) and "error" in answer
                kind = "both refuse" if both else (
                    "the judge refuses" if "error" not in answer else "we refuse: never fires")
                if kind.startswith("we") and "never" not in answer["error"]:
                    kind = None
            elif theirs == answer["next"]:
                kind = "same"
            else:
                kind = difference(answer["next"], theirs, expression, after, known)
            if kind is None:
                failed += 1
                print(f"{name}: UNEXPLAINED {row}\n  ours   {answer}\n  theirs {theirs}")
            counts[kind or "UNEXPLAINED"] += 1
            shown.setdefault(kind, f"{row}: ours {answer}, theirs {theirs}")
        print(f"\n{name}")
        for kind, number in counts.most_common():
            print(f"  {number:6} {kind}")
            if kind not in ("same", "not asked"):
                print(f"         {shown.get(kind)}"[:400])
    sys.exit(1 if failed else 0)


main()
