"use strict";
/* How much a CPU and a GPU finish in the same time, replayed from what
   Chapter 9 measured, and from what it computed of a card ("paper").
   Nothing is measured in the page.                                        */

(() => {
  const TITLES = {cpu: "CPU", cuda: "GPU", paper: "GPU, computed"};
  const ROLES = {cpu: "forward", cuda: "backward", paper: "weights"};
  const DASHES = {cpu: "none", cuda: "2 3", paper: "6 4"};
  const SCREEN = 4, DOTS = 200;       // seconds to watch, dots in a lane

  // The newest record with a GPU, or else the newest.
  const chosen = (records) =>
    records.find((record) => record.devices.cuda) ?? records[0];

  // Lanes: what runs, on which device, seconds for one.
  function lanes(record, work, n) {
    return Object.entries(record.devices).flatMap(([device, found]) => {
      if (work === "products") {
        const row = found.products.find(([size]) => size === n);
        return row ? [{device, name: TITLES[device], seconds: row[1]}] : [];
      }
      return Object.entries(found.batches).map(([name, rate]) => ({
        device, name: `${TITLES[device]}, ${name}`, seconds: 1 / rate,
      }));
    });
  }

  // Where two curves of [n, seconds] meet, as straight lines between the
  // measured points on logarithmic axes; null where they do not.
  function crossover(a, b) {
    const other = new Map(b), points = a.filter(([n]) => other.has(n))
      .map(([n, t]) => [Math.log(n), Math.log(t / other.get(n))]);
    for (let i = points.length - 1; i > 0; i -= 1) {
      const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
      if (y0 < 0 && y1 >= 0) {
        return Math.exp(x0 - y0 * (x1 - x0) / (y1 - y0));
      }
    }
    return null;
  }

  // The time of a replay: the fastest lane fills all its dots.
  const span = (all) => DOTS * Math.min(...all.map((lane) => lane.seconds));
  const finished = (time, seconds) => Math.floor(time / seconds + 1e-9);

  function duration(seconds) {
    const units = [["s", 1], ["ms", 1e-3], ["µs", 1e-6], ["ns", 1e-9]];
    const [name, size] = units.find(([, unit]) => seconds >= unit)
      ?? units.at(-1);
    return `${Number((seconds / size).toPrecision(3))} ${name}`;
  }

  function build(s) {
    const record = chosen(RATES), {devices} = record;
    const sizes = [...new Set(Object.values(devices)
      .flatMap(({products}) => products.map(([n]) => n)))]
      .sort((a, b) => a - b);
    const meets = crossover(
      devices.cpu.products, (devices.cuda ?? devices.paper).products);
    let work = "batches", at = Math.floor(sizes.length / 2), elapsed = SCREEN;
    const now = () => lanes(record, work, sizes[at]);

    const player = s.play({
      label: "Play again",
      step(seconds) {
        elapsed = Math.min(SCREEN, elapsed + seconds);
        return elapsed < SCREEN;
      },
    });
    player.button.addEventListener("click", () => {
      if (player.playing && elapsed >= SCREEN) elapsed = 0;
      s.paint();
    });
    s.choice({
      label: "work", value: work,
      options: [["batches", "training"], ["products", "products of matrices"]],
      on: (kind) => {
        work = kind;
        size.input.disabled = kind !== "products";
        elapsed = SCREEN;
      },
    });
    s.row();
    const size = s.slider({
      label: "matrix size n", min: 0, max: sizes.length - 1, value: at,
      format: (i) => String(sizes[i]),
      on: (i) => { at = i; elapsed = SCREEN; },
    });
    size.input.disabled = true;

    s.picture({
      label: "Finished in the same time",
      height: () => 28 + now().length * 58,
      paint(p, width) {
        const all = now(), time = span(all) * elapsed / SCREEN;
        const columns = DOTS / 4, step = width / columns;
        const dot = Math.min(7, step - 1.5);
        p.text("time", {x: 0, y: 16, class: "tick"},
          `after ${duration(time)}${work === "products"
            ? `: products [${sizes[at]}, ${sizes[at]}] @ [${sizes[at]}, ${
              sizes[at]}]` : `: batches of ${record.batch} images learned`}`);
        all.forEach(({device, name, seconds}, row) => {
          const y = 28 + row * 58, n = finished(time, seconds);
          p.text(`name${row}`, {x: 0, y: y + 13, class: "strong",
            fill: ROLES[device]}, name);
          p.text(`count${row}`, {x: width, y: y + 13, class: "end"},
            `${n} finished, ${duration(seconds)} each`);
          let d = "";
          for (let k = 0; k < Math.min(n, DOTS); k += 1) {
            const x = (k % columns) * step, top = y + 20
              + Math.floor(k / columns) * 8;
            d += `M${x.toFixed(1)} ${top}h${dot}v6h${-dot}z`;
          }
          p.path(`dots${row}`, {d, fill: ROLES[device]});
        });
      },
    });

    const ranges = Object.values(devices).flatMap((d) => d.products);
    const times = ranges.map(([, t]) => t);
    s.picture({
      label: "Seconds of a product over its size", height: 250,
      paint(p, width) {
        const chart = p.axes("axes", {
          x: 48, y: 26, width: width - 150, height: 180,
          xs: [sizes[0] * 0.9, sizes.at(-1) * 1.1], logX: true,
          ys: [Math.min(...times) / 2, Math.max(...times) * 2], logY: true,
          ylabel: "seconds of [n, n] @ [n, n]", xlabel: "n",
        });
        if (work === "products") {
          p.line("here", {x1: chart.x(sizes[at]), x2: chart.x(sizes[at]),
            y1: 26, y2: 206, stroke: "muted", "stroke-dasharray": "3 3"});
        }
        for (const [device, {products}] of Object.entries(devices)) {
          const points = products.map(([n, t]) => [chart.x(n), chart.y(t)]);
          p.path(`line ${device}`, {fill: "none", stroke: ROLES[device],
            "stroke-width": 2, "stroke-dasharray": DASHES[device],
            d: `M${points.join("L")}`});
          points.forEach(([x, y], i) => p.circle(`${device} ${i}`, {
            cx: x, cy: y, fill: ROLES[device],
            r: work === "products" && products[i][0] === sizes[at] ? 5.5 : 3,
          }));
          p.text(`end ${device}`, {x: points.at(-1)[0] + 8,
            y: points.at(-1)[1] + 4, class: "strong", fill: ROLES[device]},
          TITLES[device]);
        }
      },
    });
    const line = s.readout(), source = s.readout("source");
    const {paper, ...measured} = record.names;
    source.textContent = `Measured on ${Object.entries(measured)
      .map(([device, name]) => `${TITLES[device]}: ${name}`).join("; ")
    }; torch ${record.torch}, ${record.date}. Computed from the published `
      + `figures of an ${paper}.`;

    s.onPaint(() => {
      const all = now(), best = all.reduce(
        (a, b) => (b.seconds < a.seconds ? b : a));
      const worst = all.reduce((a, b) => (b.seconds > a.seconds ? b : a));
      const ratio = (worst.seconds / best.seconds).toPrecision(2);
      line.textContent = `${best.name} finishes ${Number(ratio)} times as `
        + `many as ${worst.name}.${work === "products" && meets
          ? ` The two meet near n = ${Math.round(meets)}.` : ""}`;
      s.say(`${all.map((lane) => `${lane.name}: ${
        duration(lane.seconds)} each`).join("; ")}. ${line.textContent}`);
    });
  }

  stage("devices", {
    title: "CPU and GPU in the same time",
    hint: "Play; then let products of matrices run, and choose their size.",
    caption: "What each device finishes in the same time, replayed in slow "
      + "motion from measured and computed times, and the time of one "
      + "product over its size.",
    needs: ["rates.js"],
    math: {chosen, lanes, crossover, finished, span},
    build,
  });
})();
