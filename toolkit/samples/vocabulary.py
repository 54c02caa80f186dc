"""The words of the sample table: its labels, names, places and products, and the vocabularies of its notes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

ACTIVITIES = (
    "Create order", "Check credit", "Approve", "Reject", "Edit", "Cancel", "Pick", "Pack", "Ship", "Deliver",
    "Invoice", "Pay", "Return", "Refund", "Remind",
)  # fmt: skip
CREATE, CHECK, APPROVE, REJECT, EDIT, CANCEL, PICK, PACK, SHIP, DELIVER, INVOICE, PAY, RETURN, REFUND, REMIND = range(
    15
)

WAIT_MINUTES = (0, 1440, 60, 60, 120, 90, 90, 30, 120, 45, 60, 240, 300, 120, 300)
"""Median minutes an order waits before each activity; 'Check credit' is the bottleneck."""

WORK_MINUTES = (4, 12, 6, 5, 15, 3, 18, 12, 1080, 8, 5, 3, 20, 6, 2)
"""Median minutes each activity takes."""

TEAMS = (
    ("sales", 8), ("credit", 2), ("desk", 6), ("desk", 6), ("sales", 8), ("sales", 8), ("pick", 14), ("pack", 9),
    ("dock", 5), ("driver", 20), ("billing", 5), ("billing", 5), ("driver", 20), ("billing", 5), ("billing", 5),
)  # fmt: skip
"""Team of each activity, and its size."""

DELIVERED, RETURNED, CANCELLED = range(3)
OUTCOMES = ("delivered", "returned", "cancelled")


@dataclass(frozen=True, slots=True)
class Variant:
    """A way through the process, its outcome, and its orders in 10,000."""

    weight: int
    outcome: int
    steps: tuple[int, ...]


_DISPATCH = (PICK, PACK, SHIP, DELIVER)
_REWORK = (CREATE, CHECK, REJECT, EDIT, REJECT, EDIT)

VARIANTS = (
    Variant(4600, DELIVERED, (CREATE, CHECK, APPROVE, *_DISPATCH, INVOICE, PAY)),
    Variant(1500, DELIVERED, (CREATE, APPROVE, *_DISPATCH, INVOICE, PAY)),
    Variant(1300, DELIVERED, (CREATE, CHECK, APPROVE, PICK, INVOICE, PACK, SHIP, DELIVER, PAY)),
    Variant(700, RETURNED, (CREATE, CHECK, APPROVE, *_DISPATCH, INVOICE, PAY, RETURN, REFUND)),
    Variant(900, DELIVERED, (CREATE, CHECK, REJECT, EDIT, CHECK, APPROVE, *_DISPATCH, INVOICE, PAY)),
    Variant(420, CANCELLED, (*_REWORK, REJECT, CANCEL)),
    Variant(180, DELIVERED, (*_REWORK, APPROVE, *_DISPATCH, INVOICE, PAY)),
    Variant(300, CANCELLED, (CREATE, CHECK, CANCEL)),
    Variant(30, DELIVERED, (CREATE, CHECK, *_DISPATCH, INVOICE, PAY)),
    Variant(70, DELIVERED, (CREATE, CHECK, APPROVE, *_DISPATCH, INVOICE, REMIND, PAY)),
)

CHANNELS = ("web", "phone", "store", "partner")
CHANNEL_WEIGHTS = (50, 15, 20, 15)
PARTNER = 3

PRIORITIES = ("high", "normal", "low")
PRIORITY_WEIGHTS = (20, 55, 25)
LOW = 2

SITES = ("HAM", "LEJ", "MUC", "DUS")
SITE_WEIGHTS = (40, 30, 20, 10)
GRAM_SITE = 3

CURRENCIES = ("EUR", "USD", "GBP")
CURRENCY_WEIGHTS = (80, 12, 8)
CURRENCY_WEIGHTS_LATE = (55, 37, 8)

DISCOUNTS = (0, 5, 10, 15, 20)
DISCOUNT_WEIGHTS = (82, 8, 5, 3, 2)

QUANTITIES = (1,) * 40 + (2,) * 22 + (3,) * 12 + (4,) * 8 + (5,) * 6 + (6,) * 4 + (8,) * 3 + (10,) * 2 + (12, 20, 40)

REGIONS = ("north", "east", "south", "west")

_CITY_STARTS = ("Alt", "Bruch", "Dorn", "Eichen", "Falken", "Grün", "Hohen", "Königs", "Linden", "Neu")
_CITY_ENDS = ("berg", "hausen", "kirchen", "weiler")
CITIES = tuple(start + end for start in _CITY_STARTS for end in _CITY_ENDS)
MISSPELT_CITIES = tuple(city[:3] + city[4:] for city in CITIES)
"""Each city without its fourth letter."""

ZIPS = tuple(f"{(i * 977 + 1067) % 100_000:05d}" for i in range(100))
"""Some begin with 0: codes made of digits, not numbers."""

CITY_OF_ZIP = tuple(i % len(CITIES) for i in range(len(ZIPS)))

_FIRST_NAMES = (
    "Ada", "Amir", "Ana", "Anton", "Bianca", "Boris", "Carla", "Chen", "Clara", "Daniel", "Dilek", "Ebba", "Elif",
    "Emil", "Erik", "Fatima", "Felix", "Greta", "Hana", "Hugo", "Ines", "Ivan", "Jana", "José", "Jonas", "Kaya",
    "Klara", "Kofi", "Lena", "Leo", "Łukasz", "Mara", "Mateo", "Mina", "Nadia", "Nils", "Nora", "Olga", "Omar",
    "Paula", "Petra", "Rafael", "Rosa", "Samir", "Søren", "Tariq", "Uma", "Vera", "Yusuf", "Zoë",
)  # fmt: skip
_NAME_STARTS = (
    "Acker", "Birken", "Castel", "Drosten", "Esch", "Fjord", "Gallen", "Hertz", "Iller", "Jasper", "Kestner", "Lauder",
    "Marquard", "Nordin", "Ostrow", "Palmer", "Quint", "Rosenau", "Sander", "Tilling", "Ulmen", "Vogel", "Winter",
    "Zander", "Bach", "Czern", "Dubois", "Fischer", "Gruber", "Hoffen", "Jung", "Krüger", "Lopez", "Mora", "Novak",
    "Oliva", "Petrow", "Rossi", "Silva", "Tanaka",
)  # fmt: skip
_NAME_ENDS = ("", "mann", "sson", "stad", "feld", "gren", "ovic", "wright", "leigh", "thal")

LARGEST_CUSTOMER_BASE = len(_FIRST_NAMES) * len(_NAME_STARTS) * len(_NAME_ENDS)
"""Customers with names of their own."""

NAME_VARIANTS = 4
"""Spellings of a customer's name: 0 is the right one."""

