"""Compares when our schedules are due with a walk over every minute, croniter, cronsim and systemd.

Every row is an expression, a zone, and an instant to look from; every judge says the next five. The
walk (`walk.py`) has to agree on all of them. Where another judge differs, its policy is known and
says which five instants it has to answer instead: any other answer is a failure.
"""

import collections
import datetime as dt
import functools
import itertools
import json
import random
import shutil
import subprocess
import sys
import zoneinfo

import croniter
import cronsim

import walk

UTC = dt.timezone.utc
COUNT = 5
# So many that what a judge leaves out of them leaves five.
MANY = COUNT + 200
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


@functools.cache
def turns(zone):
    """The turns of a zone's clock from 2026 to 2036: instants, and by how much."""
    info, found = zoneinfo.ZoneInfo(zone), []
    at, end = 1767225600 - 172800, 2098000000
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
            after = draw.choice(known[zone][:4])[0] + draw.randrange(-10800, 10800)
            fields[2:] = ["*", "*", "*"] if draw.random() < 0.7 else fields[2:]
        yield " ".join(fields), zone, after


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


def croniters(expression, zone, after):
    """Fixed times come both times in a fold, intervals at the end of a gap."""
    policy = walk.Policy("end", "both", "end", "both")
    yield "both times in a fold, intervals at the end of a gap", walk.due(
        expression, zone, after, COUNT, policy)
    policy = walk.Policy("end", "both", "end", "first")
    if any(0 < -change.total_seconds() < 3600 for _, change in turns(zone)):
        yield "of half an hour that comes twice, intervals come in the first", walk.due(
            expression, zone, after, COUNT, policy)


def systemds(expression, zone, after):
    """Nothing in a gap, the first time in a fold, intervals too."""
    policy = walk.Policy("skip", "first", "skip", "first")
    there = walk.due(expression, zone, after, MANY, policy)
    yield "nothing in a gap, the first time in a fold", walk.due(
        expression, zone, after, COUNT, policy)
    both = walk.Policy("skip", "both", "skip", "both")
    if walk.pass_of(zone, after) == 2:
        yield "asked in the second pass of a fold, it answers in it", walk.due(
            expression, zone, after, COUNT, both)
    # Where it looks for a time that is left out, it goes on at the next day.
    date = lambda at: dt.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(zone)).date()
    for turn, change in turns(zone):
        if change.total_seconds() > 0:
            left = [at for at in there if at < turn or date(at) != date(turn)]
            yield "the rest of the day after a gap is lost", left[:COUNT]
            minutes = walk.civil_at(zone, turn).minute
            left = [at for at in there if not turn <= at < turn + (60 - minutes) * 60]
            if minutes:
                yield "the rest of the hour after a gap is lost", left[:COUNT]


def cronsims(expression, zone, after):
    """As we, but for what it does around turns of the clock."""
    if walk.pass_of(zone, after) == 2:
        first = walk.shown(zone, walk.civil_at(zone, after))[0]
        yield "asked in the second pass of a fold, it answers from the first", walk.due(
            expression, zone, first, COUNT)
        turn = max(turn for turn, _ in turns(zone) if turn <= after)
        begun = [at for at in walk.due(expression, zone, first, MANY) if at < turn]
        yield "asked in the second pass of a fold, it goes round in the first", list(
            itertools.islice(itertools.cycle(begun), COUNT))
    parts = walk.Expression(expression)
    there = walk.due(expression, zone, after, MANY)
    at_end = walk.Policy("end", "first", "end", "both")
    for turn, change in turns(zone):
        skipped = walk.civil_at(zone, turn) - change  # what the clock would have shown
        if change.total_seconds() > 0 and (skipped.hour, skipped.minute) == (0, 0):
            yield "intervals at the end of a gap that begins a day", walk.due(
                expression, zone, after, COUNT, at_end)
        lost = lost_by_hours(parts, zone, turn) or lost_by_minutes(parts, zone, turn, after, there)
        if lost:
            left = [at for at in there if not lost[0] <= at < lost[1]]
            name = "it walks by whole hours of elapsed time and misses a part of the first after a turn"
            yield name, left[:COUNT]
        begun = [at for at in there if at < turn]
        again = [at for at in begun if at >= turn + change.total_seconds()]
        if skipped.minute and again:
            yield "intervals in a fold within an hour go round in the first pass", [
                *begun, *itertools.islice(itertools.cycle(again), COUNT)][:COUNT]


