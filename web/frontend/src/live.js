// The one live stream of a tab: open while the tab is seen, closed when it is hidden, opened again on return.
const NAMES = ["snapshot", "frame", "health"];

export function follow(url, { changed, broken }) {
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(url);
    for (const name of NAMES) source.addEventListener(name, changed);
    source.addEventListener("error", () => {
      // A refused stream (too many tabs, signed out) is not tried again by the browser: the page polls instead.
      if (source && source.readyState === EventSource.CLOSED) source = null;
      broken();
    });
  };
  const close = () => {
    if (source) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => {
    document.documentElement.classList.toggle("hidden-tab", document.hidden);
    if (document.hidden) close();
    else {
      open();
      changed();
    }
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
  return { reopen: open };
}
