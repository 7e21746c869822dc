/**
 * Records as lines of text, for `load` and `dump`.
 *
 *     ndjson   {"key":"a","value":"1"}
 *     tsv      a<TAB>1          with \t \n \r \\ for what would break the line
 *
 * `print` and `parse` are inverse to each other: what is dumped can be loaded, and a
 * file in the form that `print` writes, sorted by key, is what a dump of it gives.
 */
import type { Entry } from "@effect-slatedb/core/Db"
import * as Result from "effect/Result"
import * as ByteText from "./ByteText.ts"
import * as EntryOutput from "./EntryOutput.ts"

export const formats = ["ndjson", "tsv"] as const
export type Format = (typeof formats)[number]

/** The format of a file, by the end of its name. */
export const formatOf = (file: string): Format => (/\.(tsv|tab)$/i.test(file) ? "tsv" : "ndjson")

/** The record of a line; `undefined` for an empty line. */
export const parse = (
  format: Format,
  bytes: EntryOutput.Formats,
  line: string
): Result.Result<Entry | undefined, string> => {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line
  if (text === "") return Result.succeed(undefined)
  return format === "ndjson" ? parseJson(bytes, text) : parseTsv(bytes, text)
}

/** A line with its end. */
export const print = (format: Format, bytes: EntryOutput.Formats, entry: Entry): string =>
  format === "ndjson"
    ? `${JSON.stringify(EntryOutput.toJson(bytes, entry))}\n`
    : `${printField(bytes.key, entry.key)}\t${printField(bytes.value, entry.value)}\n`

const parseJson = (formats: EntryOutput.Formats, text: string): Result.Result<Entry, string> =>
  Result.gen(function* () {
    const json: unknown = yield* Result.try({ try: (): unknown => JSON.parse(text), catch: () => "it is no JSON" })
    if (typeof json !== "object" || json === null || !("key" in json) || !("value" in json)) {
      return yield* Result.fail(`it is no object with "key" and "value"`)
    }
    const key = yield* Result.mapError(ByteText.parseJson(formats.key, json.key), (detail) => `key: ${detail}`)
    const value = yield* Result.mapError(ByteText.parseJson(formats.value, json.value), (detail) => `value: ${detail}`)
    return { key, value }
  })

const parseTsv = (formats: EntryOutput.Formats, text: string): Result.Result<Entry, string> => {
  const tab = text.indexOf("\t")
  if (tab === -1 || text.includes("\t", tab + 1)) return Result.fail("it has not two fields with a tab between")
  return Result.gen(function* () {
    const key = yield* Result.mapError(parseField(formats.key, text.slice(0, tab)), (detail) => `key: ${detail}`)
    const value = yield* Result.mapError(parseField(formats.value, text.slice(tab + 1)), (detail) => `value: ${detail}`)
    return { key, value }
  })
}

/** Bytes that are no UTF-8 are marked by an escape that no text begins with. */
const hexMark = "\\x"

const printField = (format: ByteText.Format, bytes: Uint8Array): string => {
  const json = ByteText.printJson(format, bytes)
  return typeof json === "string"
    ? json.replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? "")
    : `${hexMark}${json.hex}`
}

const parseField = (format: ByteText.Format, field: string): Result.Result<Uint8Array, string> => {
  if (format === "auto" && field.startsWith(hexMark)) return ByteText.parse("hex", field.slice(hexMark.length))
  return Result.flatMap(unescape(field), (text) => ByteText.parse(format, text))
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" }

const unescape = (field: string): Result.Result<string, string> => {
  const unknown = /\\(?![\\tnr])/.exec(field.replaceAll("\\\\", ""))
  return unknown === null
    ? Result.succeed(field.replace(/\\([\\tnr])/g, (_, letter: string) => unescapes[letter] ?? ""))
    : Result.fail(`unknown escape after a backslash; known are \\\\ \\t \\n \\r`)
}

const unescapes: Readonly<Record<string, string>> = { "\\": "\\", t: "\t", n: "\n", r: "\r" }
