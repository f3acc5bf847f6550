"use strict";
/* Draw a digit, and the network of Chapter 7 reads it while you draw.
   Its weights are in weights.js, a few test digits in digits.js.          */

(() => {
  const SIDE = 28, BOX = 20, CENTER = 14.5;   // pixel 14 of 0 to 27
  const PEN = 1.2;                            // its radius, in pixels
  const FINE = 5;                             // samples a pixel, each way
  const PAPER = 200;                          // the paper's side, in units

  // --------------------------------------------------------- the network

  const bytesOf = (text) => Uint8Array.from(atob(text),
    (letter) => letter.charCodeAt(0));

  function unpack(entry) {
    if (Array.isArray(entry)) return Float32Array.from(entry);
    const bytes = bytesOf(entry.int16), view = new DataView(bytes.buffer);
    return Float32Array.from({length: bytes.length / 2}, (_, n) =>
      view.getInt16(2 * n, true) * entry.scale[n % entry.scale.length]);
  }

  let W1, b1, W2, b2;

  function linear(x, W, b) {
    const out = Float64Array.from(b), width = b.length;
    x.forEach((value, i) => {
      if (!value) return;
      for (let j = 0; j < width; j += 1) out[j] += value * W[i * width + j];
    });
    return out;
  }

  // Ten probabilities for 784 pixels from 0 to 1.
  function read(pixels) {
    if (!W1) [W1, b1, W2, b2] = Object.values(TRAINED).map(unpack);
    const h = linear(pixels, W1, b1).map((v) => Math.max(v, 0));
    const logits = linear(h, W2, b2), largest = Math.max(...logits);
    const e = logits.map((z) => Math.exp(z - largest));
    const total = e.reduce((sum, v) => sum + v, 0);
    return Array.from(e, (v) => v / total);
  }

  // ---------------------------------------------------------- the pixels

  // How far each small square inside each pixel is inked, from 0 to 1, by
  // a round pen along strokes that are given in pixels: a list of points.
  function ink(strokes) {
    const side = SIDE * FINE, fine = new Uint8Array(side * side);
    const reach = PEN * FINE;
    for (const stroke of strokes) {
      stroke.forEach((to, n) => {
        const [x0, y0] = (stroke[n - 1] ?? to).map((v) => v * FINE);
        const [x1, y1] = to.map((v) => v * FINE);
        const dx = x1 - x0, dy = y1 - y0, long = dx * dx + dy * dy || 1;
        const from = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
        const end = (a, b) =>
          Math.min(side, Math.ceil(Math.max(a, b) + reach));
        for (let y = from(y0, y1); y < end(y0, y1); y += 1) {
          for (let x = from(x0, x1); x < end(x0, x1); x += 1) {
            const px = x + 0.5 - x0, py = y + 0.5 - y0;
            const t = Math.max(0, Math.min(1, (px * dx + py * dy) / long));
            if (Math.hypot(px - t * dx, py - t * dy) <= reach) {
              fine[y * side + x] = 1;
            }
          }
        }
      });
    }
    const pixels = Array(SIDE * SIDE).fill(0);
    fine.forEach((on, n) => {
      const x = Math.floor((n % side) / FINE);
      const y = Math.floor(Math.floor(n / side) / FINE);
      if (on) pixels[y * SIDE + x] += 1 / FINE ** 2;
    });
    return pixels.map((v) => Math.min(1, v));
  }

  function centerOf(pixels) {
    let total = 0, x = 0, y = 0;
    pixels.forEach((v, n) => {
      total += v;
      x += v * (n % SIDE + 0.5);
      y += v * (Math.floor(n / SIDE) + 0.5);
    });
    return [x / total, y / total];
  }

  // As the digits of MNIST were made: the ink scaled to a box of 20 by 20
  // pixels, its center of mass moved to the middle of 28 by 28.
  function centered(strokes) {
    const points = strokes.flat();
    if (!points.length) return Array(SIDE * SIDE).fill(0);
    const low = [0, 1].map((d) => Math.min(...points.map((p) => p[d])));
    const high = [0, 1].map((d) => Math.max(...points.map((p) => p[d])));
    const size = Math.max(high[0] - low[0], high[1] - low[1], PAPER / 10);
    const scale = (BOX - 2 * PEN) / size;
    const moved = (by) => strokes.map((stroke) => stroke.map((point) =>
      point.map((v, d) => (v - (low[d] + high[d]) / 2) * scale + by[d])));
    const [x, y] = centerOf(ink(moved([SIDE / 2, SIDE / 2])));
    return ink(moved([SIDE / 2 + CENTER - x, SIDE / 2 + CENTER - y]));
  }

  const pixelsOf = (entry) => Drawing.pixelsOf(entry);

  // Nothing below certainty is written as certain.
  const percent = (share) => share > 0.9995 && share < 1 ? "> 99.9%"
    : `${(100 * share).toFixed(1)}%`;

  // --------------------------------------------------------- the drawing

  function build(s) {
    const digits = DIGITS.map((d) => ({...d, pixels: pixelsOf(d)}));
    let shown = digits.find((d) => d.label === 7), strokes = [];
    let pixels = shown.pixels, probs = read(pixels);
    const pen = {x: PAPER / 2, y: PAPER / 4, down: false, keys: false};

    const paintImage = (context, side, image) => {
      const edge = (n) => Math.round(n * side / SIDE);
      context.fillStyle = s.color("ink");
      image.forEach((v, n) => {
        const i = Math.floor(n / SIDE), j = n % SIDE;
        context.globalAlpha = v;
        if (v) {
          context.fillRect(edge(j), edge(i), edge(j + 1) - edge(j),
            edge(i + 1) - edge(i));
        }
      });
      context.globalAlpha = 1;
    };

    const sheet = s.element("div", {className: "recognizer"});
    s.body.append(sheet);
    const desk = s.element("div", {className: "desk"});
    const seen = s.element("div", {className: "seen"});
    const answer = s.element("div", {className: "answer"});
    sheet.append(desk, seen, answer);

    const pad = s.canvas({
      label: "Paper to draw on", parent: desk, height: (width) => width,
      paint(context, width) {
        if (shown) return paintImage(context, width, shown.pixels);
        const unit = width / PAPER;
        context.strokeStyle = context.fillStyle = s.color("ink");
        context.lineWidth = unit * 18;
        context.lineCap = context.lineJoin = "round";
        for (const stroke of strokes) {
          context.beginPath();
          context.moveTo(...stroke[0].map((v) => v * unit));
          for (const point of stroke) {
            context.lineTo(...point.map((v) => v * unit));
          }
          context.stroke();
        }
        if (pen.keys) {
          context.strokeStyle = s.color("forward");
          context.lineWidth = 2;
          context.beginPath();
          context.arc(pen.x * unit, pen.y * unit, unit * (pen.down ? 9 : 13),
            0, 2 * Math.PI);
          context.stroke();
        }
      },
    });

    function draw(x, y, fresh) {
      if (shown) [shown, strokes] = [null, []];
      const point = [x, y].map((v) => Math.max(0, Math.min(PAPER, v)));
      if (fresh || !strokes.length) strokes.push([]);
      strokes.at(-1).push(point);
      look();
    }
    function look() {
      pixels = shown?.pixels ?? centered(strokes);
      if (!shown) Drawing.keep(pixels);
      probs = read(pixels);
      s.paint();
    }
    let begin = false;
    const onPaper = (v) => v * PAPER / pad.canvas.clientWidth;
    const grip = () => s.drag(pad.canvas, {
      label: "Paper. Arrow keys move the pen, space puts it down or lifts it",
      min: 0, max: PAPER, value: pen.x,
      text: `pen ${pen.down ? "down" : "up"} at ${pen.x}, ${pen.y}`,
      start() { begin = true; pen.keys = pen.down = false; },
      move(x, y) {
        draw(onPaper(x), onPaper(y), begin);
        begin = false;
      },
      key(dx, dy) {
        pen.keys = true;
        pen.x = Math.max(0, Math.min(PAPER, pen.x + 4 * dx));
        pen.y = Math.max(0, Math.min(PAPER, pen.y - 4 * dy));
        if (pen.down) draw(pen.x, pen.y, false);
        s.paint();
      },
    });
    pad.canvas.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      pen.keys = true;
      pen.down = !pen.down;
      if (pen.down) draw(pen.x, pen.y, true);
      s.paint();
    });

    seen.append(s.element("p", {}, "what the network sees"));
    s.canvas({
      label: "28 by 28 pixels", parent: seen, height: (width) => width,
      paint: (context, width) => paintImage(context, width, pixels),
    });
    s.picture({
      label: "Ten probabilities", parent: answer, height: 244,
      paint(p, width) {
        const best = probs.indexOf(Math.max(...probs));
        const drawn = pixels.some(Boolean);
        probs.forEach((v, d) => {
          const y = d * 24 + 4, right = shown?.label === d;
          const share = drawn ? v : 0;
          p.text(`d${d}`, {x: 10, y: y + 13, fill: right ? "correct" : "ink",
            class: d === best && drawn ? "middle strong" : "middle"},
          String(d));
          p.bar(`p${d}`, 26, y, Math.max(1, share * (width - 84)), 16,
            right ? "correct" : "forward", right);
          p.text(`v${d}`, {x: 34 + share * (width - 84), y: y + 13,
            class: d === best && drawn ? "strong" : ""},
          percent(share));
        });
      },
    });

    const line = s.readout("verdict", answer);
    s.row();
    s.button("Clear", () => {
      [shown, strokes] = [null, []];
      look();
    });
    s.button("Undo stroke", () => {
      shown = null;
      strokes.pop();
      look();
    });
    for (const [title, chosen] of [
      ["Test digits that it reads right:", digits.slice(0, 10)],
      ["and some that it misreads:", digits.slice(10)],
    ]) {
      const row = s.row("thumbs");
      row.append(s.element("span", {}, title));
      for (const d of chosen) {
        const button = s.button("", () => { shown = d; look(); },
          {parent: row});
        button.setAttribute("aria-label",
          `Test digit ${d.index}, someone wrote a ${d.label}`);
        s.canvas({label: "", width: 28, height: 28, parent: button,
          paint: (context, side) => paintImage(context, side, d.pixels)});
      }
    }

    s.onPaint(() => {
      grip();
      const best = probs.indexOf(Math.max(...probs));
      const sentence = `The network reads a ${best}: ${percent(probs[best])}.`;
      line.textContent = !pixels.some(Boolean) ? "The paper is empty."
        : shown ? `Someone wrote a ${shown.label}. ${sentence}` : sentence;
      s.say(line.textContent);
    });
  }

  stage("recognizer", {
    title: "Draw a digit",
    hint: "Draw a digit on the large sheet, or choose one below it.",
    caption: "The network of Chapter 7 reads what is on the sheet, none of "
      + "which it saw in training. Where the right answer is known, its bar "
      + "is teal and hatched. What you draw stays on this device, and takes "
      + "the place of our 7 in Chapters 2 to 4.",
    needs: ["weights.js", "digits.js", "mine.js"],
    math: {
      read, centered, pixelsOf,
      readAll: (images) => images.map((image) => read(pixelsOf(image))),
      readDrawn: (drawings) => drawings.map((d) => read(centered(d))),
    },
    build,
  });
})();
