"""Forms of identifiers of persons, and their check digits."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18,
    "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26,
}  # fmt: skip
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


@dataclass(frozen=True, slots=True)
class Form:
    """How values of a kind look.

    Attributes
    ----------
    entity : str
        What they identify a person by.
    words : str
        The same in a sentence.
    pattern : Pattern
        The whole value.
    check : callable or None
        Whether the check digits of a value of that form are right.
    chance : float
        Share of random values of that form whose check digits are right; 1 where there are none.
    """

    entity: str
    words: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None = None
    chance: float = 1.0


def luhn(text: str) -> bool:
    """Luhn's check digit, ISO/IEC 7812-1, of a text of digits.

    Examples
    --------
    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for i, char in enumerate(reversed(text)):
        digit = int(char) << (i & 1)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def is_card(text: str) -> bool:
    """Number of a payment card: Luhn's digit.

    Examples
    --------
    >>> is_card("4111 1111 1111 1111")
    True
    """
    return luhn(re.sub(r"[ -]", "", text))


def is_iban(text: str) -> bool:
    """Bank account number: length by country, ISO 7064 mod 97-10.

    Examples
    --------
    >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    code = text.replace(" ", "").upper()
    if len(code) != _IBAN_LENGTHS.get(code[:2], len(code)):
        return False
    return int("".join(str(int(char, 36)) for char in code[4:] + code[:4])) % 97 == 1


def is_german_tax_id(text: str) -> bool:
    """Eleven digits with an ISO 7064 mod 11,10 check digit, of whose first ten some digit comes two or three times.

    Examples
    --------
    >>> is_german_tax_id("86095742719"), is_german_tax_id("86095742718")
    (True, False)
    """
    code = text.replace(" ", "")
    product = 10
    for char in code[:10]:
        total = (int(char) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(code[10])


def is_spanish_id(text: str) -> bool:
    """DNI or NIE: the letter of the number mod 23.

    Examples
    --------
    >>> is_spanish_id("12345678Z"), is_spanish_id("12345678A")
    (True, False)
    """
    code = text.upper().replace("-", "")
    number = code[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI[int(number) % 23] == code[-1]


def is_french_id(text: str) -> bool:
    """Social security number: 97 less the number mod 97.

    Examples
    --------
    >>> is_french_id("2 55 08 14 168 025 38"), is_french_id("2 55 08 14 168 025 39")
    (True, False)
    """
    code = text.replace(" ", "")
    return 97 - int(code[:13]) % 97 == int(code[13:])


def is_british_health_id(text: str) -> bool:
    """NHS number: ten digits, weights 10 to 2, mod 11.

    Examples
    --------
    >>> is_british_health_id("943 476 5919"), is_british_health_id("943 476 5918")
    (True, False)
    """
    code = re.sub(r"[ -]", "", text)
    rest = (11 - sum(int(c) * w for c, w in zip(code, range(10, 1, -1), strict=False)) % 11) % 11
    return rest == int(code[9])


_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"


def _whole(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.ASCII)


FORMS = (
    Form("email", "e-mail addresses", _whole(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")),
    Form(
        "card",
        "payment card numbers",
        _whole(
            r"(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|5\d\d|4[4-9]\d)|35\d\d)(?:[ -]?\d{4}){3}",
            r"3[47]\d\d[ -]?\d{6}[ -]?\d{5}",
            r"3(?:0[0-5]|[68]\d)\d[ -]?\d{6}[ -]?\d{4}",
        ),
        is_card,
        0.1,
    ),
    Form(
        "iban",
        "bank account numbers (IBAN)",
        _whole(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"),
        is_iban,
        1 / 97,
    ),
    Form("tax_id_de", "German tax numbers", _whole(r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}"), is_german_tax_id, 0.1),
    Form(
        "national_id_es",
        "Spanish identity numbers",
        _whole(r"(?:\d{8}|[XYZxyz]\d{7})-?[A-Za-z]"),
        is_spanish_id,
        1 / 23,
    ),
    Form(
        "national_id_fr",
        "French social security numbers",
        _whole(r"[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?\d\d ?\d{3} ?\d{3} ?\d\d"),
        is_french_id,
        1 / 97,
    ),
    Form("health_id_uk", "British NHS numbers", _whole(r"\d{3}[ -]?\d{3}[ -]?\d{4}"), is_british_health_id, 1 / 11),
    Form("ssn_us", "US social security numbers", _whole(r"(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}")),
    Form(
        "national_id_uk",
        "British national insurance numbers",
        _whole(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]"),
    ),
    Form("ip", "IP addresses", _whole(rf"{_OCTET}(?:\.{_OCTET}){{3}}", r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}")),
    Form(
        "phone",
        "telephone numbers",
        _whole(
            r"\+[1-9](?:[ ()/.-]{0,2}\d){6,14}",
            r"00[1-9]\d{0,2}[ /.-](?:[ ()/.-]{0,2}\d){5,12}",
            # no date such as 01-02-2024, no postal code such as 01234-5678
            r"(?!\d{1,2}[ /-]\d{1,2}[ /-]\d{2,4}$)\(?0[1-9]\d{0,4}\)?[ /-](?:[ /-]?\d){5,10}",
            r"\(\d{3}\) ?\d{3}-\d{4}",
        ),
    ),
)
"""Tried in this order; a value counts for the first form with a right check digit, else for the first without one."""

EMAIL_IN_TEXT = re.compile(r"(?<![A-Za-z0-9._%+-])" + FORMS[0].pattern.pattern)

NAMES = (
    ("person_name", "names of persons", re.compile(
        r"(first|last|given|family|full|middle|maiden|customer|client|patient|employee|contact|person)_?name|surname"
        r"|vorname|nachname")),
    ("birth_date", "dates of birth", re.compile(r"birth|\bdob\b|(?:^|_)dob(?:_|$)|geburt")),
    ("address", "addresses", re.compile(
        r"street|address_?line|(home|postal|mailing|shipping|billing)_?address|strasse")),
    ("phone", "telephone numbers", re.compile(r"(?:^|_)(phone|telephone|mobile|cell|fax|telefon)(?:_|$|no|num)")),
    ("passport", "passport numbers", re.compile(r"passport|reisepass")),
)  # fmt: skip
"""What the name of a column may say: the weakest of hints."""


def name_hints(name: str) -> list[tuple[str, str]]:
    """Entities that a column's name speaks of.

    Examples
    --------
    >>> name_hints("customerName"), name_hints("filename"), name_hints("DOB")
    ([('person_name', 'names of persons')], [], [('birth_date', 'dates of birth')])
    """
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace(" ", "_").replace("-", "_")
    return [(entity, words) for entity, words, pattern in NAMES if pattern.search(plain)]


def cards_among(values: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Whole numbers that have the form of a card number, and those of them with Luhn's digit.

    Examples
    --------
    >>> cards_among(np.array([4111111111111111, 4111111111111112, 17]))
    (2, 1)
    """
    head = values // 10**12
    long = (values >= 10**15) & (values < 10**16)
    brand = (head // 1000 == 4) | ((head >= 5100) & (head < 5600)) | ((head >= 2221) & (head <= 2720))
    brand |= (head == 6011) | (head // 100 == 65) | (head // 100 == 35)
    amex = (values // 10**13 == 34) | (values // 10**13 == 37)
    found = values[(long & brand) | (amex & (values < 10**15) & (values >= 10**14))]
    total, rest = np.zeros(found.size, np.int64), found.copy()
    for place in range(16):
        digit = rest % 10 << (place & 1)
        total += np.where(digit > 9, digit - 9, digit)
        rest //= 10
    return found.size, int(np.count_nonzero(total % 10 == 0))
