"use strict";
/* The four tensors of Chapter 1 with their first values, and where in a
   storage an element lies: index, strides, place, bytes.                  */

(() => {
  const SIZES = {W1: [784, 128], b1: [128], W2: [128, 10], b2: [10]};
  const BYTES = 4;

  // make_params(seed=0, scheme="normal"): the storages of the four.
  function storages(seed = 0) {
    const {normal} = generator(seed);
    return Object.fromEntries(Object.entries(SIZES).map(([name, shape]) => {
      if (shape.length === 1) return [name, new Float32Array(shape[0])];
      return [name, normal(shape[0] * shape[1])];
    }));
  }

  // What torch keeps of a view: shape, strides, offset.
  function viewOf(name, transposed = false) {
    const shape = SIZES[name];
    const strides = shape.map(
      (_, d) => shape.slice(d + 1).reduce((product, n) => product * n, 1));
    return transposed
      ? {shape: turned(shape), strides: turned(strides), offset: 0}
      : {shape, strides, offset: 0};
  }
  const turned = (list) => [...list].reverse();
  const placeOf = ({strides, offset}, index) =>
    index.reduce((sum, i, d) => sum + i * strides[d], offset);

  function build(s) {
    const values = storages(), caches = {};
    let name, transposed, view, index, window;
    const choose = (chosen, across, at) => {
      [name, transposed, index] = [chosen, across, at];
      view = viewOf(name, transposed);
      window = [0, 0];
      follow();
    };
    const shown = () => `${name}${transposed ? ".T" : ""}`;
    const rows = () => (view.shape.length === 2 ? view.shape[0] : 1);
    const columns = () => view.shape.at(-1);
    const at = (d) => (view.shape.length === 2 ? index[d] : d * index[0]);

    function move(row, column) {
      const held = [Math.max(0, Math.min(rows() - 1, row)),
        Math.max(0, Math.min(columns() - 1, column))];
      index = view.shape.length === 2 ? held : [held[1]];
      follow();
      s.paint();
    }
    const wide = 5, high = 5;
    function follow() {
      [high, wide].forEach((room, d) => {
        const size = d ? columns() : rows();
        window[d] = Math.max(0, Math.min(window[d], size - room,
          at(d)), at(d) - room + 1);
      });
    }

    const tensors = s.choice({
      label: "tensor", value: "W1",
      options: Object.keys(SIZES).map((n) => [n, n]),
      on: (n) => {
        choose(n, false, SIZES[n].map(() => 0));
        turn.checked = false;
        turn.disabled = SIZES[n].length === 1;
      },
    });
    const turn = s.check({
      label: "transposed", on: (on) => choose(name, on, turned(index)),
    });
    const facts = s.readout("mono facts");
    const [left, right] = [s.element("div"), s.element("div")];
    s.body.append(s.element("div", {className: "memory"}, left, right));

    // Left: everything to scale.
    function shade(n) {
      const color = s.color("weights");
      if (caches[n]?.color === color) return caches[n];
      const [height, width] = SIZES[n].length === 2 ? SIZES[n]
        : [1, SIZES[n][0]];
      const made = s.element("canvas", {width, height});
      const context = made.getContext("2d");
      const image = context.createImageData(width, height);
      const rgb = [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16));
      values[n].forEach((v, k) => image.data.set(
        [...rgb, 255 * Math.max(0, Math.min(1, 0.5 + v / 6))], 4 * k));
      context.putImageData(image, 0, 0);
      return caches[n] = Object.assign(made, {color});
    }
    const side = () => left.clientWidth;         // of the picture
    const unit = () => (side() - 4) / 784;       // one number
    const overview = s.canvas({
      label: "The four tensors to scale", parent: left,
      height: (width) => Math.max(width, 150),
      paint(context) {
        for (const [n, [x, y]] of Object.entries(layout())) {
          const made = shade(n), flat = n === name && transposed;
          const [w, h] = [made.width * unit(), made.height * unit()];
          context.save();
          context.translate(x, y);
          if (flat) context.transform(0, 1, 1, 0, 0, 0);
          context.drawImage(made, 0, 0, w, h);
          context.strokeStyle = s.color(n === name ? "weights" : "muted");
          context.lineWidth = n === name ? 1.5 : 0.75;
          context.strokeRect(0, 0, w, h);
          context.restore();
          context.fillStyle = s.color(n === name ? "ink" : "muted");
          context.font = `12px ${getComputedStyle(s.body).fontFamily}`;
          if (flat) context.fillText(shown(), x, y + w + 15);
          else context.fillText(n, x + w + 6, y + 10);
        }
        const [x, y] = layout()[name];
        context.strokeStyle = s.color("forward");
        context.lineWidth = 2;
        context.strokeRect(
          x + at(1) * unit() - 3, y + at(0) * unit() - 3, 7, 7);
      },
    });
    // Top left corners; a transposed W1 has the others below it.
    function layout() {
      const lies = name === "W1" && transposed, short = 128 * unit();
      const x = lies ? 2 : short + 36, y = lies ? short + 30 : 24;
      return {
        W1: [2, 2], b1: [x, y], W2: [x, y + 26], b2: [x, y + short + 46],
      };
    }

    // Right: a part of the chosen tensor, its numbers written out.
    const EDGE = 34;
    const cellOf = (width) => (width - EDGE) / wide;
    const zoom = s.picture({
      label: "A part of the chosen tensor", parent: right, height: 268,
      paint(p, width) {
        const cell = cellOf(width), tall = 44;
        p.text("name", {x: EDGE, y: 12, class: "strong", fill: "weights"},
          `${shown()}  [${view.shape.join(", ")}]`);
        for (let r = 0; r < Math.min(high, rows()); r += 1) {
          const row = window[0] + r, y = 44 + r * tall;
          p.text(`row${r}`, {x: EDGE - 8, y: y + 27, class: "tick end"},
            rows() > 1 ? String(row) : "");
          for (let c = 0; c < Math.min(wide, columns()); c += 1) {
            const column = window[1] + c, x = EDGE + c * cell;
            if (r === 0) {
              p.text(`column${c}`, {x: x + cell / 2, y: 36,
                class: "tick middle"}, String(column));
            }
            const here = row === at(0) && column === at(1);
            const spot = view.shape.length === 2 ? [row, column] : [column];
            number(p, `${r} ${c}`, x, y, cell, tall, placeOf(view, spot), here);
          }
        }
        const x = EDGE + (at(1) - window[1]) * cell;
        const y = 44 + (at(0) - window[0]) * tall;
        const place = placeOf(view, index);
        s.drag(p.rect("here", {x: x + 1, y: y + 1, width: cell - 2,
          height: tall - 2, fill: "transparent", stroke: "forward",
          "stroke-width": 2}), {
          label: `element of ${shown()}`, min: 0,
          max: values[name].length - 1, value: place,
          text: `index ${index.join(", ")}, place ${place}, ${
            stage.number(values[name][place])}`,
          move: point,
          key: (dx, dy) => move(at(0) - dy, at(1) + dx),
        });
      },
    });
    function number(p, key, x, y, width, height, place, here) {
      p.rect(`cell ${key}`, {x, y, width, height, fill: "none",
        stroke: "rule"});
      p.text(`value ${key}`, {x: x + width / 2, y: y + height / 2 + 5,
        class: `middle ${width < 44 ? "small" : ""} ${here ? "strong" : ""}`,
        fill: here ? "forward" : "ink"},
      stage.number(values[name][place]));
    }
    function point(x, y) {
      const cell = cellOf(right.clientWidth);
      const inside = (v, room) =>
        Math.max(0, Math.min(room - 1, Math.floor(v)));
      move(window[0] + inside((y - 44) / 44, high),
        window[1] + inside((x - EDGE) / cell, wide));
    }
    zoom.svg.addEventListener("pointermove", (event) => {
      const frame = zoom.svg.getBoundingClientRect();
      const x = event.clientX - frame.left, y = event.clientY - frame.top;
      if (event.pointerType === "mouse" && x > EDGE && y > 44
        && y < 44 + 44 * Math.min(high, rows())) point(x, y);
    });

    // Below: the storage around the element.
    s.picture({
      label: "The storage", height: 104,
      paint(p, width) {
        const count = width < 480 ? 7 : 11, cell = width / count;
        const place = placeOf(view, index), all = values[name].length;
        const first = Math.max(0,
          Math.min(place - Math.floor(count / 2), all - count));
        p.text("name", {x: 0, y: 24, class: "strong"},
          `storage of ${name}: ${stage.count(all)} numbers in ${
            stage.count(all * BYTES)} bytes`);
        for (let k = 0; k < Math.min(count, all); k += 1) {
          const here = first + k === place, x = k * cell + 1;
          number(p, `s${k}`, x, 36, cell - (k === count - 1 ? 2 : 0), 34,
            first + k, here);
          p.text(`place${k}`, {x: x + cell / 2, y: 88,
            class: here ? "small middle strong" : "tick middle",
            fill: here ? "forward" : "muted"}, stage.count(first + k));
        }
        p.rect("here", {x: (place - first) * cell + 2, y: 37,
          width: cell - 3, height: 32, fill: "none", stroke: "forward",
          "stroke-width": 2});
      },
    });
    const line = s.readout("mono");
    s.onPaint(() => {
      s.drag(overview.canvas, {
        label: `place in ${shown()}`, min: 0, max: values[name].length - 1,
        value: placeOf(view, index), text: `index ${index.join(", ")}`,
        move(x, y) {
          const [x0, y0] = layout()[name];
          move(Math.round((y - y0) / unit()), Math.round((x - x0) / unit()));
        },
        key: (dx, dy) => move(at(0) - dy, at(1) + dx),
      });
      const place = placeOf(view, index), list = (v) => `(${v.join(", ")}${
        v.length === 1 ? "," : ""})`;
      facts.textContent = `shape ${list(view.shape)}   strides ${
        list(view.strides)}   offset ${view.offset}`;
      line.textContent = `${shown()}[${index.join(", ")}] is at ${view.offset}${
        index.map((i, d) => ` + ${i} × ${view.strides[d]}`).join("")} = ${
        place}: bytes ${place * BYTES} to ${place * BYTES + BYTES - 1}`;
      s.say(`${facts.textContent}. ${line.textContent}. Value ${
        stage.number(values[name][place], 4)}`);
    });
    choose("W1", false, [1, 3]);
    tensors.box.after(turn.parentNode);
  }

  stage("tensor-memory", {
    title: "Where the numbers of a tensor lie",
    hint: "Point at a number, or move with the arrow keys. Then transpose.",
    caption: "The four tensors to scale, one unit of area a number, stronger "
      + "where it is larger; a part of the chosen one; and the storage "
      + "around the framed number. Transposing swaps the strides, and the "
      + "number keeps its place.",
    needs: ["generator.js"],
    math: {
      viewOf, placeOf,
      values: (name, from, to) =>
        Array.from(storages()[name].slice(from, to)),
    },
    build,
  });
})();
