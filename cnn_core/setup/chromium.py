"""The Chromium that the browser tests drive: found on this machine, or installed."""

import os
import shutil
import sys
from pathlib import Path

from cnn_core.setup import processes


def find_chromium() -> "str | None":
    """Find a Chromium, Chrome or Edge that starts.

    Returns
    -------
    str or None
        ``$CNN_LAB_CHROMIUM`` if that is set; else one on the PATH, in its usual place, or Playwright's own. One
        without windows, made for tests, comes before all others: it takes a twelfth less of a processor.
    """
    named = os.environ.get("CNN_LAB_CHROMIUM")
    for candidate in [named] if named else _chromium_places():
        # chrome.exe --version opens a window instead of answering
        if Path(candidate).is_file() and (processes.WINDOWS or processes.starts([candidate, "--version"])):
            return candidate
    return None


def obtain_chromium(python: str) -> "str | None":
    """Find a Chromium, or install one: Playwright's build, else on Debian and its kin, for root, the system's.

    Parameters
    ----------
    python : str
        A Python that has Playwright.

    Returns
    -------
    str or None
        None when there is none to be had.

    Raises
    ------
    SystemExit
        When ``CNN_LAB_CHROMIUM`` names something that does not start.
    """
    found = find_chromium()
    if not found and os.environ.get("CNN_LAB_CHROMIUM"):
        sys.exit("CNN_LAB_CHROMIUM names {CNN_LAB_CHROMIUM}, which does not start.".format(**os.environ))
    steps = [[[python, "-m", "playwright", "install", "chromium"]]]
    if processes.may_apt():
        steps.append([[python, "-m", "playwright", "install-deps", "chromium"]])
        steps.append([["apt-get", "update"], ["apt-get", "install", "-y", "chromium-headless-shell"]])
        steps.append([["apt-get", "install", "-y", "chromium"]])  # where there is no package of the other
    for step in steps:
        if found:
            break
        processes.say("Looking for a Chromium: " + " && ".join(" ".join(command) for command in step))
        for command in step:
            processes.call(command, timeout=300)
        found = find_chromium()
    return found


def _chromium_places() -> "list[str]":
    places = _on_path("chromium-headless-shell") + _from_playwright("chromium_headless_shell")
    places += _on_path("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    places += _on_path("microsoft-edge", "msedge")
    for name in ("Google Chrome", "Chromium", "Microsoft Edge"):
        places.append(f"/Applications/{name}.app/Contents/MacOS/{name}")
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        for name in ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe"):
            places.append(str(Path(os.environ.get(variable, "."), name)))
    return places + _from_playwright("chromium")


def _on_path(*names: str) -> "list[str]":
    return [found for found in map(shutil.which, names) if found]


def _from_playwright(browser: str) -> "list[str]":
    stores = [os.environ.get("PLAYWRIGHT_BROWSERS_PATH", ""), os.environ.get("LOCALAPPDATA", "") + "/ms-playwright"]
    stores += [str(Path.home() / ".cache/ms-playwright"), str(Path.home() / "Library/Caches/ms-playwright")]
    programs = ("chrome", "chrome.exe", "*.app/Contents/MacOS/*", "chrome-headless-shell*")
    patterns = [f"{browser}-*/chrome-*/{program}" for program in programs]
    found = [sorted(Path(store).glob(pattern), reverse=True) for store in filter(None, stores) for pattern in patterns]
    return [str(place) for places in found for place in places]
