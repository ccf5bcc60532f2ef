"""Runs Reaper effects (JSFX) without Reaper: the part of EEL2 that the written effects use.

Each function is translated to Python, once for every object that it is called on, and each section
to a function without arguments; all variables live in one list and all memory in another. What
Reaper would let pass in silence is an error here: an undefined variable or function, a local that
is read before it is set, a method that is called on no object, a wrong number of arguments.

Written from Cockos, "REAPER JSFX Programming Reference"; it shares no code with the console.
"""

import math
import re

import numpy as np

TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/|(?P<number>\d+\.?\d*|\.\d+)|(?P<name>\$?[a-z_][\w.]*)"
    r"|(?P<op>[-+*/%^]=|[<>=!]=|&&|\|\||[-+*/%^<>=!?:;,()\[\]])",
    re.DOTALL,
)
BUILT_IN = {
    "abs": 1, "cos": 1, "exp": 1, "floor": 1, "log": 1, "log10": 1, "max": 2, "min": 2, "sin": 1,
    "sqr": 1, "sqrt": 1, "tan": 1,
}  # fmt: skip
GIVEN = re.compile(r"srate|spl\d+|slider\d+")
BINDS = {
    "||": 1, "&&": 1, "<": 2, ">": 2, "<=": 2, ">=": 2, "==": 2, "!=": 2, "+": 3, "-": 3, "*": 4,
    "/": 4, "%": 5, "^": 6,
}  # fmt: skip
ASSIGNS = {"=", "+=", "-=", "*=", "/="}
CLOSE = 0.00001  # what counts as zero where a truth is asked for


def tokens(text):
    found, at, text = [], 0, text.lower()
    while at < len(text):
        match = TOKEN.match(text, at)
        assert match, f"no EEL2: {text[at : at + 40]!r}"
        if match.lastgroup:
            found.append((match.lastgroup, match[0]))
        at = match.end()
    return [*found, ("end", "")]


class Parser:
    """Token by token to nested tuples, operator precedence by climbing."""

    def __init__(self, text):
        self.tokens, self.at, self.functions = tokens(text), 0, {}

    def peek(self):
        return self.tokens[self.at][1]

    def take(self, *wanted):
        kind, text = self.tokens[self.at]
        assert not wanted or text in wanted, f"{text!r} where {wanted} should be"
        self.at += 1
        return kind, text

    def sequence(self, end):
        """Statements up to a closing bracket or the end of the section."""
        steps = []
        while self.peek() != end:
            if self.peek() == "function":
                self.function()
            elif self.peek() == ";":
                self.take()
            else:
                steps.append(self.expression())
                assert self.peek() in (";", end), f"{self.peek()!r} after an expression"
        self.take(end)
        return ("sequence", steps)

    def names(self):
        self.take("(")
        found = []
        while self.peek() != ")":
            if self.peek() == ",":
                self.take()
            else:
                found.append(self.take()[1])
        self.take(")")
        return found

    def function(self):
        self.take("function")
        name = self.take()[1]
        assert name not in self.functions and name not in BUILT_IN, f"{name} twice"
        lists = {"parameters": self.names(), "local": [], "instance": []}
        while self.peek() in ("local", "instance"):
            lists[self.take()[1]] += self.names()
        self.take("(")
        self.functions[name] = (lists, self.sequence(")"))

    def expression(self):
        left = self.binary(1)
        if self.peek() == "?":
            self.take()
            yes = self.expression()
            no = ("number", "0.0")
            if self.peek() == ":":
                self.take()
                no = self.expression()
            return ("if", left, yes, no)
        if self.peek() in ASSIGNS:
            assert left[0] in ("name", "memory"), f"{left} cannot be set"
            operator = self.take()[1]
            return ("assign", left, operator[:-1], self.expression())
        return left

    def binary(self, least):
        left = self.unary()
        while self.peek() in BINDS and BINDS[self.peek()] >= least:
            operator = self.take()[1]
            left = ("binary", operator, left, self.binary(BINDS[operator] + 1))
        return left

    def unary(self):
        if self.peek() in ("-", "!"):
            return ("unary", self.take()[1], self.unary())
        node = self.primary()
        while self.peek() == "[":
            self.take()
            node = ("memory", node, self.expression())
            self.take("]")
        return node

    def primary(self):
        kind, text = self.take()
        if kind == "number":
            return ("number", repr(float(text)))
        if text == "$pi":
            return ("number", repr(math.pi))
        if text == "(":
            return self.sequence(")")
        assert kind == "name", f"{text!r} where a value should be"
        if self.peek() != "(":
            return ("name", text)
        self.take("(")
        arguments = []
        while self.peek() != ")":
            last = self.tokens[self.at - 1][1]
            assert last in "(,", f"{self.peek()!r} among arguments"
            if text == "loop" and arguments:
                arguments.append(self.sequence(")"))
                return ("call", text, arguments)
            arguments.append(self.expression())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return ("call", text, arguments)


