import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as Figures from "../src/Figures.ts"
import * as Progress from "../src/Progress.ts"
import { Screen } from "../src/Screen.ts"
import * as TextTable from "../src/TextTable.ts"

describe("Figures", () => {
  it("are short and say their unit", () => {
    assert.deepStrictEqual(
      [0, 1, 1023, 1024, 1536, 10_240, 150 * 1024, 1024 ** 2, 23.4 * 1024 ** 2, 1024 ** 4 * 2000].map(Figures.bytes),
      ["0 B", "1 B", "1023 B", "1 KiB", "1.5 KiB", "10 KiB", "150 KiB", "1 MiB", "23.4 MiB", "2000 TiB"]
    )
    assert.deepStrictEqual([0.04, 9.9, 420, 3100, 125_000, 119_999, 12_000_000, 1_051_200_000].map(Figures.duration), [
      "0.0 ms",
      "9.9 ms",
      "420 ms",
      "3.1 s",
      "2 min 5 s",
      "1 min 59 s",
      "3 h 20 min",
      "12 d 4 h"
    ])
    assert.deepStrictEqual([0, 0.0000068, 0.0011, 0.5, 4.321].map(Figures.dollars), [
      "$0.00",
      "$0.0000068",
      "$0.0011",
      "$0.50",
      "$4.32"
    ])
    assert.deepStrictEqual([Figures.counted(1, "row"), Figures.counted(1234, "row")], ["1 row", "1,234 rows"])
    assert.deepStrictEqual([Figures.percent(0.999), Figures.rate(5, 0), Figures.rate(5, 500)], ["99 %", 0, 10])
  })
})

describe("TextTable", () => {
  it("makes columns as wide as they need, for the cells of a terminal", () => {
    assert.deepStrictEqual(
      TextTable.render(
        [{ title: "city" }, { title: "rows", align: "right" }, { title: "note" }],
        [
          ["Zürich", "1,411", "ok"],
          ["東京", "7", ""]
        ]
      ),
      ["city     rows  note", "Zürich  1,411  ok", "東京        7"]
    )
  })

  it("cuts what does not fit and marks it", () => {
    assert.strictEqual(TextTable.cut("abcdef", 6), "abcdef")
    assert.strictEqual(TextTable.cut("abcdefg", 6), "abcde…")
    assert.strictEqual(TextTable.cut("東京東京", 6), "東京…")
  })
})

describe("Progress", () => {
  const state = { label: "loading", noun: "record", millis: 2000, columns: 80, detail: undefined }

  it("draws a bar where the whole is known, and a count where it is not", () => {
    assert.strictEqual(
      Progress.line({ ...state, done: 500, fraction: 0.5 }),
      "loading  [##########----------]   50 %  500 records  250/s"
    )
    assert.strictEqual(Progress.line({ ...state, done: 1, fraction: undefined }), "loading  1 record  1/s")
    assert.strictEqual(Progress.bar(2, 4), "[####]")
  })

  it("tells bytes in units that people read", () => {
    assert.strictEqual(
      Progress.line({ ...state, noun: "byte", done: 3 * 1024 ** 2, fraction: 0.25 }),
      "loading  [#####---------------]   25 %  3 MiB  1.5 MiB/s"
    )
  })

  it("is never wider than the screen", () => {
    const line = Progress.line({ ...state, done: 1e9, fraction: 1, columns: 30, detail: "a long warning" })
    assert.strictEqual(line.length, 29)
  })

  const notes = (isInteractive: boolean) =>
    Effect.gen(function* () {
      const written: Array<string> = []
      const screen = Layer.succeed(Screen, {
        write: () => Effect.void,
        note: (text) => Effect.sync(() => void written.push(text)),
        isTerminal: false,
        isInteractive,
        columns: 60
      })
      const progress = yield* Effect.provide(Progress.make({ label: "x", noun: "row" }), screen)
      for (let i = 1; i <= 50; i++) {
        yield* TestClock.adjust("50 millis")
        yield* progress.at(i, i / 50)
      }
      yield* progress.end(50, 1)
      return written
    })

  it.effect("draws one line again and again on a terminal", () =>
    Effect.gen(function* () {
      const written = yield* notes(true)
      assert.lengthOf(written, 26)
      assert.isTrue(written.every((text) => text.startsWith("\r") && text.trimEnd().length < 60))
      assert.deepStrictEqual(
        written.map((text) => text.endsWith("\n")),
        written.map((_, i) => i === 25)
      )
    })
  )

  it.effect("writes a plain line now and then elsewhere", () =>
    Effect.gen(function* () {
      const written = yield* notes(false)
      assert.deepStrictEqual(written, [
        "x  [################----]   80 %  40 rows  20/s\n",
        "x  [####################]  100 %  50 rows  20/s\n"
      ])
    })
  )
})
