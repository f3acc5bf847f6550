"use strict";
/* The small network of Chapter 4, one node at a time: its values forward,
   then the gradient of the loss backward.                                 */

(() => {
  const START = [1, 0.5], PLACES = [12 * 28 + 19, 17 * 28 + 15];
  const W1 = [[0.5, -1], [1, 1]], W2 = [[1, -0.5], [0.5, 1.5]];
  const DIGITS = ["3", "7"];
  // The two pixels that it sees of a picture: 784 numbers, 0 to 1.
  const pixelsOf = (picture) =>
    PLACES.map((place) => Math.round(10 * picture[place]) / 10);
  const sum = (list) => list.reduce((a, b) => a + b, 0);

  // Every value and every gradient; the right class is 0 or 1.
  function pass(x, target, V1 = W1, V2 = W2) {
    const two = [0, 1];
    const h_pre = two.map((j) => sum(x.map((v, i) => v * V1[i][j])));
    const h = h_pre.map((v) => Math.max(v, 0));
    const logits = two.map((c) => sum(h.map((v, j) => v * V2[j][c])));
    const largest = Math.max(...logits);
    const e = logits.map((z) => Math.exp(z - largest));
    const p = e.map((v) => v / sum(e)), loss = -Math.log(p[target]);
    const d_logits = p.map((v, c) => v - (c === target ? 1 : 0));
    const d_h = two.map((j) => sum(d_logits.map((d, c) => d * V2[j][c])));
    const awake = h_pre.map((v) => (v > 0 ? 1 : 0));
    const d_h_pre = d_h.map((d, j) => d * awake[j]);
    return {
      x, h_pre, h, logits, p, loss, d_logits, d_h, d_h_pre, awake,
      d_W1: x.map((v) => d_h_pre.map((d) => v * d)),
      d_W2: h.map((v) => d_logits.map((d) => v * d)),
    };
  }

  // The order in which nodes are computed, and then differentiated.
  const both = (name) => [[name, 0], [name, 1]];
  const WALK = [...["h_pre", "h", "logits"].flatMap(both), ["loss"],
    ["loss"], ...both("logits"), ["W2"], ...both("h"), ...both("h_pre"),
    ["W1"]];
  const HALF = 7, LAST = WALK.length;

  function build(s) {
    let x = [...START], target = 1, at = LAST, due = 0;
    let found = pass(x, target);
    const n = (v) => stage.number(v);
    const inner = (v) => (v < 0 ? `(${n(v)})` : n(v));
    const go = (k) => { at = Math.max(0, Math.min(LAST, k)); s.paint(); };
    // Whether step k is done, for the forward or the backward step of a node.
    const find = (name, i, from) => at > WALK.findIndex(([m, j], k) =>
      k >= from && m === name && (j ?? i) === i);
    const known = (name, i) => find(name, i, 0);
    const blamed = (name, i) => name !== "x" && find(name, i, HALF);

    // The arithmetic of this step, in words and numbers.
    function words() {
      const [name, i] = WALK[at - 1] ?? [], right = i === target ? 1 : 0;
      const {h_pre, h, logits, p, loss, d_logits, d_h, d_h_pre, awake} = found;
      const terms = (list, by) =>
        list.map((v, k) => `${inner(v)} · ${inner(by[k])}`).join(" + ");
      const column = (W) => W.map((row) => row[i]);
      if (!name) return "Pixels and weights are given. Step forward.";
      if (at <= HALF) {
        return {
          h_pre: () => `h_pre[${i}] = ${terms(x, column(W1))} = ${
            n(h_pre[i])}`,
          h: () => `h[${i}] = max(${n(h_pre[i])}, 0) = ${n(h[i])}`,
          logits: () => `logit of ${DIGITS[i]} = ${
            terms(h, column(W2))} = ${n(logits[i])}`,
          loss: () => `p(${DIGITS[target]}) = ${n(p[target])}; loss = −ln ${
            n(p[target])} = ${n(loss)}`,
        }[name]();
      }
      return {
        loss: () => "d_loss = 1: the loss rises as fast as itself",
        logits: () => `d_logit of ${DIGITS[i]} = p − ${right} = ${n(p[i])} − ${
          right} = ${n(d_logits[i])}`,
        W2: () => `d_W2: each is h times d_logit, the ends of its edge; first ${
          terms([h[0]], d_logits)} = ${n(h[0] * d_logits[0])}`,
        h: () => `d_h[${i}] = ${terms(d_logits, W2[i])} = ${
          n(d_h[i])}: along each edge the slope is its weight`,
        h_pre: () => `d_h_pre[${i}] = ${terms([d_h[i]], [awake[i]])} = ${
          n(d_h_pre[i])}: ReLU is ${awake[i] ? "awake, slope 1"
          : "asleep, slope 0"}`,
        W1: () => `d_W1: each is a pixel times d_h_pre; first ${
          terms([x[0]], d_h_pre)} = ${n(x[0] * d_h_pre[0])}`,
      }[name]();
    }

    s.picture({
      label: "The network as a graph",
      height: (width) => (width < 480 ? 300 : 330), paint(p, width, height) {
      const narrow = width < 480, r = narrow ? 12 : 15;
      const [name, index] = WALK[at - 1] ?? [], back = at > HALF;
      const flow = back ? "backward" : "forward";
      const cx = (c) => r + 8 + {x: 0, h_pre: 0.33, h: 0.5, logits: 0.83,
        loss: 1}[c] * (width - 2 * r - 26);
      const cy = (i) => (i === undefined ? (height + 24) / 2
        : i ? height - 58 : 86);
      const put = (key, left, y, fill, text, strong) => p.text(key, {
        x: left, y, fill, class: `middle halo ${narrow ? "small" : ""} ${
          strong ? "strong" : ""} ${fill}`}, text);
      const edge = (key, [c0, i0], [c1, i1], on, dotted) => {
        const [x0, y0, x1, y1] = [cx(c0), cy(i0), cx(c1), cy(i1)];
        const far = Math.hypot(x1 - x0, y1 - y0);
        const [dx, dy] = [(x1 - x0) / far * r, (y1 - y0) / far * r];
        p.line(key, {x1: x0 + dx, y1: y0 + dy, x2: x1 - dx, y2: y1 - dy,
          stroke: on ? flow : "muted", "stroke-width": on ? 2.6 : 1,
          "stroke-dasharray": dotted ? "2 4" : on && back ? "7 4" : "none"});
      };
      // Four edges, each with its weight and the weight's gradient.
      const layer = (title, left, right, W, dW) => {
        W.forEach((row, i) => row.forEach((w, j) => edge(`${title}${i}${j}`,
          [left, i], [right, j], back ? (name === left && index === i)
            || name === title : name === right && index === j)));
        W.forEach((row, i) => row.forEach((w, j) => {
          const part = i === j ? 0.5 : 0.29;
          const ax = cx(left) + part * (cx(right) - cx(left));
          const ay = cy(i) + part * (cy(j) - cy(i));
          put(`${title}w${i}${j}`, ax, ay - 4, "weights", n(w));
          put(`${title}d${i}${j}`, ax, ay + 12, "backward",
            blamed(title) ? n(dW[i][j]) : "");
        }));
        put(title, (cx(left) + cx(right)) / 2, 16, "weights", title, true);
      };
      layer("W1", "x", "h_pre", W1, found.d_W1);
      layer("W2", "h", "logits", W2, found.d_W2);
      [0, 1].forEach((i) => {
        edge(`relu${i}`, ["h_pre", i], ["h", i],
          name === (back ? "h_pre" : "h") && index === i,
          known("h_pre", i) && !found.awake[i]);
        edge(`loss${i}`, ["logits", i], ["loss"],
          back ? name === "logits" && index === i : name === "loss");
        put(`slope${i}`, (cx("h_pre") + cx("h")) / 2, cy(i) - 8, "backward",
          blamed("h_pre", i) ? `× ${found.awake[i]}` : "");
      });
      const node = (c, i) => {
        const key = `${c}${i ?? ""}`, here = c === name && i === index;
        const pick = (v) => (i === undefined ? v : v[i]);
        const [ax, ay] = [cx(c), cy(i)];
        p.circle(key, {cx: ax, cy: ay, r, fill: "paper",
          stroke: here ? flow : "ink", "stroke-width": here ? 3 : 1.3});
        put(`${key} value`, ax, ay - r - 6, "forward",
          known(c, i) ? n(pick(found[c])) : "", here && !back);
        const slope = c === "loss" ? 1 : found[`d_${c}`];
        put(`${key} slope`, ax, ay + r + 15, "backward",
          blamed(c, i) ? n(pick(slope)) : "", here && back);
      };
      for (const c of ["x", "h_pre", "h", "logits", "loss"]) {
        if (c === "loss") node(c);
        else [0, 1].forEach((i) => node(c, i));
        put(`${c} title`, cx(c), 16, "ink", c, true);
      }
      DIGITS.forEach((digit, i) => put(`digit${i}`, cx("logits"), cy(i) + 5,
        i === target ? "correct" : "ink", digit, true));
      s.drag(p.rect("hit", {x: 1, y: 24, width: width - 2,
        height: height - 26, fill: "transparent"}), {
        label: "step", min: 0, max: LAST, value: at,
        text: `step ${at} of ${LAST}`,
        key: (dx, dy) => go(at + dx + dy),
      });
    }});
    const text = s.readout("told");
    s.row();
    [["Back", -1], ["Step", 1]].forEach(([label, by]) =>
      s.button(label, () => {
        player.stop();
        go(by > 0 && at === LAST ? 0 : at + by);
      }));
    const player = s.play({
      step(seconds) {
        due += seconds * 1.4;
        if (due >= 1) { at = Math.min(LAST, at + 1); due = 0; }
        return at < LAST;
      },
    });
    player.button.addEventListener("click", () => {
      if (player.playing && at >= LAST) at = 0;
      due = 1;
    });
    s.choice({label: "right class", value: target,
      options: DIGITS.map((digit, i) => [i, digit]),
      on: (i) => { target = i; found = pass(x, target); }});
    s.row();
    const sliders = START.map((value, i) => s.slider({
      label: `x[${i}]`, min: 0, max: 1, step: 0.05, value, format: n,
      on: (v) => { x = x.with(i, v); found = pass(x, target); },
    }));
    // The one way in: a picture, or nothing for our 7.
    const read = (picture) => {
      x = picture ? pixelsOf(picture) : [...START];
      x.forEach((v, i) => { sliders[i].value = v; });
      found = pass(x, target);
      s.paint();
    };
    Drawing.follow(s, read);
    s.onPaint(() => {
      text.textContent = `${at <= HALF ? "Forward" : "Backward"}, ${
        at} of ${LAST}. ${words()}.`.replace("..", ".");
      s.say(text.textContent);
    });
  }

  stage("computation-graph", {
    title: "A network, one node at a time",
    hint: "Two pixels of our 7. Step through it: values flow right, then gradients flow left.",
    needs: ["digits.js", "mine.js"],
    math: {pass, pixelsOf},
    build,
  });
})();
