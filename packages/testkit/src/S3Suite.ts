/**
 * Tests that need a real S3 server: run where there is one or one can be started,
 * failed where there must be one (`SLATEDB_REQUIRE_S3=1`), and else skipped with a
 * line that says so.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { describe, it } from "vitest"
import * as S3Server from "./S3Server.ts"

/**
 * Declares tests on the shared server, which is found or started while they are
 * collected.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const suite = (name: string, tests: (server: S3Server.S3Server) => void): void =>
  declare(name, S3Server.find, tests)

/**
 * Declares tests that start servers of their own by `S3Server.scoped`.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const ownServerSuite = (name: string, tests: () => void): void => declare(name, S3Server.installed, tests)

const declare = <A>(
  name: string,
  need: Effect.Effect<A, S3Server.S3ServerError>,
  tests: (available: A) => void
): void => {
  describe(name, async () => {
    const available = await Effect.runPromise(Effect.result(need))
    if (Result.isSuccess(available)) return tests(available.success)
    const { notInstalled } = available.failure
    const message = available.failure.message + (notInstalled ? ", or set SLATEDB_TEST_S3_ENDPOINT to a server" : "")
    if (S3Server.isRequired() || !notInstalled) {
      it("has an S3 server", () => {
        throw new Error(`the S3 tests '${name}' cannot run: ${message}`)
      })
    } else {
      process.stderr.write(`\nNOT RUN: the S3 tests '${name}': ${message}\n\n`)
      it.skip(`needs an S3 server: ${message}`, () => {})
    }
  })
}
