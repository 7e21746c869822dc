import { assert, describe, it } from "@effect/vitest"
import { ByteCopies } from "../../../src/internal/lsm/ByteCopies.ts"

describe("ByteCopies", () => {
  it("gives copies that neither the source nor later copies change", () => {
    const copies = new ByteCopies()
    const source = new Uint8Array(5000)
    const made: Array<{ readonly copy: Uint8Array; readonly fill: number }> = []
    for (const [fill, length] of [0, 1, 64, 65, 127, 128, 129, 1023, 1024, 1025, 4000].entries()) {
      for (let round = 0; round < 20; round++) {
        source.fill(fill)
        made.push({ copy: copies.copy(source, 7, 7 + length), fill })
        assert.strictEqual(made.at(-1)?.copy.length, length)
        source.fill(0xff)
      }
    }
    for (const { copy, fill } of made) assert.isTrue(copy.every((byte) => byte === fill))
  })

  it("pins no more than 8 KiB with a small copy, and nothing else with a large one", () => {
    const copies = new ByteCopies()
    for (const length of [0, 64, 65, 500, 1024]) {
      assert.isAtMost(copies.copy(new Uint8Array(length), 0, length).buffer.byteLength, 8192)
    }
    assert.strictEqual(copies.copy(new Uint8Array(9000), 0, 1025).buffer.byteLength, 1025)
  })
})
