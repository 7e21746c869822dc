/** Data of a command for programs, in place of the drawing for people. */
import * as Effect from "effect/Effect"
import * as GlobalFlags from "./GlobalFlags.ts"
import * as Screen from "./Screen.ts"

/** Writes `data` as JSON, an array as one line each where lines are asked for, or else draws it. */
export const write = Effect.fnUntraced(function* <E, R>(data: unknown, draw: () => Effect.Effect<void, E, R>) {
  switch (yield* GlobalFlags.Output) {
    case "table":
      return yield* draw()
    case "json":
      return yield* Screen.lines(JSON.stringify(data, plain, 2))
    case "ndjson":
      return yield* Screen.lines(...(Array.isArray(data) ? data : [data]).map((item) => JSON.stringify(item, plain)))
  }
})

/** Keys as hex: here they are part of a description, whatever they hold. Infinite numbers as null, as JSON does. */
export const plain = (_name: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value
