"""Replays recorded exchanges: a request, and the answer that Kong gave, compared by value, by shape or by text."""

import json
import re
from pathlib import Path
from urllib.parse import quote_plus

import yaml

from .basics import REPOSITORY
from .client import fetch

FOLDER = REPOSITORY / "tests" / "cases" / "transcripts"

# What every answer of the Admin API carries, unless a case says otherwise. "<any>": present, whatever its value.
ADMIN_HEADERS = {
    "content-type": "application/json; charset=utf-8", "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true", "x-kong-admin-latency": "<any>"}

# What stands in an expected text for something that differs from run to run.
PLACES = {"id": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "offset": r"[A-Za-z0-9_=%-]+", "hex": r"[0-9a-f]{32}",
          "number": r"[0-9]+(?:\.[0-9]+)?", "size": r"[0-9]+(?:\.[0-9]+)? (?:Ki|Mi|Gi)B", "any": r".*"}
PLACE = re.compile(r"<(?:(id|offset|hex):([^<>]+)|(any|number|size))>")
FILE = re.compile(r"<file:([\w.]+)>")  # in a request: what a file beside the cases holds


def read(name):
    return (FOLDER / name).read_text()


def load(name):
    """The cases of one file, in their order."""
    return json.loads(read(name))


def without_descriptions(schema):
    """Descriptions are our own words."""
    if isinstance(schema, dict):
        return {key: without_descriptions(value) for key, value in schema.items() if key != "description"}
    return [without_descriptions(element) for element in schema] if isinstance(schema, list) else schema


