"use strict";

// What makes reading easier: search, text size, what has been read, the
// score of the quizzes, previews of what a reference names. All of it is
// kept on the device, and a page is whole without it.

(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];

  const store = {
    get(name, otherwise) {
      try {
        return JSON.parse(localStorage.getItem(name)) ?? otherwise;
      } catch {
        return otherwise;
      }
    },
    set(name, value) {
      try {
        localStorage.setItem(name, JSON.stringify(value));
      } catch {
        // A browser that keeps nothing forgets with the page.
      }
    },
    remove(name) {
      try {
        localStorage.removeItem(name);
      } catch {
        // Nor has it anything to remove.
      }
    },
  };

  function made(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  }

  // A formula carries its source, which nobody reads aloud.
  function wordsOf(element) {
    const copy = element.cloneNode(true);
    for (const source of copy.querySelectorAll("annotation")) source.remove();
    return copy.textContent.trim();
  }

  const site = new URL(".", document.currentScript.src);
  const base = new URL("..", site);
  const page = location.href.slice(base.href.length).replace(/[?#].*/, "")
    || "index.html";
  // Books that are opened from files, or served at one address in turn,
  // share what is kept there.
  const ownName = (name) => `${root.dataset.book}:${name}`;

  // --------------------------------------------------------- text size

  const sizes = [100, 112, 125, 90];

  function wear(size) {
    root.dataset.text = size;
    if (size === 100) root.style.removeProperty("font-size");
    else root.style.fontSize = `${size}%`;
  }

  let size = store.get("text-size", 100);
  if (!sizes.includes(size)) size = 100;
  wear(size);

  function offerSizes() {
    const button = document.querySelector("button.size");
    const shown = button.querySelector(".worn");
    shown.textContent = `${size}%`;
    button.hidden = false;
    button.addEventListener("click", () => {
      size = sizes[(sizes.indexOf(size) + 1) % sizes.length];
      wear(size);
      shown.textContent = `${size}%`;
      store.set("text-size", size);
    });
  }

  // -------------------------------------------- which chapters are read

  function readPages() {
    const pages = store.get(ownName("read"), []);
    return Array.isArray(pages) ? pages : [];
  }

  function showRead() {
    const read = readPages();
    for (const link of all(".chapters > li > a")) {
      const target = link.href.slice(base.href.length).replace(/#.*/, "");
      const mark = link.querySelector(".read");
      if (!read.includes(target) || mark) continue;
      const sign = made("span", "read");
      sign.append(made("span", "", "✓"), made("span", "unseen", " read"));
      sign.firstChild.setAttribute("aria-hidden", "true");
      link.append(" ", sign);
    }
  }

  function noteRead() {
    const end = document.querySelector(".prevnext");
    showRead();
    // The page before this one may be done writing only now, and one
    // that is gone back to is shown as it was left.
    addEventListener("storage", showRead);
    addEventListener("pageshow", showRead);
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      const read = readPages();
      if (!read.includes(page)) store.set(ownName("read"), [...read, page]);
      showRead();
    }).observe(end);
  }

  // ---------------------------------------------------- section links

  function linkSections() {
    for (const heading of all("main :is(h2, h3)[id]")) {
      const link = made("a", "anchor", "#");
      link.href = `#${heading.id}`;
      link.setAttribute("aria-label", `Link to “${wordsOf(heading)}”`);
      heading.append(link);
    }
  }

  // ------------------------------------------------- previews, on hover

  const preview = made("div", "preview");

  function shownFor(link) {
    const [file, id] = link.href.split("#");
    if (!id || file !== location.href.split("#")[0]) {
      return link.dataset.title ? made("p", "", link.dataset.title) : null;
    }
    const target = document.getElementById(decodeURIComponent(id));
    if (!target) return null;
    const shown = made("div");
    shown.append(target.cloneNode(true));
    if (/^H[1-6]$/.test(target.tagName)) {
      const next = target.nextElementSibling;
      if (next?.tagName === "P") shown.append(next.cloneNode(true));
    }
    for (const part of shown.querySelectorAll("[id], [name]")) {
      part.removeAttribute("id");
      part.removeAttribute("name");
    }
    for (const part of shown.querySelectorAll(
      ".copy, .anchor, .solution, .stage, .on-stage")) {
      part.remove();
    }
    return shown;
  }

  function show(link) {
    const shown = shownFor(link);
    if (!shown) return;
    preview.replaceChildren(shown);
    preview.hidden = false;
    const place = link.getBoundingClientRect();
    const width = Math.min(440, innerWidth - 24);
    preview.style.width = `${width}px`;
    preview.style.left =
      `${Math.max(12, Math.min(place.left, innerWidth - width - 12))}px`;
    // Below the link where it fits, else where there is more room.
    preview.style.maxHeight = "none";
    const height = preview.offsetHeight;
    const below = innerHeight - place.bottom - 20;
    const above = place.top - 20;
    const under = height <= below || below >= above;
    const room = Math.min(height, under ? below : above);
    preview.style.maxHeight = `${room}px`;
    preview.style.top =
      `${under ? place.bottom + 8 : place.top - 8 - room}px`;
  }

  function offerPreviews() {
    preview.hidden = true;
    preview.setAttribute("aria-hidden", "true");
    preview.setAttribute("inert", "");
    document.body.append(preview);
    const hide = () => {
      clearTimeout(waiting);
      preview.hidden = true;
    };
    let waiting = 0;
    const links = all(
      "main a.reference, main a[role='doc-biblioref'], main a.term");
    for (const link of links) {
      link.addEventListener("pointerenter", ({pointerType}) => {
        if (pointerType === "touch") return;
        waiting = setTimeout(show, 250, link);
      });
      link.addEventListener("pointerleave", hide);
      link.addEventListener("focus", () => {
        if (link.matches(":focus-visible")) show(link);
      });
      link.addEventListener("blur", hide);
    }
    addEventListener("scroll", hide, {passive: true});
    document.addEventListener("keydown", ({key}) => {
      if (key === "Escape") hide();
    });
  }

  // -------------------------------------------------- the quizzes' score
  // Of each quiz the first answer is kept and the last, by keys that
  // press/quizzes.py makes of their words.

  function keepScore() {
    const quizzes = all(".quiz");
    if (!quizzes.length) return;
    const name = ownName(`quiz:${page}`);
    // Earlier editions kept answers by their places.
    for (const old of ["quiz", "chosen"]) store.remove(`${old}:${page}`);

    function answers() {
      const kept = store.get(name, {});
      return new Map(kept instanceof Object ? Object.entries(kept) : []);
    }

    function inputOf(quiz, key) {
      return [...quiz.querySelectorAll("input")]
        .find((input) => key && input.value === key);
    }

    // An answer to an option that is no more is none.
    function answerTo(quiz, given) {
      const kept = given.get(quiz.id);
      const first = inputOf(quiz, kept?.first);
      return first && {first, last: inputOf(quiz, kept.last) ?? first};
    }

    const score = made("p", "score");
    score.setAttribute("role", "status");
    const again = made("button", "again", "Begin again");
    again.type = "button";
    const line = made("div", "score-line");
    line.append(score, again);
    quizzes.at(-1).after(line);

    function tell() {
      const given = answers();
      const firsts = quizzes.map((quiz) => answerTo(quiz, given)?.first)
        .filter(Boolean);
      const right = firsts.filter((input) => input.closest(".right")).length;
      line.hidden = !firsts.length;
      score.textContent = `${right} of ${quizzes.length} right at the first `
        + "try" + (firsts.length < quizzes.length
          ? `, ${quizzes.length - firsts.length} to go.` : ".");
    }

    for (const quiz of quizzes) {
      const answer = answerTo(quiz, answers());
      if (answer) answer.last.checked = true;
      quiz.addEventListener("change", ({target}) => {
        const given = answers();   // another tab may have changed them
        const first = answerTo(quiz, given)?.first ?? target;
        given.set(quiz.id, {first: first.value, last: target.value});
        store.set(name, Object.fromEntries(given));
        tell();
      });
    }
    again.addEventListener("click", () => {
      store.remove(name);
      for (const input of all(".quiz input")) input.checked = false;
      tell();
      quizzes[0].querySelector("input").focus();
    });
    tell();
  }

  // ------------------------------------------------------------ search

  let pagefind = null;

  async function engine() {
    if (!pagefind) {
      pagefind = await import(new URL("pagefind/pagefind.js", base).href);
      await pagefind.init();
    }
    return pagefind;
  }

  function resultOf(data) {
    const entry = made("li");
    const parts = data.sub_results?.length ? data.sub_results : [data];
    const best = parts[0];
    const link = made("a", "", data.meta.title);
    link.href = best.url;
    entry.append(link);
    if (best.title && best.title !== data.meta.title) {
      link.append(" · ", best.title);
    }
    // The engine's excerpt is text with <mark> around what was found.
    const excerpt = new DOMParser()
      .parseFromString(best.excerpt, "text/html").body;
    const line = made("p");
    for (const node of excerpt.childNodes) {
      line.append(node.nodeName === "MARK"
        ? made("mark", "", node.textContent) : node.textContent);
    }
    entry.append(line);
    return entry;
  }

  function offerSearch() {
    const button = document.querySelector("button.find");
    const dialog = made("dialog", "search");
    dialog.setAttribute("aria-label", "Search the book");
    const form = made("form");
    form.method = "dialog";
    const label = made("label", "", "Search the book");
    const input = made("input");
    input.type = "search";
    input.autocomplete = "off";
    label.append(input);
    form.append(label, made("button", "", "Close"));
    const told = made("p", "told");
    told.setAttribute("role", "status");
    const list = made("ol", "found");
    dialog.append(form, told, list);
    document.body.append(dialog);
    button.hidden = false;

    const cannot = location.protocol === "file:";
    let latest = 0;

    async function search() {
      const words = input.value.trim();
      const own = ++latest;
      if (!words || cannot) {
        list.replaceChildren();
        if (!cannot) told.textContent = "";
        return;
      }
      try {
        const found = await (await engine()).search(words);
        const shown = await Promise.all(
          found.results.slice(0, 12).map((result) => result.data()));
        if (own !== latest) return;
        const count = found.results.length;
        told.textContent = count
          ? `${count} ${count === 1 ? "page" : "pages"}`
            + (count > shown.length ? `, the best ${shown.length} below` : "")
          : `Nothing found for “${words}”.`;
        list.replaceChildren(...shown.map(resultOf));
      } catch {
        told.textContent = "The search index is not there: make book makes "
          + "it.";
      }
    }

    function open() {
      if (dialog.open) return;
      dialog.showModal();
      if (cannot) {
        told.textContent = "A browser lets no page search that was opened "
          + "from a file. Run “make serve” and open the address it shows; "
          + "or use the browser’s own search within this page.";
        input.disabled = true;
      } else {
        input.focus();
        input.select();
      }
    }

    button.addEventListener("click", open);
    input.addEventListener("input", search);
    form.addEventListener("submit", (event) => {
      if (event.submitter) return;
      event.preventDefault();
      list.querySelector("a")?.focus();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.preventDefault();   // it would only empty the field
        dialog.close();
      }
      if (event.key !== "Enter" && event.key !== "ArrowDown") return;
      event.preventDefault();
      list.querySelector("a")?.focus();
    });
    list.addEventListener("keydown", (event) => {
      const way = {ArrowDown: 1, ArrowUp: -1}[event.key];
      if (!way) return;
      event.preventDefault();
      const links = [input, ...list.querySelectorAll("a")];
      const at = links.indexOf(document.activeElement);
      links[Math.min(at + way, links.length - 1)].focus();
    });
    list.addEventListener("click", () => dialog.close());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey
        || event.target.closest("input, textarea, select, .sim")) return;
      event.preventDefault();
      open();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    offerSizes();
    noteRead();
    linkSections();
    offerPreviews();
    keepScore();
    offerSearch();
  });
})();
