"use strict";
/* Ten logits, their probabilities, the loss and its slopes, in float32 as
   in Chapter 3: with the shift by the largest logit, and without. They
   begin as those of our 7, or of any picture, in the untrained network.   */

(() => {
  const START = [0.5687, 0.0570, 0.3109, -0.0212, 0.3148, -0.4427, -0.5048,
    0.0492, 0.2150, -0.5722];
  const TARGET = 7, REACH = 3, SIZES = [784, 128, 10];
  let params;

  // The untrained network's logits of a picture: 784 numbers, 0 to 1.
  function logitsOf(pixels) {
    params ??= learning.makeParams(SIZES);
    return Array.from(learning.forward(pixels, params).logits);
  }

  // Every operation is rounded: to float32, or, by `Number`, not further.
  function crossEntropy(logits, target,
    {shift = true, round = Math.fround} = {}) {
    const z = logits.map(round);
    const c = shift ? Math.max(...z) : 0;
    const shifted = z.map((v) => round(v - c));
    const exps = shifted.map((v) => round(Math.exp(v)));
    const total = exps.reduce((sum, e) => round(sum + e), 0);
    const probs = exps.map((e) => round(e / total));
    const p = probs[target], missing = round(1 - p);
    const isRight = (i) => (i === target ? 1 : 0);
    return {
      exps, total, probs,
      loss: shift
        ? round(round(Math.log(total)) - shifted[target])
        : round(-Math.log(p)),
      gradient: probs.map((q, i) => round(q - isRight(i))),
      squared: round(missing * missing),
      squaredGradient: probs.map(
        (q, i) => round(-2 * missing * p * (isRight(i) - q))),
    };
  }

  function build(s) {
    let logits = [...START];
    let target = TARGET, shift = true, added = 0, found;
    const compute = () => {
      found = crossEntropy(logits.map((z) => z + added), target, {shift});
    };
    const number = stage.number;
    compute();

    const change = (digit, value) => {
      logits[digit] = Math.max(-REACH, Math.min(REACH, value));
      changed();
    };
    const changed = () => { compute(); s.paint(); };
    // The one way in: a picture, or nothing for our 7.
    const read = (pixels) => {
      logits = pixels ? logitsOf(pixels) : [...START];
      changed();
    };

    s.picture({
      label: "Logits, probabilities and slopes of the ten digits",
      height: (width) => (width < 480 ? 450 : 480),
      paint(p, width, height) {
        const column = width / 10, bar = column * 0.68;
        const left = (i) => i * column + (column - bar) / 2;
        const middle = (i) => (i + 0.5) * column;
        const unit = (height - 220) / 3;      // the height of one panel
        const small = width < 480 ? "middle small" : "middle";
        const mark = (key, i, y, value, digits) => p.text(key, {
          x: middle(i), y, class: small,
          fill: Number.isFinite(value) ? "ink" : "backward",
        }, number(value, digits));
        const title = (key, y, text) =>
          p.text(key, {x: 0, y, class: "strong"}, text);
        const base = (key, y) => p.line(key, {
          x1: 0, x2: width, y1: y, y2: y, stroke: "muted"});

        // The logits, measured from what was added to all of them.
        const zero = 32 + unit / 2, scale = unit / 2 / REACH;
        title("t1", 12, added
          ? `logits, all raised by ${number(added, 1)}` : "logits");
        base("b1", zero);
        logits.forEach((z, i) => {
          const end = zero - z * scale;
          p.bar(`z${i}`, left(i), zero, bar, -z * scale,
            i === target ? "correct" : "forward", i === target);
          p.line(`grip${i}`, {x1: left(i), x2: left(i) + bar, y1: end,
            y2: end, stroke: i === target ? "correct" : "forward",
            "stroke-width": 4, "stroke-linecap": "round"});
          mark(`zt${i}`, i, z < 0 ? end + 18 : end - 8, z + added, 1);
          s.drag(p.rect(`hit${i}`, {x: i * column, y: 18, width: column,
            height: unit + 30, fill: "transparent"}), {
            label: `logit of ${i}`, min: -REACH, max: REACH,
            value: +z.toFixed(2), text: number(z + added, 1),
            move: (x, y) => change(i, (zero - y) / scale),
            key: (dx, dy) => change(i, z + 0.1 * (dx + dy)),
          });
        });

        // The exponentials and the probabilities.
        const top = zero + unit / 2 + 46, floor = top + 64 + unit;
        p.text("t2", {x: 0, y: top, class: "strong"}, shift
          ? `exp(logit − ${number(Math.max(...logits) + added, 1)})`
          : "exp(logit)");
        title("t4", top + 46, "probabilities");
        p.text("loss", {x: width, y: top + 46, class: "strong end",
          fill: "correct"}, `loss = −ln ${number(found.probs[target],
          found.probs[target] < 0.1 ? 4 : 2)} = ${number(found.loss)}`);
        found.exps.forEach((e, i) => p.text(`e${i}`, {
          x: middle(i), y: top + 20, class: "tick middle small",
          fill: e === Infinity ? "backward" : "muted",
        }, e === Infinity ? "inf" : brief(e)));
        base("b2", floor);
        found.probs.forEach((q, i) => {
          const rise = Number.isFinite(q) ? q * unit : 0;
          p.bar(`p${i}`, left(i), floor, bar, -rise,
            i === target ? "correct" : "forward", i === target);
          mark(`pt${i}`, i, floor - rise - 6, q, 2);
          p.text(`d${i}`, {x: middle(i), y: floor + 18,
            class: i === target ? "middle strong" : "middle",
            fill: i === target ? "correct" : "muted"}, String(i));
        });

        // Two slopes each: of cross-entropy, and narrow, of squared error.
        const level = floor + 58 + unit / 2;
        title("t3", floor + 46, "slope in each logit");
        base("b3", level);
        found.gradient.forEach((g, i) => {
          const finite = Number.isFinite(g), half = unit / 2 - 4;
          const squared = found.squaredGradient[i];
          const other = Number.isFinite(squared) ? squared : 0;
          p.bar(`g${i}`, left(i), level, bar * 0.6,
            finite ? -g * half : 0, "backward");
          p.rect(`q${i}`, {x: left(i) + bar * 0.68, width: bar * 0.3,
            y: level - Math.max(0, other * half),
            height: Math.abs(other) * half,
            fill: "none", stroke: "ink"});
          const up = finite ? Math.max(0, g, other) : 0;
          mark(`gt${i}`, i, g < 0 ? level + Math.abs(g) * half + 15
            : level - up * half - 5, g, 2);
        });
      },
    });
    const brief = (e) => e === 0 ? "0" : e >= 1e4 || e < 1e-2
      ? e.toExponential(0).replace("+", "").replace("-", "−")
      : e.toFixed(e < 10 ? 2 : 0);

    const line = s.readout();
    const classes = s.choice({
      label: "right class", value: target,
      options: START.map((_, i) => [i, String(i)]),
      on: (i) => { target = i; changed(); },
    });
    classes.box.classList.add("spread");
    s.row();
    s.slider({
      label: "add to every logit", min: 0, max: 120, step: 0.1, value: 0,
      format: (v) => number(v, 1),
      on: (v) => { added = v; changed(); },
    });
    s.check({
      label: "subtract the largest logit first", value: true,
      on: (on) => { shift = on; changed(); },
    });

    const tell = () => {
      const lost = found.exps.filter((e) => e === Infinity).length;
      const trouble = lost
        ? `${lost} of 10 exponentials are beyond float32: inf. `
          + "inf / inf is nan. "
        : found.total === Infinity
          ? "Each exponential fits into float32; their sum does not. " : "";
      line.textContent = trouble
        || "Filled: of the cross-entropy. Outlined: of the squared error, "
          + `(1 − ${number(found.probs[target])})² = ${
            number(found.squared)}.`;
      s.say(`Right class ${target}. ${trouble}Probability ${
        number(found.probs[target])}, loss ${number(found.loss)}, slope ${
        number(found.gradient[target])}, squared error ${
        number(found.squared)}.`);
    };
    s.onPaint(tell);
    Drawing.follow(s, read);
  }

  stage("cross-entropy", {
    title: "Cross-entropy of ten logits",
    hint: "Our 7, untrained. Drag a bar of the upper row; choose the right class; "
      + "raise all logits until float32 gives up.",
    needs: ["generator.js", "learning.js", "digits.js", "mine.js"],
    math: {
      crossEntropy, START, logitsOf,
      inFloat64: (logits, target) =>
        crossEntropy(logits, target, {round: Number}),
    },
    build,
  });
})();