def lost_by_hours(parts, zone, turn):
    """From where to where a walk by whole hours, begun before a turn, passes over times."""
    local = lambda at: walk.civil_at(zone, at)
    begun = local(turn - 1)
    at = turn - 1 - begun.minute * 60 - begun.second
    if not parts.is_interval:
        return None
    if begun.hour in parts.hours:
        if local(turn).hour in parts.hours or not local(turn).minute or local(turn) < begun:
            return None
        # The hour that the gap ends in is begun at its first minute, which is in the gap.
        at = turn - local(turn).minute * 60 + 2 * 3600
    elif local(turn).day != begun.day and local(turn).hour > 0 and 0 not in parts.hours:
        # Midnight is left out, and the walk begins there all the same.
        at = turn + 3600
    while local(at).hour not in parts.hours:
        at += 3600
        if local(at).hour == 0:
            break
    first = turn
    while local(first).hour not in parts.hours:
        first += 900 - first % 900
    return first, max(at, first + 3600) if at < first else at


def lost_by_minutes(parts, zone, turn, after, there):
    """The same for a single minute of the hour, to which it goes in one step."""
    if len(parts.minutes) > 1 or not parts.is_interval:
        return None
    begun = max([after - after % 60, *(at for at in there if at < turn)]) + 60
    wait = (parts.minutes[0] - walk.civil_at(zone, begun).minute) % 60
    to = begun + wait * 60
    return (turn, to) if begun < turn <= to else None


# What a judge has to answer where it does not answer as we do, each with its reason.
REFUSALS = {"systemd": "Resource deadlock avoided"}
ANSWERS = {"croniter": croniters, "cronsim": cronsims, "systemd": systemds}


def difference(judge, theirs, expression, zone, after):
    """Why a judge gives this answer, exactly; none when nothing explains it."""
    for why, expected in ANSWERS[judge](expression, zone, after):
        if theirs == expected:
            return why
    return None


def read(line):
    """An answer of ours, its times as Unix seconds."""
    answer = json.loads(line)
    at = lambda text: dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return answer if "error" in answer else {"next": [int(at(t).timestamp()) for t in answer["next"]]}


def answer_of(judge, question):
    """What a judge says: instants, a refusal, or none where it is not asked."""
    try:
        return judge(*question)
    except Exception as error:  # a judge's refusals have no common type
        return error


def verdict(name, question, ours, theirs):
    """Why both answers are as they are; none when that is not known."""
    if "error" in ours:
        # What never fires is refused by us alone; the walk finds no time either.
        never = "never fire" in ours["error"] and not walk.due(*question, 1)
        return "we refuse what never fires" if never else None
    if isinstance(theirs, Exception):
        known = REFUSALS.get(name)
        return f"the judge refuses: {known}" if known and known in str(theirs) else None
    if theirs == ours["next"]:
        return "same"
    return None if name == "walk" else difference(name, theirs, *question)


def main():
    program, count, seed = sys.argv[1], *(int(text) for text in (sys.argv[2:] + ["2000", "1"])[:2])
    table = list(rows(count, seed))
    asked = "".join(
        json.dumps({"expr": e, "tz": z, "n": COUNT,
                    "after": dt.datetime.fromtimestamp(at, UTC).isoformat()}) + "\n"
        for e, z, at in table
    )
    told = subprocess.run(
        [program, "cron", "next", "--batch"], input=asked, capture_output=True, text=True, check=True)
    print(told.stderr.strip())
    ours = [read(line) for line in told.stdout.splitlines()]
    by_walk = lambda expression, zone, after: walk.due(expression, zone, after, COUNT)
    judges = {"walk": by_walk, "croniter": by_croniter, "cronsim": by_cronsim}
    if shutil.which("systemd-analyze"):
        judges["systemd"] = by_systemd
    else:
        print("systemd-analyze is not installed; it does not judge")
    failed = 0
    for name, judge in judges.items():
        counts, shown = collections.Counter(), {}
        for question, answer in zip(table, ours, strict=True):
            theirs = answer_of(judge, question)
            if theirs is None:
                counts["not asked"] += 1
                continue
            kind = verdict(name, question, answer, theirs)
            row = f"{question}: ours {answer}, theirs {theirs}"
            if kind is None:
                failed += 1
                print(f"{name}: UNEXPLAINED {row}")
            counts[kind or "UNEXPLAINED"] += 1
            shown.setdefault(kind, row)
        print(f"\n{name}")
        for kind, number in counts.most_common():
            print(f"  {number:6} {kind}")
            if kind not in ("same", "not asked"):
                print(f"         {shown.get(kind)}"[:400])
    sys.exit(1 if failed else 0)


main()
