"""Bounds as text: rounded, but never to the side that makes them false."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context


def rounded(value: float, digits: int, rounding: str) -> str:
    context = Context(prec=digits, rounding=rounding)
    number = float(context.create_decimal(repr(value)))
    return f"{number:.{digits - 1}e}"


def at_most(value: float, digits: int = 1) -> str:
    """An upper bound in so many digits, rounded up: 1.1e-06 is 2e-06."""
    return rounded(value, digits, ROUND_CEILING)


def at_least(value: float, digits: int = 1) -> str:
    """A lower bound in so many digits, rounded down: 0.98 is 9e-01."""
    return rounded(value, digits, ROUND_FLOOR)
