"""The settings of the process and of the loaded libraries that code can change, each with the way to restore it."""

from __future__ import annotations

import builtins
import contextlib
import copy
import importlib
import os
import signal
import site
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from .contents import Undo, attribute

STREAMS = ("stdin", "stdout", "stderr", "excepthook", "displayhook", "unraisablehook", "dont_write_bytecode")
LISTS = ("path", "argv", "meta_path", "path_hooks", "warnoptions")
CUDNN = ("enabled", "benchmark", "deterministic")
GLOBAL_HOOKS = "_global_"  # how torch's modules name the hooks of all modules


def setting(get: Callable[[], Any], put: Callable[[Any], Any]) -> Undo:
    """Note a value; it is put back if it has changed."""
    before = get()

    def restore() -> None:
        if get() != before:
            put(before)

    return restore


def content(kept: Any) -> Undo:
    """The same for what a list or a dictionary holds."""
    before = copy.copy(kept)

    def restore() -> None:
        if isinstance(kept, list):
            kept[:] = before
        elif list(kept.items()) != list(before.items()):
            kept.clear()
            kept.update(before)

    return restore


def of_python(_: Any) -> Iterator[Undo]:
    yield setting(lambda: dict(os.environ), replace_environment)
    yield setting(os.getcwd, os.chdir)
    for name in STREAMS:
        yield attribute(sys, name)
    for name in LISTS:
        yield content(getattr(sys, name))
        yield attribute(sys, name)
    yield setting(sys.getrecursionlimit, sys.setrecursionlimit)
    yield setting(sys.getswitchinterval, sys.setswitchinterval)
    yield setting(sys.gettrace, sys.settrace)
    yield setting(sys.getprofile, sys.setprofile)
    yield attribute(threading, "excepthook")
    before = dict(vars(builtins))
    yield lambda: None if same(vars(builtins), before) else reset(vars(builtins), before)
    umask = os.umask(0)
    os.umask(umask)
    yield lambda: os.umask(umask)


def replace_environment(before: dict[str, str]) -> None:
    for name in set(os.environ) - set(before):
        del os.environ[name]
    os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})


def same(namespace: dict[str, Any], before: dict[str, Any]) -> bool:
    return namespace.keys() == before.keys() and all(namespace[name] is value for name, value in before.items())


def reset(namespace: dict[str, Any], before: dict[str, Any]) -> None:
    """Give these names, and no others, their values; no name is missing in between."""
    namespace.update(before)
    for name in set(namespace) - set(before):
        del namespace[name]


def of_signals(_: Any) -> Iterator[Undo]:
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may set them
    for number in signal.valid_signals():
        before = signal.getsignal(number)
        if before is not None:
            yield setting(partial(signal.getsignal, number), partial(signal.signal, number))
    if hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        yield lambda: signal.setitimer(signal.ITIMER_REAL, 0)


def of_random(random: Any) -> Iterator[Undo]:
    yield setting(random.getstate, random.setstate)


def of_warnings(warnings: Any) -> Iterator[Undo]:
    kept = warnings.catch_warnings()
    kept.__enter__()
    yield lambda: kept.__exit__(None, None, None)


def of_locale(locale: Any) -> Iterator[Undo]:
    yield setting(lambda: locale.setlocale(locale.LC_ALL), lambda before: locale.setlocale(locale.LC_ALL, before))


def of_decimal(decimal: Any) -> Iterator[Undo]:
    context = decimal.getcontext()
    before = context.copy()
    yield lambda: decimal.setcontext(context)
    for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"):
        yield partial(setattr, context, name, getattr(before, name))
    for name in ("flags", "traps"):
        yield partial(getattr(context, name).update, getattr(before, name))


def of_logging(logging: Any) -> Iterator[Undo]:
    known = dict(logging.root.manager.loggerDict)
    for logger in [logging.root, *(one for one in known.values() if isinstance(one, logging.Logger))]:
        yield content(logger.handlers)
        yield content(logger.filters)
        yield setting(partial(getattr, logger, "level"), logger.setLevel)
        yield attribute(logger, "propagate")
        yield attribute(logger, "disabled")
    yield setting(lambda: logging.root.manager.disable, logging.disable)
    yield lambda: forget_handlers(logging, known)


def forget_handlers(logging: Any, known: dict[str, Any]) -> None:
    """Loggers that code has made would have their handlers twice once it runs again; those of libraries stay."""
    for name, logger in logging.root.manager.loggerDict.items():
        own = name == "__main__" or name.partition(".")[0] not in sys.modules
        if own and name not in known and isinstance(logger, logging.Logger):
            logger.handlers[:], logger.filters[:], logger.propagate = [], [], True
            logger.setLevel(logging.NOTSET)


def of_numpy(numpy: Any) -> Iterator[Undo]:
    state, options = numpy.random.get_state(legacy=False), numpy.get_printoptions()
    yield lambda: numpy.random.set_state(state)
    yield setting(numpy.geterr, lambda before: numpy.seterr(**before))
    yield setting(numpy.geterrcall, numpy.seterrcall)
    yield lambda: numpy.set_printoptions(**{k: v for k, v in options.items() if k != "override_repr"})


