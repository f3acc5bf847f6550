"use strict";
/* Two runs on the spirals of Chapter 7, ours and one in torch's order, each
   computed here in float32 or float64, on the rungs of Chapter 8.         */

(() => {
  const SIZES = [2, 16, 2], STEPS = 1000, BATCH = 20;
  const RUNGS = {                    // name, digits, our order, copied
    own: ["1 own weights", 32, "hand", false],
    copied: ["2 copied", 32, "hand", true],
    double: ["3 float64", 64, "hand", true],
    order: ["5 torch’s order", 32, "torch", true],
  };

  // step() trains both on one batch → [our loss, theirs, distance].
  function sideBySide(rung, optimizer, given = {}) {
    const [, digits, order, copied] = RUNGS[rung];
    const lr = learning.RATES[optimizer], set = given.set ?? learning.spirals();
    const round = digits === 32 ? Math.fround : learning.double;
    const runs = [["hand", order], ["torch", "torch"]].map(([side, by]) => ({
      how: {round, order: by},
      params: side === "torch" && !copied ? learning.torchParams(SIZES)
        : given.params?.map((p) => Float64Array.from(p))
          ?? learning.makeParams(SIZES),
      step: learning.makeOptimizer(optimizer, {lr}, round),
    }));
    const epoch = learning.loader(set.y.length, BATCH);
    let batches = [];
    return () => {
      if (!batches.length) batches = epoch();
      const {x, y} = learning.rows(set, batches.shift());
      const losses = runs.map(({how, params, step}) => {
        const {loss, grads} = learning.backward(x, y, params, how);
        step(params, grads);
        return loss;
      });
      return [...losses, apart(runs[0].params, runs[1].params)];
    };
  }
  const apart = (ours, theirs) => Math.max(...ours.map((p, i) =>
    p.reduce((most, v, k) => Math.max(most, Math.abs(v - theirs[i][k])), 0)));
  const record = (rung, optimizer, steps, given) => {
    const step = sideBySide(rung, optimizer, given);
    return Array.from({length: steps}, step);
  };

  function build(s) {
    let rung, optimizer = "adam", done = {}, step, rows;
    function begin(chosen) {
      rung = chosen;
      step = sideBySide(rung, optimizer);
      rows = done[rung] = [];
      advance(1);
    }
    function advance(n) {
      for (let i = 0; i < n && rows.length < STEPS; i += 1) rows.push(step());
      return rows.length < STEPS;
    }
    begin("copied");

    s.choice({
      label: "rung", value: rung,
      options: Object.entries(RUNGS).map(([key, [name]]) => [key, name]),
      on: (chosen) => { begin(chosen); player.start(); },
    });
    s.row();
    const player = s.play({
      step: (seconds) => advance(Math.ceil(seconds * 240)),
    });
    player.button.addEventListener("click", () => {
      if (player.playing && rows.length >= STEPS) begin(rung);
    });
    s.button("One step", () => { player.stop(); advance(1); s.paint(); });
    s.choice({
      label: "optimizer", value: optimizer, options: learning.NAMES,
      on: (name) => {
        optimizer = name;
        done = {};
        begin(rung);
        player.start();
      },
    });

    s.picture({label: "The losses of both runs", height: 190, paint(p, width) {
      const chart = p.axes("loss", {x: 44, y: 24, width: width - 64,
        height: 130, xs: [0, STEPS], ys: [0, 1.2], ylabel: "loss"});
      [["ours", 5, "none"], ["torch", 1.6, "6 4"]].forEach(
        ([role, stroke, dash], k) => {
          const means = learning.cut(rows.map((row) => row[k]), 10).map(
            (part, i) => [chart.x(10 * i + part.length / 2), chart.y(
              Math.min(1.2, part.reduce((a, b) => a + b) / part.length))]);
          p.path(role, {d: stage.line(means), stroke: role, fill: "none",
            "stroke-width": stroke, "stroke-dasharray": dash,
            "stroke-opacity": k ? 1 : 0.6});
          p.text(`${role} name`, {x: width - 20, y: 38 + 17 * k,
            class: "end strong", fill: role},
          k ? "torch’s order: dashed" : "ours: wide");
        });
    }});
    s.picture({
      label: "The distance of their weights", height: 300, paint(p, width) {
      const chart = p.axes("gap", {x: 44, y: 24, width: width - 64,
        height: 230, xs: [0, STEPS], ys: [1e-19, 30], logY: true,
        ylabel: "largest distance between two weights", xlabel: "step"});
      const y = (v) => chart.y(Math.min(30, Math.max(v, 1e-18)));
      p.text("zero", {x: 38, y: y(0) + 4, class: "tick end"}, "0");
      p.line("zeroes", {x1: 44, x2: width - 20, y1: y(0), y2: y(0),
        stroke: "muted", "stroke-dasharray": "2 4"});
      for (const [key, list] of Object.entries(done)) {
        const now = key === rung, last = list.at(-1)[2];
        p.path(key, {fill: "none", stroke: now ? "ours" : "muted",
          "stroke-width": now ? 2.2 : 1.2, d: stage.line(
            list.map((row, i) => [chart.x(i + 1), y(row[2])]))});
        const end = chart.x(list.length) < width * 0.6;
        p.text(`${key} name`, {
          x: chart.x(list.length) + (end ? 8 : 0),
          y: Math.min(242, y(last) + (last > 1e-2 ? 18 : -10)),
          class: `${end ? "" : "end "}${now ? "strong" : ""}`,
          fill: now ? "ours" : "muted"},
        `${RUNGS[key][0]}${last ? "" : ": exact"}`);
      }
      p.circle("now", {cx: chart.x(rows.length), cy: y(rows.at(-1)[2]),
        r: 4, fill: "ours"});
    }});
    const text = s.readout();
    s.onPaint(() => {
      const [ours, theirs, gap] = rows.at(-1);
      text.textContent = `Step ${stage.count(rows.length)}. Losses ${
        stage.number(ours, 4)} and ${stage.number(theirs, 4)}, weights ${
        gap ? `${stage.brief(gap)} apart` : "equal in every bit"}.`;
      s.say(`${RUNGS[rung][0]}. ${text.textContent}`);
    });
  }

  stage("two-runs", {
    title: "Ours beside torch’s order",
    hint: "Press Play; then take another rung of the ladder.",
    caption: "Two runs on two spirals, computed in this page: ours by hand, "
      + "and one in an order such as torch’s. Above, their losses; below, "
      + "how far their weights are apart, earlier rungs in gray.",
    needs: ["generator.js", "learning.js"],
    math: {
      record,
      params: (kind, ...given) =>
        learning[kind](...given).map((p) => Array.from(p)),
    },
    build,
  });
})();
