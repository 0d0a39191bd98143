"""validate.py SCHEMA [DOCUMENT]: is a JSON document (a file, or standard input) what the schema says?

The part of JSON Schema draft 4 that the specification's state and features schemas use; a keyword that is not known here
is a failure, never skipped.  Duplicate member names are one too.  Exit status: 0 valid, 1 not, with the reasons."""
import json, os, re, sys

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
}
SILENT = {"description", "$schema", "definitions"}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def resolve(reference, directory, document):
    name, _, pointer = reference.partition("#")
    if name:
        document = load(os.path.join(directory, name))
    found = document
    for part in pointer.strip("/").split("/"):
        found = found[part]
    return found, document


def faults(value, schema, at, directory, document):
    for keyword, rule in schema.items():
        if keyword in SILENT:
            continue
        if keyword == "$ref":
            target, of = resolve(rule, directory, document)
            yield from faults(value, target, at, directory, of)
        elif keyword == "type":
            if not any(TYPES[name](value) for name in ([rule] if isinstance(rule, str) else rule)):
                yield f"{at}: {value!r} is no {rule}"
        elif keyword == "enum":
            if value not in rule:
                yield f"{at}: {value!r} is none of {rule}"
        elif keyword == "pattern":
            if isinstance(value, str) and not re.search(rule, value):
                yield f"{at}: {value!r} does not match {rule}"
        elif keyword in ("minimum", "maximum"):
            if TYPES["integer"](value) and (value < rule if keyword == "minimum" else value > rule):
                yield f"{at}: {value} is out of range: {keyword} {rule}"
        elif keyword == "required":
            if isinstance(value, dict):
                yield from (f"{at}: {name} is missing" for name in rule if name not in value)
        elif keyword == "properties":
            if isinstance(value, dict):
                for name in rule.keys() & value.keys():
                    yield from faults(value[name], rule[name], f"{at}/{name}", directory, document)
        elif keyword == "patternProperties":
            if isinstance(value, dict):
                for pattern, inner in rule.items():
                    for name in (name for name in value if re.search(pattern, name)):
                        yield from faults(value[name], inner, f"{at}/{name}", directory, document)
        elif keyword == "items":
            if isinstance(value, list):
                for i, item in enumerate(value):
                    yield from faults(item, rule, f"{at}/{i}", directory, document)
        elif keyword == "allOf":
            for inner in rule:
                yield from faults(value, inner, at, directory, document)
        else:
            yield f"{at}: the keyword {keyword} is not known here"


def without_repetition(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member name stands there twice")
    return members


def main():
    source = open(sys.argv[2], encoding="utf-8") if len(sys.argv) > 2 else sys.stdin
    try:
        value = json.load(source, object_pairs_hook=without_repetition)
    except ValueError as why:
        sys.exit(f"not JSON: {why}")
    schema = load(sys.argv[1])
    found = list(faults(value, schema, "", os.path.dirname(sys.argv[1]), schema))
    if found:
        sys.exit("\n".join(found))


main()
