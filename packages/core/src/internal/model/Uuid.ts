/**
 * UUIDs, as text: 32 hexadecimal digits in lower case, with dashes. They name
 * checkpoints. Files hold them as two 64-bit halves.
 */

export const pattern: RegExp = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export const isUuid = (text: string): boolean => pattern.test(text)

/** A new id, of version 4. `random` answers numbers from 0, inclusive, to 1, exclusive. */
export const make = (random: () => number): string => {
  const word = () => BigInt(Math.floor(random() * 2 ** 32))
  const high = (word() << 32n) | (word() & 0xffff_0fffn) | 0x4000n
  const low = ((word() & 0x3fff_ffffn) << 32n) | word() | 0x8000_0000_0000_0000n
  return fromHalves(high, low)
}

export const fromHalves = (high: bigint, low: bigint): string => {
  const h = digits(high)
  const l = digits(low)
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12)}-${l.slice(0, 4)}-${l.slice(4)}`
}

export const toHalves = (uuid: string): { readonly high: bigint; readonly low: bigint } => {
  const all = uuid.replaceAll("-", "")
  return { high: BigInt(`0x${all.slice(0, 16)}`), low: BigInt(`0x${all.slice(16)}`) }
}

const digits = (half: bigint): string => half.toString(16).padStart(16, "0")