VARIANT_EVERY = 8
"""Each eighth customer's name is spelt in several ways."""


def customer_names(customer: int) -> tuple[str, str, str, str]:
    """Return the right spelling of a customer's name and three variants of it.

    Examples
    --------
    >>> customer_names(1)
    ('Amir Birken', 'AMIR BIRKEN', 'Birken, Amir', 'Amir Brken')
    """
    # The steps are coprime to the lists' lengths in turn, so that neighbours differ and no pair comes twice.
    first = _FIRST_NAMES[customer % 50]
    rest = customer // 50
    last = _NAME_STARTS[(rest + customer) % 40] + _NAME_ENDS[rest // 40]
    return f"{first} {last}", f"{first} {last}".upper(), f"{last}, {first}", f"{first} {last[0]}{last[2:]}"


def customer_contact(customer: int) -> str:
    """Return a customer's e-mail address or, for each tenth, the telephone number; none of them can be real.

    Examples
    --------
    >>> customer_contact(1), customer_contact(9)
    ('amir.birken1@example.org', '+49 555 0100009')
    """
    if customer % 10 == 9:
        return f"+49 555 01{customer:05d}"
    folded = unicodedata.normalize("NFKD", customer_names(customer)[0]).encode("ascii", "ignore").decode()
    return f"{folded.lower().replace(' ', '.')}{customer}@example.org"


CATEGORIES = ("furniture", "lighting", "kitchen", "garden", "tools", "textiles", "toys", "office")
_ARTICLES = ("compact", "classic", "large", "folding", "solid", "light", "double", "travel")
_GOODS = ("chair", "lamp", "kettle", "planter", "drill", "blanket", "puzzle", "tray")
PRODUCTS = tuple(f"{_ARTICLES[i // 8]} {_GOODS[i % 8]}" for i in range(64))
CATEGORY_OF_PRODUCT = tuple(i % 8 for i in range(64))
PRICE_CENTS = tuple(round(120 * 750 ** (((i * 29) % 64) / 63)) for i in range(64))
"""List prices from 1.20 to 900.00, evenly spread over the orders of magnitude."""

WEIGHT_GRAMS = tuple(round(80 * 300 ** (((i * 37) % 64) / 63)) for i in range(64))
"""Weights from 80 g to 24 kg, not in the order of the prices."""

TOPICS = ("access", "damage", "praise")
TOPIC_WORDS = (
    ("gate", "code", "doorbell", "neighbour", "key", "porch", "ring", "stairs", "entrance", "floor", "courtyard",
     "mailbox", "buzzer", "lift", "left", "behind", "garage", "street", "corner", "number", "the", "at", "and",
     "please", "door"),
    ("box", "broken", "wet", "scratched", "torn", "dented", "glass", "missing", "part", "crushed", "leaking", "photo",
     "claim", "replacement", "screen", "lid", "corner", "cracked", "seal", "opened", "the", "at", "and", "please",
     "was"),
    ("driver", "friendly", "fast", "thanks", "great", "early", "polite", "helpful", "perfect", "quick", "service",
     "happy", "again", "smile", "careful", "on", "time", "excellent", "team", "recommend", "the", "very", "and", "so",
     "good"),
)  # fmt: skip
NOTE_WORDS = 7

LOG_TEMPLATES = (
    ("scan id=", " dock=", " result=ok took=", " ms"),
    ("label ", " reprinted at station ", ", queue length ", ""),
    ("conveyor jam: parcel ", " held at lane ", " for ", " s"),
)
"""Texts around the three numbers of each kind of scanner message."""

LOG_WEIGHTS = (80, 15, 5)

LOAD_BY_HOUR = (
    180, 170, 165, 165, 180, 220, 300, 390, 460, 500, 520, 530,
    500, 510, 520, 505, 470, 420, 360, 310, 270, 240, 215, 195,
)  # fmt: skip
"""The dock's load in kW by hour of the day, on a Monday."""

LOAD_BY_WEEKDAY = (100, 104, 105, 103, 98, 62, 45)
"""Per cent of Monday's load, from Monday on."""

LOAD_SHIFT = 60
"""kW by which the load rises at the level shift."""
