"""`_quarto.yml`: what it says, on which line, and what is wrong with it.

quarto.schema.json says which keys there are, of which kind, and what to write.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from press.errors import BookError, raise_found

CONFIG = "_quarto.yml"
CONFIG_SCHEMA = Path(__file__).with_name("quarto.schema.json")
KINDS_OF_YAML = {
    dict: "a map of keys", list: "a list", str: "text", bool: "true or false",
    int: "a number", float: "a number", type(None): "empty",
}
KeyPath = tuple[str | int, ...]   # ("book", "chapters", 0)
Lines = Mapping[KeyPath, int]


def read_config(root: Path) -> tuple[dict, Lines]:
    """What `_quarto.yml` says, and the line of each key and item."""
    try:
        body = (root / CONFIG).read_bytes()
        text = body.decode("utf-8-sig")
    except FileNotFoundError:
        raise BookError(CONFIG, None, f"not found in {root}")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise BookError(CONFIG, line, "not UTF-8; save the file as UTF-8")
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node:
            raise_found(list(find_repeated(node, frozenset())))
        config = loader.construct_document(node) if node else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error)
        raise BookError(
            CONFIG, mark.line + 1 if mark else None,
            f"not YAML: {' '.join(why.split())}; write 'key: value', put "
            "quotes around a value that holds a colon, and indent by spaces",
        )
    finally:
        loader.dispose()
    lines = dict(lines_of(node, ())) if node else {}
    check_config({} if config is None else config, lines)
    return config, lines


def find_repeated(
    node: yaml.Node, around: frozenset[int]
) -> Iterator[BookError]:
    """Keys that stand twice in one map, and what holds itself."""
    if id(node) in around:
        yield BookError(
            CONFIG, node.start_mark.line + 1,
            "this holds itself; write it out, without & and *",
        )
        return
    around |= {id(node)}
    first: dict[str, int] = {}
    for key, child in children(node):
        line = (key or child).start_mark.line + 1
        if key is not None and isinstance(key.value, str):
            if key.value in first:
                yield BookError(
                    CONFIG, line, f"'{key.value}' already stands at line "
                    f"{first[key.value]}; keep one",
                )
            first.setdefault(key.value, line)
        yield from find_repeated(child, around)


def children(
    node: yaml.Node
) -> Iterator[tuple[yaml.Node | None, yaml.Node]]:
    """What a map or a list holds, in a map each with its key."""
    if isinstance(node, yaml.MappingNode):
        yield from node.value
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield None, child


def lines_of(node: yaml.Node, place: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """The line of each key of a map and of each item of a list."""
    for number, (key, child) in enumerate(children(node)):
        here = (*place, number if key is None else str(key.value))
        yield here, (key or child).start_mark.line + 1
        yield from lines_of(child, here)


# ---------------------------------------------------------------- the schema


@cache
def config_schema() -> dict:
    return json.loads(CONFIG_SCHEMA.read_text(encoding="utf-8"))


def check_config(config: object, lines: Lines) -> None:
    """Raise with all that is not as quarto.schema.json has it."""
    import jsonschema

    errors = jsonschema.Draft202012Validator(config_schema()).iter_errors(
        config)
    faults: dict[tuple, BookError] = {}   # one of each place and key
    for error in errors:
        place = tuple(error.absolute_path)
        for at, message in said_of(error, place):
            lacks = message if error.validator == "required" else ""
            faults.setdefault((at, lacks), BookError(
                CONFIG, line_at(lines, at), message))
    raise_found(list(faults.values()))


def line_at(lines: Lines, place: KeyPath) -> int:
    """The line of a place, or of what is around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def said_of(error: Any, place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong at which place, for an error of the validator."""
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        for key in error.instance.keys() - known.keys():
            yield (*place, str(key)), unknown(str(key), place, list(known))
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield place, missing(key, place)
    else:
        yield place, ill_typed(error, place)


def named(place: KeyPath) -> str:
    """How a message calls a place: `book: chapters:`."""
    return " ".join(f"{key}:" for key in place if isinstance(key, str))


def unknown(key: str, place: KeyPath, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    advice = f"write '{near[0]}'" if near else (
        "the press reads " + ", ".join(sorted(known)))
    under = f" under {named(place)}" if place else ""
    return f"unknown key '{key}'{under}, which would do nothing; {advice}"


def missing(key: str, place: KeyPath) -> str:
    if key == "chapters" or not place:
        return "no chapters; list them under book: chapters:"
    return (
        f"no {key}; write {example((*place, key))} under {named(place)}")


def ill_typed(error: Any, place: KeyPath) -> str:
    value = error.instance
    if not place:
        return (
            f"this is {kind_of(value)}; write {example(('book',))}"
        )
    wrong = f"is {kind_of(value)}"
    if error.validator in ("pattern", "not", "enum", "const") and (
        isinstance(value, str | bool | int)
    ):
        wrong = f"cannot be {json.dumps(value, ensure_ascii=False)}"
    elif isinstance(value, list) and not value:
        wrong = "is empty"
    quotes = ", in quotes" if isinstance(
        value, int | float) and error.validator == "type" and (
        error.validator_value == "string") else ""
    return f"'{named(place)}' {wrong}; write {example(place)}{quotes}"


def kind_of(value: object) -> str:
    return KINDS_OF_YAML.get(type(value), f"a {type(value).__name__}")


def example(place: KeyPath) -> str:
    """What the schema says to write at a place."""
    schema, found = config_schema(), ""
    for key in place:
        inside = [
            part.get("items") if isinstance(key, int)
            else part.get("properties", {}).get(key)
            for part in branches(schema)
        ]
        schema = next((part for part in inside if part), {})
        found = next((
            part["examples"][0] for part in branches(schema)
            if "examples" in part
        ), found)
    return found


def branches(schema: dict) -> Iterator[dict]:
    """A schema, what it refers to and what it is on a condition."""
    yield schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from branches(config_schema()["$defs"][name])
    for part in ("then", "else"):
        if part in schema:
            yield from branches(schema[part])
