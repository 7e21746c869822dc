/**
 * What a soak writes, as a function of a seed, and the model of what must be there.
 *
 *     operation i  ──hash──>  key, put or delete         versions[key] = i, or 0 when deleted
 *     value        =          bytes from (key, i)
 *
 * The model is one number for each key, so that hours of writes need no more memory
 * than minutes. The same operations come whoever asks, so that two engines can be
 * given the same ones.
 *
 * Half of the operations go to a tenth of the keys; one in seven deletes.
 */
import type { Entry } from "../interop/Contents.ts"
import type { Batch, Write } from "../interop/History.ts"

export interface Options {
  readonly seed: number
  /** Keys that are ever written. */
  readonly keys: number
}

/** So many operations are in a batch at most. */
const batchOperationsMax = 100
/** Values have from `valueBytesMin` to less than `valueBytesMin + valueBytesSpread` bytes. */
const valueBytesMin = 50
const valueBytesSpread = 200

export class SoakWork {
  readonly #seed: number
  /** Of each key the operation that wrote it last; 0 when it is not there. */
  readonly #versions: Uint32Array
  #operations = 0
  #userBytes = 0

  constructor({ keys, seed }: Options) {
    this.#seed = Math.imul(seed | 0, 0x9e3779b1)
    this.#versions = new Uint32Array(keys)
  }

  /** Operations that were given out. */
  get operations(): number {
    return this.#operations
  }

  /** Bytes of their keys and values. */
  get userBytes(): number {
    return this.#userBytes
  }

  /** Bytes of the keys and values that are there. */
  get rowBytes(): number {
    let bytes = 0
    for (const [key, version] of this.#versions.entries()) {
      if (version > 0) bytes += keyBytes + this.#valueLength(key, version)
    }
    return bytes
  }

  /** The next batch; the model has it from now on. */
  next(): Batch {
    const size = 1 + (this.#hash(this.#operations, 1) % batchOperationsMax)
    return Array.from({ length: size }, () => this.#operation(++this.#operations))
  }

  /** What must be there now, to be compared with entries that come one by one, also when more was written meanwhile. */
  expected(): Expected {
    return new Expected(this.#versions.slice(), (key, version) => this.#value(key, version))
  }

  #operation(operation: number): Write {
    const keys = this.#versions.length
    const chance = this.#hash(operation, 2)
    const key = this.#hash(operation, 3) % (chance % 2 === 0 ? keys : Math.ceil(keys / 10))
    const name = keyOf(key)
    if ((chance >>> 1) % 7 === 0) {
      this.#versions[key] = 0
      this.#userBytes += keyBytes
      return { _tag: "Delete", key: name }
    }
    const value = this.#value(key, operation)
    this.#versions[key] = operation
    this.#userBytes += keyBytes + value.length
    return { _tag: "Put", key: name, value, lifetime: "forever" }
  }

  #valueLength(key: number, version: number): number {
    return valueBytesMin + (this.#hash(version, key) % valueBytesSpread)
  }

  #value(key: number, version: number): Uint8Array {
    const value = Buffer.allocUnsafeSlow(this.#valueLength(key, version))
    let word = this.#hash(key, version) | 1
    for (let at = 0; at < value.length; at++) {
      if ((at & 3) === 0) {
        word ^= word << 13
        word ^= word >>> 17
        word ^= word << 5
      }
      value[at] = word >>> (8 * (at & 3))
    }
    return value
  }

  #hash(a: number, b: number): number {
    let hash = this.#seed ^ Math.imul(a, 0x85ebca6b) ^ Math.imul(b, 0xc2b2ae35)
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
    return (hash ^ (hash >>> 16)) >>> 0
  }
}

/** A moment's contents, walked along with a scan. */
export class Expected {
  readonly #versions: Uint32Array
  readonly #value: (key: number, version: number) => Uint8Array
  #key = 0
  #count = 0
  #difference: string | undefined

  constructor(versions: Uint32Array, value: (key: number, version: number) => Uint8Array) {
    this.#versions = versions
    this.#value = value
  }

  /** The next entry of the scan. */
  see({ key, value }: Entry): void {
    if (this.#difference !== undefined) return
    const expected = this.#next()
    if (expected === undefined || Buffer.compare(key, keyOf(expected)) !== 0) {
      this.#differs(expected, `found ${print(key)}`)
    } else if (Buffer.compare(value, this.#value(expected, this.#versions[expected] as number)) !== 0) {
      this.#differs(expected, `found another value than that of operation ${this.#versions[expected]}`)
    }
    this.#count++
  }

  /** The scan is over: the first thing that was not as it must be, if any. */
  end(): string | undefined {
    const missing = this.#difference === undefined ? this.#next() : undefined
    if (missing !== undefined) this.#differs(missing, "found nothing")
    return this.#difference
  }

  /** The next key that is there. */
  #next(): number | undefined {
    while (this.#key < this.#versions.length) {
      const key = this.#key++
      if ((this.#versions[key] as number) > 0) return key
    }
    return undefined
  }

  #differs(expected: number | undefined, found: string): void {
    const name = expected === undefined ? "nothing" : print(keyOf(expected))
    this.#difference = `entry ${this.#count}: expected ${name}, ${found}`
  }
}

const keyBytes = 16

/** Decimal, of one length: the order of the keys is that of their numbers. */
const keyOf = (key: number): Uint8Array => Buffer.from(`key/${String(key).padStart(keyBytes - 4, "0")}`, "latin1")

const print = (key: Uint8Array): string => Buffer.from(key).toString("latin1")
