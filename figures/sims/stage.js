"use strict";
/* The stage of the simulations: it finds each `.sim` div of a page, loads
   figures/sims/NAME.js for its data-sim="NAME", and puts the simulation in
   place of the still, which stays for print and for pages without script.

   A simulation is one call:

     stage("cross-entropy", {
       title: "Cross-entropy",   // its name, for screen readers
       hint: "Drag a bar.",      // one line, shown above
       caption: "…",             // on screen, where the still's does not fit
       needs: ["generator.js"],  // files beside this one, loaded first
       math: {softmax},          // pure functions, for the tests: they are
       build(s) {…},             // at scratchSims["cross-entropy"].math
     });

   build(s) makes the simulation from nothing and keeps its state in local
   variables: the Reset button empties the stage and calls build again.
   Things appear in the order in which they are made.

   s.picture({label, height, paint, parent}) → {svg, paint}
       An SVG whose units are CSS pixels. height is a number or a function of
       the width. paint(p, width, height) runs on every s.paint(), resize and
       theme change; it draws with keys, and what one paint does not draw
       again is taken away:  p.rect(key, attrs), p.line, p.circle, p.path,
       p.text(key, attrs, string), p.put(tag, key, attrs, string);
       p.bar(key, x, y, width, height, fill, hatched): down if height < 0 is up.
       fill and stroke take the name of a role ("forward") or a color.
       p.axes(key, {x, y, width, height, xs: [min, max], ys: [min, max],
       logX, logY, xlabel, ylabel}) draws axes and returns {x, y}: functions
       from values to pixels.
   s.canvas({label, width, height, paint, parent}) → {canvas, paint}
       The same with paint(context, width, height), in CSS pixels.
   s.color(role)           the role's color now, for a canvas
   s.slider({label, min, max, step, value, format, on}) → {value, input}
   s.button(label, on) → button            s.check({label, value, on})
   s.choice({label, options: [[value, text], …], value, on}) → {value}
       Each stands in the last row, or in {parent}; s.row() begins a new row.
   s.drag(element, {label, value, min, max, text, move, key, start, end})
       Makes a drawn element a slider for mouse, touch, pen and keys.
       move(x, y): the pointer, in the picture's pixels. key(dx, dy): arrows
       in steps of 1 (with Shift or Page keys 10); dy is up. Call it anew in
       each paint: values and functions are replaced, listeners are not.
   s.play({step, label, auto}) → {start, stop, toggle, playing}
       A Play button. step(seconds) runs each frame while the stage is on
       screen, until it returns false. With reduced motion: two steps a
       second, and never by itself.
   s.say(text)             to screen readers, once the values rest
   s.readout(className) → element          a line of text; set textContent
   s.element(tag, attrs, ...children) → element, not yet placed; s.body
   s.paint()               paint everything before the next frame, and call
   s.onPaint(function)     …this; s.done(function) is called before a reset
   s.reduced               whether the reader asked for less motion
   stage.number(value, digits), stage.count(n): with a true minus, commas   */

