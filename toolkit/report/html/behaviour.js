"use strict";
(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const tools = document.querySelector(".tools");
  const search = document.getElementById("search");
  const kind = document.getElementById("kind");
  const marked = document.getElementById("marked");
  const unfold = document.getElementById("unfold");
  const chips = all(".chips button");

  // What is searched: a column's line without what it unfolds, a finding without its evidence.
  const lowered = (nodes) => nodes.map((node) => node.textContent).join(" ").toLowerCase();
  const columns = all(".col").map((node) => {
    const who = node.querySelector(".who");
    const small = who.querySelector("small").textContent;
    return {
      node,
      text: lowered([who, node.querySelector(".vals")]),
      kinds: small.split(" · "),
      marked: Boolean(who.querySelector(".n")),
    };
  });
  const findings = all(".card").map((node) => ({
    node,
    text: lowered(Array.from(node.children).filter((child) => child.tagName !== "DETAILS" || child.className === "same")),
    kind: node.dataset.kind,
  }));

  const show = (items, wanted, section) => {
    let n = 0;
    for (const item of items) {
      const fits = wanted(item);
      item.node.hidden = !fits;
      n += fits;
    }
    const nothing = document.querySelector(`#${section} .nothing`);
    if (nothing) nothing.hidden = n > 0 || items.length === 0;
    return n;
  };

  const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (item) => words.every((word) => item.text.includes(word));
    const chip = chips.find((button) => button.getAttribute("aria-pressed") === "true");
    const f = show(findings, (item) => matches(item) && (!chip || chip.dataset.kind === item.kind), "findings");
    const c = show(
      columns,
      (item) =>
        matches(item) && (!kind.value || item.kinds.includes(kind.value)) && (!marked.checked || item.marked),
      "columns",
    );
    const narrowed = words.length || chip || kind.value || marked.checked;
    document.getElementById("shown").textContent = narrowed
      ? `${count(f, "finding")}, ${count(c, "column")}`
      : "";
  };

  const clear = () => {
    search.value = "";
    kind.value = "";
    marked.checked = false;
    chips.forEach((button) => button.setAttribute("aria-pressed", "false"));
    filter();
  };

  // A link to what the search hides, or to what is folded, shows it.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.hidden || target.closest("[hidden]")) clear();
    for (let node = target.closest("details"); node; node = node.parentElement.closest("details")) node.open = true;
    target.scrollIntoView();
  };

  const folds = () => all(".columns details, .card details");
  const toggleAll = () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    unfold.setAttribute("aria-pressed", String(open));
    folds().forEach((node) => { node.open = open; });
  };

  let opened = [];
  const beforePrint = () => {
    opened = all("details:not([open])");
    opened.forEach((node) => { node.open = true; });
  };
  const afterPrint = () => opened.forEach((node) => { node.open = false; });

  const onKey = (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search) {
      clear();
    }
  };

  tools.hidden = false;
  search.addEventListener("input", filter);
  kind.addEventListener("change", filter);
  marked.addEventListener("change", filter);
  unfold.addEventListener("click", toggleAll);
  chips.forEach((button) =>
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") === "true";
      chips.forEach((other) => other.setAttribute("aria-pressed", "false"));
      button.setAttribute("aria-pressed", String(!pressed));
      filter();
    }),
  );
  addEventListener("hashchange", reveal);
  addEventListener("keydown", onKey);
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
  reveal();
})();
