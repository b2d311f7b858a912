"""What several tests share: the app as a script, and the app as a server."""

import gc
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import hypothesis
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.testing.v1 import AppTest, local_script_runner
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from cnn_core import models, runs, training
from cnn_core.engine import warm
from cnn_core.model_io import lite_file
from pages.widgets import try_out
from tests.small_models import network, saved

ROOT = Path(__file__).parents[1]
IN_A_BROWSER = "tests/e2e/"

hypothesis.settings.register_profile("any machine", deadline=None)  # one that is busy is no wrong answer
hypothesis.settings.load_profile("any machine")

if "PYTEST_XDIST_WORKER" in os.environ:
    # There are as many workers as processors. If each of them, and each training and server that it starts, took a
    # thread for every processor, they would mostly wait for each other: that doubles the time of a training.
    for library in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(library, "1")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Look for examples in no other file of this folder: that is to import it, and some import TensorFlow, for 8 s."""
    return True if collection_path.suffix == ".py" and not collection_path.name.startswith("test_") else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among all that is imported now: it is a seventh of the time, and nothing is found."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the browser, then with the files that take longest: no worker is left with such a one in the end."""
    seconds: Counter[Path] = Counter()
    for item in items:
        seconds[item.path] += 5 if item.get_closest_marker("slow") or item.get_closest_marker("browser") else 0.1
    # The order within a file stays.
    items.sort(key=lambda item: (not item.nodeid.startswith(IN_A_BROWSER), -seconds[item.path]))


class _BrowserTogether(LoadFileScheduling):
    """Two workers take the files that drive a browser, half each; other files are shared out one by one.

    A worker then starts Chromium and a server once. With a third browser at a time, none would have the processor for
    long enough.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(IN_A_BROWSER):  # in the alphabet's order, those before l take as long as the others
            return f"{IN_A_BROWSER} {nodeid < f'{IN_A_BROWSER}test_l'}"
        return super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return _BrowserTogether(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory) -> None:
    """No test may see or change what the person at this machine has trained."""
    os.environ["CNN_LAB_HOME"] = str(tmp_path_factory.mktemp("home"))
    os.environ[warm.SWITCH] = "0"  # no process is begun that no test asks for


@pytest.fixture(scope="session", autouse=True)
def _components_looked_for_once() -> None:
    """A server looks once through all installed packages for Streamlit's components, AppTest for every test."""
    manifest_scanner.scan_component_manifests = lru_cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(scope="session", autouse=True)
def _networks_filled_once() -> None:
    """Each new home has a copy of a bundled model: what says the same is unpacked and given to LiteRT once."""
    load, filled = lite_file.load, {}

    def load_once(path: Path) -> lite_file.LiteNetwork:
        content = path.read_bytes(), lite_file.beside(path).read_bytes()
        if content not in filled:
            filled[content] = load(path)
        return filled[content]

    lite_file.load = load_once


@pytest.fixture(autouse=True)
def _modules_frozen() -> None:
    """Streamlit collects garbage after every run of a script: not among what is imported, as in `warmup`."""
    _freeze(len(sys.modules))


@lru_cache
def _freeze(modules: int) -> None:
    """Once for each number of modules: where it is a new one, something has been imported since."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _a_page_says_when_it_is_drawn() -> None:
    """AppTest would look a thousand times a second whether the script has ended, which slows the script down."""
    local_script_runner.require_widgets_deltas = _wait_for_end


def _wait_for_end(runner: local_script_runner.LocalScriptRunner, timeout: float) -> None:
    ended = threading.Event()

    def listen(sender: object, event: ScriptRunnerEvent, **details: object) -> None:
        if event == ScriptRunnerEvent.SHUTDOWN:
            ended.set()

    runner.on_event.connect(listen)
    if not runner.script_stopped() and not ended.wait(timeout):
        runner.request_stop()
        raise RuntimeError(f"The page was not drawn within {timeout} s.")


@pytest.fixture(autouse=True)
def _front_door(monkeypatch) -> None:
    """Let AppTest run pages through streamlit_app.py, as the server does."""
    monkeypatch.setattr(PagesManager, "__init__", try_out.with_navigation)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The folder of a lab without a model, bundled or trained."""
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "weights")
    models.forget_loaded()
    return tmp_path / "home"


@pytest.fixture
def no_tensorflow(monkeypatch) -> None:
    """Where it was imported before, its absence is only pretended: an import of it fails."""
    models.forget_loaded()
    for heavy in ("tensorflow", "keras"):
        monkeypatch.setitem(sys.modules, heavy, None)


@pytest.fixture
def tensorflow_not_yet(tmp_path_factory, monkeypatch) -> None:
    """In a process that is begun, to import TensorFlow is an error."""
    folder = tmp_path_factory.mktemp("instead")
    for heavy in ("tensorflow", "keras"):
        (folder / f"{heavy}.py").write_text("raise ImportError('It was imported.')")
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.fixture
def lab(home) -> Path:
    """A lab with one model, called tiny: a copy of `article`, which answers without TensorFlow."""
    article = Path(models.__file__).parent / "weights" / "article.keras"
    models.WEIGHTS.mkdir()
    for file in (article, lite_file.beside(article)):
        shutil.copy(file, models.WEIGHTS / file.name.replace("article", "tiny"))
    return home


@pytest.fixture(scope="session")
def good() -> bytes:
    """A model file that is as it should be."""
    return saved(network())


@pytest.fixture
def app() -> Callable[..., AppTest]:
    """Return a function that runs the app, and shows the page of that name: ``app("pixels", picture="coffee")``.

    The folds with the page's code and with its arrays as NumPy prints them are open.
    """

    def run(page: str = "classify", timeout: float = 60, **query: str) -> AppTest:
        test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=timeout)
        if page == "evaluate":
            query = {"pictures": "100"} | query  # the page measures at once, and more pictures take longer
        for name, value in query.items():
            test.query_params[name] = value
        for key in ("code", "code_black_and_white", "printed", "printed_black_and_white"):
            test.session_state[key] = True
        return (test if page == "classify" else test.switch_page(f"pages/{page}.py")).run()

    return run


@pytest.fixture
def in_this_process(monkeypatch) -> None:
    """Runs are started in a thread of this process: another one would first import TensorFlow, for 8 s."""

    def train(folder: Path) -> None:
        with suppress(training.TrainingError):  # it is in the run's status
            training.train(folder)

    def spawn(folder: Path) -> None:
        for file in ("stop", "status.json"):
            (folder / file).unlink(missing_ok=True)
        threading.Thread(target=train, args=(folder,), daemon=True).start()

    monkeypatch.setattr(runs, "spawn", spawn)


@contextmanager
def serve(home: Path, script: Path = ROOT / "streamlit_app.py", log: Path | None = None) -> Iterator[str]:
    """Run `script` on a server of its own, and yield its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    output = (log or home / "server.log").open("wb")
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
    server = subprocess.Popen(
        command, cwd=script.parent, env=os.environ | {"CNN_LAB_HOME": str(home)}, stdout=output, stderr=output
    )
    try:
        _wait_for(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
        output.close()


def _wait_for(address: str, server: subprocess.Popen) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError(f"The server ended with code {server.returncode} before it answered.")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"No answer from {address} within a minute.")


@pytest.fixture(scope="session")
def server_home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def server(server_home) -> Iterator[str]:
    """The address of the started app, with a home of its own."""
    with serve(server_home) as address:
        yield address


@pytest.fixture
def fresh_server(tmp_path) -> Iterator[str]:
    """The address of an app that nobody has visited yet."""
    with serve(tmp_path) as address:
        yield address