def acts(*nodes):
    """Whether evaluating any of some nodes may change anything."""
    for node in nodes:
        if isinstance(node, list):
            node = ("list", *node)
        if isinstance(node, tuple):
            if node[0] == "assign" or (node[0] == "call" and node[1] not in BUILT_IN):
                return True
            if acts(*node[1:]):
                return True
    return False


class Translator:
    """EEL2 to Python source."""

    def __init__(self):
        self.functions, self.places, self.made, self.lines = {}, {}, {}, []
        self.set, self.read = set(), set()

    def place(self, name):
        return f"V[{self.places.setdefault(name, len(self.places))}]"

    def section(self, label, text):
        parser = Parser(text)
        parser.functions = self.functions
        tree = parser.sequence("")
        self.lines += Body(self, {"parameters": [], "local": [], "instance": []}, None).render(
            f"at_{label}", tree
        )

    def call(self, name, namespace, count):
        """The Python name of a function on an object."""
        lists, tree = self.functions[name]
        assert count == len(lists["parameters"]), f"{name} takes {lists['parameters']}"
        key = (name, namespace)
        if key not in self.made:
            self.made[key] = f"f{len(self.made)}_{name}"
            self.lines += Body(self, lists, namespace).render(self.made[key], tree)
        return self.made[key]


class Body:
    """The body of one function on one object, or of a section."""

    def __init__(self, whole, lists, namespace):
        self.whole, self.lists, self.namespace = whole, lists, namespace
        self.lines, self.indent, self.count = [], 1, 0

    def render(self, python_name, tree):
        parameters = ", ".join(f"l_{name}" for name in self.lists["parameters"])
        result = self.value(tree)
        return [f"def {python_name}({parameters}):", *self.lines, f"    return {result}"]

    def emit(self, line):
        self.lines.append("    " * self.indent + line)

    def kept(self, expression):
        self.count += 1
        self.emit(f"t{self.count} = {expression}")
        return f"t{self.count}"

    def absolute(self, name):
        """A dotted name seen from outside of every function."""
        first, _, rest = name.partition(".")
        if first == "this":
            assert self.namespace, f"{name} on no object"
            return f"{self.namespace}.{rest}" if rest else self.namespace
        if first in self.lists["instance"]:
            assert self.namespace, f"{name} on no object"
            return f"{self.namespace}.{name}"
        return name

    def variable(self, name, sets=False):
        if name in self.lists["parameters"] or name in self.lists["local"]:
            return f"l_{name}"
        full = self.absolute(name)
        (self.whole.set if sets else self.whole.read).add(full)
        return self.whole.place(full)

    def address(self, node):
        base, index = self.values([node[1], node[2]])
        return f"M[int({base} + {index} + {CLOSE})]"

    def values(self, nodes):
        """Values of several nodes, evaluated from left to right."""
        found = []
        for i, node in enumerate(nodes):
            value = self.value(node)
            found.append(self.kept(value) if acts(*nodes[i + 1 :]) else value)
        return found

    def truth(self, node):
        if node[0] == "binary" and BINDS[node[1]] == 2:
            left, right = self.values(node[2:])
            if node[1] in ("==", "!="):
                return f"(abs({left} - {right}) {'<' if node[1] == '==' else '>='} {CLOSE})"
            return f"({left} {node[1]} {right})"
        if node[0] == "binary" and BINDS[node[1]] == 1:
            assert not acts(node[3]), "a condition's right side should change nothing"
            word = "and" if node[1] == "&&" else "or"
            return f"({self.truth(node[2])} {word} {self.truth(node[3])})"
        if node[0] == "unary" and node[1] == "!":
            return f"(not {self.truth(node[2])})"
        return f"(abs({self.value(node)}) >= {CLOSE})"

    def value(self, node):
        return getattr(self, f"_{node[0]}")(*node[1:])

    def _number(self, text):
        return text

    def _name(self, name):
        return self.variable(name)

    def _memory(self, base, index):
        return self.address(("memory", base, index))

    def _sequence(self, steps):
        result = "0.0"
        for i, step in enumerate(steps):
            result = self.value(step)
            if i < len(steps) - 1 and not acts(step):
                raise AssertionError(f"a step that does nothing: {step}")
        return result

    def _unary(self, operator, node):
        if operator == "!":
            return f"(0.0 if {self.truth(node)} else 1.0)"
        return f"(-{self.value(node)})"

    def _binary(self, operator, left, right):
        if BINDS[operator] <= 2:
            return f"(1.0 if {self.truth(('binary', operator, left, right))} else 0.0)"
        one, other = self.values([left, right])
        if operator == "^":
            return f"({one} ** {other})"
        if operator == "%":
            return f"float(int({one}) % int({other}))"
        return f"({one} {operator} {other})"

    def _if(self, condition, yes, no):
        self.count += 1
        result = f"t{self.count}"
        for head, branch in ((f"if {self.truth(condition)}:", yes), ("else:", no)):
            self.emit(head)
            self.indent += 1
            self.emit(f"{result} = {self.value(branch)}")
            self.indent -= 1
        return result

    def _assign(self, target, operator, node):
        if target[0] == "memory":
            base, index, value = self.values([target[1], target[2], node])
            place = f"M[int({base} + {index} + {CLOSE})]"
        else:
            value = self.value(node)
            place = self.variable(target[1], sets=True)
        self.emit(f"{place} = {f'{place} {operator} ({value})' if operator else value}")
        return place

    def _call(self, name, arguments):
        if name == "loop":
            times = self.kept(f"int({self.value(arguments[0])})")
            self.emit(f"for _ in range({times}):")
            self.indent += 1
            self.emit(str(self.value(arguments[1])))
            self.indent -= 1
            return "0.0"
        values = ", ".join(self.values(arguments))
        if name in BUILT_IN:
            assert len(arguments) == BUILT_IN[name], f"{name} takes {BUILT_IN[name]}"
            return f"{name}({values})"
        owner, _, method = name.rpartition(".")
        assert method in self.whole.functions, f"there is no function {method}"
        namespace = self.absolute(owner) if owner else None
        return self.kept(f"{self.whole.call(method, namespace, len(arguments))}({values})")


