"use strict";
/* A network with 16 hidden units learns to tell disks from triangles in the
   plane, by the loop of Chapter 7: loader, backward, optimizer.           */

(() => {
  const SIZES = [2, 16, 2], VIEW = 1.25, GRID = 144;

  // 200 points of two classes, the first half of the first.
  function points(kind) {
    if (kind === "spirals") return learning.spirals();
    const {word} = generator(1), y = Array(200).fill(0).fill(1, 100);
    const uniform = () => word() / 2 ** 31 - 1;
    return learning.data(y.map((label) => {
      const [a, b] = [uniform(), uniform()];
      if (kind === "quarters") {
        return [a, (label ? -1 : 1) * Math.sign(a) * Math.abs(b)];
      }
      const angle = Math.PI * a, r = 0.35 + 0.5 * label + 0.12 * b;
      return [r * Math.cos(angle), r * Math.sin(angle)];
    }), y);
  }

  // A training, step by step; `options` may change on the way.
  function training({set, params, optimizer, options, batchSize, seed = 0}) {
    const step = learning.makeOptimizer(optimizer, options);
    const epoch = learning.loader(set.y.length, batchSize, seed);
    let waiting = [], total = 0, seen = 0;
    const self = {
      losses: [], steps: 0,
      one() {                                // one batch → its loss
        if (!waiting.length) waiting = epoch();
        const {x, y} = learning.rows(set, waiting.shift());
        const {loss, grads} = learning.backward(x, y, params);
        step(params, grads);
        total += loss * y.length;
        seen += y.length;
        self.steps += 1;
        if (!waiting.length) {
          self.losses.push(total / seen);
          total = seen = 0;
        }
        return loss;
      },
      epoch() { do self.one(); while (waiting.length); },
    };
    return self;
  }

  // scratch.train.evaluate on the whole set.
  function evaluate(params, {x, y}) {
    const {logits} = learning.forward(x, params);
    return y.filter((label, n) =>
      +(logits[2 * n + 1] > logits[2 * n]) === label).length / y.length;
  }

  // Epochs from given weights and data: the losses, the weights, the share.
  function train(epochs, {set, params, ...rest}) {
    const held = params.map((p) => Float64Array.from(p));
    const run = training({set, params: held, ...rest});
    for (let i = 0; i < epochs; i += 1) run.epoch();
    return {losses: run.losses, params: held.map((p) => Array.from(p)),
      accuracy: evaluate(held, set)};
  }

  function build(s) {
    let kind = "spirals", optimizer = "adam", batchSize = 20, seed = 0;
    const options = {lr: learning.RATES.adam};
    let set, params, run, due = 0;
    function begin() {
      set = points(kind);
      params = learning.makeParams(SIZES, seed);
      run = training({set, params, optimizer, options, batchSize, seed});
    }
    begin();

    s.choice({
      label: "points", value: kind, options: ["spirals", "rings", "quarters"]
        .map((name) => [name, name]),
      on: (chosen) => { kind = chosen; begin(); },
    });
    const [left, right] = [s.element("div"), s.element("div")];
    s.body.append(s.element("div", {className: "pair"}, left, right));

    // What it answers: two colors, and a line where both are as likely.
    const small = s.element("canvas", {width: GRID, height: GRID});
    const brush = small.getContext("2d");
    const image = brush.createImageData(GRID, GRID);
    const rgb = (role) => [1, 3, 5].map(
      (i) => parseInt(s.color(role).slice(i, i + 2), 16));
    function answers() {
      const [W1, b1, W2, b2] = params, H = b1.length;
      const colors = [rgb("forward"), rgb("weights")], ink = rgb("ink");
      const lead = new Float64Array(GRID * GRID);
      for (let n = 0; n < lead.length; n += 1) {
        const x = VIEW * ((2 * (n % GRID) + 1) / GRID - 1);
        const y = VIEW * (1 - (2 * Math.floor(n / GRID) + 1) / GRID);
        let z = b2[1] - b2[0];
        for (let j = 0; j < H; j += 1) {
          const h = x * W1[j] + y * W1[H + j] + b1[j];
          if (h > 0) z += h * (W2[2 * j + 1] - W2[2 * j]);
        }
        lead[n] = z;
        const edge = (n % GRID && (lead[n - 1] > 0) !== (z > 0))
          || (n >= GRID && (lead[n - GRID] > 0) !== (z > 0));
        const sure = Math.tanh(Math.abs(z) / 2);     // |2p − 1|
        image.data.set(edge ? [...ink, 210]
          : [...colors[z > 0 ? 1 : 0], 20 + 55 * sure], 4 * n);
      }
      brush.putImageData(image, 0, 0);
    }
    s.canvas({
      label: "What the network answers in the plane", parent: left,
      height: (width) => width, paint(context, width) {
      answers();
      context.drawImage(small, 0, 0, width, width);
      const at = (v) => (v / VIEW + 1) / 2 * width;
      const r = Math.max(2.6, width / 105);
      set.y.forEach((label, n) => {
        const [a, b] = [at(set.x[2 * n]), width - at(set.x[2 * n + 1])];
        context.beginPath();
        if (label) {
          context.moveTo(a, b - 1.3 * r);
          context.lineTo(a + 1.2 * r, b + 0.9 * r);
          context.lineTo(a - 1.2 * r, b + 0.9 * r);
        } else context.arc(a, b, r, 0, 7);
        context.fillStyle = s.color(label ? "weights" : "forward");
        context.fill();
      });
    }});
    s.picture({
      label: "The loss of each epoch", parent: right,
      height: (width) => Math.min(width, 330), paint(p, width, height) {
      const {losses} = run, n = losses.length;
      const held = losses.map((v) => Math.max(1e-9, v < 1e9 ? v : 1e9));
      const chart = p.axes("loss", {x: 46, y: 26, width: width - 60,
        height: height - 66, xs: [0, Math.max(100, n)], logY: true,
        ys: [Math.min(0.1, ...held) * 0.7, Math.max(1, ...held) * 1.3],
        ylabel: "loss", xlabel: "epoch"});
      const spots = held.map((v, i) => [chart.x(i + 1), chart.y(v)]);
      p.path("line",
        {d: stage.line(spots), class: "curve", stroke: "backward"});
      const [cx, cy] = spots.at(-1) ?? [-99, 0];
      p.circle("end", {cx, cy, r: spots.length && 3.5, fill: "backward"});
    }});
    const text = s.readout();
    s.row();
    const player = s.play({
      step(seconds) {
        due = Math.min(4, due + 40 * seconds);     // epochs a second
        const start = performance.now();
        for (; due >= 1 && performance.now() - start < 9; due -= 1) {
          run.epoch();
        }
        return run.losses.length < 2000;
      },
    });
    const act = (label, does) => s.button(label, () => {
      player.stop();
      does();
      s.paint();
    });
    act("One step", () => run.one());
    act("One epoch", () => run.epoch());
    act("Other weights", () => { seed += 1; begin(); });
    s.row();
    s.choice({
      label: "optimizer", value: optimizer, options: learning.NAMES,
      on: (name) => {
        optimizer = name;
        options.lr = learning.RATES[name];
        rate.value = Math.log10(options.lr);
        begin();
      },
    });
    s.choice({
      label: "batch size", value: batchSize,
      options: [1, 5, 20, 50, 200].map((n) => [n, n]),
      on: (n) => { batchSize = n; begin(); },
    });
    s.row();
    const rate = s.slider({
      label: "learning rate", min: -4, max: 1, step: 0.05,
      value: Math.log10(options.lr), format: (v) => stage.brief(10 ** v),
      on: (v) => { options.lr = 10 ** v; },
    });
    s.onPaint(() => {
      const loss = run.losses.at(-1), share = evaluate(params, set);
      const lost = run.losses.length > 2 && !(loss < 1);
      text.textContent = `Epoch ${run.losses.length}, step ${
        stage.count(run.steps)}. ${loss === undefined ? ""
        : `Loss ${stage.brief(loss)}. `}${Math.round(100 * share)
      }% of the points are right.${lost
        ? " Guessing has a loss of 0.69: this rate is too large." : ""}`;
      s.say(text.textContent);
    });
  }

  stage("live-training", {
    title: "Training in the page",
    hint: "Press Play and watch the boundary form; change the rate on the way.",
    caption: "A network with 16 hidden units, trained in this page: what it "
      + "answers in the plane, and its loss. The line is where both classes "
      + "are equally likely.",
    needs: ["generator.js", "learning.js"],
    math: {points: (kind) => {
      const {x, y} = points(kind);
      return {x: Array.from(x), y};
    }, train},
    build,
  });
})();
