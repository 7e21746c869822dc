import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as ClientConfig from "../../src/internal/ClientConfig.ts"

describe("ClientConfig", () => {
  it("gives up on a connection that is not made in five seconds, and on silence in thirty", () => {
    const { client } = Result.getOrThrow(ClientConfig.resolve({ bucket: "b" }))
    assert.deepInclude(client.requestHandler, { connectionTimeout: 5000, socketTimeout: 30_000 })
  })

  it("leaves region, endpoint and credentials to the SDK where there are none", () => {
    const { client } = Result.getOrThrow(ClientConfig.resolve({ bucket: "b" }))
    for (const name of ["region", "endpoint", "credentials"]) assert.isFalse(Object.hasOwn(client, name), name)
  })
})