(() => {
  const base = document.currentScript.src.replace(/[^/]*$/, "");
  const root = document.documentElement;
  const less = matchMedia("(prefers-reduced-motion: reduce)");
  const places = new Map(), stages = new Set(), scripts = new Map();
  const sims = globalThis.scratchSims = {};

  globalThis.stage = (name, sim) => {
    sims[name] = sim;
    Promise.all(["drawing.js", ...sim.needs ?? []].map(load)).then(() => {
      for (const place of places.get(name) ?? []) mount(place, sim);
    });
  };

  stage.number = (value, digits = 2) => {
    if (Number.isNaN(value)) return "nan";
    if (!Number.isFinite(value)) return value < 0 ? "−inf" : "inf";
    const text = value.toFixed(digits);
    return (+text === 0 ? text.replace("-", "") : text).replace("-", "−");
  };
  stage.count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

  function load(file) {
    if (!scripts.has(file)) scripts.set(file, new Promise((done) => {
      document.head.append(
        element("script", {src: base + file, onload: done}));
    }));
    return scripts.get(file);
  }

  function element(tag, attrs = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attrs)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name in made && name !== "list") made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  function mount(place, sim) {
    const figure = place.querySelector("figure") ?? place;
    const caption = figure.querySelector("figcaption");
    for (const child of Array.from(figure.childNodes)) {
      if (child === caption) continue;
      const still = element("div", {className: "still"});
      child.replaceWith(still);
      still.append(child);
    }
    const label = caption?.querySelector(".caption-label");
    if (sim.caption && label) {
      const still = element("span", {className: "still"});
      while (label.nextSibling) still.append(label.nextSibling);
      label.after(still, element(
        "span", {className: "on-stage"}, ` ${sim.caption}`));
    }
    const body = element("div", {className: "stage-body"});
    const said = element("p", {className: "stage-said", role: "status"});
    const reset = element("button", {type: "button", onclick: raise}, "Reset");
    const box = element(
      "div", {className: "stage", role: "group", "aria-label": sim.title},
      element("div", {className: "stage-head"},
        element("p", {}, sim.hint), reset), body, said);
    figure.insertBefore(box, caption?.parentNode === figure ? caption : null);
    place.classList.add("live");
    let s;
    function raise() {
      if (s) s.close();
      body.replaceChildren();
      s = open(body, said);
      sim.build(s);
      s.flush();
    }
    raise();
    new ResizeObserver(() => s.paint()).observe(body);
    stages.add(() => s.paint());
  }

  const repaint = () => stages.forEach((paint) => paint());
  new MutationObserver(repaint).observe(root, {attributes: true});
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", repaint);

  // One life of a simulation, from build to reset.
  function open(body, said) {
    const painters = [], endings = [];
    let row, frame = 0, speech = 0, silent = true;
    const place = (made, parent) => {
      (parent ?? row ?? s.row()).append(made);
      return made;
    };
    const show = (made, parent) => {
      row = null;
      (parent ?? body).append(made.svg ?? made.canvas ?? made);
      if (made.svg || made.canvas) painters.push(made.paint);
      return made;
    };
    const s = {
      body, element,
      get reduced() { return less.matches; },
      color: (role) => getComputedStyle(root)
        .getPropertyValue(`--${role}`).trim() || role,
      paint() { frame ||= requestAnimationFrame(s.flush); },
      flush() {
        cancelAnimationFrame(frame);
        frame = 0;
        for (const paint of painters) paint();
        silent = false;
      },
      onPaint: (paint) => painters.push(paint),
      done: (ending) => endings.push(ending),
      close() {
        cancelAnimationFrame(frame);
        clearTimeout(speech);
        for (const ending of endings) ending();
      },
      say(text) {
        clearTimeout(speech);
        if (silent) return;
        speech = setTimeout(() => { said.textContent = text; }, 400);
      },
      row(className = "") {
        body.append(row = element(
          "div", {className: `stage-row ${className}`}));
        return row;
      },
      readout(className = "", parent) {
        return show(element(
          "p", {className: `stage-readout ${className}`}), parent);
      },
      button(label, on, {parent} = {}) {
        return place(element(
          "button", {type: "button", onclick: on}, label), parent);
      },
      check({label, value = false, on, parent}) {
        const input = element("input", {type: "checkbox", checked: value,
          onchange: () => { on(input.checked); s.paint(); }});
        place(element("label", {}, input, ` ${label}`), parent);
        return input;
      },
      slider({label, min, max, step = 1, value, format = String, on, parent}) {
        const shown = element("output");
        const input = element("input", {type: "range", min, max, step, value});
        const tell = () => {
          shown.textContent = format(+input.value);
          input.setAttribute("aria-valuetext", shown.textContent);
        };
        input.addEventListener("input", () => {
          tell();
          on(+input.value);
          s.paint();
        });
        tell();
        place(element("label", {className: "stage-slider"},
          element("span", {}, label), input, shown), parent);
        return {
          input,
          get value() { return +input.value; },
          set value(given) { input.value = given; tell(); },
        };
      },
      choice({label, options, value, on, parent}) {
        const name = `choice-${choices += 1}`, inputs = new Map();
        const box = element("fieldset", {className: "stage-choice"},
          element("legend", {}, label));
        for (const [option, text] of options) {
          const input = element("input", {type: "radio", name,
            checked: option === value,
            onchange: () => { on(option); s.paint(); }});
          inputs.set(option, input);
          box.append(element("label", {}, input, element("span", {}, text)));
        }
        place(box, parent);
        return {
          box,
          get value() {
            return [...inputs].find(([, input]) => input.checked)?.[0];
          },
          set value(given) { inputs.get(given).checked = true; },
        };
      },
      picture: (options) => show(stage.picture(options), options.parent),
      canvas: (options) => show(stage.canvas(options), options.parent),
      drag: stage.drag, play: (options) => play(s, body, options),
    };
    return s;
  }
  let choices = 0;

  // ----------------------------------------------------------- playing

  function play(s, body, {step, label = "Play", auto = false, parent}) {
    let last = 0, frame = 0, timer = 0, wanted = false, seen = false;
    const button = s.button(label, () => control.toggle(), {parent});
    button.classList.add("play");        // as wide as its longer word
    const control = {
      button, get playing() { return wanted; },
      start() { wanted = true; run(); },
      stop() { wanted = false; run(); },
      toggle() { wanted = !wanted; run(); },
    };
    function run() {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      last = 0;
      button.textContent = wanted ? "Pause" : label;
      if (wanted && seen && !document.hidden) later();
    }
    function later() {
      if (s.reduced) timer = setTimeout(() => tick(0.5), 500);
      else frame = requestAnimationFrame((now) => {
        const passed = last ? Math.min(now - last, 100) / 1000 : 1 / 60;
        last = now;
        tick(passed);
      });
    }
    function tick(passed) {
      const ended = step(passed) === false;
      s.paint();
      if (ended) control.stop();
      else if (wanted) later();
    }
    const watch = new IntersectionObserver(([entry]) => {
      seen = entry.isIntersecting;
      if (wanted) run();
    });
    watch.observe(body);
    document.addEventListener("visibilitychange", run);
    s.done(() => {
      control.stop();
      watch.disconnect();
      document.removeEventListener("visibilitychange", run);
    });
    if (auto && !s.reduced) control.start();
    return control;
  }

  for (const place of document.querySelectorAll(".sim[data-sim]")) {
    const {sim} = place.dataset;
    places.set(sim, [...places.get(sim) ?? [], place]);
  }
  for (const name of places.keys()) load(`${name}.js`);
})();
