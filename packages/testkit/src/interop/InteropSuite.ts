/**
 * Tests that need the official engine: run where its binding can be loaded, failed
 * where it must be (`SLATEDB_REQUIRE_INTEROP=1`), and else skipped with a line that
 * says so.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { describe, it } from "vitest"
import * as S3Server from "../S3Server.ts"
import type * as OfficialEngineModule from "./OfficialEngine.ts"
import * as Place from "./Place.ts"

/** The module that drives the official engine. Tests get it from here, as loading it may fail. */
export type OfficialEngine = typeof OfficialEngineModule

/** Declares tests against the official engine. */
export const suite = (name: string, tests: (official: OfficialEngine) => void): void => {
  describe(`interop: ${name}`, async () => {
    const loaded = await Effect.runPromise(Effect.result(binding))
    if (Result.isSuccess(loaded)) tests(loaded.success)
    else unavailable(name, loaded.failure, isRequired())
  })
}

/** Gives a fresh place for a database. */
export type NewPlace = Effect.Success<ReturnType<typeof Place.maker>>

/** Declares the same tests twice: on directories, and on buckets of a real S3 server. */
export const onEachStore = (
  name: string,
  tests: (official: OfficialEngine, newPlace: NewPlace, store: Place.Store) => void
): void => {
  for (const store of Place.stores) {
    suite(`${name}, on ${store === "file" ? "a directory" : "a bucket"}`, (official) => {
      describe(store, async () => {
        const newPlace = await Effect.runPromise(Effect.result(Place.maker(store)))
        if (Result.isSuccess(newPlace)) return tests(official, newPlace.success, store)
        const { message, notInstalled } = newPlace.failure
        unavailable(name, message, S3Server.isRequired() || !notInstalled)
      })
    })
  }
}

/** Whether tests must fail rather than be skipped where the binding cannot be loaded. */
export const isRequired = (): boolean => process.env["SLATEDB_REQUIRE_INTEROP"] === "1"

const binding = Effect.tryPromise({
  try: (): Promise<OfficialEngine> => import("./OfficialEngine.ts"),
  catch: (cause) => `the binding of the official engine cannot be loaded: ${String(cause)}`
})

const unavailable = (name: string, message: string, isFailure: boolean): void => {
  if (isFailure) {
    it("has its counterpart", () => {
      throw new Error(`the interop tests '${name}' cannot run: ${message}`)
    })
  } else {
    process.stderr.write(`\nNOT RUN: the interop tests '${name}': ${message}\n\n`)
    it.skip(`needs its counterpart: ${message}`, () => {})
  }
}