def of_torch(torch: Any) -> Iterator[Undo]:
    state = torch.get_rng_state()
    yield lambda: torch.set_rng_state(state)
    if torch.cuda.is_initialized():
        states = torch.cuda.get_rng_state_all()
        yield lambda: torch.cuda.set_rng_state_all(states)
    yield setting(torch.get_default_dtype, torch.set_default_dtype)
    yield setting(torch.is_grad_enabled, torch.set_grad_enabled)
    yield setting(torch.get_num_threads, torch.set_num_threads)
    yield setting(torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly)
    modes = torch.are_deterministic_algorithms_enabled, torch.is_deterministic_algorithms_warn_only_enabled
    yield setting(
        lambda: [read() for read in modes], lambda before: torch.use_deterministic_algorithms(before[0], warn_only=before[1])
    )
    options = vars(torch._tensor_str.PRINT_OPTS)
    yield content(options)
    modules = vars(torch.nn.modules.module)
    for hooks in [value for name, value in modules.items() if name.startswith(GLOBAL_HOOKS) and isinstance(value, dict)]:
        yield content(hooks)
    default = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    yield lambda: restore_device(torch, default)


def of_chips(torch: Any) -> Iterator[Undo]:
    """What not every version and build of torch has."""
    if torch.backends.mps.is_available():
        on_chip = torch.mps.get_rng_state()
        yield lambda: torch.mps.set_rng_state(on_chip)
    yield setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision)
    yield setting(torch.multiprocessing.get_sharing_strategy, torch.multiprocessing.set_sharing_strategy)
    for name in CUDNN:
        yield setting(partial(getattr, torch.backends.cudnn, name), partial(setattr, torch.backends.cudnn, name))
    for kind in ("cuda", "cpu"):
        yield setting(partial(torch.is_autocast_enabled, kind), partial(torch.set_autocast_enabled, kind))


def restore_device(torch: Any, before: Any) -> None:
    if getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None) is not before:
        torch.set_default_device(before if before is None else before.device)


def of_matplotlib(matplotlib: Any) -> Iterator[Undo]:
    """Settings, and open figures: they are hidden while the code runs, so that it neither closes them nor draws on them."""
    parameters, before = matplotlib.rcParams, dict(dict.items(matplotlib.rcParams))
    pyplot = sys.modules.get("matplotlib.pyplot")
    backend = before.get("backend")

    def restore() -> None:
        if pyplot is not None and isinstance(backend, str) and dict.get(parameters, "backend") != backend:
            pyplot.switch_backend(backend)
        dict.update(parameters, before)

    yield restore
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is not None:
        figures = helpers.Gcf.figs
        shown = list(figures.items())

        def show() -> None:
            figures.clear()
            figures.update(shown)

        yield show
        figures.clear()


def of_multiprocessing(multiprocessing: Any) -> Iterator[Undo]:
    yield setting(
        lambda: multiprocessing.get_start_method(allow_none=True), lambda old: multiprocessing.set_start_method(old, force=True)
    )


def of_socket(socket: Any) -> Iterator[Undo]:
    yield setting(socket.getdefaulttimeout, socket.setdefaulttimeout)


def of_gc(collector: Any) -> Iterator[Undo]:
    yield setting(collector.get_threshold, lambda before: collector.set_threshold(*before))
    yield setting(collector.isenabled, lambda before: collector.enable() if before else collector.disable())


# The library that has to be loaded, and what to note of it. Restored in reverse.
SETTINGS: list[tuple[str, Callable[[Any], Iterator[Undo]]]] = [
    ("sys", of_python),
    ("sys", of_signals),
    ("gc", of_gc),
    ("random", of_random),
    ("warnings", of_warnings),
    ("locale", of_locale),
    ("decimal", of_decimal),
    ("logging", of_logging),
    ("socket", of_socket),
    ("multiprocessing", of_multiprocessing),
    ("numpy", of_numpy),
    ("torch", of_torch),
    ("torch", of_chips),
    ("matplotlib", of_matplotlib),
]


def restore_modules(before: dict[str, Any], folder: str) -> None:
    """Put back modules that were removed or replaced; forget new ones that code has made, or has imported from this folder.

    Those of libraries stay, because many can be loaded only once.
    """
    sys.modules.update({name: module for name, module in before.items() if sys.modules.get(name) is not module})
    for name in [name for name in sys.modules if name not in before]:
        package = name.partition(".")[0]
        whole = sys.modules.get(package, sys.modules[name])  # compiled packages have parts without a specification
        if package != __package__.partition(".")[0] and is_own(whole, folder):
            del sys.modules[name]
    importlib.invalidate_caches()


def is_own(module: Any, folder: str = "") -> bool:
    """Whether a module was made by hand, or belongs to no library: with ``folder``, only if it is in there."""
    if getattr(module, "__spec__", None) is None:
        return True
    path = getattr(module, "__file__", None)
    if not isinstance(path, str):
        return False
    path = os.path.realpath(path)
    inside = path.startswith(os.path.join(os.path.realpath(folder), "")) if folder else True
    return inside and not path.startswith(libraries())


def libraries() -> tuple[str, ...]:
    """The folders of installed packages and of Python's own."""
    with contextlib.suppress(Exception):
        own = (os.__file__, *(os.path.join(one, "") for one in (*site.getsitepackages(), site.getusersitepackages())))
        return tuple(os.path.realpath(os.path.dirname(one)) + os.sep for one in own)
    return (os.path.realpath(os.path.dirname(os.__file__)) + os.sep,)


def running() -> list[str]:
    """Threads, apart from the one of progress bars, and child processes of ``multiprocessing``."""
    threads = [f"the thread {one.name}" for one in threading.enumerate() if type(one).__name__ != "TMonitor"]
    children: list[Any] = getattr(sys.modules.get("multiprocessing"), "active_children", list)()
    return threads + [f"the process {one.name}" for one in children]
