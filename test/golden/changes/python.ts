import type { ChangeCase } from "./case.ts";

const language = "python";

export const pythonCases: readonly ChangeCase[] = [
  {
    name: "functions whose body is a stub",
    language,
    before: {},
    after: {
      "app/a.py": `def save(post):
    pass


def load(post_id: int) -> Post:
    """Loads a post."""
    ...


async def remove(
    post_id: int,
    force: bool = False,
) -> None:
    raise NotImplementedError


def publish(post): pass


class Store:
    def insert(self, post):
        # stores the post
        pass

    def find(self, post_id):
        raise NotImplementedError("find is not implemented")
`,
    },
    expect: [2, 7, 14, 17, 23, 26].map((line) => ({ gate: "G02", path: "app/a.py", line }) as const),
  },
  {
    name: "a body replaced by a stub below a def that stays",
    language,
    before: { "app/a.py": "def add(a, b):\n    return a + b\n\n\nclass Store:\n    def get(self, key):\n        return self.data[key]\n\n    def put(self, key, value):\n        self.data[key] = value\n" },
    after: { "app/a.py": "def add(a, b):\n    pass\n\n\nclass Store:\n    def get(self, key):\n        raise NotImplementedError()\n\n    def put(self, key, value):\n        ...\n" },
    expect: [2, 7, 10].map((line) => ({ gate: "G02", path: "app/a.py", line }) as const),
  },
  {
    name: "pass and ellipsis where they belong",
    language,
    before: {},
    after: {
      "app/a.py": `from abc import ABC, abstractmethod
from typing import Protocol, overload


class PostError(Exception):
    pass


class Reader(Protocol):
    def read(self, size: int) -> bytes: ...

    def close(self) -> None:
        ...


class Shape(ABC):
    @abstractmethod
    def area(self) -> float:
        raise NotImplementedError

    @property
    @abstractmethod
    def name(self) -> str:
        """The name."""
        pass


class Handler:
    def emit(self, record):
        raise NotImplementedError("subclasses must implement emit")


@overload
def parse(text: str) -> int: ...
@overload
def parse(text: bytes) -> int: ...
def parse(text):
    return int(text)


@click.group()
def cli():
    pass


def close_quietly(stream):
    try:
        stream.close()
    except OSError:
        pass


def convert(kind, value):
    if kind == "int":
        return int(value)
    elif kind == "none":
        pass
    else:
        raise NotImplementedError(f"kind {kind}")
    x: tuple[int, ...] = array[..., 0]
    return x


def noop(*args, **kwargs):
    pass


def ignore(_signum, _frame):
    pass
`,
      "app/a.pyi": "def save(post: Post) -> None: ...\n",
      "tests/test_a.py": "class FakeClient:\n    def send(self, message):\n        pass\n\n\ndef test_raises():\n    with pytest.raises(NotImplementedError):\n        run()\n",
    },
    expect: [],
  },
  {
    name: "a method added to a protocol and an except branch emptied",
    language,
    before: { "app/a.py": "class Reader(Protocol):\n    def read(self) -> bytes: ...\n\n\ndef stop():\n    try:\n        kill()\n    except OSError:\n        log()\n" },
    after: { "app/a.py": "class Reader(Protocol):\n    def read(self) -> bytes: ...\n    def peek(self) -> bytes: ...\n\n\ndef stop():\n    try:\n        kill()\n    except OSError:\n        pass\n" },
    expect: [],
  },
  {
    name: "a test that does nothing",
    language,
    before: {},
    after: { "tests/test_a.py": "def test_add():\n    pass\n" },
    expect: [{ gate: "G02", path: "tests/test_a.py", line: 2 }],
  },
  {
    name: "marks in comments, docstrings and strings",
    language,
    before: {},
    after: { "app/a.py": '# TODO: cache\ndef f():\n    """Adds.\n\n    FIXME: overflows\n    """\n    return "TODO"  # noqa\n\n\nx = 1  # hack is lower case\n# A placeholder for the real client\n' },
    expect: [...[1, 5, 7, 11].map((line) => ({ gate: "G02", path: "app/a.py", line }) as const), { gate: "G05", path: "app/a.py", line: 7 }],
  },
  {
    name: "names and texts that only look like marks",
    language,
    before: {},
    after: {
      "app/a.py": `class Status(Enum):
    TODO = "todo"
    DONE = "done"


status = Status.TODO
# SQL placeholder syntax differs: %s here, ? there.
cursor.execute("select %s", [placeholder])
parser.add_argument("--placeholder", help="shown in the field")
template = "/tmp/dispatch.XXXXXX"
raise_on = (NotImplementedError, ValueError)
return NotImplemented
HTTP = {501: "Not Implemented"}
`,
      "setup.cfg": "[pylint]\nnotes = FIXME,XXX,TODO\n",
    },
    expect: [],
  },
];
