"use strict";

(() => {
  const root = document.documentElement;
  const all = (selector) => document.querySelectorAll(selector);

  // ------------------------------------------------------------- theme
  // wear.js puts it on before the page is drawn, so that it never flashes.

  const themes = ["auto", "light", "dark"];
  let theme = "auto";

  function wear(name) {
    theme = themes.includes(name) ? name : "auto";
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
  }

  function remembered() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  }

  function remember() {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // A browser that keeps nothing still wears the theme.
    }
  }

  wear(remembered());

  function offerThemes() {
    const button = document.querySelector("button.theme");
    const name = button.querySelector(".worn");
    name.textContent = theme;
    button.hidden = false;
    button.addEventListener("click", () => {
      wear(themes[(themes.indexOf(theme) + 1) % themes.length]);
      name.textContent = theme;
      remember();
    });
  }

  // ------------------------------------------- what is said, not shown

  const status = document.createElement("p");
  status.className = "unseen";
  status.setAttribute("role", "status");

  function say(text) {
    status.textContent = "";
    setTimeout(() => { status.textContent = text; }, 50);
  }

  // -------------------------------------------------------------- copy

  // What runs: no prompts, and none of the output between them.
  // Nor the marks that lead to a note below the cell.
  function runnable(code) {
    const copied = code.cloneNode(true);
    for (const mark of copied.querySelectorAll(".annotation")) {
      mark.replaceWith("\0");
    }
    const text = copied.textContent.replace(/[ \t]*\0/g, "");
    const lines = text.split("\n");
    const prompt = /^(>>>|\.\.\.|\$)(?: |$)/;
    if (!prompt.test(lines[0])) return text;
    return lines.filter((line) => prompt.test(line))
      .map((line) => line.replace(prompt, "")).join("\n");
  }

  async function copy(code) {
    try {
      await navigator.clipboard.writeText(runnable(code));
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
  }

  function offerCopies() {
    for (const block of all("div.sourceCode")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await copy(block.querySelector("code"));
        button.textContent = "Copied";
        say("Copied");
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      block.append(button);
    }
  }

  // ------------------------- a note and its lines of code light up both

  function lightNotes() {
    for (const number of all(".annotations a.annotation")) {
      const note = number.closest("li");
      const marks = [...all(`pre a[href="#${number.id}"]`)];
      const parts = [note, ...marks.map((mark) => mark.parentElement)];
      const light = (on) => () => {
        for (const part of parts) part.classList.toggle("lit", on);
      };
      for (const part of parts) {
        part.addEventListener("pointerenter", light(true));
        part.addEventListener("pointerleave", light(false));
        part.addEventListener("focusin", light(true));
        part.addEventListener("focusout", light(false));
      }
    }
  }

  // -------------------------------------------------------------- quiz

  // A formula carries its source, which nobody reads aloud.
  function wordsOf(element) {
    const bare = element?.cloneNode(true);
    for (const source of bare?.querySelectorAll("annotation") ?? []) {
      source.remove();
    }
    return bare?.textContent ?? "";
  }

  function sayAnswers() {
    document.addEventListener("change", ({target}) => {
      const option = target.closest(".quiz .option");
      if (!option) return;
      const verdict = option.matches(".right") ? "Right." : "No.";
      say(`${verdict} ${wordsOf(option.querySelector(".why"))}`);
    });
  }

  // ------------------------------- what scrolls sideways takes the focus

  const scrollers = "pre:not(.stage-code), .table, .picture, .equation, p:has(> math)";

  function letScrollersFocus() {
    for (const box of all(scrollers)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1
        && getComputedStyle(box).overflowX === "auto";
      if (scrolls) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", "Scrolls sideways");
      } else if (box.hasAttribute("tabindex")) {
        for (const name of ["tabindex", "role", "aria-label"]) {
          box.removeAttribute(name);
        }
      }
    }
  }

  // ------------------------------------------ the contents follow along

  function followScroll() {
    const contents = document.querySelector(".contents");
    const entries = [...all(".onpage a")].map((link) => ({
      link, heading: document.getElementById(link.hash.slice(1)),
    })).filter(({heading}) => heading);

    function mark() {
      waiting = false;
      const atEnd = scrollY + innerHeight > root.scrollHeight - 2;
      const line = innerHeight * (atEnd ? 1 : 0.3);
      const passed = entries.filter(({heading}) =>
        heading.getBoundingClientRect().top < line);
      const here = passed.at(-1)?.link;
      for (const {link} of entries) {
        if (link === here) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      if (!here || contents.matches(":hover, :focus-within")) return;
      const frame = contents.getBoundingClientRect();
      const place = here.getBoundingClientRect();
      if (place.top < frame.top || place.bottom > frame.bottom) {
        contents.scrollTop += place.top - frame.top - frame.height / 2;
      }
    }

    let waiting = false;
    addEventListener("scroll", () => {
      if (!waiting) requestAnimationFrame(mark);
      waiting = true;
    }, {passive: true});
    mark();
  }

  function closeMenu() {
    const contents = document.querySelector(".contents");
    const close = () => {
      if (contents.matches(":popover-open")) contents.hidePopover();
    };
    contents.addEventListener("click", ({target}) => {
      if (target.closest("a")) close();
    });
    matchMedia("(min-width: 76rem)").addEventListener("change", close);
  }

  // --------------------------------------------- arrows turn the pages

  const takesKeys = "input, textarea, select, button, summary, .sim, "
    + "[contenteditable], [tabindex='0']";

  function turnPages() {
    document.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey
        || event.defaultPrevented || event.target.closest(takesKeys)) return;
      const way = {ArrowLeft: "prev", ArrowRight: "next"}[event.key];
      document.querySelector(`.prevnext a[rel="${way}"]`)?.click();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.body.append(status);
    offerThemes();
    offerCopies();
    lightNotes();
    sayAnswers();
    letScrollersFocus();
    followScroll();
    closeMenu();
    turnPages();
    addEventListener("load", letScrollersFocus);
    addEventListener("resize", letScrollersFocus);
    document.addEventListener("toggle", letScrollersFocus, true);
  });
})();
