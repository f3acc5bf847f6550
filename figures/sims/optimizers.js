"use strict";
/* SGD, momentum and Adam go down from a point that can be dragged, on the
   valleys of Chapter 5, a saddle and a bent valley after Rosenbrock.       */

(() => {
  const MOST = 120;
  const quadratic = (a, b, c) => ({
    loss: (x, y) => (a * x * x + 2 * b * x * y + c * y * y) / 2,
    slope: (x, y) => [a * x + b * y, b * x + c * y],
  });
  const half = Math.SQRT1_2;
  const LANDS = {
    level: {...quadratic(1, 0, 30), start: [-4, 1],
      view: [-5, 2, -1.9, 1.9], ends: [[0, 0]]},
    turned: {...quadratic(15.5, -14.5, 15.5), start: [-5 * half, -3 * half],
      view: [-5, 2, -3.6, 1], ends: [[0, 0]]},
    saddle: {
      loss: (x, y) => x * x / 2 + y ** 4 / 4 - y * y / 2 + 1 / 4,
      slope: (x, y) => [x, y ** 3 - y], start: [-2.4, 0.02],
      view: [-3, 3, -1.7, 1.7], ends: [[0, 1], [0, -1]]},
    bent: {
      loss: (x, y) => (1 - x) ** 2 / 10 + (y - x * x) ** 2,
      slope: (x, y) => [(x - 1) / 5 - 4 * x * (y - x * x), 2 * (y - x * x)],
      start: [-1.6, 1.2], view: [-2.6, 2.6, -0.6, 2.5], ends: [[1, 1]]},
  };
  const LEVELS = [0.02, 0.06, 0.25, 1, 3, 7, 13, 21];
  const STYLES = {
    SGD: {name: "sgd", dash: "1.5 3.5", mark: "●"},
    momentum: {name: "momentum", dash: "7 3", mark: "■"},
    Adam: {name: "adam", dash: "none", mark: "▲"},
  };

  const MARKERS = {
    sgd: (x, y) => `M${x - 2.6} ${y}a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0`,
    momentum: (x, y) => `M${x - 2.4} ${y - 2.4}h4.8v4.8h-4.8`,
    adam: (x, y) => `M${x} ${y - 3.4}l3.2 5.4h-6.4`,
  };

  // Points and losses, the start's first; diverged is the first step with a
  // hundred times the loss of the start.
  function descend(land, name, options, start, steps) {
    const {loss, slope} = LANDS[land], w = Float64Array.from(start);
    const step = learning.makeOptimizer(name, options);
    const points = [[...w]], losses = [loss(...w)];
    const limit = 100 * Math.max(1, losses[0]);
    let diverged = null;
    for (let t = 1; t <= steps; t += 1) {
      step([w], [slope(...w)]);
      points.push([...w]);
      losses.push(loss(...w));
      if (diverged === null && !(losses[t] < limit)) diverged = t;
    }
    return {points, losses, diverged};
  }

  // A line of equal loss: short pieces across the cells of a grid.
  function contour(loss, [x0, x1, y0, y1], level, at, n = 90) {
    const a = (x1 - x0) / n, b = (y1 - y0) / n;
    let d = "";
    for (let k = 0; k < n * n; k += 1) {
      const x = x0 + (k % n) * a, y = y0 + Math.floor(k / n) * b;
      const corners = [[x, y], [x + a, y], [x + a, y + b], [x, y + b]]
        .map((w) => [...w, loss(...w) - level]);
      const ends = [];
      corners.forEach(([p, q, u], i) => {
        const [r, t, v] = corners[(i + 1) % 4], part = u / (u - v);
        if (u > 0 === v > 0) return;
        ends.push(at(p + part * (r - p), q + part * (t - q)));
      });
      d += stage.line(ends.slice(0, 2)) + stage.line(ends.slice(2));
    }
    return d;
  }

  function build(s) {
    let land = "level", start = [...LANDS[land].start], shown = 40, runs;
    const options = {
      SGD: {lr: 0.06}, momentum: {lr: 0.03, momentum: 0.8},
      Adam: {lr: 0.2, betas: [0.9, 0.999]},
    };
    const hidden = new Set(), lines = {};
    function compute() {
      runs = Object.entries(STYLES).filter(([title]) => !hidden.has(title))
        .map(([title, style]) => ({title, ...style,
          ...descend(land, style.name, options[title], start, MOST)}));
    }
    compute();
    const move = (...w) => {
      const {view} = LANDS[land];
      start = w.map((v, i) =>
        Math.max(view[2 * i], Math.min(view[2 * i + 1], v)));
      compute();
      s.paint();
    };

    s.choice({
      label: "landscape", value: land, 
      options: Object.keys(LANDS).map((key) => [key, key]),
      on: (chosen) => {
        land = chosen;
        start = [...LANDS[land].start];
        compute();
      },
    });
    const map = s.picture({
      label: "The landscape from above",
      height: (width, [a, b, c, d] = LANDS[land].view) =>
        width * (d - c) / (b - a), paint(p, width, height) {
      const {view, loss, ends} = LANDS[land];
      const unit = height / (view[3] - view[2]);
      const far = (v) => Math.max(-4000, Math.min(4000, v));
      const px = (x) => far((x - view[0]) * unit);
      const py = (y) => far((view[3] - y) * unit);
      const key = `${land} ${width}`;
      lines[key] ??= LEVELS.map((level) =>
        contour(loss, view, level, (x, y) => [px(x), py(y)]));
      lines[key].forEach((d, i) => p.path(`level${i}`, {d, fill: "none",
        stroke: "muted", "stroke-opacity": 0.45, "stroke-width": 0.8}));
      p.rect("frame", {width, height, fill: "none", stroke: "muted"});
      ends.forEach(([x, y], i) => p.text(`end${i}`, {x: px(x),
        y: py(y) + 6, class: "middle"}, "★"));
      for (const {title, name, dash, points, diverged} of runs) {
        const spots = points.slice(0, Math.min(shown, diverged ?? shown) + 1)
          .map(([x, y]) => [px(x), py(y)]);
        p.path(title, {d: stage.line(spots), class: "curve", stroke: name,
          "stroke-dasharray": dash});
        p.path(`${title} marks`, {fill: name,
          d: spots.map(([x, y]) => MARKERS[name](x, y)).join("")});
      }
      const [x, y] = start;
      s.drag(p.circle("start", {cx: px(x), cy: py(y), r: 11,
        fill: "transparent", stroke: "ink", "stroke-width": 1.8}), {
        label: "start", min: view[0], max: view[1], value: +x.toFixed(2),
        text: `${stage.number(x)}, ${stage.number(y)}`,
        move: (a, b) => move(view[0] + a / unit, view[3] - b / unit),
        key: (dx, dy) => move(x + 0.1 * dx, y + 0.1 * dy),
      });
    }});
    map.svg.style.overflow = "hidden";

    s.picture({label: "The loss of each step", height: 215, paint(p, width) {
      const chart = p.axes("loss", {x: 44, y: 22, width: width - 150,
        height: 150, xs: [0, MOST], ys: [1e-6, 1e3], logY: true,
        ylabel: "loss above the bottom", xlabel: "step"});
      const y = (v) => chart.y(Math.max(1e-6, v < 1e3 ? v : 1e3));
      const ends = runs.map((run) => ({...run, at: y(run.losses[shown])}))
        .sort((a, b) => a.at - b.at);
      let free = 14;
      for (const {title, name, dash, losses, mark, at, diverged} of ends) {
        p.path(title, {class: "curve", stroke: name, "stroke-dasharray": dash,
          d: stage.line(losses.slice(0, shown + 1)
            .map((v, t) => [chart.x(t), y(v)]))});
        free = Math.max(free + 18, Math.min(at + 4, 172));
        p.text(`${title} name`, {x: width - 98, y: free, class: "strong",
          fill: name}, `${mark} ${title}${
          diverged !== null && diverged <= shown ? " ↑" : ""}`);
      }
    }});
    const text = s.readout();
    s.row();
    const player = s.play({
      step(seconds) {
        due += 30 * seconds;
        shown = Math.min(MOST, Math.floor(due));
        steps.value = shown;
        return shown < MOST;
      },
    });
    let due = 0;
    player.button.addEventListener("click", () => {
      due = shown < MOST ? shown : 0;
    });
    const steps = s.slider({label: "steps", min: 0, max: MOST, value: shown,
      on: (n) => { player.stop(); shown = n; }});
    for (const [title, {mark}] of Object.entries(STYLES)) {
      const held = options[title];
      s.row("settings");
      s.check({label: `${mark} ${title}`, value: true, on: (on) => {
        hidden[on ? "delete" : "add"](title);
        compute();
      }});
      s.slider({label: "lr", min: -3, max: 0.5, step: 0.01,
        value: Math.log10(held.lr), format: (v) => stage.brief(10 ** v),
        on: (v) => { held.lr = 10 ** v; compute(); }})
        .input.setAttribute("aria-label", `learning rate of ${title}`);
      const more = (label, where, key, max, step = 0.01) => s.slider({
        label, min: 0, max, step, value: where[key],
        on: (v) => { where[key] = v; compute(); }});
      if (title === "momentum") more("momentum", held, title, 0.99);
      if (title === "Adam") {
        more("β₁", held.betas, 0, 0.99);
        more("β₂", held.betas, 1, 0.999, 0.001);
      }
    }
    s.onPaint(() => {
      text.textContent = `After ${shown} steps: ${runs.map(
        ({title, losses, diverged}) => diverged !== null && diverged <= shown
          ? `${title} diverges, from step ${diverged}`
          : `${title} ${stage.brief(losses[shown])}`).join("; ")}.`;
      s.say(`Start ${start.map((v) => stage.number(v)).join(", ")}. ${
        text.textContent}`);
    });
  }

  stage("optimizers", {
    title: "Three optimizers on their way down",
    hint: "Drag the ring. Raise a rate until its path flies off.",
    caption: "40 steps of three optimizers in a valley with curvatures 1 and "
      + "30. The thin lines join places of equal loss, the star is the "
      + "lowest. The landscape named turned is the same valley, turned by "
      + "45 degrees; then come two others.",
    needs: ["learning.js"],
    math: {descend, start: (land) => LANDS[land].start},
    build,
  });
})();
