/** Entries on standard output: as a table, as JSON, or as a line of JSON each. */
import type { Entry } from "@effect-slatedb/core/Db"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ByteText from "./ByteText.ts"
import * as GlobalFlags from "./GlobalFlags.ts"
import { Screen } from "./Screen.ts"
import * as TextTable from "./TextTable.ts"

export interface Formats {
  readonly key: ByteText.Format
  readonly value: ByteText.Format
}

export const formats = Effect.gen(function* () {
  return { key: yield* GlobalFlags.KeyFormat, value: yield* GlobalFlags.ValueFormat }
})

export const toJson = (
  formats: Formats,
  entry: Entry
): { readonly key: ByteText.Json; readonly value: ByteText.Json } => ({
  key: ByteText.printJson(formats.key, entry.key),
  value: ByteText.printJson(formats.value, entry.value)
})

/** Writes entries as they come; memory holds one chunk. */
export const write = Effect.fnUntraced(function* <E, R>(entries: Stream.Stream<Entry, E, R>) {
  const screen = yield* Screen
  const shown = yield* formats
  switch (yield* GlobalFlags.Output) {
    case "ndjson":
      return yield* Stream.runForEachArray(entries, (chunk) =>
        screen.write(chunk.map((entry) => `${JSON.stringify(toJson(shown, entry))}\n`).join(""))
      )
    case "json": {
      let isFirst = true
      yield* screen.write("[")
      yield* Stream.runForEachArray(entries, (chunk) => {
        const items = chunk.map((entry) => `\n  ${JSON.stringify(toJson(shown, entry))}`).join(",")
        const text = isFirst ? items : `,${items}`
        isFirst = false
        return screen.write(text)
      })
      return yield* screen.write("\n]\n")
    }
    case "table": {
      // The first chunk decides how wide keys are; longer ones later shift their line.
      let width: number | undefined
      return yield* Stream.runForEachArray(entries, (chunk) => {
        const rows = chunk.map(
          (entry) => [ByteText.print(shown.key, entry.key), ByteText.print(shown.value, entry.value)] as const
        )
        width ??= Math.min(40, Math.max(...rows.map(([key]) => key.length)))
        const lines = rows.map(([key, value]) => `${key.padEnd(width ?? 0)}  ${value}`.trimEnd())
        return screen.write(
          lines.map((line) => `${screen.isTerminal ? TextTable.cut(line, screen.columns) : line}\n`).join("")
        )
      })
    }
  }
})
