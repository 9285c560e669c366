"""One line of InfluxDB's line protocol: `measurement,tag=value field=1.5,other=2i 1700000000000000000`. Pure."""

from __future__ import annotations

from gateway.archive.imports.source import number


def points_of_line(line: str) -> tuple[str, list[tuple[str, float]], str]:
    """Return the series (measurement and tags), the fields that are numbers, and the time as text.

    Raises ValueError for what is no line of it, or has no time.
    """
    parts = split(line, " ")
    if len(parts) != 3:  # noqa: PLR2004 - series, fields, time
        raise ValueError(line)
    series, fields, stamp = parts
    measurement, *tags = split(series, ",")
    if not measurement or not all(len(split(tag, "=")) == 2 for tag in tags):  # noqa: PLR2004 - a name and a value
        raise ValueError(line)
    found = []
    for field in split(fields, ","):
        name, *values = split(field, "=")
        if not name or len(values) != 1 or not values[0]:
            raise ValueError(field)
        value = _number(values[0])
        if value is not None:
            found.append((plain(name), value))
    return ",".join(map(plain, (measurement, *sorted(tags)))), found, stamp


def split(text: str, separator: str) -> list[str]:
    """Cut a text at each separator that is not escaped, nor inside quotes."""
    if "\\" not in text and '"' not in text:
        return text.split(separator)
    parts, start, place, quoted = [], 0, 0, False
    while place < len(text):
        letter = text[place]
        if letter == "\\":
            place += 1
        elif letter == '"':
            quoted = not quoted
        elif letter == separator and not quoted:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    if quoted:
        raise ValueError(text)
    return [*parts, text[start:]]


def plain(text: str) -> str:
    """Return a name without its escapes."""
    for letter in (",", "=", " "):
        text = text.replace("\\" + letter, letter)
    return text


def _number(text: str) -> float | None:
    """Return the number of a field; None for text, booleans, and what is no finite number."""
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):  # noqa: PLR2004 - both quotes
            raise ValueError(text)
        return None
    if text.lower() in ("t", "f", "true", "false"):
        return None
    return number(text[:-1] if text[-1] in "iu" else text)
