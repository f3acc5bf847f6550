"use strict";
/* The small network of Chapter 4, one node at a time: its values forward,
   then the gradient of the loss backward.                                 */

(() => {
  const START = [1, 0.5], W1 = [[0.5, -1], [1, 1]], W2 = [[1, -0.5], [0.5, 1.5]];
  const DIGITS = ["3", "7"];
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
    let x = [...START], target = 1, at = 0, due = 0;
    let found = pass(x, target);
    const n = (v) => stage.number(v);
    const inner = (v) => (v < 0 ? `(${n(v)})` : n(v));
    const go = (k) => { at = Math.max(0, Math.min(LAST, k)); s.paint(); };
    // Whether step k is done, for the forward or the backward step of a node.
    const find = (name, i, from) => at > WALK.findIndex(([m, j], k) =>
      k >= from && m === name && (j ?? i) === i);
    const known = (name, i) => name === "x" || find(name, i, 0);
    const blamed = (name, i) => find(name, i, HALF);
    const current = () => WALK[at - 1] ?? [];

    // The arithmetic of this step, in words and numbers.
    function words() {
      const [name, i] = current(), right = i === target ? 1 : 0;
      const {h_pre, h, logits, p, loss, d_logits, d_h, d_h_pre, awake} = found;
      const terms = (list) =>
        list.map(([a, b]) => `${inner(a)} · ${inner(b)}`).join(" + ");
      if (!name) return "Pixels and weights are given. Step forward.";
      if (at <= HALF) {
        return {
          h_pre: () => `h_pre[${i}] = ${terms(
            x.map((v, k) => [v, W1[k][i]]))} = ${n(h_pre[i])}`,
          h: () => `h[${i}] = max(${n(h_pre[i])}, 0) = ${n(h[i])}`,
          logits: () => `logit of ${DIGITS[i]} = ${terms(
            h.map((v, k) => [v, W2[k][i]]))} = ${n(logits[i])}`,
          loss: () => `p(${DIGITS[target]}) = ${n(p[target])}; loss = −ln ${
            n(p[target])} = ${n(loss)}`,
        }[name]();
      }
      return {
        loss: () => "d_loss = 1: the loss rises as fast as itself",
        logits: () => `d_logit of ${DIGITS[i]} = p − ${right} = ${n(p[i])} − ${
          right} = ${n(d_logits[i])}`,
        W2: () => `d_W2: each is h times d_logit, the ends of its edge; first ${
          terms([[h[0], d_logits[0]]])} = ${n(h[0] * d_logits[0])}`,
        h: () => `d_h[${i}] = ${terms(d_logits.map((d, c) => [d, W2[i][c]]))
        } = ${n(d_h[i])}: along each edge the slope is its weight`,
        h_pre: () => `d_h_pre[${i}] = ${terms([[d_h[i], awake[i]]])} = ${
          n(d_h_pre[i])}: ReLU is ${awake[i] ? "awake, slope 1"
          : "asleep, slope 0"}`,
        W1: () => `d_W1: each is a pixel times d_h_pre; first ${
          terms([[x[0], d_h_pre[0]]])} = ${n(x[0] * d_h_pre[0])}`,
      }[name]();
    }

    s.picture({
      label: "The network as a graph",
      height: (width) => (width < 480 ? 300 : 330), paint(p, width, height) {
      const narrow = width < 480, r = narrow ? 12 : 15;
      const [name, index] = current(), back = at > HALF;
      const flow = back ? "backward" : "forward";
      const cx = (c) => r + 8 + {x: 0, h_pre: 0.33, h: 0.5, logits: 0.83,
        loss: 1}[c] * (width - 2 * r - 26);
      const cy = (i) => (i === undefined ? (height + 24) / 2
        : i ? height - 58 : 86);
      const small = narrow ? "middle small" : "middle";
      const edge = (key, [c0, i0], [c1, i1], on, dotted) => {
        const [x0, y0, x1, y1] = [cx(c0), cy(i0), cx(c1), cy(i1)];
        const far = Math.hypot(x1 - x0, y1 - y0);
        const [dx, dy] = [(x1 - x0) / far * r, (y1 - y0) / far * r];
        p.line(key, {x1: x0 + dx, y1: y0 + dy, x2: x1 - dx, y2: y1 - dy,
          stroke: on ? flow : "muted", "stroke-width": on ? 2.6 : 1,
          "stroke-dasharray": dotted ? "2 4" : on && back ? "7 4" : "none"});
      };
      const paper = {stroke: "paper", "stroke-width": 6,
        "paint-order": "stroke", "stroke-linejoin": "round"};
      // Four edges, each with its weight and the weight's gradient.
      const layer = (title, left, right, W, dW) => {
        const column = (i, j) => [i, j].map((k, e) => [e ? right : left, k]);
        W.forEach((row, i) => row.forEach((w, j) => {
          const on = back ? (name === left && index === i) || name === title
            : name === right && index === j;
          edge(`${title}${i}${j}`, ...column(i, j), on);
        }));
        W.forEach((row, i) => row.forEach((w, j) => {
          const part = i === j ? 0.5 : 0.29;
          const ax = cx(left) + part * (cx(right) - cx(left));
          const ay = cy(i) + part * (cy(j) - cy(i));
          p.text(`${title}w${i}${j}`, {x: ax, y: ay - 4, class: small,
            fill: "weights", ...paper}, n(w));
          p.text(`${title}d${i}${j}`, {x: ax, y: ay + 12, class: `${small} slanted`,
            fill: "backward", ...paper},
          blamed(title) ? n(dW[i][j]) : "");
        }));
        p.text(title, {x: (cx(left) + cx(right)) / 2, y: 16,
          class: "middle strong", fill: "weights"}, title);
      };
      layer("W1", "x", "h_pre", W1, found.d_W1);
      layer("W2", "h", "logits", W2, found.d_W2);
      [0, 1].forEach((i) => {
        edge(`relu${i}`, ["h_pre", i], ["h", i],
          name === (back ? "h_pre" : "h") && index === i,
          known("h_pre", i) && !found.awake[i]);
        edge(`loss${i}`, ["logits", i], ["loss"],
          back ? name === "logits" && index === i : name === "loss");
        if (blamed("h_pre", i)) {
          p.text(`slope${i}`, {x: (cx("h_pre") + cx("h")) / 2,
            y: cy(i) - 8, class: small, fill: "backward"},
          `× ${found.awake[i]}`);
        }
      });
      const node = (c, i) => {
        const key = `${c}${i ?? ""}`, here = c === name && i === index;
        const pick = (v) => (i === undefined ? v : v[i]);
        const [ax, ay] = [cx(c), cy(i)];
        p.circle(key, {cx: ax, cy: ay, r, fill: "paper",
          stroke: here ? flow : "ink", "stroke-width": here ? 3 : 1.3});
        p.text(`${key} value`, {x: ax, y: ay - r - 6,
          class: `${small} ${here && !back ? "strong" : ""}`,
          fill: "forward", ...paper}, known(c, i) ? n(pick(found[c])) : "");
        const slope = c === "loss" ? 1 : found[`d_${c}`];
        p.text(`${key} slope`, {x: ax, y: ay + r + 15,
          class: `${small} slanted ${here && back ? "strong" : ""}`,
          fill: "backward", ...paper},
        c !== "x" && blamed(c, i) ? n(pick(slope)) : "");
      };
      for (const c of ["x", "h_pre", "h", "logits", "loss"]) {
        if (c === "loss") node(c);
        else [0, 1].forEach((i) => node(c, i));
        p.text(`${c} title`, {x: cx(c), y: 16, class: `${small} strong`}, c);
      }
      DIGITS.forEach((digit, i) => p.text(`digit${i}`, {x: cx("logits"),
        y: cy(i) + 5, class: "middle strong",
        fill: i === target ? "correct" : "ink"}, digit));
      s.drag(p.rect("hit", {x: 1, y: 24, width: width - 2,
        height: height - 26, fill: "transparent"}), {
        label: "step", min: 0, max: LAST, value: at,
        text: `step ${at} of ${LAST}`,
        key: (dx, dy) => go(at + dx + dy),
      });
    }});
    const text = s.readout("told");
    s.row();
    const step = (label, by) => s.button(label, () => {
      player.stop();
      go(at + by());
    });
    step("Back", () => -1);
    step("Step", () => 1);
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
    START.forEach((value, i) => s.slider({
      label: `x[${i}]`, min: 0, max: 1, step: 0.05, value, format: n,
      on: (v) => { x = x.with(i, v); found = pass(x, target); },
    }));
    s.onPaint(() => {
      text.textContent = `${at <= HALF ? "Forward" : "Backward"}, ${
        at} of ${LAST}. ${words()}.`.replace("..", ".");
      s.say(text.textContent);
    });
  }

  stage("computation-graph", {
    title: "A network, one node at a time",
    hint: "Step through it: values flow right, then gradients flow left.",
    math: {pass},
    build,
  });
})();
