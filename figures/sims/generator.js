"use strict";
/* torch's generator on the CPU, so that a page can draw the numbers that a
   chapter drew: generator(seed) → {word, normal, randperm}. The Mersenne
   Twister is that of Matsumoto and Nishimura (1998); how its words become
   normal numbers and permutations is as in torch's source, in ATen's
   DistributionTemplates.h and TensorFactories.cpp.                        */

globalThis.generator = (seed) => {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i += 1) {
    const before = state[i - 1] ^ (state[i - 1] >>> 30);
    state[i] = Math.imul(1812433253, before) + i;
  }
  let next = 624;

  function twist() {
    for (let i = 0; i < 624; i += 1) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 && 0x9908b0df);
    }
    next = 0;
  }

  // The next 32 bits.
  function word() {
    if (next === 624) twist();
    let y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  const uniform = () => (word() & 0xffffff) / 2 ** 24;   // float32, [0, 1)

  // n ≥ 16 normal numbers: pairs of uniform ones, eight apart, by Box and
  // Muller; the last 16 are drawn again if n is no multiple of 16.
  function normal(n) {
    const out = Float32Array.from({length: n}, uniform);
    const turn = (start) => {
      for (let j = start; j < start + 8; j += 1) {
        const radius = Math.sqrt(-2 * Math.log(1 - out[j]));
        const angle = 2 * Math.PI * out[j + 8];
        out[j] = radius * Math.cos(angle);
        out[j + 8] = radius * Math.sin(angle);
      }
    };
    for (let start = 0; start + 16 <= n; start += 16) turn(start);
    if (n % 16) {
      for (let i = n - 16; i < n; i += 1) out[i] = uniform();
      turn(n - 16);
    }
    return out;
  }

  // The numbers 0 … n − 1 in random order.
  function randperm(n) {
    const order = Array.from({length: n}, (_, i) => i);
    for (let i = 0; i < n - 1; i += 1) {
      const j = i + word() % (n - i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  return {word, normal, randperm};
};
