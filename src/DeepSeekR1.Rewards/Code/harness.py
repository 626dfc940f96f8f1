# Runs inside the sandbox, in one of two roles that never share a box:
#   serve    holds the untrusted program and answers calls of its functions;
#   examine  holds the tests, and calls the program through the host.
# Only plain values travel: an object that claims to be equal to everything stays where it is.
import sys, os, builtins

try:
    # The halves of json that are written in C: to import the whole takes as long as to start the interpreter.
    import _json
    class Reading: strict, object_hook, object_pairs_hook, parse_float, parse_int, parse_constant, memo = True, None, None, float, int, None, {}
    scan, chunks = _json.make_scanner(Reading), _json.make_encoder({}, None, _json.encode_basestring_ascii, None, ":", ",", False, False, True)
    def loads(text): return scan(text, 0)[0]
    def dumps(o): return "".join(chunks(o, 0))
except (ImportError, AttributeError, TypeError):
    from json import loads, dumps

def encode(v, other):
    """Subclasses of plain kinds become plain; what is no data is left to other."""
    if v is None: return ["n"]
    if v is True or v is False: return ["b", v]
    if isinstance(v, int): return ["i", hex(int.__index__(v))]
    if isinstance(v, float): return ["f", float.hex(v)]
    if isinstance(v, complex): return ["c", v.real.hex(), v.imag.hex()]
    if isinstance(v, str): return ["s", str.encode(v, "utf-8", "surrogatepass").hex()]
    if isinstance(v, (bytes, bytearray)): return ["y", bytes(v).hex()]
    for tag, kind in (("l", list), ("t", tuple), ("e", set), ("z", frozenset)):
        if isinstance(v, kind): return [tag, [encode(x, other) for x in kind.__iter__(v)]]
    if isinstance(v, dict): return ["d", [[encode(k, other), encode(x, other)] for k, x in dict.items(v)]]
    if type(v) is range: return ["r", v.start, v.stop, v.step]
    return other(v)

def encode_result(v):
    """What the tests see of iterators, arrays and objects."""
    if hasattr(v, "tolist"): return encode(v.tolist(), encode_result)
    if hasattr(type(v), "__next__") or isinstance(v, (type({}.keys()), type({}.values()), type({}.items()))):
        return ["g", [encode(x, encode_result) for x in v]]
    return ["o", bool(v)]

def complaint(e):
    """Plain letters: half a character would break the message."""
    return [type(e).__name__.encode("ascii", "backslashreplace").decode(), str(e)[:200].encode("ascii", "backslashreplace").decode()]

class Opaque:
    """What is left of an object that is no plain value: it is true or false, and equal to nothing."""
    def __init__(self, truth): self.truth = truth
    def __bool__(self): return self.truth

def decode(e):
    k = e[0]
    if k == "n": return None
    if k == "b": return bool(e[1])
    if k == "i": return int(e[1], 16)
    if k == "f": return float.fromhex(e[1])
    if k == "c": return complex(float.fromhex(e[1]), float.fromhex(e[2]))
    if k == "s": return bytes.fromhex(e[1]).decode("utf-8", "surrogatepass")
    if k == "y": return bytes.fromhex(e[1])
    if k == "r": return range(e[1], e[2], e[3])
    if k == "o": return Opaque(bool(e[1]))
    if k == "g": return iter([decode(x) for x in e[1]])
    if k == "d": return {decode(a): decode(b) for a, b in e[1]}
    return {"l": list, "t": tuple, "e": set, "z": frozenset}[k](decode(x) for x in e[1])

def lines():
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2): os.dup2(null, fd)
    def send(o):
        target.write(dumps(o).encode() + b"\n"); target.flush()
    def receive():
        line = source.readline()
        if not line: os._exit(0)
        return loads(line.decode())
    return send, receive

def serve():
    send, receive = lines()
    space = {"__name__": "solution", "__builtins__": builtins}
    failure = None
    try: exec(compile(receive()["program"], "solution.py", "exec"), space)
    except BaseException as e: failure = complaint(e)
    send({"ready": True, "raise": failure, "names": [n for n in space if isinstance(n, str) and n.isidentifier()]})
    while True:
        call = receive()
        try:
            f = space[call["name"]]
            a, k = decode(call["args"]), decode(call["kwargs"])
            send({"id": call["id"], "value": encode(f(*a, **k), encode_result)})
        except BaseException as e: send({"id": call["id"], "raise": complaint(e)})

