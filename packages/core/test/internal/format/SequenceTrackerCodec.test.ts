import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SequenceTrackerCodec from "../../../src/internal/format/SequenceTrackerCodec.ts"
import * as SequenceTracker from "../../../src/internal/model/SequenceTracker.ts"
import * as Hostile from "./Hostile.ts"

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"))

const failure = (bytes: Uint8Array) => Result.getOrThrow(Result.flip(SequenceTrackerCodec.decode(bytes)))

const roundTrips = (tracker: SequenceTracker.SequenceTracker): void =>
  assert.deepStrictEqual(SequenceTrackerCodec.decode(SequenceTrackerCodec.encode(tracker)), Result.succeed(tracker))

const bytesOf: ReadonlyArray<readonly [string, string, SequenceTracker.SequenceTracker]> = [
  ["no point", "01 00000000 00000000 00000000", SequenceTracker.empty],
  [
    "the official engine's first point",
    "01 01000000 00000001 0000000000000001 00000001 000000006b038382",
    { sequences: [1], seconds: [1795392386] }
  ],
  [
    // Deltas 1, 1 are deltas of deltas 1, 0: 10 0000001 0. Deltas 60, 60: 10 0111100 0.
    "a regular series, a bit a value",
    "01 03000000 00000003 0000000000000001 8080 00000003 0000000000000000 9e00",
    { sequences: [1, 2, 3], seconds: [0, 60, 120] }
  ],
  [
    // Deltas of deltas 64, -64, 256, 2048: 110 001000000 110 111000000 1110 000100000000 1111 0...0 100000000000.
    "values of every width",
    "01 05000000 00000005 0000000000000000 c40dc0e100f000008000 00000005 0000000000000000 00",
    { sequences: [0, 64, 64, 320, 2624], seconds: [0, 0, 0, 0, 0] }
  ]
]

describe("SequenceTrackerCodec", () => {
  it.each(bytesOf)("has the bytes of %s", (_, hex, tracker) => {
    assert.strictEqual(Buffer.from(SequenceTrackerCodec.encode(tracker)).toString("hex"), hex.replaceAll(" ", ""))
    assert.deepStrictEqual(SequenceTrackerCodec.decode(fromHex(hex)), Result.succeed(tracker))
  })

  // Steps around each border between widths, and of any size that fits.
  const Step = Schema.Union([
    Schema.Literals([0, 1, 63, 64, 255, 256, 2047, 2048]),
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x3fff_ffff }))
  ])

  it.prop("reads what it writes", [Schema.Array(Schema.Tuple([Step, Step]))], ([steps]) => {
    let sequence = 0
    let second = 0
    const points = steps.map(([sequences, seconds]) => [(sequence += sequences), (second += seconds)] as const)
    roundTrips({ sequences: points.map(([sequence]) => sequence), seconds: points.map(([, second]) => second) })
  })

  it("holds a full tracker", () => {
    let tracker = SequenceTracker.empty
    for (let i = 1; i <= SequenceTracker.pointsMax; i++) tracker = SequenceTracker.append(tracker, i * i, i * 61)
    assert.strictEqual(tracker.sequences.length, SequenceTracker.pointsMax)
    roundTrips(tracker)
  })

  it("begins after a jump that it cannot write", () => {
    const written = SequenceTrackerCodec.encode({
      sequences: [1, 2, 3, 2 ** 40, 2 ** 40 + 1, 2 ** 40 + 2],
      seconds: [0, 60, 120, 180, 240, 300]
    })
    assert.deepStrictEqual(
      SequenceTrackerCodec.decode(written),
      Result.succeed({ sequences: [2 ** 40, 2 ** 40 + 1, 2 ** 40 + 2], seconds: [180, 240, 300] })
    )
  })

  it("keeps only the last point when nothing after it can be written", () => {
    const written = SequenceTrackerCodec.encode({ sequences: [1, 2 ** 40, 2 ** 41], seconds: [0, 60, 120] })
    assert.deepStrictEqual(
      SequenceTrackerCodec.decode(written),
      Result.succeed({ sequences: [2 ** 41], seconds: [120] })
    )
  })

  it("refuses another version by its number", () => {
    const error = failure(fromHex("02 00000000 00000000 00000000"))
    assert.strictEqual(error.message, "unsupported sequence tracker version: offset=0 expected=1 found=2")
  })

  it("refuses counts that disagree, bytes behind the end, and values that a number cannot hold", () => {
    assert.match(failure(fromHex("01 01000000 00000000 00000000")).message, /1 values, as at the front found=0/)
    assert.match(failure(fromHex("01 00000000 00000000 00000000 00")).message, /expected=the end found=1 bytes/)
    assert.match(
      failure(fromHex("01 01000000 00000001 0020000000000000 00000001 0000000000000000")).message,
      /expected=0 to 2\^53 - 1/
    )
    assert.match(
      failure(fromHex("01 02000000 00000002 0000000000000000 ff80 00000002 0000000000000000 0000")).message,
      /expected=0 to 2\^53 - 1 found=-1/
    )
  })

  it("does not let a count fill the memory", () => {
    const bytes = new Uint8Array(1 << 20)
    bytes.set(fromHex("01 ffffff00 00ffffff"))
    assert.match(failure(bytes).message, /at most 65536 points found=16777215/)
  })

  it("refuses or reads, never more, when cut off or with a bit flipped", () => {
    for (const [, hex] of bytesOf) Hostile.endures(fromHex(hex), SequenceTrackerCodec.decode)
    for (const [, hex] of bytesOf) {
      for (let length = 0; length < fromHex(hex).length; length++) failure(fromHex(hex).slice(0, length))
    }
  })
})
