"""When an expression is due, by a walk over days and minutes: slow, short, and without our code.

What the turning of the clock does is an argument, so that the same walk says what a judge of another
policy has to answer.
"""

import dataclasses
import datetime as dt
import functools
import zoneinfo

UTC = dt.timezone.utc
MINUTE = dt.timedelta(minutes=1)
NAMES = {name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split())}


@dataclasses.dataclass(frozen=True)
class Policy:
    """What becomes of civil times that the clock leaves out or shows twice.

    `gap`: `skip`, `end` (the first instant after it) or `shift` (later by its length).
    `fold`: `first`, `second` or `both`. `days`: `star` (both fields when one begins with `*`, as
    cronie) or `either` (unless one is `*`).
    """

    fixed_gap: str
    fixed_fold: str
    interval_gap: str
    interval_fold: str
    days: str = "star"


OURS = Policy("end", "first", "skip", "both")


def values(field, first, last):
    """The numbers that a field names."""
    found = set()
    for item in field.upper().split(","):
        span, _, step = item.partition("/")
        low, _, high = span.partition("-")
        number = lambda text: NAMES.get(text) if text in NAMES else int(text)
        if span == "*":
            begin, end = first, last
        else:
            begin = number(low)
            end = number(high) if high else begin
        found.update(range(begin, end + 1, int(step or 1)))
    return found


class Expression:
    def __init__(self, text):
        self.fields = text.split()
        minute, hour, day, month, weekday = self.fields
        self.minutes, self.hours = sorted(values(minute, 0, 59)), sorted(values(hour, 0, 23))
        self.days, self.months = values(day, 1, 31), values(month, 1, 12)
        self.weekdays = {number % 7 for number in values(weekday, 0, 7)}
        self.is_interval = minute.startswith("*") or hour.startswith("*")

    def has_day(self, day, rule):
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        stars = [field.startswith("*") if rule == "star" else field == "*"
                 for field in (self.fields[2], self.fields[4])]
        right = of_month and of_week if any(stars) else of_month or of_week
        return right and day.month in self.months


@functools.lru_cache(maxsize=1 << 16)
def shown(zone, civil):
    """The instants at which a clock shows a civil time, in Unix seconds, in order."""
    found = []
    for fold in (0, 1):
        at = civil.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).astimezone(UTC)
        back = at.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
        if back == civil and int(at.timestamp()) not in found:
            found.append(int(at.timestamp()))
    return found


def civil_at(zone, at):
    """What a clock shows at an instant."""
    return dt.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def pass_of(zone, at):
    """Whether an instant is the first or the second at which a clock shows what it shows."""
    return shown(zone, civil_at(zone, at)).index(at) + 1


def instants(zone, civil, gap, fold):
    """The instants at which a civil time is due."""
    found = shown(zone, civil)
    if found:
        return {"first": found[:1], "second": found[-1:], "both": found}[fold]
    if gap == "skip":
        return []
    before = civil
    while not shown(zone, before):
        before -= MINUTE
    after = civil
    while not shown(zone, after):
        after += MINUTE
    first = shown(zone, after)[0]
    # The clock goes on from the last minute that it showed to the first that it shows again.
    return [first if gap == "end" else first + int((civil - before - MINUTE).total_seconds())]


def due(text, zone, after, count, policy=OURS, days_walked=366 * 9):
    """The first so many instants after one at which an expression is due, in Unix seconds."""
    expression, found = Expression(text), set()
    gap, fold = ((policy.interval_gap, policy.interval_fold) if expression.is_interval
                 else (policy.fixed_gap, policy.fixed_fold))
    day = dt.datetime.fromtimestamp(after, zoneinfo.ZoneInfo(zone)).date() - dt.timedelta(days=1)
    settled = None
    for _ in range(days_walked):
        if expression.has_day(day, policy.days):
            for hour in expression.hours:
                for minute in expression.minutes:
                    civil = dt.datetime(day.year, day.month, day.day, hour, minute)
                    found.update(at for at in instants(zone, civil, gap, fold) if at > after)
        # What a day has may be due after what the next has: look one day further.
        if settled is None and len(found) >= count:
            settled = day
        elif settled is not None and day > settled:
            break
        day += dt.timedelta(days=1)
    return sorted(found)[:count]
