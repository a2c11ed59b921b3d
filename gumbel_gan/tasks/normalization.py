"""Unicode normalization, which makes texts that look alike equal."""

import unicodedata
from collections.abc import Iterable

NO_FORM = "none"
FORMS = ("NFC", "NFD", "NFKC", "NFKD", NO_FORM)


def normalized(text: str, form: str, *, lowercase: bool = False) -> str:
    """Returns a text in a normal form.

    Args:
      text: the text.
      form: one of `FORMS`; 'none' leaves the text as it is.
      lowercase: whether to lower-case the text, too.

    References:
      Unicode Standard Annex 15, https://www.unicode.org/reports/tr15/.
    """
    if lowercase:
        # Lower-casing may replace one character by two, so the text is normalized again.
        return normalized(normalized(text, form).lower(), form)
    return text if form == NO_FORM else unicodedata.normalize(form, text)  # type: ignore[arg-type]


def describe_changes(texts: Iterable[str], form: str, noun: str) -> tuple[str, ...]:
    """Returns a sentence with the number of texts that are not in a normal form, if there are any.

    Args:
      texts: the texts before normalization.
      form: one of `FORMS`.
      noun: noun for a single text.
    """
    return changes_note(count_changes(texts, form), form, noun)


def count_changes(texts: Iterable[str], form: str) -> int:
    """Returns the number of texts that are not in a normal form."""
    if form == NO_FORM:
        return 0
    return sum(not unicodedata.is_normalized(form, text) for text in texts)  # type: ignore[arg-type]


def changes_note(num: int, form: str, noun: str) -> tuple[str, ...]:
    """Returns the sentence of `describe_changes` for a number of texts."""
    return (f"{noun.capitalize()}s changed by Unicode normalization to {form}: {num:,}.",) if num else ()
