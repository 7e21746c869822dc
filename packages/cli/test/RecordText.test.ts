import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as RecordText from "../src/RecordText.ts"

const auto = { key: "auto", value: "auto" } as const
/** Text without lone surrogates, which have no UTF-8. */
const WellFormed = Schema.String.check(Schema.makeFilter((text) => !/\p{Surrogate}/u.test(text)))

const utf8 = (text: string) => new TextEncoder().encode(text)

describe("RecordText", () => {
  for (const format of RecordText.formats) {
    it.prop(`every ${format} record that is printed can be parsed`, [Schema.Uint8Array, WellFormed], ([key, text]) => {
      for (const entry of [
        { key, value: utf8(text) },
        { key: utf8(text), value: key }
      ]) {
        for (const bytes of [auto, { key: "hex", value: "base64" }] as const) {
          const line = RecordText.print(format, bytes, entry)
          assert.strictEqual(line.indexOf("\n"), line.length - 1)
          assert.deepStrictEqual(RecordText.parse(format, bytes, line.slice(0, -1)), Result.succeed(entry))
        }
      }
    })
  }

  it("a record looks as expected", () => {
    const entry = { key: utf8("a\tb"), value: utf8(`x\\"y"`) }
    assert.strictEqual(RecordText.print("ndjson", auto, entry), `{"key":"a\\tb","value":"x\\\\\\"y\\""}\n`)
    assert.strictEqual(RecordText.print("tsv", auto, entry), `a\\tb\tx\\\\"y"\n`)
    const binary = { key: Uint8Array.of(0xff), value: Uint8Array.of() }
    assert.strictEqual(RecordText.print("ndjson", auto, binary), `{"key":{"hex":"ff"},"value":""}\n`)
    assert.strictEqual(RecordText.print("tsv", auto, binary), `\\xff\t\n`)
  })

  it("passes over empty lines and understands CRLF", () => {
    assert.deepStrictEqual(RecordText.parse("ndjson", auto, ""), Result.succeed(undefined))
    assert.deepStrictEqual(RecordText.parse("tsv", auto, "\r"), Result.succeed(undefined))
    assert.deepStrictEqual(
      RecordText.parse("tsv", auto, "a\tb\r"),
      Result.succeed({ key: utf8("a"), value: utf8("b") })
    )
  })

  for (const [format, line, says] of [
    ["ndjson", "{", "it is no JSON"],
    ["ndjson", "[]", 'it is no object with "key" and "value"'],
    ["ndjson", `{"key":"a"}`, 'it is no object with "key" and "value"'],
    ["ndjson", `{"key":1,"value":""}`, "key: 1 is not a string"],
    ["ndjson", `{"key":"","value":{"a":1}}`, `value: {"a":1} is not a string`],
    ["tsv", "a", "it has not two fields with a tab between"],
    ["tsv", "a\tb\tc", "it has not two fields with a tab between"],
    ["tsv", "a\t\\q", "unknown escape"],
    ["tsv", "a\t\\", "unknown escape"],
    ["tsv", "\\xf\tb", 'key: "f" is not hex']
  ] as const) {
    it(`refuses ${format} ${JSON.stringify(line)}`, () => {
      const failure = Result.getOrThrow(Result.flip(RecordText.parse(format, auto, line)))
      assert.include(failure, says)
    })
  }

  it("knows a format by the name of the file", () => {
    assert.strictEqual(RecordText.formatOf("a/b.TSV"), "tsv")
    assert.strictEqual(RecordText.formatOf("b.json"), "ndjson")
  })
})
