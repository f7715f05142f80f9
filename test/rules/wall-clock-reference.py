"""Times around clock changes and the instants they mean, by Python's zoneinfo: the expectations of wall-clock.test.ts.

    python3 test/rules/wall-clock-reference.py > test/rules/wall-clock-reference.tsv

A line has a zone, the instant of a clock change, a time on the wall and its instant. The times lie an hour and a
millisecond outside of what the change skips or repeats, on both edges, a millisecond inside, and in the middle.

The checked-in file was made with tzdata 2025b. tzdata 2026d gives the same.
"""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

YEAR = 2027
ZONES = """
Europe/London Europe/Dublin Europe/Berlin Europe/Athens Atlantic/Azores America/New_York America/Los_Angeles
America/St_Johns America/Havana America/Santiago America/Nuuk Asia/Beirut Asia/Jerusalem Africa/Cairo Antarctica/Troll
Australia/Sydney Australia/Adelaide Australia/Lord_Howe Pacific/Auckland Pacific/Chatham
""".split()

# Years in which clocks were changed at midnight, by a quarter, half or whole day, four times, or for a new standard time.
PAST = [
    ("America/Sao_Paulo", 2018),
    ("America/St_Johns", 2010),
    ("Africa/Cairo", 2010),
    ("Africa/Casablanca", 2012),
    ("Africa/Casablanca", 2024),
    ("Asia/Beirut", 2022),
    ("Pacific/Apia", 2011),
    ("Pacific/Kwajalein", 1993),
    ("Antarctica/Casey", 2010),
    ("Asia/Kathmandu", 1986),
    ("Asia/Pyongyang", 2015),
    ("Asia/Pyongyang", 2018),
    ("America/Caracas", 2007),
    ("America/Caracas", 2016),
    ("Asia/Hovd", 2016),
    ("Europe/Dublin", 2000),
    ("Europe/Istanbul", 2015),
    ("Asia/Gaza", 2011),
]

MS = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def clock(instant, zone):
    """What the clock of a zone shows at an instant in UTC."""
    return instant.replace(tzinfo=timezone.utc).astimezone(zone).replace(tzinfo=None)


def offset(instant, zone):
    return clock(instant, zone) - instant


def changes(zone, year):
    """The instants of a year at which the offset of a zone changes."""
    day = datetime(year, 1, 1)
    while day.year == year:
        before, after = day, day + DAY
        if offset(before, zone) != offset(after, zone):
            while after - before > MS:
                middle = before + (after - before) // 2 // MS * MS
                before, after = (middle, after) if offset(middle, zone) == offset(before, zone) else (before, middle)
            yield after
        day += DAY


def instant_of(wall, zone, change):
    """Near a change there are two offsets to try. A time that neither can show is skipped."""
    candidates = sorted(wall - offset(moment, zone) for moment in (change - MS, change))
    return next((one for one in candidates if clock(one, zone) == wall), change)


def times(zone, change):
    first, last = sorted(change + offset(moment, zone) for moment in (change - MS, change))
    middle = first + (last - first) / 2
    return [first - HOUR, first - MS, first, first + MS, middle, last - MS, last, last + MS, last + HOUR]


def iso(moment):
    return moment.isoformat(timespec="milliseconds")


for name, year in [(name, YEAR) for name in ZONES] + PAST:
    zone = ZoneInfo(name)
    for change in changes(zone, year):
        for wall in times(zone, change):
            print(name, iso(change) + "Z", iso(wall), iso(instant_of(wall, zone, change)) + "Z", sep="\t")
