"use strict";
/* The forward pass of Chapter 2 in shapes: what each step makes and costs,
   what torch says where shapes do not fit, and what becomes of one digit. */

(() => {
  const PIXELS = 784, HIDDEN = 128, CLASSES = 10, BYTES = 4;
  const FAULTS = [
    ["none", "shapes that fit"],
    ["images", "images not made rows"],
    ["weights", "W2 in place of W1"],
    ["bias", "b2 in place of b1"],
  ];

  const STEPS = ["x", "x @ W1 + b1", "relu(h_pre)", "h @ W2 + b2"];

  const best = (scores) => scores.indexOf(Math.max(...scores));
  const volume = (shape) => shape.reduce((product, n) => product * n, 1);

  // torch's shape of x @ W, or its complaint.
  function matmul(x, W) {
    const inner = x.at(-1), outer = x.slice(0, -1);
    if (inner === W[0]) return {shape: [...outer, W[1]]};
    return {error: "mm: mat1 and mat2 shapes cannot be multiplied "
      + `(${volume(outer)}x${inner} and ${W.join("x")})`};
  }

  // torch's shape of a + b, of which b has one dimension.
  function add(a, [n]) {
    const d = a.length - 1;
    if (n === a[d] || n === 1) return {shape: a};
    return {error: `The size of tensor a (${a[d]}) must match the size of `
      + `tensor b (${n}) at non-singleton dimension ${d}`};
  }

  // The steps that are reached, each with its shape and multiply-adds.
  function forward(batch, fault = "none") {
    const x = fault === "images" ? [batch, 28, 28] : [batch, PIXELS];
    const W1 = fault === "weights" ? [HIDDEN, CLASSES] : [PIXELS, HIDDEN];
    const W2 = [HIDDEN, CLASSES];
    const b1 = fault === "bias" ? [CLASSES] : [HIDDEN], b2 = [CLASSES];
    const steps = [{shape: x, work: 0}];
    const layer = (input, W, b) => {
      const product = matmul(input, W);
      const sum = product.error ? product : add(product.shape, b);
      if (sum.error) return sum;
      steps.push({shape: sum.shape, work: volume(input) * W[1]});
      return {shape: sum.shape};
    };
    let result = layer(x, W1, b1);
    if (!result.error) {
      steps.push({shape: result.shape, work: 0});
      result = layer(result.shape, W2, b2);
    }
    for (const step of steps) {
      step.elements = volume(step.shape);
      step.bytes = BYTES * step.elements;
    }
    return {steps, error: result.error ?? null, x, W1, b1, W2, b2};
  }

  // The first weights of make_params(seed=0); both biases are zero.
  let drawn;
  function draw() {
    const {normal} = generator(0);
    const scaled = (rows, columns) => normal(rows * columns)
      .map((v) => v * Math.sqrt(2 / rows));
    return [scaled(PIXELS, HIDDEN), scaled(HIDDEN, CLASSES)];
  }

  function linear(x, W, columns) {
    const sums = Array(columns).fill(0);
    x.forEach((v, i) => {
      if (!v) return;
      for (let j = 0; j < columns; j += 1) sums[j] += v * W[i * columns + j];
    });
    return sums;
  }

  // One image, 784 numbers, on its way through the untrained network.
  function pass(pixels) {
    drawn ??= draw();
    const hPre = linear(pixels, drawn[0], HIDDEN);
    const h = hPre.map((z) => Math.max(z, 0));
    return {hPre, h, logits: linear(h, drawn[1], CLASSES)};
  }

  function build(s) {
    const START = 64, GAP = 84, LAST = 256;
    const {count} = stage;
    let batch = START, fault = "none", found = forward(batch);
    let digit, way;
    const follow = (chosen) => { digit = chosen; way = pass(digit.pixels); };
    const change = () => { found = forward(batch, fault); s.paint(); };
    const listed = (shape) => `[${shape.join(", ")}]`;

    s.slider({
      label: "batch size", min: 1, max: LAST, value: START,
      on: (n) => { batch = n; change(); },
    });
    follow(Drawing.choose(s, follow));
    const scale = (width) => Math.min(0.42, (width - 62) / 1090);
    s.picture({
      label: "The tensors of the forward pass, to scale",
      height: (width) => (PIXELS + GAP + LAST) * scale(width) + 40,
      paint(p, width) {
        const k = scale(width);
        const x1 = PIXELS + GAP, x2 = x1 + HIDDEN + GAP, row = PIXELS + GAP;
        const reached = found.steps.length, {x, W1, W2} = found;
        const box = (key, left, top, rows, columns, role) => {
          const at = {x: left * k, y: top * k, width: Math.max(1, columns * k),
            height: Math.max(1, rows * k)};
          p.rect(`${key} fill`, {...at, fill: role, "fill-opacity": 0.2});
          p.rect(key, {...at, fill: "none", stroke: role});
        };
        const note = (key, text, left, top, anchor, role) => {
          text.split("\n").forEach((part, n) => p.text(`${key} ${n}`, {
            x: left, y: top + 16 * n, class: `small ${anchor}`, fill: role,
          }, part));
        };
        const arrow = (key, a, b, broken) => {
          const [left, top] = b.map((v) => v * k);
          const flat = a[1] === b[1];
          p.path(key, {fill: "none", stroke: broken ? "backward" : "ink",
            "stroke-width": broken ? 2 : 1, "stroke-dasharray":
              broken ? "3 3" : "none",
            d: `M${a[0] * k} ${a[1] * k}L${left} ${top}` + (flat
              ? `m-5 -4l5 4l-5 4` : `m-4 -5l4 5l4 -5`)});
        };

        // x: as rows, or its first image with a shadow of the others.
        const flat = x.length === 2, wide = flat ? PIXELS : 28;
        if (!flat) box("behind", x1 - GAP - wide - 26, row - 26, 28, 28,
          "forward");
        const left = flat ? 0 : x1 - GAP - wide;
        box("x", left, row, flat ? batch : 28, wide, "forward");
        note("x", `x ${listed(x)}`, (left + wide / 2) * k,
          (row + (flat ? batch : 28)) * k + 16, flat ? "middle" : "end",
          "forward");

        const side = Math.min(112, 260 * k), top = (row - 330) * k - side / 2;
        p.rect("frame", {x: 0.5, y: top, width: side, height: side,
          fill: "none", stroke: "forward"});
        Drawing.show(p, "image", digit.pixels, 0.5, top, side, "forward");
        note("image", `${digit.name}\nthe first row of x`, side + 9,
          top + side / 2 - 2, "", "forward");
        if (flat) {
          for (const [key, from, to] of [["from", 0.5, 0.5],
            ["to", side, PIXELS * k]]) {
            p.line(key, {x1: from, y1: top + side, x2: from + 0.9 * (to - from),
              y2: top + side + 0.9 * (row * k - 7 - top - side),
              stroke: "forward", "stroke-dasharray": "4 3",
              "stroke-width": 0.8});
          }
          digit.pixels.forEach((v, n) => {
            if (v) p.rect(`row ${n}`, {x: n * k, y: row * k - 7, width: k,
              height: 6, fill: "ink", "fill-opacity": v.toFixed(2)});
          });
        }

        box("W1", x1, row - GAP - W1[0], W1[0], W1[1], "weights");
        note("W1", `${fault === "weights" ? "W2" : "W1"}\n${listed(W1)}`,
          x1 * k - 7, (row - GAP - W1[0] / 2) * k - 4, "end", "weights");
        box("b1", x1, row - GAP / 2, 1, found.b1[0], "weights");
        note("b1", `${fault === "bias" ? "b2" : "b1"} ${listed(found.b1)}`,
          x1 * k - 7, (row - GAP / 2) * k + 4, "end", "weights");

        const broken = reached === 1;
        arrow("along", [left + wide + 8, row + Math.min(batch, 28) / 2],
          [x1 - 6, row + Math.min(batch, 28) / 2], broken);
        arrow("down", [x1 + W1[1] / 2, row - GAP / 2 + 6],
          [x1 + W1[1] / 2, row - 4], broken);
        if (broken) {
          note("h", "does not fit", (x1 + HIDDEN / 2) * k, row * k + 30,
            "middle", "backward");
          return;
        }
        box("h", x1, row, batch, HIDDEN, "forward");
        note("h", `h ${listed(found.steps[1].shape)}`, (x1 + HIDDEN / 2) * k,
          (row + batch) * k + 16, "middle", "forward");
        box("W2", x2, row - GAP - W2[0], W2[0], W2[1], "weights");
        note("W2", `W2\n${listed(W2)}`, (x2 + W2[1]) * k + 6,
          (row - GAP - W2[0] / 2) * k - 4, "", "weights");
        arrow("across", [x1 + HIDDEN + 8, row + Math.min(batch, 28) / 2],
          [x2 - 6, row + Math.min(batch, 28) / 2]);
        arrow("below", [x2 + 5, row - GAP + 8], [x2 + 5, row - 4]);
        box("logits", x2, row, batch, CLASSES, "forward");
        note("logits", `logits\n${listed(found.steps[3].shape)}`,
          (x2 + CLASSES) * k + 6, row * k + 12, "", "forward");
      },
    });

    s.picture({
      label: "The digit's hidden units and its ten scores",
      height: 132,
      paint(p, width) {
        const half = Math.round(width * 0.52), base = 108, {h, logits} = way;
        p.text("h", {x: 0, y: 14, class: "small", fill: "forward"},
          `${digit.name}: its 128 units after ReLU`);
        p.text("logits", {x: half, y: 14, class: "small", fill: "forward"},
          "its ten scores");
        if (found.error) {
          p.text("none", {x: 0, y: 70, class: "small", fill: "backward"},
            "It does not get through.");
          return;
        }
        const wide = (half - 24) / HIDDEN, most = Math.max(...h, 1e-9);
        h.forEach((v, n) => p.rect(`h${n}`, {x: n * wide, width: wide * 0.8,
          y: base - 80 * v / most, height: 80 * v / most, fill: "forward"}));
        p.line("floor", {x1: 0, x2: half - 24, y1: base, y2: base,
          stroke: "muted"});
        const room = (width - half) / CLASSES, middle = 62;
        const reach = Math.max(...logits.map(Math.abs), 1e-9);
        logits.forEach((v, d) => {
          const right = d === digit.label;
          p.bar(`s${d}`, half + (d + 0.15) * room, middle, room * 0.7,
            -40 * v / reach, right ? "correct" : "forward", right);
          p.text(`d${d}`, {x: half + (d + 0.5) * room, y: 126,
            class: d === best(logits) ? "small middle strong"
              : "small middle", fill: right ? "correct" : "ink"}, String(d));
        });
        p.line("zero", {x1: half, x2: width, y1: middle, y2: middle,
          stroke: "muted"});
      },
    });

    s.choice({
      label: "send in", value: "none", options: FAULTS,
      on: (kind) => { fault = kind; change(); },
    });
    const verdict = s.readout(), line = s.readout("mono");
    const body = s.element("tbody");
    const head = s.element("tr", {}, ...["step", "result", "elements",
      "multiply-adds", "bytes"].map((name) =>
      s.element("th", {scope: "col"}, name)));
    s.body.append(s.element("div", {className: "stage-table"},
      s.element("table", {}, s.element("thead", {}, head), body)));

    s.onPaint(() => {
      const total = found.steps.reduce((sum, {work}) => sum + work, 0);
      const rows = STEPS.map((name, n) => {
        const step = found.steps[n];
        return [name, step ? listed(step.shape) : "–", ...step
          ? [step.elements, step.work, step.bytes].map(count) : ["", "", ""]];
      });
      rows.push(["together", "", "", found.error ? "–" : count(total), ""]);
      body.replaceChildren(...rows.map((cells) => s.element("tr", {},
        ...cells.map((text) => s.element("td", {}, text)))));
      const asleep = way.h.filter((v) => !v).length;
      verdict.textContent = found.error ? "No shape, no scores."
        : `Untrained, the network reads ${digit.name} as a `
          + `${best(way.logits)}; ReLU silenced ${asleep} of its 128 units.`;
      line.classList.toggle("backward", Boolean(found.error));
      line.textContent = found.error ? `RuntimeError: ${found.error}`
        : `${count(total)} multiply-adds, ${count(total / batch)} an image`;
      s.say(`${batch} images. ${line.textContent}. ${verdict.textContent}`);
    });
  }

  stage("shape-propagation", {
    title: "Shapes through the network",
    hint: "Change the batch size; then send in something that does not fit.",
    caption: "The forward pass to scale. Each product lies where the rows of "
      + "its left factor meet the columns of its right one. One digit, the "
      + "first row of x, is followed to its scores in the untrained network.",
    needs: ["generator.js", "digits.js", "mine.js"],
    math: {forward, pass, logitsOf7: () => pass(Drawing.seven().pixels).logits},
    build,
  });
})();
