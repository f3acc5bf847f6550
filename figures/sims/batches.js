"use strict";
/* The first 60 labels of MNIST in batches: sorted, as in the file, shuffled
   once, or for every epoch.                                               */

(() => {
  const LABELS = [
    ..."504192131435361728694091124327386905607618793985933074980941",
  ].map(Number);
  const HUES = ["forward", "backward", "weights", "correct", "momentum"];
  const look = (digit) => ({fill: HUES[digit % 5], stroke: HUES[digit % 5],
    "fill-opacity": digit < 5 ? 1 : 0.2});
  const ORDERS = {sorted: "sorted by digit", file: "as in the file",
    once: "shuffled once", every: "every epoch"};

  // The places of the samples in an epoch, counted from 1.
  function orderOf(way, epoch) {
    const places = LABELS.map((_, i) => i), drawn = generator(0);
    if (way === "file") return places;
    if (way === "sorted") {
      return places.sort((a, b) => LABELS[a] - LABELS[b] || a - b);
    }
    const before = way === "every" ? epoch - 1 : 0;
    for (let i = 0; i < before; i += 1) {
      learning.shuffled(drawn, places.length);
    }
    return learning.shuffled(drawn, places.length);
  }
  const batchesOf = (way, epoch, size) =>
    learning.cut(orderOf(way, epoch), size);
  // How many of each digit a batch holds.
  const balance = (batch) => batch.reduce((counts, i) => {
    counts[LABELS[i]] += 1;
    return counts;
  }, Array(10).fill(0));
  const kinds = (batch) => balance(batch).filter((n) => n > 0).length;

  function build(s) {
    let way = "every", size = 8, epoch = 1, picked = 0, moved = null;
    let batches = batchesOf(way, epoch, size), from = new Map(), began = 0;
    const at = new Map();                    // where each sample is drawn
    function change(does) {
      const held = batches;
      does();
      batches = batchesOf(way, epoch, size);
      picked = Math.min(picked, batches.length - 1);
      moved = LABELS.length - batches.reduce((same, batch, b) =>
        same + batch.filter((i) => held[b]?.includes(i)).length, 0);
      from = new Map(at);
      began = s.reduced ? 0 : performance.now();
      s.paint();
    }

    s.choice({
      label: "order", value: way, options: Object.entries(ORDERS),
      on: (chosen) => change(() => { way = chosen; epoch = 1; }),
    });
    s.row();
    s.button("Next epoch", () => change(() => { epoch += 1; }));
    s.slider({label: "batch size", min: 1, max: 20, value: size,
      on: (n) => change(() => { size = n; })});

    const pitch = (width) =>
      Math.min(32, (width - 132) / size, 520 / batches.length);
    s.picture({
      label: "The batches of an epoch",
      height: (width) => 24 + batches.length * pitch(width), paint(p, width) {
      const unit = pitch(width), side = unit * 0.9, gap = 30;
      const t = Math.min(1, (performance.now() - began) / 500);
      const eased = t * t * (3 - 2 * t);
      const tiny = unit < 18 ? "middle small" : "middle";
      const shelf = gap + size * unit + 12;
      p.text("head", {x: shelf, y: 12, class: "tick"}, "different digits");
      p.text("epoch", {x: 0, y: 12, class: "strong"}, `epoch ${epoch}`);
      p.rect("picked", {x: gap - 3, y: 20 + picked * unit, fill: "code",
        width: shelf - gap + 92, height: unit, rx: 3});
      batches.forEach((batch, b) => {
        const top = 20 + b * unit, n = kinds(batch);
        p.text(`row${b}`, {x: gap - 10, y: top + unit / 2 + 4,
          class: "tick end"}, unit < 14 && b % 2 ? "" : String(b + 1));
        p.rect(`bar${b}`, {x: shelf, y: top + unit * 0.28, width: 6.4 * n,
          height: unit * 0.44, fill: "muted", "fill-opacity": 0.4});
        p.text(`kinds${b}`, {x: shelf + 6.4 * n + 7,
          y: top + unit / 2 + 4, class: "tick",
        }, unit < 14 && b % 2 ? "" : String(n));
        batch.forEach((i, c) => at.set(
          i, [gap + c * unit, top + (unit - side) / 2]));
      });
      LABELS.forEach((label, i) => {
        const [x1, y1] = at.get(i), [x0, y0] = from.get(i) ?? [x1, y1];
        const x = x0 + (x1 - x0) * eased, y = y0 + (y1 - y0) * eased;
        p.rect(`sample${i}`, {x, y, width: side, height: side, rx: 2,
          ...look(label)});
        p.text(`label${i}`, {x: x + side / 2, y: y + side / 2 + 4.5,
          class: tiny, fill: label < 5 ? "paper" : "ink",
        }, unit < 14 ? "" : String(label));   // there only the colors
      });
      if (t < 1) s.paint();
      const pick = (b) => {
        picked = Math.max(0, Math.min(batches.length - 1, b));
        s.paint();
      };
      s.drag(p.rect("hit", {x: 0, y: 20, width: width - 2,
        height: batches.length * unit, fill: "transparent"}), {
        label: "batch", min: 1, max: batches.length, value: picked + 1,
        text: words(), move: (x, y) => pick(Math.floor((y - 20) / unit)),
        key: (dx, dy) => pick(picked + dx - dy),
      });
    }});
    s.picture({label: "The digits of one batch", height: 122, paint(p, width) {
      const counts = balance(batches[picked]), unit = (width - 10) / 10;
      const most = Math.max(4, ...counts), floor = 98, rise = 54 / most;
      p.text("title", {x: 0, y: 12, class: "strong"},
        `class balance of batch ${picked + 1}`);
      p.line("base", {x1: 0, x2: width, y1: floor, y2: floor,
        stroke: "muted"});
      const fair = floor - batches[picked].length / 10 * rise;
      p.line("fair", {x1: 0, x2: width, y1: fair, y2: fair,
        stroke: "muted", "stroke-dasharray": "3 4"});
      counts.forEach((n, digit) => {
        const x = 5 + digit * unit + unit * 0.2;
        p.rect(`bar${digit}`, {x, y: floor - n * rise, width: unit * 0.6,
          height: n * rise, ...look(digit), "stroke-width": n && 1});
        p.text(`count${digit}`, {x: x + unit * 0.3,
          y: floor - n * rise - 5, class: "middle tick"}, n ? String(n) : "");
        p.text(`digit${digit}`, {x: x + unit * 0.3, y: floor + 17,
          class: "middle"}, String(digit));
      });
    }});
    const text = s.readout();
    const words = () => {
      const found = balance(batches[picked])
        .flatMap((n, digit) => (n ? `${n} × ${digit}` : []));
      return `Batch ${picked + 1} of ${batches.length}: ${found.join(", ")}.`;
    };
    s.onPaint(() => {
      const mean = batches.reduce((sum, b) => sum + kinds(b), 0)
        / batches.length;
      text.textContent = `${stage.number(mean, 1)} different digits in a batch `
        + `on average.${moved === null ? ""
          : ` In another batch than before: ${moved} of 60.`}`;
      s.say(`${ORDERS[way]}, epoch ${epoch}. ${words()} ${text.textContent}`);
    });
  }

  stage("batches", {
    title: "Batches in four orders",
    hint: "Ask for the next epoch; try each order. Point at a batch.",
    caption: "The first 60 training labels. A row is a batch, and the bar "
      + "beside it counts the different digits in it. Below, the chosen "
      + "batch; dashed, an equal share of each digit.",
    needs: ["generator.js", "learning.js"],
    math: {orderOf, batchesOf, balance, labels: () => LABELS},
    build,
  });
})();
