"use strict";
/* The part of the stage that draws: pictures with keys, axes, and drawn
   elements that can be dragged. stage.js says how they are used.          */

(() => {
  // ---------------------------------------------------------- drawing

  const SVG = "http://www.w3.org/2000/svg";
  const isRole = /^[a-z]+$/;
  const notRole = new Set(["none", "currentColor", "transparent"]);

  stage.picture = ({label, height, paint}) => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", label);
    const kept = new Map();
    let drawn, next;
    const p = {
      svg,
      put(tag, key, attrs, text) {
        let node = kept.get(key);
        if (!node) {
          node = document.createElementNS(SVG, tag);
          kept.set(key, node);
          svg.insertBefore(node, next);
        }
        next = node.nextSibling;
        drawn.add(key);
        for (const [name, value] of Object.entries(attrs)) {
          const color = (name === "fill" || name === "stroke")
            && isRole.test(value) && !notRole.has(value);
          const given = color ? `var(--${value})` : String(value);
          if (node.getAttribute(name) !== given) {
            node.setAttribute(name, given);
          }
        }
        if (text !== undefined && node.textContent !== text) {
          node.textContent = text;
        }
        return node;
      },
      axes: (key, options) => axes(p, key, options),
    };
    p.bar = (key, x, y, width, fall, fill, hatched) => {
      p.rect(key, {x, y: y + Math.min(0, fall), width,
        height: Math.abs(fall), fill});
      if (hatched) {
        p.path(`${key} hatch`, {stroke: "paper", "stroke-width": 1.3,
          "pointer-events": "none",
          d: hatch(x, y + Math.min(0, fall), width, Math.abs(fall))});
      }
    };
    for (const tag of ["rect", "line", "circle", "path", "text"]) {
      p[tag] = (...given) => p.put(tag, ...given);
    }
    return {
      svg,
      paint() {
        const wide = svg.parentNode.clientWidth;
        if (!wide) return;
        const high = typeof height === "function" ? height(wide) : height;
        svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
        svg.style.height = `${high}px`;
        drawn = new Set();
        next = svg.firstChild;
        paint(p, wide, high);
        for (const [key, node] of kept) {
          if (!drawn.has(key)) {
            node.remove();
            kept.delete(key);
          }
        }
      },
    };
  };

  stage.canvas = ({label, width, height, paint}) => {
    const canvas = document.createElement("canvas");
    if (label) {
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", label);
    } else canvas.ariaHidden = "true";
    const sized = (given, from) =>
      typeof given === "function" ? given(from) : given ?? from;
    return {
      canvas,
      paint() {
        const wide = sized(width, canvas.parentNode.clientWidth);
        const high = sized(height, wide), dots = devicePixelRatio || 1;
        const size = [wide, high].map((side) => Math.round(side * dots));
        if (canvas.width !== size[0] || canvas.height !== size[1]) {
          [canvas.width, canvas.height] = size;
          canvas.style.width = `${wide}px`;
          canvas.style.height = `${high}px`;
        }
        const context = canvas.getContext("2d");
        context.setTransform(dots, 0, 0, dots, 0, 0);
        context.clearRect(0, 0, wide, high);
        paint(context, wide, high);
      },
    };
  };

  // Slanted lines inside a rectangle: a second sign beside the color.
  function hatch(x, y, width, height, gap = 6) {
    let d = "";
    for (let c = gap; c < width + height; c += gap) {
      const a = Math.max(0, c - height), b = Math.min(width, c);
      d += `M${x + a} ${y + c - a}L${x + b} ${y + c - b}`;
    }
    return d;
  }

  function axes(p, key, {x, y, width, height, xs, ys, logX, logY,
    xlabel, ylabel, format = (v) => stage.number(v, 6).replace(/\.?0+$/, "")}) {
    const way = ([low, high], log, from, to) => {
      const [a, b, f] = log
        ? [Math.log10(low), Math.log10(high), Math.log10]
        : [low, high, Number];
      return (value) => from + (f(value) - a) / (b - a) * (to - from);
    };
    const at = {
      x: way(xs, logX, x, x + width), y: way(ys, logY, y + height, y),
    };
    p.path(`${key} frame`, {stroke: "muted", fill: "none",
      d: `M${x} ${y}V${y + height}H${x + width}`});
    const ticks = ([low, high], log, room) => {
      if (log) {
        const a = Math.ceil(Math.log10(low) - 1e-9);
        const b = Math.floor(Math.log10(high) + 1e-9);
        const every = Math.max(1, Math.ceil((b - a) / room));
        return Array.from({length: b - a + 1}, (_, i) => a + i)
          .filter((e) => e % every === 0).map((e) => [10 ** e, power(e)]);
      }
      const raw = (high - low) / room, unit = 10 ** Math.floor(Math.log10(raw));
      const step = unit * [1, 2, 5, 10].find((m) => m * unit >= raw * 0.999);
      const first = Math.ceil(low / step - 1e-9);
      const last = Math.floor(high / step + 1e-9);
      return Array.from({length: last - first + 1}, (_, i) =>
        [(first + i) * step, format((first + i) * step)]);
    };
    for (const [value, text] of ticks(xs, logX, width / 80)) {
      p.text(`${key} x ${text}`, {x: at.x(value), y: y + height + 17,
        class: "tick middle"}, text);
    }
    for (const [value, text] of ticks(ys, logY, height / 40)) {
      p.line(`${key} rule ${text}`, {x1: x, x2: x + width, y1: at.y(value),
        y2: at.y(value), stroke: "rule"});
      p.text(`${key} y ${text}`, {x: x - 6, y: at.y(value) + 4,
        class: "tick end"}, text);
    }
    if (xlabel) {
      p.text(`${key} xlabel`, {x: x + width, y: y + height + 34,
        class: "tick end"}, xlabel);
    }
    if (ylabel) p.text(`${key} ylabel`, {x, y: y - 8, class: "tick"}, ylabel);
    return at;
  }
  const power = (e) => e === 0 ? "1" : `10${String(e)
    .replace(/./g, (c) => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])}`;
  stage.line = (spots) => spots.length ? `M${spots.map(
    (spot) => spot.map((v) => v.toFixed(1)).join(" ")).join("L")}` : "";
  // Two digits, and a power of ten where it is needed.
  stage.brief = (v) => {
    const [digits, e] = v.toExponential(1).split("e");
    return v && (e < -3 || e > 4) ? `${digits} × ${power(+e)}`
      : String(Number(v.toPrecision(2))).replace("-", "−");
  };

  // ---------------------------------------------------------- dragging

  const dragged = new WeakMap();
  const arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1],
    ArrowDown: [0, -1], PageUp: [0, 10], PageDown: [0, -10]};

  stage.drag = (node, options) => {
    const known = dragged.has(node);
    dragged.set(node, options);
    const described = {role: "slider", tabindex: "0",
      "aria-label": options.label, "aria-valuenow": options.value ?? 0,
      "aria-valuemin": options.min, "aria-valuemax": options.max,
      "aria-valuetext": options.text};
    for (const [name, value] of Object.entries(described)) {
      if (value !== undefined) node.setAttribute(name, value);
    }
    if (known) return;
    node.classList.add("drag");
    const tell = (event) => {
      const frame = node.ownerSVGElement?.getBoundingClientRect()
        ?? node.getBoundingClientRect();
      dragged.get(node).move?.(
        event.clientX - frame.left, event.clientY - frame.top, event);
    };
    let held = null;
    const end = () => {
      if (held !== null) dragged.get(node).end?.();
      held = null;
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.button || held !== null) return;
      held = event.pointerId;
      node.setPointerCapture(held);
      node.focus({preventScroll: true, focusVisible: false});
      event.preventDefault();
      dragged.get(node).start?.(event);
      tell(event);
    });
    node.addEventListener("pointermove", (event) => {
      if (event.pointerId === held) tell(event);
    });
    node.addEventListener("pointerup", end);
    node.addEventListener("pointercancel", end);
    node.addEventListener("keydown", (event) => {
      if (!arrows[event.key] || event.altKey || event.ctrlKey
        || event.metaKey || !dragged.get(node).key) return;
      const times = event.shiftKey ? 10 : 1;
      dragged.get(node).key(...arrows[event.key].map((d) => d * times));
      event.preventDefault();
    });
  };
})();