def examine():
    import _ast as ast  # The kinds of nodes alone.
    send, receive = lines()
    job = receive()
    count = [0]
    class SolutionError(Exception): pass
    class Untestable(BaseException): pass
    def encode_argument(v):
        """What the program itself gave may go back to it; what else is no plain value, the tests cannot hand over."""
        if type(v) is type(iter([])): return ["g", [encode(x, encode_argument) for x in v]]
        if type(v) is Opaque: raise SolutionError("the program gave an object that is no plain value")
        raise Untestable("the tests hand over a " + type(v).__name__ + ", which is no plain value")
    def proxy(name):
        def call(*args, **kwargs):
            count[0] += 1
            send({"call": {"id": count[0], "name": name, "args": encode(list(args), encode_argument), "kwargs": encode(kwargs, encode_argument)}})
            answer = receive()
            if answer.get("raise"):
                kind = getattr(builtins, answer["raise"][0], None)
                if not (isinstance(kind, type) and issubclass(kind, Exception)): kind = SolutionError
                # Would end a loop of the tests, such as all(map(f, cases)), before they compare anything.
                if issubclass(kind, (StopIteration, StopAsyncIteration)): kind = SolutionError
                raise kind(answer["raise"][1])
            return decode(answer["value"])
        call.__name__ = name
        return call
    def walk(node):
        yield node
        for field in node._fields:
            inner = getattr(node, field, None)
            for n in inner if isinstance(inner, list) else [inner]:
                if isinstance(n, ast.AST): yield from walk(n)
    def find_names(source):
        """Names that the tests take from elsewhere: functions of the program, and modules."""
        nodes = list(walk(compile(source, "tests.py", "exec", ast.PyCF_ONLY_AST)))
        names = [n for n in nodes if isinstance(n, ast.Name)]
        bound = {n.id for n in names if not isinstance(n.ctx, ast.Load)}
        for n in nodes:
            if isinstance(n, (ast.FunctionDef, ast.ClassDef)): bound.add(n.name)
            if isinstance(n, ast.arg): bound.add(n.arg)
            if isinstance(n, ast.alias): bound.add((n.asname or n.name).split(".")[0])
        unbound = {n.id for n in names} - bound
        modules = {n.value.id for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)} & unbound & sys.stdlib_module_names
        functions = unbound - modules - set(dir(builtins))
        # Only where nothing else is tested may the program redefine a builtin: else it could redefine what the tests compare with.
        return functions or {n for n in unbound & set(job["names"]) if n != "__builtins__"}, modules
    def run_preamble(source):
        """Definitions that stand before the program; the last may still lack its body."""
        for text in (source, source + "\n    pass\n"):
            try: code = compile(text, "preamble.py", "exec")
            except SyntaxError: continue
            exec(code, space)
            return
    space = {"__name__": "tests"}
    try:
        run_preamble(job["preamble"])
        functions, modules = find_names("\n".join([job["setup"]] + job["tests"]))
        for name in modules: space[name] = __import__(name)
        for name in functions:
            if name == job["entry"] or name not in space: space[name] = proxy(name)
        exec(compile(job["setup"], "setup.py", "exec"), space)
    except BaseException as e:
        reason = ": ".join(complaint(e))
        if count[0] == 0 or isinstance(e, Untestable): send({"broken": "the tests do not load: " + reason}); return
        for i in range(len(job["tests"])): send({"test": i, "reason": reason}) # The program broke what the tests prepare.
        send({"done": True}); return
    for i, test in enumerate(job["tests"]):
        reason, before = None, count[0]
        try: exec(compile(test, "test%d.py" % i, "exec"), space)
        except Untestable as e: send({"broken": str(e)}); return
        except AssertionError as e: reason = ("assertion failed " + complaint(e)[1]).strip()
        except BaseException as e: reason = ": ".join(complaint(e))
        if count[0] == before: send({"broken": "test %d calls nothing of the program" % (i + 1) + (": " + reason if reason else "")}); return
        send({"test": i, "reason": reason})
    send({"done": True})

def main():
    try: sys.setrecursionlimit(10000)
    except Exception: pass
    {"serve": serve, "examine": examine}[sys.argv[1]]()

main()
