"use strict";
/* What is inside a layer of Chapter 10: the tensors that it keeps, the raw
   operations of a call, and the lines that were written for it.           */

(() => {
  const MEANING = {
    addmm: "A matrix product, with the bias added to each row.",
    mm: "A matrix product.",
    bmm: "Many matrix products, one for each image and head.",
    relu: "Zero where a number is negative.",
    clamp_min: "Zero where a number is negative.",
    empty_like: "Room for as many numbers, not yet filled.",
    bernoulli_: "Ones and zeros, drawn at random.",
    arange: "The numbers of the pixels, row by row.",
    constant_pad_nd: "A border of one value around it.",
    index_select: "Pixels picked by their numbers, window by window.",
    clone: "A copy in memory, in the order of the new shape.",
    view: "Another shape for the same numbers.",
    mean: "A sum, divided by how many there are.",
    sub: "A difference, element by element.",
    add: "A sum, element by element.",
    add_: "A sum, in place.",
    mul: "A product, element by element.",
    mul_: "A product, in place.",
    div: "A quotient, element by element.",
    pow: "The square of each element.",
    sqrt: "The root of each element.",
    softmax: "Scores made into weights with a sum of one.",
  };

  const volume = (shape) => shape.reduce((product, n) => product * n, 1);
  const kept = (tensors) => Object.values(tensors)
    .reduce((sum, shape) => sum + volume(shape), 0);
  const shape = (size) => `[${size.join(", ")}]`;

  // The most numbers that any operation of a layer makes.
  const largest = (layer) =>
    Math.max(...layer.operations.map((op) => volume(op.output)));

  function build(s) {
    const ROW = 26;
    let layer = LAYERS[0], at = 0;

    s.choice({
      label: "layer", value: layer.name,
      options: LAYERS.map(({name}) => [name, name]),
      on: (name) => {
        layer = LAYERS.find((other) => other.name === name);
        at = 0;
      },
    });
    const flow = s.readout(), held = s.element("ul", {className: "held"});
    s.body.append(held);

    const chain = s.picture({
      label: "The operations of one call, in order",
      height: () => 30 + layer.operations.length * ROW,
      paint(p, width) {
        const narrow = width < 480, name = 26;
        const size = narrow ? 150 : 190, bar = narrow ? 252 : 320;
        p.text("title", {x: 0, y: 14, class: "tick"}, "operation");
        p.text("shapes", {x: size, y: 14, class: "tick"}, "makes");
        p.text("sizes", {x: bar, y: 14, class: "tick"}, "numbers");
        layer.operations.forEach((op, n) => {
          const y = 24 + n * ROW, here = n === at;
          const key = `${layer.name} ${n}`;
          const count = volume(op.output);
          if (here) {
            p.rect(`${key} band`, {x: -4, y, width: width + 8, height: ROW,
              fill: "code"});
          }
          p.text(`${key} n`, {x: 16, y: y + 17, class: "tick end"},
            String(n + 1));
          p.text(`${key} name`, {x: name, y: y + 17, fill: "forward",
            class: here ? "mono strong" : "mono"}, op.name);
          p.text(`${key} shape`, {x: size, y: y + 17,
            class: narrow ? "small" : ""}, shape(op.output));
          p.bar(`${key} bar`, bar, y + 8, Math.max(1,
            (width - bar) * count / largest(layer)), 10, "forward");
        });
        s.drag(p.rect("hit", {x: -4, y: 24, width: width + 8,
          height: layer.operations.length * ROW, fill: "transparent"}), {
          label: "operation", min: 1, max: layer.operations.length,
          value: at + 1, text: told(),
          move: (x, y) => choose(Math.floor((y - 24) / ROW)),
          key: (dx, dy) => choose(at + dx - dy),
        });
      },
    });
    chain.svg.addEventListener("pointermove", (event) => {
      const y = event.clientY - chain.svg.getBoundingClientRect().top;
      if (event.pointerType === "mouse" && y > 24) {
        choose(Math.floor((y - 24) / ROW));
      }
    });
    function choose(n) {
      at = Math.max(0, Math.min(layer.operations.length - 1, n));
      s.paint();
    }
    function told() {
      const {name, inputs, output} = layer.operations[at];
      return `${at + 1}. ${name}: ${inputs.map(shape).join(", ") || "nothing"
      } → ${shape(output)}. ${MEANING[name] ?? ""}`;
    }

    const line = s.readout("told");
    const code = s.element("pre", {tabIndex: 0, className: "stage-code",
      "aria-label": "The lines that Chapter 10 wrote"});
    s.body.append(code);

    let written;
    s.onPaint(() => {
      const {name, parameters, buffers, inputs, output} = layer;
      const into = [...new Set(inputs.map(shape))].join(", ");
      const count = kept(parameters);
      flow.textContent = `${name} takes ${into} and returns ${
        shape(output)}. ${count
        ? `It has ${stage.count(count)} parameters:` : "It keeps nothing."}`;
      if (written !== layer) {
        written = layer;
        held.replaceChildren(...[[parameters, "weights", ""],
          [buffers, "", ", a buffer"]].flatMap(([tensors, role, note]) =>
          Object.entries(tensors).map(([key, size]) => s.element(
            "li", {className: role}, `${key} ${shape(size)}${note}`))));
        code.textContent = layer.source.join("\n\n");
      }
      line.textContent = told();
      s.say(`${name}, ${layer.operations.length} operations. ${told()}`);
    });
  }

  stage("anatomy", {
    title: "What is inside a layer",
    hint: "Choose a layer, then point at an operation or walk with the "
      + "arrow keys.",
    caption: "A layer opened: the tensors that it keeps, the raw operations "
      + "of one call in training mode, and the lines of this chapter that "
      + "ask for them.",
    needs: ["layers.js"],
    math: {volume, kept, largest, MEANING: () => Object.keys(MEANING)},
    build,
  });
})();
