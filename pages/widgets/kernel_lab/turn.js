// When a lab may speak to Python: one after the other, when Python rests, and never on the way to another page.

const APART_MILLISECONDS = 100;
const TRY_MILLISECONDS = 20;
const MAX_TRIES = 500; // ten seconds: a run that takes so long has sent what it had to say before
const ANSWER_MILLISECONDS = 2000; // Python has not answered for so long: it may never have heard
const MAX_REPEATS = 8;
const LEAVING_MILLISECONDS = 10000; // longer than a page needs to come; afterwards, the click has led nowhere

/** What all labs of the browser's tab share, each of which has a script of its own. */
const shared = (globalThis.cnnLabShared ??= { turn: Promise.resolve(), sending: false, leavingUntil: 0, path: "" });

/**
 * Let the labs of a page speak one after the other, and not before Streamlit has finished what it runs. Of what reaches
 * it at once it runs only one fragment, and the other lab would never hear an answer. And when a fragment is asked for,
 * Streamlit drops what the run before has not sent of it, but not what stands inside it: without what should stand
 * before that, the page would stay empty ("Bad delta path index").
 */
function inTurn(tell) {
  shared.turn = shared.turn.then(async () => {
    for (let tries = 0; running() && tries < MAX_TRIES; tries++) await pause(TRY_MILLISECONDS);
    if (performance.now() > shared.leavingUntil) send(tell);
    await pause(APART_MILLISECONDS);
  });
}

const running = () => document.querySelector("[data-test-script-state=running]") !== null;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Tell it again and again until it is `answered`; return a function that ends this. */
function insist(tell, answered) {
  let timer;
  const repeat = (left) => {
    timer = setTimeout(() => {
      if (!left || answered()) return;
      if (!running()) tell();
      repeat(left - 1);
    }, ANSWER_MILLISECONDS);
  };
  tell();
  repeat(MAX_REPEATS);
  return () => clearTimeout(timer);
}

/** Streamlit sends with the next timer, and so does not send yet. */
function send(tell) {
  shared.sending = true;
  tell();
  setTimeout(() => (shared.sending = false));
}

// Once another page is asked for, the labs of the old one are silent. If one spoke now, Streamlit would run the old
// page's fragment after the new page, and the new page would stay empty in the browser ("Bad delta path index").
addEventListener("click", follow, true);
addEventListener("popstate", () => {
  if (location.pathname !== shared.path) leaveFor(location.pathname);
});

function follow(event) {
  const link = event.target.closest?.("a[href]");
  const newTab = link?.target || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!link || newTab || link.origin !== location.origin || link.pathname === location.pathname) return;
  leaveFor(link.pathname);
  if (!shared.sending) return;
  event.preventDefault(); // what a lab has just said goes first
  event.stopImmediatePropagation();
  setTimeout(() => link.click());
}

function leaveFor(path) {
  Object.assign(shared, { path, leavingUntil: performance.now() + LEAVING_MILLISECONDS });
}

/** A lab is made: of the new page, unless the old page still comes while it is being left. */
function arrive() {
  if (performance.now() < shared.leavingUntil && location.pathname !== shared.path) return;
  Object.assign(shared, { path: location.pathname, leavingUntil: 0 });
}
