// Chance from a seed: the same seed gives the same numbers, and a stream of one name does not move another.

const TWO_32 = 2 ** 32;

export class Chance {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(seed: string | number) {
    this.#seed = String(seed);
    [this.#a, this.#b, this.#c] = [hashOf(`${seed} a`), hashOf(`${seed} b`), hashOf(`${seed} c`)];
    for (let i = 0; i < 12; i++) this.next();
  }

  /** A stream of its own, which depends on the seed and the name alone. */
  stream(name: string): Chance {
    return new Chance(`${this.#seed} ${name}`);
  }

  /** 0 ≤ x < 1 (sfc32). */
  next(): number {
    return this.uint32() / TWO_32;
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  happens(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.int(0, from.length - 1)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  }

  /** Many short waits and few long ones: the mean of an exponential distribution. */
  around(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Most often about `usual`; sometimes up to ten times as much. */
  latency(usual: number): number {
    const x = this.next();
    return usual * (0.5 + x + 8 * x ** 12);
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.uint32() & 255;
  }
}

/** FNV-1a, with a last stir. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 15)) | 0;
}
