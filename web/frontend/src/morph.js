// Makes a living element like a fresh one without replacing it: open <details>, focus and running motion stay.
const keyOf = (node) => (node.nodeType === 1 ? node.getAttribute("id") || node.getAttribute("data-key") : null);
const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function attributes(living, fresh) {
  for (const { name } of [...living.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") living.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && living.getAttribute(name) !== value) living.setAttribute(name, value);
  }
}

export function morph(living, fresh) {
  if (living.nodeType !== 1) {
    if (living.data !== fresh.data) living.data = fresh.data;
    return;
  }
  attributes(living, fresh);
  let at = living.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let match = at;
    while (match && !alike(match, wanted)) match = match.nextSibling;
    if (!match) {
      living.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    while (at !== match) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
    morph(match, wanted);
    at = match.nextSibling;
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}
