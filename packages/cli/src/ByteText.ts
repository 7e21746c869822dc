/**
 * Bytes as people type and read them.
 *
 * | format | typed                | printed                                             |
 * | ------ | -------------------- | --------------------------------------------------- |
 * | auto   | as UTF-8             | UTF-8 where it is printable text, else `0x` and hex |
 * | utf8   | as UTF-8             | UTF-8; what is none becomes U+FFFD                  |
 * | hex    | hex, `0x` or not     | hex                                                 |
 * | base64 | base64               | base64                                              |
 *
 * In JSON there must be no doubt: `auto` prints UTF-8, whatever its characters,
 * as a string, and other bytes as `{"hex":"..."}`; both are read back.
 */
import * as Result from "effect/Result"

export const formats = ["auto", "utf8", "hex", "base64"] as const
export type Format = (typeof formats)[number]

/** Bytes in JSON. */
export type Json = string | { readonly hex: string }

/** The bytes of typed text, or why it is none of this format. */
export const parse = (format: Format, text: string): Result.Result<Uint8Array, string> => {
  switch (format) {
    case "auto":
    case "utf8":
      return Result.succeed(encoder.encode(text))
    case "hex":
      return fromHex(text)
    case "base64":
      return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replace(/=+$/, "").length % 4 !== 1
        ? Result.succeed(bytesOf(Buffer.from(text, "base64")))
        : Result.fail(`"${shorten(text)}" is not base64`)
  }
}

export const print = (format: Format, bytes: Uint8Array): string => {
  switch (format) {
    case "auto": {
      const text = utf8(bytes)
      return text === undefined || unprintable.test(text) ? `0x${toHex(bytes)}` : text
    }
    case "utf8":
      return lossy.decode(bytes)
    case "hex":
      return toHex(bytes)
    case "base64":
      return buffer(bytes).toString("base64")
  }
}

export const parseJson = (format: Format, json: unknown): Result.Result<Uint8Array, string> => {
  if (typeof json === "string") return parse(format, json)
  if (format === "auto" && typeof json === "object" && json !== null && "hex" in json && typeof json.hex === "string") {
    return fromHex(json.hex)
  }
  return Result.fail(`${shorten(JSON.stringify(json) ?? "nothing")} is not a string`)
}

export const printJson = (format: Format, bytes: Uint8Array): Json =>
  format === "auto" ? (utf8(bytes) ?? { hex: toHex(bytes) }) : print(format, bytes)

const encoder = new TextEncoder()
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const lossy = new TextDecoder("utf-8", { ignoreBOM: true })

/** Control characters would move the cursor, and separators would break lines. */
// oxlint-disable-next-line no-control-regex -- finding them is what it is for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

const utf8 = (bytes: Uint8Array): string | undefined => {
  // The usual case, without the cost of an exception for the unusual one.
  for (const byte of bytes) if (byte >= 0x80) return utf8Strict(bytes)
  return buffer(bytes).toString("latin1")
}

const utf8Strict = (bytes: Uint8Array): string | undefined =>
  Result.getOrUndefined(Result.try(() => strict.decode(bytes)))

const fromHex = (text: string): Result.Result<Uint8Array, string> => {
  const digits = text.replace(/^0x/i, "")
  return /^([0-9a-f]{2})*$/i.test(digits)
    ? Result.succeed(bytesOf(Buffer.from(digits, "hex")))
    : Result.fail(`"${shorten(text)}" is not hex`)
}

const toHex = (bytes: Uint8Array): string => buffer(bytes).toString("hex")

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

/** Small buffers share one pool: bytes that are handed on get an allocation of their own. */
const bytesOf = (bytes: Buffer): Uint8Array => new Uint8Array(bytes)

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}...` : text)
