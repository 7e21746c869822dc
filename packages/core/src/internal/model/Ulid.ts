/**
 * ULIDs: 48 bits of time and 80 random bits, as 26 characters of Crockford's
 * base 32. Their text sorts as their bits do, so it sorts by time.
 *
 * Tables and compactions are named by them. The collector judges by the time in
 * the name of a table whether somebody may still be about to name it, so ids are
 * minted with the real clock (as the engine's Clock gives it), when the data is
 * frozen or later.
 *
 *     01M82VKE8Y D3SB2V6HY5VD75M6
 *     time, ms   random
 */

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
const timeLength = 10
const randomLength = 16
const maxTimeMillis = 2 ** 48 - 1

/** Upper case only, as they are written; the first character holds 3 bits. */
export const pattern: RegExp = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

export const isUlid = (text: string): boolean => pattern.test(text)

/** A new id. `random` answers numbers from 0, inclusive, to 1, exclusive. */
export const make = (timeMillis: number, random: () => number): string => {
  let ulid = print(Math.min(Math.max(Math.trunc(timeMillis), 0), maxTimeMillis), timeLength)
  for (let i = 0; i < randomLength; i++) ulid += alphabet[Math.floor(random() * 32)] as string
  return ulid
}

/** The next id in their order: for a source whose clock did not move, or went back. */
export const increment = (ulid: string): string => {
  for (let i = ulid.length - 1; i >= 0; i--) {
    const digit = digitAt(ulid, i)
    if (digit < (i === 0 ? 7 : 31)) {
      return ulid.slice(0, i) + (alphabet[digit + 1] as string) + "0".repeat(ulid.length - i - 1)
    }
  }
  throw new Error(`a ulid has a successor: ulid=${ulid}`)
}

/** Milliseconds since the Unix epoch. */
export const timeMillis = (ulid: string): number => parse(ulid, 0, timeLength)

/** The id of these 128 bits, as files hold them. */
export const fromHalves = (high: bigint, low: bigint): string => {
  const upper = Number(high & 0xffffn) * 2 ** 24 + Number(low >> 40n)
  const lower = Number(low & 0xff_ffff_ffffn)
  return print(Number(high >> 16n), timeLength) + print(upper, randomLength / 2) + print(lower, randomLength / 2)
}

export const toHalves = (ulid: string): { readonly high: bigint; readonly low: bigint } => {
  const upper = parse(ulid, timeLength, timeLength + randomLength / 2)
  const lower = parse(ulid, timeLength + randomLength / 2, ulid.length)
  return {
    high: (BigInt(timeMillis(ulid)) << 16n) | BigInt(Math.floor(upper / 2 ** 24)),
    low: (BigInt(upper % 2 ** 24) << 40n) | BigInt(lower)
  }
}

/** Numbers of at most 50 bits, so that no digit is rounded. */
const print = (value: number, length: number): string => {
  let text = ""
  for (let i = 0; i < length; i++) {
    text = (alphabet[value % 32] as string) + text
    value = Math.floor(value / 32)
  }
  return text
}

const parse = (ulid: string, start: number, end: number): number => {
  let value = 0
  for (let i = start; i < end; i++) value = value * 32 + digitAt(ulid, i)
  return value
}

const digitAt = (ulid: string, index: number): number => alphabet.indexOf(ulid[index] ?? "?")
