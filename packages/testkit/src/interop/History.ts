/**
 * What the writers of a database write, as a function of a seed: batch after
 * batch, the same whoever asks, so that a process which was killed need not have
 * told anybody what it wrote.
 *
 * The k-th batch gets sequence number k in either engine, as sequence numbers have
 * no gaps. So the last sequence number of a database says which batches are in it,
 * and {@link Contents} says what it must show then.
 *
 * The keys are few, so that there are many versions of each; some are binary, some
 * are prefixes of others, some are as long as a key may be. Values are empty, short,
 * larger than a block, and rarely larger than a WAL object should be.
 *
 * Every key is written with one lifetime, and operands that expire stand alone in
 * their batch: the official engine loses an operand that follows, in one batch, a
 * write of its key with another expiry. Some keys are short-lived: their values may
 * have expired before they were written. They are never merged, because the engines
 * differ in when they let go of an expired value.
 */
import * as Dice from "./Dice.ts"

/** `"over"`: the value has expired by the time anybody reads it. `"long"`: it expires in years. */
export type Lifetime = "forever" | "long" | "over"

export type Write =
  | { readonly _tag: "Put"; readonly key: Uint8Array; readonly value: Uint8Array; readonly lifetime: Lifetime }
  | { readonly _tag: "Delete"; readonly key: Uint8Array }
  | { readonly _tag: "Merge"; readonly key: Uint8Array; readonly operand: Uint8Array; readonly lifetime: Lifetime }

export type Batch = ReadonlyArray<Write>

export interface History {
  /** The batch with sequence number `sequence`, from 1. */
  readonly batch: (sequence: number) => Batch
  /** Every key that a batch may write, and some that none does. */
  readonly keys: ReadonlyArray<Uint8Array>
}

export interface Options {
  readonly seed: number
  /** The longest key, in bytes. Default 65,535, the most that a row can hold. */
  readonly keyBytesMax?: number
  /** The largest value, in bytes. Default 200,000. */
  readonly valueBytesMax?: number
}

export const make = ({ keyBytesMax = 65_535, seed, valueBytesMax = 200_000 }: Options): History => {
  const keys = keysOf(keyBytesMax)
  const batch = (sequence: number): Batch => {
    const dice = Dice.make(seed, sequence)
    const size = dice.pick([1, 1, 1, 2, 5, 12])
    return Array.from({ length: size }, () => write(dice, keys, valueBytesMax, size === 1))
  }
  return { batch, keys: [...keys.lasting, ...keys.shortLived, ...keys.neverWritten] }
}

interface Keys {
  readonly lasting: ReadonlyArray<Uint8Array>
  readonly shortLived: ReadonlyArray<Uint8Array>
  readonly neverWritten: ReadonlyArray<Uint8Array>
}

const keysOf = (keyBytesMax: number): Keys => {
  const long = (length: number, last: number): Uint8Array => {
    const key = new Uint8Array(Math.min(length, keyBytesMax)).fill(0x6c)
    key[key.length - 1] = last
    return key
  }
  const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => utf8(`${prefix}${i}`))
  return {
    lasting: [
      ...numbered("key/", 24),
      ...numbered("key/7/", 4),
      ...numbered("größe/", 3),
      // Bytes that are no text, prefixes of each other, and the ends of the order of keys.
      ...[[0], [0, 0], [0, 1], [0x80], [0xc3, 0x28], [0xff], [0xff, 0], [0xff, 0xff]].map((bytes) =>
        Uint8Array.from(bytes)
      ),
      long(300, 1),
      long(300, 2),
      long(3000, 3),
      long(65_535, 4)
    ],
    shortLived: numbered("short-lived/", 8),
    neverWritten: [utf8("a"), utf8("key/"), utf8("key/99"), Uint8Array.from([0, 0, 0]), long(299, 1), long(400, 9)]
  }
}

const write = (dice: Dice.Dice, keys: Keys, valueBytesMax: number, isAlone: boolean): Write => {
  if (dice.chance(0.15)) {
    const key = dice.pick(keys.shortLived)
    if (dice.chance(0.2)) return { _tag: "Delete", key }
    return { _tag: "Put", key, value: value(dice, 300), lifetime: dice.pick(["over", "over", "forever", "long"]) }
  }
  const key = dice.pick(keys.lasting)
  const lifetime = key.length % 2 === 0 ? "long" : "forever"
  const kind = dice.below(10)
  if (kind < 2) return { _tag: "Delete", key }
  if (kind < 5 && (lifetime === "forever" || isAlone)) return { _tag: "Merge", key, operand: value(dice, 40), lifetime }
  return { _tag: "Put", key, value: value(dice, valueBytesMax), lifetime }
}

const value = (dice: Dice.Dice, bytesMax: number): Uint8Array => {
  const length = dice.pick([0, 1, 10, 10, 40, 40, 150, 150, 700, dice.chance(0.1) ? 5000 + dice.below(bytesMax) : 20])
  return dice.bytes(Math.min(length, bytesMax))
}

const encoder = new TextEncoder()
const utf8 = (text: string): Uint8Array => encoder.encode(text)
