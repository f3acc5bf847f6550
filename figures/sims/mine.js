"use strict";
/* The digit that goes through the book: our 7, the first image of the test
   set, or in its place the reader's own drawing, the last one of Chapter 0.
   It is kept on this device alone. needs: ["digits.js", "mine.js"].

   Drawing.seven() → {name, label: 7, pixels}, 784 numbers from 0 to 1
   Drawing.mine()  → the same of the reader's, whose label is null; or null
   Drawing.keep(pixels) keeps a drawing; one without ink is forgotten
   Drawing.choose(s, on, {parent}) → the digit to begin with, the reader's
       where there is one; then a button changes it, and calls on(digit)
   Drawing.follow(s, read) does so for a simulation that has our 7's numbers:
       read(pixels) is called for a drawing, read() for our 7
   Drawing.pixelsOf(entry) → the 784 numbers of an entry of DIGITS
   Drawing.show(p, key, pixels, x, y, side, role) draws it in a picture    */

globalThis.Drawing = (() => {
  const KEY = "scratch.drawing";         // JSON: 784 integers, 0 to 255
  const SIDE = 28, COUNT = SIDE * SIDE;

  const isByte = (v) => Number.isInteger(v) && v >= 0 && v <= 255;

  function mine() {
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(KEY));
    } catch {
      return null;                       // nothing may be kept, or no JSON
    }
    if (!Array.isArray(kept) || kept.length !== COUNT
      || !kept.every(isByte) || !kept.some(Boolean)) return null;
    return {name: "your drawing", label: null,
      pixels: kept.map((v) => v / 255)};
  }

  function keep(pixels) {
    try {
      if (!pixels.some((v) => v > 0)) return localStorage.removeItem(KEY);
      localStorage.setItem(KEY,
        JSON.stringify(pixels.map((v) => Math.round(v * 255))));
    } catch {
      // Where nothing may be kept, our 7 goes on.
    }
  }

  function pixelsOf({box: [top, left, height, width], bytes}) {
    const pixels = Array(COUNT).fill(0), ink = atob(bytes);
    for (let n = 0; n < height * width; n += 1) {
      const row = top + Math.floor(n / width), column = left + n % width;
      pixels[row * SIDE + column] = ink.charCodeAt(n) / 255;
    }
    return pixels;
  }

  function seven() {
    const entry = DIGITS.find((digit) => digit.index === 0);
    return {name: "our 7", label: entry.label, pixels: pixelsOf(entry)};
  }

  function choose(s, on, {parent} = {}) {
    const drawn = mine(), ours = seven();
    if (!drawn) return ours;
    let digit = drawn;
    const word = () => digit === drawn ? "use our 7" : "use my drawing";
    const button = s.button(word(), () => {
      digit = digit === drawn ? ours : drawn;
      button.textContent = word();
      on(digit);
      s.paint();
    }, {parent});
    return digit;
  }

  function follow(s, read) {
    const on = (digit) =>
      read(digit.label === null ? digit.pixels : undefined);
    on(choose(s, on));
  }

  function show(p, key, pixels, x, y, side, role = "ink") {
    const unit = side / SIDE;
    pixels.forEach((v, n) => {
      if (!v) return;
      p.rect(`${key} ${n}`, {x: x + n % SIDE * unit,
        y: y + Math.floor(n / SIDE) * unit, width: unit, height: unit,
        fill: role, "fill-opacity": v.toFixed(3),
        "shape-rendering": "crispEdges"});
    });
  }

  return {KEY, mine, keep, seven, choose, follow, pixelsOf, show};
})();
