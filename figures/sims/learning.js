"use strict";
/* Chapters 1 to 7 as plain functions. A matrix is a flat array, row after
   row. `how` is {round, order}: round is Math.fround for float32; order is
   "hand", that of the chapters, or "torch", one that a library may take:
   the bias first, sums in two strands, 1 / N as a factor.                 */

globalThis.learning = (() => {
  const f = Math.fround, ONE = Float64Array.of(1);
  const double = (v) => v, DOUBLE = {round: double, order: "hand"};

  // scratch.init.make_params: [W1, b1, W2, b2, …], drawn in float32.
  function makeParams(sizes, seed = 0) {
    const {normal} = generator(seed);
    return sizes.slice(1).flatMap((out, i) => {
      const scale = f(Math.sqrt(2 / sizes[i]));
      const W = Float64Array.from(
        normal(sizes[i] * out), (v) => f(v * scale));
      return [W, new Float64Array(out)];
    });
  }

  // What nn.Linear draws, as [in, out].
  function torchParams(sizes, seed = 0) {
    const {word} = generator(seed);
    return sizes.slice(1).flatMap((out, i) => {
      const n = sizes[i], low = f(-1 / Math.sqrt(n));
      const draw = () => f(f((word() & 0xffffff) / 2 ** 24 * -2 * low) + low);
      const numbers = (length) => Float64Array.from({length}, draw);
      const W = numbers(n * out), b = numbers(out);
      return [W.map((_, k) => W[(k % out) * n + Math.floor(k / out)]), b];
    });
  }

  // a [rows, inner] times b [inner, columns] (+ bias), read with strides.
  function product({round: r, order}, [rows, inner, columns],
    a, [aRow, aColumn], b, [bRow, bColumn], bias) {
    const two = order === "torch", single = r === f;
    const out = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i += 1) {
      for (let j = 0; j < columns; j += 1) {
        let sum = bias && two ? bias[j] : 0, other = 0;
        for (let k = 0; k < inner; k += 1) {
          const term = a[i * aRow + k * aColumn] * b[k * bRow + j * bColumn];
          if (two && k % 2) other = single ? f(other + f(term)) : other + term;
          else sum = single ? f(sum + f(term)) : sum + term;
        }
        if (two) sum = r(sum + other);
        else if (bias) sum = r(sum + bias[j]);
        out[i * columns + j] = sum;
      }
    }
    return out;
  }

  function forward(x, [W1, b1, W2, b2], how = DOUBLE) {
    const H = b1.length, C = b2.length, I = W1.length / H, N = x.length / I;
    const h_pre = product(how, [N, I, H], x, [I, 1], W1, [H, 1], b1);
    const h = h_pre.map((v) => Math.max(v, 0));
    const logits = product(how, [N, H, C], h, [H, 1], W2, [C, 1], b2);
    return {h_pre, h, logits, N, I, H, C};
  }

  // scratch.backward.loss_and_push: cross-entropy, and its gradient.
  function lossAndPush(logits, targets, C, {round: r, order}) {
    const N = targets.length, push = new Float64Array(N * C), share = r(1 / N);
    let loss = 0;
    for (let n = 0; n < N; n += 1) {
      const row = logits.subarray(n * C, n * C + C);
      const largest = Math.max(...row);
      let total = 0;
      for (const z of row) total = r(total + r(Math.exp(r(z - largest))));
      const log = r(Math.log(total));
      for (let c = 0; c < C; c += 1) {
        const right = targets[n] === c ? 1 : 0;
        const logP = r(r(row[c] - largest) - log), p = r(Math.exp(logP));
        push[n * C + c] = order === "torch"
          ? r(r(p * share) - right * share) : r(r(p - right) / N);
        if (right) loss = r(loss - logP);
      }
    }
    return {loss: r(loss / N), push};
  }

  // scratch.backward.backward: the loss and the four gradients.
  function backward(x, targets, params, how = DOUBLE) {
    const {h_pre, h, logits, N, I, H, C} = forward(x, params, how);
    const {loss, push} = lossAndPush(logits, targets, C, how);
    const d_W2 = product(how, [H, N, C], h, [1, H], push, [C, 1]);
    const d_h = product(how, [N, C, H], push, [C, 1], params[2], [1, C]);
    const d_h_pre = d_h.map((v, i) => (h_pre[i] > 0 ? v : 0));
    const d_W1 = product(how, [I, N, H], x, [1, I], d_h_pre, [H, 1]);
    const columns = (d, n) => product(how, [1, N, n], ONE, [0, 0], d, [n, 1]);
    return {loss, grads: [d_W1, columns(d_h_pre, H), d_W2, columns(push, C)]};
  }

  // scratch.optim: step(params, grads); options may change between steps.
  function makeOptimizer(name, options, r = double) {
    const state = [];
    let t = 0;
    const sgd = (p, g, i) => {
      const {lr, momentum = name === "momentum" ? 0.9 : 0} = options;
      const v = state[i] = g.map((slope, k) =>
        (state[i] ? r(r(r(momentum) * state[i][k]) + slope) : slope));
      v.forEach((move, k) => { p[k] = r(p[k] - r(r(lr) * move)); });
    };
    const adam = (p, g, i) => {
      const {lr, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8} = options;
      const [m, v] = state[i] ??= [p.map(() => 0), p.map(() => 0)];
      const size = r(lr / (1 - beta1 ** t)), part = r(1 - beta1);
      const correct = r(Math.sqrt(1 - beta2 ** t));
      for (let k = 0; k < p.length; k += 1) {
        m[k] = r(m[k] + r(part * r(g[k] - m[k])));
        v[k] = r(r(r(beta2) * v[k]) + r(r(1 - beta2) * r(g[k] * g[k])));
        const root = r(r(r(Math.sqrt(v[k])) / correct) + r(eps));
        p[k] = r(p[k] - r(size * r(m[k] / root)));
      }
    };
    return (params, grads) => {
      t += 1;
      params.forEach((p, i) => (name === "adam" ? adam : sgd)(p, grads[i], i));
    };
  }

  // scratch.data: shuffled, and a DataLoader; each call is an epoch, as
  // lists of places. The unused draws are drawn too.
  const cut = (order, size) => Array.from(
    {length: Math.ceil(order.length / size)},
    (_, i) => order.slice(i * size, (i + 1) * size));
  const shuffled = (drawn, n) => {
    const order = drawn.randperm(n);
    drawn.randperm(n);
    return order;
  };
  function loader(n, size, seed = 0) {
    const drawn = generator(seed);
    return () => {
      drawn.word();
      drawn.word();
      return cut(shuffled(drawn, n), size);
    };
  }

  // {x: flat [N, 2], y: [N]}, and some rows of it.
  const data = (points, y) => ({x: Float64Array.from(points.flat()), y});
  const rows = ({x, y}, places) => data(
    places.map((i) => [x[2 * i], x[2 * i + 1]]), places.map((i) => y[i]));

  // Chapter 7's two spirals of n points each, in float32.
  function spirals(n = 100) {
    const arm = Array.from({length: n}, (_, i) => {
      const t = f(i / (n - 1)), angle = f(f(2 * Math.PI) * t);
      const radius = f(f(0.15) + f(f(0.85) * t));
      return [f(radius * f(Math.cos(angle))), f(radius * f(Math.sin(angle)))];
    });
    return data([...arm, ...arm.map(([a, b]) => [-a, -b])],
      [...arm.map(() => 0), ...arm.map(() => 1)]);
  }

  const NAMES = [["sgd", "SGD"], ["momentum", "momentum"], ["adam", "Adam"]];
  const RATES = {sgd: 0.1, momentum: 0.03, adam: 0.01};
  return {double, NAMES, RATES, makeParams, torchParams, forward, backward,
    makeOptimizer, cut, shuffled, loader, data, rows, spirals};
})();
