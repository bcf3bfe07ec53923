"""In the fork: one job shuts itself in, then checks, compiles and executes its script.

    CONFIGURE ─► imports ─► layers ─► READY ─► SCRIPT, COMPILED, INPUT ─► check ─► CODE ─► execute ─► RESULT

Up to READY everything that runs is ours; nothing foreign is even read before the layers are on.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import linecache
import marshal
import mmap
import os
import pkgutil
import sys
import time
import traceback
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any, BinaryIO, Final

from . import allowlist, frames, landlock, layers
from .allowlist import Policy
from .errors import ForbiddenSyntax
from .frames import Kind
from .limits import Limits

SCRIPT_NAME: Final = "model.py"
_MODULE_NAME: Final = "model"
_PROGRESS_SECONDS: Final = 0.05
_TRACEBACK_LIMIT: Final = 16_000  # characters
_RESERVE_BYTES: Final = 4 << 20


def run_job(fds: list[int], server: int) -> None:
    """Never returns."""
    code = 1
    try:
        os.setsid()
        receive, send, out, err = fds
        os.dup2(out, 1)
        os.dup2(err, 2)
        close_all_but(0, 1, 2, receive, send)
        Job(receive, send, server).run()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def close_all_but(*kept: int) -> None:
    """Closes every descriptor of this process but some."""
    low = 0
    for fd in sorted(kept):
        if low < fd:  # closerange(n, n) closes everything
            os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 1 << 20)


def bring_in(name: str, *, whole: bool) -> None:
    """Imports a module. ``whole``: with the whole package that it is in, as what its neighbours import late may be out of
    reach then (no file can be opened), or is wanted by every job that a server forks.

    A package at the top ("numpy", "sheetrun") is not walked: it holds far more than a job needs. A neighbour that needs
    what is not installed is left out (the function parse has no pandas): nobody can import that one later either.
    """
    if name in sys.modules:
        return
    module = importlib.import_module(name)
    if not whole:
        return
    package = module if hasattr(module, "__path__") else sys.modules.get(name.rpartition(".")[0], module)
    if "." in package.__name__ and hasattr(package, "__path__"):
        for neighbour in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(neighbour.name)


class Job:
    """One run, in the process that has been forked for it."""

    def __init__(self, receive: int, send: int, server: int) -> None:
        self.stream: BinaryIO = open(receive, "rb", buffering=1 << 16)  # noqa: SIM115 (open as long as the process)
        self.send = send
        self.server = server
        self.last_progress = 0.0
        #: Given back when memory has run out, so that we can still say so. Addresses alone: they are what is limited.
        self.reserve = mmap.mmap(-1, _RESERVE_BYTES)

    def run(self) -> None:
        config, _ = frames.read(self.stream, Kind.CONFIGURE)
        host = self._import(config)
        self._reseed()
        os.umask(0o077)
        os.chdir(config["scratch"])
        applied = layers.apply(self._setting(config), config["without"])
        self.tell(Kind.READY, {"held": applied.held, "missing": applied.missing})
        if set(config["require"]) - applied.held.keys():
            return  # the parent knows, and sends nothing
        try:
            self._compute(config, host)
        except MemoryError:
            self.reserve.close()  # which needs no memory of its own
            gc.enable()
            gc.collect()
            self.tell(Kind.FAILED, {"why": "memory"})
        except BaseException as error:
            self.tell(Kind.FAILED, self._describe(error))

    def tell(self, kind: Kind, header: dict[str, Any], *payload: Any) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        frames.write(self.send, kind, header, *payload)

    def _import(self, config: dict[str, Any]) -> Callable[..., Any] | None:
        """The host function, imported while the process may still read everything."""
        late = landlock.abi() == 0 or "landlock" in config["without"]  # then no file can be opened once it has begun
        for name in config["preload"]:
            bring_in(name, whole=late)
        module, colon, function = config["entry"].partition(":")
        if not colon:
            return None
        bring_in(module, whole=late)
        host: Callable[..., Any] = getattr(sys.modules[module], function)
        return host

    def _reseed(self) -> None:
        """NumPy's global generator was seeded in the server: without this every fork would draw the same numbers."""
        random = sys.modules.get("numpy.random")
        if random is not None:
            random.seed()

    def _setting(self, config: dict[str, Any]) -> layers.Setting:
        return layers.Setting(Limits(**config["limits"]), config["scratch"], tuple(config["readable"]), self.server)

    def _compute(self, config: dict[str, Any], host: Callable[..., Any] | None) -> None:
        _, text = frames.read(self.stream, Kind.SCRIPT)
        _, compiled = frames.read(self.stream, Kind.COMPILED)
        _, payload = frames.read(self.stream, Kind.INPUT)
        source = text.decode()
        code = self._compile(source, compiled, config)
        del text, compiled
        namespace = self._namespace(source, config)
        exec(code, namespace)  # what a sandbox is for  # nosec B102
        if host is not None:
            result = host(namespace, payload, self.progress)
        else:
            result = namespace[config["entry"]](payload, self.progress)
        pieces = result if host is not None and isinstance(result, list) else [result]
        if not all(isinstance(piece, bytes | memoryview) for piece in pieces):
            raise TypeError(f"the entry point gave {type(result).__name__}, not bytes")
        if sum(memoryview(piece).nbytes for piece in pieces) > config["limits"]["output_bytes"]:
            self.tell(Kind.FAILED, {"why": "output"})
            return
        self.tell(Kind.RESULT, {}, *pieces)

    def _compile(self, source: str, compiled: bytes, config: dict[str, Any]) -> CodeType:
        """Checks and compiles here, shut in, rather than in the parent: the parser too gets foreign text."""
        if compiled:  # the parent's own cache holds only what this function gave it, keyed by text and policy
            code: CodeType = marshal.loads(compiled)  # from the process that started this one  # nosec B302
            return code
        with allowlist.not_collecting():
            tree = allowlist.parse(source)
            if config["policy"] is not None:
                allowlist.check_tree(tree, Policy.from_json(config["policy"]))
            code = compile(tree, SCRIPT_NAME, "exec", dont_inherit=True)
            del tree
        if config["return_code"]:
            self.tell(Kind.CODE, {}, marshal.dumps(code))
        return code

    def _namespace(self, source: str, config: dict[str, Any]) -> dict[str, Any]:
        """A module of its own, whose source ``linecache`` knows (tracebacks, and the runtime's line map)."""
        linecache.cache[SCRIPT_NAME] = (len(source), None, source.splitlines(keepends=True), SCRIPT_NAME)
        module = ModuleType(_MODULE_NAME)
        module.__file__ = SCRIPT_NAME
        sys.modules[_MODULE_NAME] = module
        namespace = vars(module)
        if config["policy"] is not None:
            namespace["__builtins__"] = self._builtins(config["policy"])
        return namespace

    def _builtins(self, policy: dict[str, Any]) -> dict[str, Any]:
        """What the allow-list permits is also all that there is."""
        allowed = Policy.from_json(policy)
        given = {name: getattr(builtins, name) for name in allowed.builtins if hasattr(builtins, name)}

        def importer(
            name: str, scope: Any = None, local: Any = None, fromlist: tuple[str, ...] = (), level: int = 0
        ) -> Any:
            if level or not (allowed.allows_module(name) or any(a.startswith(f"{name} as ") for a in allowed.aliases)):
                raise ImportError(f"import of {name} is not allowed")
            module = builtins.__import__(name, scope, local, fromlist, level)
            offered = getattr(module, "__all__", None)
            hidden = set() if offered is None else (vars(module).keys() - set(offered)) & set(fromlist or ())
            if hidden:  # what a module uses is not what it offers
                raise ImportError(f"{name} does not offer {', '.join(sorted(hidden))}")
            return module

        return given | {"__import__": importer}

    def progress(self, done: int, total: int, message: str = "") -> None:
        """For the entry point: says how far it is; the parent sees at most about twenty a second."""
        now = time.monotonic()
        if now - self.last_progress >= _PROGRESS_SECONDS or done >= total:
            self.last_progress = now
            header = {"done": int(done), "total": int(total), "message": str(message)[:200]}
            frames.write(self.send, Kind.PROGRESS, header)

    def _describe(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, ForbiddenSyntax):
            return {"why": "forbidden", "line": error.line, "detail": error.detail}
        line = None
        begin = trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == SCRIPT_NAME:
                begin = trace if line is None else begin  # our own frames above it are nobody's business
                line = trace.tb_lineno
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, begin))[-_TRACEBACK_LIMIT:]
        return {"why": "raised", "exception": f"{type(error).__name__}: {error}"[:1000], "line": line, "trace": text}