class Jsfx:
    """An effect in action.

    sliders: number to the name that the code gives it, default, low and high.
    latency: frames that it asks the host to make up for.
    """

    MEMORY = 600_000

    def __init__(self, text, sample_rate, settings):
        head, *sections = re.split(r"^@(\w+)[^\n]*\n", text, flags=re.MULTILINE)
        assert head.startswith("desc:")
        code = dict(zip(sections[::2], sections[1::2], strict=True))
        assert set(code) <= {"init", "slider", "sample"}
        whole = Translator()
        for label in ("init", "slider", "sample"):
            whole.section(label, code[label])
        # States of objects begin at zero, as everything in EEL2 does; what has no owner is set.
        unset = {n for n in whole.read - whole.set if "." not in n and not GIVEN.fullmatch(n)}
        assert not unset, f"never set: {unset}"
        self._places = whole.places
        self._v = [0.0] * len(whole.places)
        scope = {
            "V": self._v, "M": [0.0] * self.MEMORY, "sqr": lambda x: x * x,
            **{n: getattr(math, n) for n in BUILT_IN if hasattr(math, n)},
        }  # fmt: skip
        scope["floor"] = lambda x: float(math.floor(x))
        exec("\n".join(whole.lines), scope)
        self.sliders = {
            name: (int(number), *map(float, (default, low, high)))
            for number, default, low, high in re.findall(
                r"^slider(\d+):([^<]+)<([^,]+),([^,]+),", head, re.MULTILINE
            )
            for name in re.findall(rf"^(\w+) = slider{number};$", code["slider"], re.MULTILINE)
        }
        self._put("srate", float(sample_rate))
        for name, (number, default, low, high) in self.sliders.items():
            value = settings.get(name, default)
            assert low <= value <= high, f"{name} is {value}"
            self._put(f"slider{number}", float(value))
        scope["at_init"]()
        scope["at_slider"]()
        self._sample = scope["at_sample"]
        self.latency = int(self._v[self._places["pdc_delay"]]) if "pdc_delay" in whole.places else 0

    def _put(self, name, value):
        if name in self._places:
            self._v[self._places[name]] = value

    def process(self, audio):
        """Audio of 2 or 4 channels, (channels, frames), to (2, frames), its latency taken out."""
        silence = np.zeros((len(audio), self.latency))
        columns = np.concatenate([audio, silence], axis=1).T.tolist()
        out = []
        for column in columns:
            for channel, value in enumerate(column):
                self._put(f"spl{channel}", value)
            self._sample()
            out.append((self._v[self._places["spl0"]], self._v[self._places["spl1"]]))
        return np.array(out).T[:, self.latency :]
