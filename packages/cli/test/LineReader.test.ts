import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as LineReader from "../src/LineReader.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Text in pieces of the sizes given, over and over. */
const pieces = (text: string, sizes: ReadonlyArray<number>) => {
  const bytes = encoder.encode(text)
  const chunks: Array<Uint8Array> = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = 1 + (sizes[i % Math.max(1, sizes.length)] ?? 0)
    chunks.push(bytes.slice(at, at + size))
    at += size
  }
  return Stream.fromIterable(chunks)
}

describe("LineReader", () => {
  it.effect.prop(
    "gives the same lines however the bytes arrive",
    [
      Schema.Array(Schema.Literals(["", "a", "bc", "déf"])),
      Schema.Array(Schema.Literals([0, 1, 2, 6])),
      Schema.Boolean
    ],
    ([texts, sizes, isEnded]) =>
      Effect.gen(function* () {
        const input = texts.join("\n") + (isEnded && texts.length > 0 ? "\n" : "")
        const lines = yield* Stream.runCollect(LineReader.lines(pieces(input, sizes)))
        const expected = input === "" ? [] : input.replace(/\n$/, "").split("\n")
        assert.deepStrictEqual(
          lines.map(({ bytes }) => decoder.decode(bytes)),
          // A last line that is empty and has no end is none.
          expected
        )
        assert.deepStrictEqual(
          lines.map(({ number }) => number),
          expected.map((_, i) => i + 1)
        )
        const ends = lines.map(({ end }) => end)
        assert.strictEqual(ends.at(-1) ?? 0, encoder.encode(input).length)
      })
  )

  it.effect("goes on from a position as if it had begun at the start", () =>
    Effect.gen(function* () {
      const text = "one\ntwo\n\nfour\nfive"
      const all = yield* Stream.runCollect(LineReader.lines(pieces(text, [3])))
      for (const { end, number } of all) {
        const rest = yield* Stream.runCollect(
          LineReader.lines(Stream.make(encoder.encode(text).slice(end)), { bytes: end, lines: number })
        )
        assert.deepStrictEqual(
          rest.map((line) => [line.number, line.end, decoder.decode(line.bytes)]),
          all.slice(number).map((line) => [line.number, line.end, decoder.decode(line.bytes)])
        )
      }
    })
  )
})
