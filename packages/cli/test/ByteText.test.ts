import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ByteText from "../src/ByteText.ts"

const bytes = (...values: ReadonlyArray<number>) => Uint8Array.from(values)
const utf8 = (text: string) => new TextEncoder().encode(text)

describe("ByteText", () => {
  it("auto prints printable UTF-8 as it is, and all else as hex", () => {
    assert.strictEqual(ByteText.print("auto", utf8("Zürich 🏔")), "Zürich 🏔")
    assert.strictEqual(ByteText.print("auto", utf8("a\nb")), "0x610a62")
    assert.strictEqual(ByteText.print("auto", utf8("\u001b[2J")), "0x1b5b324a")
    assert.strictEqual(ByteText.print("auto", bytes(0xff, 0)), "0xff00")
    assert.strictEqual(ByteText.print("auto", bytes()), "")
  })

  it("prints and parses hex and base64", () => {
    assert.strictEqual(ByteText.print("hex", bytes(0, 255)), "00ff")
    assert.strictEqual(ByteText.print("base64", bytes(0, 255)), "AP8=")
    for (const [format, text] of [
      ["hex", "00ff"],
      ["hex", "0x00FF"],
      ["base64", "AP8="],
      ["base64", "AP8"]
    ] as const) {
      assert.deepStrictEqual(ByteText.parse(format, text), Result.succeed(bytes(0, 255)))
    }
  })

  it("refuses what is not of its format", () => {
    for (const [format, text] of [
      ["hex", "0"],
      ["hex", "xy"],
      ["hex", "00 ff"],
      ["base64", "A"],
      ["base64", "A*8="],
      ["base64", "AP8=A"]
    ] as const) {
      assert.isTrue(Result.isFailure(ByteText.parse(format, text)), `${format} ${text}`)
    }
  })

  it("leaves a byte order mark where it is", () => {
    const marked = bytes(0xef, 0xbb, 0xbf, 0x61)
    for (const format of ByteText.formats) {
      assert.deepStrictEqual(ByteText.parse(format, ByteText.print(format, marked)), Result.succeed(marked))
    }
  })

  it.prop("any bytes survive JSON in every format but utf8", [Schema.Uint8Array], ([any]) => {
    for (const format of ["auto", "hex", "base64"] as const) {
      const json: unknown = JSON.parse(JSON.stringify(ByteText.printJson(format, any)))
      assert.deepStrictEqual(ByteText.parseJson(format, json), Result.succeed(any))
    }
  })

  it("reads an object with hex in auto only, and no other JSON", () => {
    assert.deepStrictEqual(ByteText.parseJson("auto", { hex: "ff" }), Result.succeed(bytes(0xff)))
    for (const [format, json] of [
      ["utf8", { hex: "ff" }],
      ["auto", { hex: 1 }],
      ["auto", 1],
      ["auto", null],
      ["hex", ["ff"]]
    ] as const) {
      assert.isTrue(Result.isFailure(ByteText.parseJson(format, json)))
    }
  })
})