def within(expected, got):
    """Of `got` what `expected` speaks of: fields by their names, and their attributes."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return {key: within(expected[key], got[key]) for key in expected.keys() & got.keys()}
    if isinstance(expected, list) and isinstance(got, list) and all(isinstance(e, dict) and len(e) == 1 for e in expected):
        return [within(e, g) for e in expected for g in got if g.keys() == e.keys()]
    return got


class Replay:
    """
    Sends the cases of a transcript and remembers what their places stood for: `<id:svc1>` is bound by the first answer
    that shows it and means the same from then on, in requests and in answers. `known` binds some of them beforehand.
    """

    def __init__(self, port, headers=ADMIN_HEADERS, known=(), extra_keys=(), plugins=None):
        self.port, self.headers, self.bound = port, headers, dict(known)
        self.extra_keys, self.plugins = set(extra_keys), plugins
        self.skipped = []

    def run(self, cases):
        """Every difference of every case, as text."""
        problems = []
        for case in cases:
            if self.plugins is not None and not set(case.get("needs", [])) <= self.plugins:
                self.skipped.append(case["title"])
                continue
            answer = self.send(case)
            problems += [f"{case['title']}: {problem}\n    in {answer}" for problem in self.compare(case, answer)]
        return problems

    def send(self, case):
        headers = [(name, self.fill(value)) for name, value in case.get("headers", {}).items()]
        body = None
        if "json" in case:
            headers.append(("Content-Type", "application/json"))
            body = json.dumps(self.fill(case["json"]))
        elif "form" in case:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            body = "&".join(self.fill(FILE.sub(lambda file: quote_plus(read(file[1])), pair)) for pair in case["form"])
        elif "multipart" in case:
            headers.append(("Content-Type", "multipart/form-data; boundary=limit"))
            body = "".join(f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                           for name, value in case["multipart"]) + "--limit--\r\n"
        elif "body" in case:
            body = self.fill(FILE.sub(lambda file: read(file[1]), case["body"]))
        elif case["method"] in ("POST", "PUT", "PATCH"):
            body = ""  # curl says so: Content-Length: 0
        body = None if body is None else body.encode()
        if case.get("chunked"):
            headers.append(("Transfer-Encoding", "chunked"))
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return fetch(self.port, case["method"], self.fill(case["path"]), headers, body)

    def fill(self, value):
        """A request's value with the places filled in."""
        if isinstance(value, dict):
            return {self.fill(key): self.fill(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.fill(element) for element in value]
        if isinstance(value, str):
            return PLACE.sub(lambda place: self.bound[place[2]] if place[2] in self.bound else place[0], value)
        return value

    # Comparing. Each function gives what differs.

    def compare(self, case, answer):
        if answer.status != case["status"]:
            return [f"status {answer.status}, not {case['status']}"]
        problems = []
        for name, expected in {**self.headers, **case.get("answer_headers", {})}.items():
            got = answer.header(name)
            if expected is None:
                problems += [f"header {name}: {got}"] if got is not None else []
            elif got is None or not self.text_fits(expected, got):
                problems.append(f"header {name}: {got}, not {expected}")
        if "text" in case:
            got = answer.body.decode().replace("\r\n", "\n").rstrip("\n")
            if not self.text_fits(case["text"], got):
                problems.append(f"body {got!r}, not {case['text']!r}")
        elif "expect" in case:
            compare = self.shape if case.get("compare") == "shape" else self.value
            expected, got = dict(case.get("gibbon", case)["expect"]), answer.json()
            if case.get("compare") == "schema":
                got = without_descriptions(got)
                if case.get("more"):  # this plugin has fields of its own beside Kong's
                    got = within(expected, got)
            if "yaml" in case:
                expected[case["yaml"]], got[case["yaml"]] = map(yaml.safe_load, (expected[case["yaml"]], got[case["yaml"]]))
            problems += compare(expected, got, "")
        elif case["method"] != "HEAD" and answer.body and not case.get("cut"):  # cut: the transcript shows its beginning alone
            problems.append("a body where Kong has none")
        return problems

    def text_fits(self, expected, got):
        pattern, names, last = "", [], 0
        for place in PLACE.finditer(expected):
            pattern += re.escape(expected[last:place.start()])
            name = place[2]
            if name in self.bound:
                pattern += f"(?:{re.escape(self.bound[name])}|{re.escape(quote_plus(self.bound[name]))})"
            elif name and name not in names:
                names.append(name)
                pattern += f"(?P<n{len(names)}>{PLACES[place[1]]})"
            else:
                pattern += f"(?P=n{names.index(name) + 1})" if name else PLACES[place[3]]
            last = place.end()
        found = re.fullmatch(pattern + re.escape(expected[last:]), got, re.DOTALL)
        if found:
            self.bound |= {name: found[f"n{number + 1}"] for number, name in enumerate(names)}
        return found is not None

    def value(self, expected, got, path):
        if expected == "<time>":
            return [] if isinstance(got, int) and got > 1_700_000_000 else [f"{path}: {got!r} is no time"]
        if isinstance(expected, dict) and isinstance(got, dict):
            expected = {self.key(key, expected, got): member for key, member in expected.items()}
            problems = self.keys(expected, got, path)
            # What an id stands for is learned from the first entity that shows it, so names come first.
            order = sorted(expected.keys() & got.keys(), key=lambda key: (key != "name", key))
            return problems + [p for key in order for p in self.value(expected[key], got[key], f"{path}.{key}")]
        if isinstance(expected, list) and isinstance(got, list):
            if path == ".data" or path.endswith(".errors"):
                expected, got = self.entities(expected), self.entities(got)
            if len(expected) != len(got):
                return [f"{path}: {len(got)} elements, not {len(expected)}: {got!r}"]
            return [p for i, pair in enumerate(zip(expected, got)) for p in self.value(*pair, f"{path}[{i}]")]
        if isinstance(expected, str) and isinstance(got, str):
            return [] if self.text_fits(expected, got) else [f"{path}: {got!r}, not {expected!r}"]
        same = expected == got and isinstance(expected, bool) == isinstance(got, bool)
        return [] if same else [f"{path}: {got!r}, not {expected!r}"]

    def key(self, key, expected, got):
        """An expected key with its places filled in; an unknown one means the only key that is left."""
        if (left := got.keys() - expected.keys()) and PLACE.search(filled := self.fill(key)) and len(left) == 1:
            self.text_fits(key, next(iter(left)))
        return self.fill(key)

    def entities(self, elements):
        """A page's entities without those of plugins that do not exist here, in an order that ids do not decide."""
        if self.plugins is not None:
            elements = [e for e in elements if not (isinstance(e, dict) and "instance_name" in e and e["name"] not in self.plugins)]
        return sorted(elements, key=lambda e: json.dumps([e.get("name"), e.get("field"), self.fill(e.get("entity_id", ""))]) if isinstance(e, dict) else str(e))

    def keys(self, expected, got, path):
        extra = {key for key in got.keys() - expected.keys() if f"{path}.{key}" not in self.extra_keys}
        problems = [f"{path}: also has {sorted(extra)}"] if extra else []
        missing = {key for key in expected.keys() - got.keys() if not PLACE.search(key)}
        return problems + ([f"{path}: lacks {sorted(missing)}"] if missing else [])

    def shape(self, expected, got, path):
        """The same keys, and values of the same kinds; null stands for any kind."""
        if expected is None or got is None:
            return []
        if isinstance(expected, dict) and isinstance(got, dict):
            if "<key>" in expected:  # a map: any keys, each with such a value
                return [p for key, member in got.items() for p in self.shape(expected["<key>"], member, f"{path}.{key}")]
            problems = self.keys(expected, got, path)
            return problems + [p for key in expected.keys() & got.keys() for p in self.shape(expected[key], got[key], f"{path}.{key}")]
        if isinstance(expected, list) and isinstance(got, list):
            return [p for i, element in enumerate(got) if expected for p in self.shape(expected[min(i, len(expected) - 1)], element, f"{path}[{i}]")]
        if expected == "<time>":
            expected = 0
        if isinstance(expected, str) and isinstance(got, str) and PLACE.search(expected):
            # An entity of the kind, not this very one; but the next page is asked for with this offset.
            reader = self if "<offset:" in expected else Replay(self.port)
            return [] if reader.text_fits(expected, got) else [f"{path}: {got!r}, not {expected!r}"]
        kind = lambda value: "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
        return [] if kind(expected) == kind(got) else [f"{path}: {kind(got)}, not {kind(expected)}"]
